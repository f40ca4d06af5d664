/* Records go in by structs and by the packed form, and come out by views and by the packed form, unchanged. */
#include "check.h"

#define COUNT 1000

static void put32(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get32(const uint8_t *from) {
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static void send_structs(const milena_producer *producer) {
    static milena_record records[COUNT];
    static char values[COUNT][32];
    milena_header headers[3] = {
        { milena_str("h"), milena_str("one") }, { milena_str("h"), { NULL, 0 } }, { milena_str(""), milena_str("") }
    };
    for (int i = 0; i < COUNT; i++) {
        milena_record record = MILENA_RECORD_INIT;
        snprintf(values[i], sizeof values[i], "value %d", i);
        record.value = milena_str(values[i]);
        record.key = i % 3 == 0 ? milena_str("") : i % 3 == 1 ? milena_str("key") : (milena_bytes){ NULL, 0 };
        record.partition = 0;
        record.timestamp_ms = 1000 + i;
        record.token = (uint64_t)i;
        if (i % 5 == 0) {
            record.headers = headers;
            record.headers_len = 3;
        }
        records[i] = record;
    }
    size_t accepted = 0;
    OK(milena_producer_send(producer, milena_str("t"), records, sizeof *records, COUNT, -1, &accepted, &err));
    CHECK(accepted == COUNT);
}

static void send_packed(const milena_producer *producer) {
    uint8_t block[512];
    uint8_t *at = block;
    for (uint32_t i = 0; i < 3; i++) {
        memset(at, 0, 32);
        put32(at, COUNT + i);
        put32(at + 8, 5000 + i);
        put32(at + 20, (uint32_t)-1);
        put32(at + 24, 6);
        put32(at + 28, 1);
        memcpy(at + 32, "packed", 6);
        at += 38;
        put32(at, 1);
        put32(at + 4, (uint32_t)-1);
        at[8] = 'n';
        at += 9;
    }
    milena_bytes packed = { block, (size_t)(at - block) };
    size_t accepted = 0;
    OK(milena_producer_send_packed(producer, milena_str("t"), packed, 3, -1, &accepted, &err));
    CHECK(accepted == 3);

    /* The second record is cut off: the first is taken. */
    packed.len = 50;
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_producer_send_packed(producer, milena_str("t"), packed, 2, -1, &accepted, &err));
    CHECK(accepted == 1);
}

/* Every token comes back once; gives nothing but that. */
static void take_deliveries(const milena_producer *producer) {
    size_t seen = 0, n, stride;
    uint64_t sum = 0;
    while (seen < COUNT + 4) {
        milena_deliveries *deliveries = NULL;
        OK(milena_producer_poll(producer, 60000, 0, &deliveries, &err));
        CHECK(deliveries != NULL);
        const milena_delivery *chunk = milena_deliveries_chunks(deliveries, &n, &stride);
        CHECK(stride == sizeof *chunk);
        for (; n > 0; n--, chunk = (const milena_delivery *)((const char *)chunk + stride)) {
            CHECK(chunk->status == MILENA_OK && chunk->error == NULL && chunk->base_offset >= 0);
            CHECK(same(chunk->topic, "t") && chunk->partition == 0);
            for (size_t i = 0; i < chunk->tokens_len; i++) sum += chunk->tokens[i];
            seen += chunk->tokens_len;
        }
        milena_deliveries_free(deliveries);
    }
    CHECK(seen == COUNT + 4);
    CHECK(sum == (uint64_t)(COUNT + 2) * (COUNT + 3) / 2 + COUNT);
}

static void check_struct_record(const milena_record_view *record, int i) {
    char value[32];
    snprintf(value, sizeof value, "value %d", i);
    CHECK(record->offset == i && record->timestamp_ms == 1000 + i && record->flags == 0);
    CHECK(same(record->value, value));
    if (i % 3 == 2) {
        CHECK(record->key.data == NULL);
    } else {
        CHECK(same(record->key, i % 3 == 0 ? "" : "key"));
    }
    if (i % 5 == 0) {
        CHECK(record->headers_len == 3);
        CHECK(same(record->headers[0].name, "h") && same(record->headers[0].value, "one"));
        CHECK(same(record->headers[1].name, "h") && record->headers[1].value.data == NULL);
        CHECK(same(record->headers[2].name, "") && same(record->headers[2].value, ""));
    } else {
        CHECK(record->headers_len == 0 && record->headers == NULL);
    }
}

/* The packed form says what the views say. */
static void check_packed(const milena_batch *batch) {
    size_t size = milena_batch_packed_size(batch), n, stride;
    uint8_t *block = malloc(size);
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_batch_pack(batch, block, size - 1, &err));
    OK(milena_batch_pack(batch, block, size, &err));
    CHECK(get32(block) == 1 && get32(block + 8) == milena_batch_count(batch));
    const milena_chunk *chunk = milena_batch_chunks(batch, &n, &stride);
    CHECK(n == 1 && get32(block + 4) == 1);
    const uint8_t *row = block + get32(block + 20), *chunk_row = block + get32(block + 16);
    CHECK(get32(chunk_row + 4) == 1 && block[get32(chunk_row)] == 't');
    CHECK(get32(chunk_row + 8) == 0 && (int64_t)get32(chunk_row + 16) == chunk->next_offset);
    CHECK(get32(chunk_row + 24) == 0 && get32(chunk_row + 28) == chunk->records_len);
    for (size_t i = 0; i < chunk->records_len; i++, row += 48) {
        const milena_record_view *view = &chunk->records[i];
        CHECK((int64_t)get32(row) == view->offset && (int64_t)get32(row + 8) == view->timestamp_ms);
        CHECK((int32_t)get32(row + 20) == (view->key.data ? (int32_t)view->key.len : -1));
        CHECK(view->key.len == 0 || memcmp(block + get32(row + 16), view->key.data, view->key.len) == 0);
        CHECK(get32(row + 28) == view->value.len);
        CHECK(memcmp(block + get32(row + 24), view->value.data, view->value.len) == 0);
        CHECK(get32(row + 36) == view->headers_len && get32(row + 44) == 0);
        const uint8_t *header = block + get32(block + 24) + 16 * get32(row + 32);
        for (uint32_t h = 0; h < view->headers_len; h++, header += 16) {
            CHECK(get32(header + 4) == view->headers[h].name.len);
            CHECK(memcmp(block + get32(header), view->headers[h].name.data, view->headers[h].name.len) == 0);
            CHECK((int32_t)get32(header + 12) ==
                  (view->headers[h].value.data ? (int32_t)view->headers[h].value.len : -1));
        }
    }
    free(block);
}

static void consume(milena_consumer *consumer) {
    int next = 0;
    while (next < COUNT + 4) {
        milena_batch *batch = NULL;
        size_t n, stride;
        OK(milena_consumer_poll(consumer, 60000, 300, &batch, &err));
        CHECK(batch != NULL && milena_batch_event(batch) == NULL && milena_batch_count(batch) <= 300);
        check_packed(batch);
        const milena_chunk *chunk = milena_batch_chunks(batch, &n, &stride);
        CHECK(n == 1 && stride >= sizeof *chunk && chunk->records_stride == sizeof(milena_record_view));
        CHECK(same(chunk->topic, "t") && chunk->partition == 0);
        for (size_t i = 0; i < chunk->records_len; i++, next++) {
            if (next < COUNT) {
                check_struct_record(&chunk->records[i], next);
            } else {
                const milena_record_view *record = &chunk->records[i];
                CHECK(record->timestamp_ms == 5000 + (next - COUNT) % 3 && record->key.data == NULL);
                CHECK(same(record->value, "packed") && record->headers_len == 1);
                CHECK(same(record->headers[0].name, "n") && record->headers[0].value.data == NULL);
            }
        }
        CHECK(chunk->next_offset == next);
        milena_batch_free(batch);
    }
}

/* Polls and packs at once: the same bytes as in two steps, or the batch itself if there is no room. */
static void consume_packed(milena_consumer *consumer) {
    static uint8_t block[100000], once[100000];
    milena_batch *batch = NULL;
    size_t packed = 7, size = 0;
    for (int round = 0; round < 4; round++) {
        const size_t capacity = round == 0 ? 0 : round == 1 ? size - 1 : round == 2 ? size : sizeof once;
        OK(milena_consumer_seek_to_beginning(consumer, NULL, 0, 0, &err));
        OK(milena_consumer_poll_packed(consumer, 60000, 10, capacity > 0 ? once : NULL, capacity, &packed, &batch,
                                       &err));
        if (capacity < size || size == 0) {
            CHECK(packed == 0 && milena_batch_count(batch) == 10);
            size = milena_batch_packed_size(batch);
            CHECK(size <= sizeof block);
            OK(milena_batch_pack(batch, block, size, &err));
            milena_batch_free(batch);
        } else {
            CHECK(packed == size && batch == NULL && memcmp(block, once, size) == 0);
        }
        OK(milena_consumer_poll_packed(consumer, 60000, 1, once, sizeof once, &packed, &batch, &err));
        CHECK(packed > 0 && batch == NULL && get32(once + get32(once + 20)) == 10);
    }
    OK(milena_consumer_seek_to_end(consumer, NULL, 0, 0, &err));
    OK(milena_consumer_poll_packed(consumer, 100, 1, once, sizeof once, &packed, &batch, &err));
    CHECK(packed == 0 && batch == NULL);
}

int main(void) {
    milena_embedded *cluster = cluster_of(1);
    OK(milena_embedded_create_topic(cluster, milena_str("t"), 1, 1, &err));
    milena_producer *producer = producer_for(cluster);
    send_structs(producer);
    send_packed(producer);
    OK(milena_producer_flush(producer, 60000, &err));
    take_deliveries(producer);

    milena_consumer *consumer = consumer_for(cluster);
    milena_topic_partition partition = { milena_str("t"), 0 };
    OK(milena_consumer_assign(consumer, &partition, sizeof partition, 1, &err));
    consume(consumer);
    consume_packed(consumer);

    OK(milena_consumer_close(consumer, 60000, &err));
    milena_consumer_free(consumer);
    OK(milena_producer_close(producer, 60000, &err));
    milena_producer_free(producer);
    milena_embedded_free(cluster);
    return 0;
}
