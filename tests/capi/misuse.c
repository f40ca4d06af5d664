/* What a program may do wrong gets a status: NULL, handles that are freed or of another kind, a second thread,
 * calls after close, bad strides and lengths. */
#include "check.h"

#include <pthread.h>
#include <unistd.h>

static milena_embedded *cluster;

static void nulls(void) {
    milena_producer *producer = NULL;
    milena_config *config = milena_config_new();
    milena_config *copy = milena_config_copy(config);
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_producer_new(NULL, &producer, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_producer_new(config, NULL, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_config_set(NULL, "a", "b", &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_config_set(config, NULL, "b", &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_config_set(config, "a", NULL, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_config_set(config, "\xff", "b", &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_producer_flush(NULL, 0, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_consumer_wakeup(NULL, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_admin_close(NULL, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_embedded_clear_faults(NULL, &err));
    CHECK(milena_producer_flush(NULL, 0, NULL) == MILENA_E_NULL_ARGUMENT);
    CHECK(milena_embedded_bootstrap_servers(NULL) == NULL);
    CHECK(milena_config_get(NULL, "a") == NULL && milena_config_get(config, NULL) == NULL);
    CHECK(milena_config_copy(NULL) == NULL);

    size_t n = 1, stride = 1;
    CHECK(milena_deliveries_chunks(NULL, &n, &stride) == NULL && n == 0);
    CHECK(milena_batch_chunks(NULL, NULL, NULL) == NULL && milena_batch_event(NULL) == NULL);
    CHECK(milena_batch_packed_size(NULL) == 0 && milena_batch_count(NULL) == 0);
    CHECK(milena_offsets_rows(NULL, &n, NULL) == NULL && milena_topics_rows(NULL, &n, NULL) == NULL);
    CHECK(milena_cluster_brokers(NULL, &n, NULL) == NULL && milena_cluster_id(NULL) == NULL);
    CHECK(milena_log_lines(NULL, &n, NULL) == NULL && milena_log_dropped(NULL) == 0);
    CHECK(milena_error_code(NULL) == MILENA_OK && milena_error_topic(NULL).data == NULL);
    CHECK(milena_error_string(NULL) != NULL && milena_error_hint(NULL) == NULL);

    milena_config_free(copy);
    milena_config_free(config);
    milena_config_free(NULL);
    milena_error_free(NULL);
    milena_producer_free(NULL);
    milena_consumer_free(NULL);
    milena_admin_free(NULL);
    milena_embedded_free(NULL);
    milena_deliveries_free(NULL);
    milena_batch_free(NULL);
    milena_offsets_free(NULL);
    milena_topics_free(NULL);
    milena_cluster_free(NULL);
    milena_log_free(NULL);
}

static void handles(void) {
    milena_producer *producer = producer_for(cluster);
    milena_consumer *consumer = consumer_for(cluster);
    EXPECT(MILENA_E_STALE_HANDLE, milena_consumer_wakeup((milena_consumer *)producer, &err));
    EXPECT(MILENA_E_STALE_HANDLE, milena_producer_flush((milena_producer *)consumer, 0, &err));
    EXPECT(MILENA_E_STALE_HANDLE, milena_producer_flush((milena_producer *)&producer, 0, &err));
    EXPECT(MILENA_E_STALE_HANDLE, milena_producer_flush((milena_producer *)(uintptr_t)-1, 0, &err));
    EXPECT(MILENA_E_STALE_HANDLE, milena_producer_flush((milena_producer *)(uintptr_t)1, 0, &err));
    milena_producer_free((milena_producer *)consumer);
    OK(milena_consumer_wakeup(consumer, &err));

    milena_producer_free(producer);
    milena_producer_free(producer);
    milena_deliveries *deliveries = NULL;
    EXPECT(MILENA_E_STALE_HANDLE, milena_producer_poll(producer, 0, 0, &deliveries, &err));
    CHECK(deliveries == NULL);

    /* The next one takes the same place, and the old handle does not reach it. */
    milena_producer *next = producer_for(cluster);
    CHECK(next != producer);
    EXPECT(MILENA_E_STALE_HANDLE, milena_producer_flush(producer, 0, &err));
    OK(milena_producer_flush(next, 0, &err));
    milena_producer_free(next);
    milena_consumer_free(consumer);
    EXPECT(MILENA_E_STALE_HANDLE, milena_consumer_wakeup(consumer, &err));
}

/* Sends one record and gives the status; *accepted must then be 1 or 0. */
static milena_status send_one(const milena_producer *producer, const milena_record *record, milena_error **err) {
    size_t accepted = 77;
    milena_status status =
        milena_producer_send(producer, milena_str("t"), record, sizeof *record, 1, 0, &accepted, err);
    CHECK(accepted == (status == MILENA_OK));
    return status;
}

/* A wrong max_block_ms is refused on the short way, too: that of one record whose batch is open already. */
static void short_way(void) {
    milena_config *config = config_for(cluster);
    milena_producer *producer = NULL;
    milena_bytes topic = milena_str("t");
    milena_record good = MILENA_RECORD_INIT;
    good.value = milena_str("v");
    OK(milena_config_set(config, "linger.ms", "60000", &err));
    OK(milena_producer_new(config, &producer, &err));
    milena_config_free(config);
    OK(send_one(producer, &good, &err));
    OK(milena_producer_flush(producer, 60000, &err));
    OK(send_one(producer, &good, &err));
    size_t accepted = 77;
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_producer_send(producer, topic, &good, sizeof good, 1, -2, &accepted, &err));
    CHECK(accepted == 0);
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_producer_send(producer, topic, &good, sizeof good, 1, INT64_MIN, NULL, &err));
    OK(milena_producer_send(producer, topic, &good, sizeof good, 1, -1, &accepted, &err));
    CHECK(accepted == 1);
    OK(milena_producer_close(producer, 60000, &err));
    milena_producer_free(producer);
}

static void records(void) {
    milena_producer *producer = producer_for(cluster);
    milena_bytes topic = milena_str("t");
    milena_record good = MILENA_RECORD_INIT, bad = good;
    good.value = milena_str("v");
    size_t accepted = 77;

    OK(send_one(producer, &good, &err));
    OK(milena_producer_send(producer, topic, NULL, 0, 0, -1, &accepted, &err));
    CHECK(accepted == 0);
    OK(milena_producer_send(producer, topic, &good, sizeof good, 1, -1, NULL, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_producer_send(producer, topic, NULL, sizeof good, 1, -1, NULL, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_producer_send(producer, topic, &good, 8, 1, -1, NULL, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_producer_send(producer, topic, &good, sizeof good + 1, 1, -1, NULL, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_producer_send(producer, topic, &good, sizeof good, SIZE_MAX / 2, -1, NULL, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_producer_send(producer, topic, &good, sizeof good, 1, -2, NULL, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_producer_send(producer, topic, (milena_record *)((char *)&good + 1), sizeof good, 1, 0, NULL, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_producer_send(producer, milena_str(NULL), &good, sizeof good, 1, 0, NULL, &err));
    EXPECT(MILENA_E_INVALID_TOPIC_EXCEPTION,
           milena_producer_send(producer, milena_str("a b"), &good, sizeof good, 1, 0, NULL, &err));
    EXPECT(MILENA_E_INVALID_TOPIC_EXCEPTION,
           milena_producer_send(producer, milena_str("\xff"), &good, sizeof good, 1, 0, NULL, &err));

    bad.partition = -2;
    EXPECT(MILENA_E_INVALID_ARGUMENT, send_one(producer, &bad, &err));
    bad = good;
    bad.timestamp_ms = -2;
    EXPECT(MILENA_E_INVALID_ARGUMENT, send_one(producer, &bad, &err));
    bad = good;
    bad.value.len = (size_t)INT32_MAX + 1;
    EXPECT(MILENA_E_INVALID_ARGUMENT, send_one(producer, &bad, &err));
    bad = good;
    bad.key.len = 1;
    EXPECT(MILENA_E_INVALID_ARGUMENT, send_one(producer, &bad, &err));
    bad = good;
    bad.headers_len = 1;
    EXPECT(MILENA_E_NULL_ARGUMENT, send_one(producer, &bad, &err));
    milena_header unnamed = { { NULL, 0 }, { NULL, 0 } };
    bad.headers = &unnamed;
    EXPECT(MILENA_E_INVALID_ARGUMENT, send_one(producer, &bad, &err));

    /* The error names the record; those before it are taken. */
    milena_record three[3] = { good, good, bad };
    milena_error *err = NULL;
    CHECK(milena_producer_send(producer, topic, three, sizeof good, 3, 0, &accepted, &err) == MILENA_E_INVALID_ARGUMENT);
    CHECK(accepted == 2 && strstr(milena_error_message(err), "record 2") != NULL);
    milena_error_free(err);

    OK(milena_producer_close(producer, 60000, &err));
    OK(milena_producer_close(producer, 60000, &err));
    EXPECT(MILENA_E_CLOSED, send_one(producer, &good, &err));
    milena_producer_free(producer);
}

static void *poll_long(void *consumer) {
    milena_batch *batch = NULL;
    milena_status status = MILENA_E_BUSY;
    while (status == MILENA_E_BUSY) { /* until it comes in between two calls of the thread that waits for it */
        status = milena_consumer_poll(consumer, 60000, 0, &batch, NULL);
    }
    return (void *)(intptr_t)status;
}

static void *send_long(void *producer) {
    static char value[4000];
    milena_record record = MILENA_RECORD_INIT;
    record.value = (milena_bytes){ (const uint8_t *)value, sizeof value };
    milena_status status = MILENA_OK;
    while (status == MILENA_OK) {
        status = milena_producer_send(producer, milena_str("t"), &record, sizeof record, 1, 60000, NULL, NULL);
    }
    return (void *)(intptr_t)status;
}

static milena_status joined(pthread_t thread) {
    void *result = NULL;
    CHECK(pthread_join(thread, &result) == 0);
    return (milena_status)(intptr_t)result;
}

static void threads(void) {
    milena_consumer *consumer = consumer_for(cluster);
    milena_topic_partition partition = { milena_str("empty"), 0 };
    OK(milena_consumer_assign(consumer, &partition, sizeof partition, 1, &err));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, poll_long, consumer) == 0);
    while (milena_consumer_pause(consumer, NULL, 0, 0, NULL) != MILENA_E_BUSY) usleep(1000);
    milena_batch *batch = NULL;
    EXPECT(MILENA_E_BUSY, milena_consumer_poll(consumer, 0, 0, &batch, &err));
    size_t packed = 0;
    EXPECT(MILENA_E_BUSY, milena_consumer_poll_packed(consumer, 0, 0, NULL, 0, &packed, &batch, &err));
    EXPECT(MILENA_E_BUSY, milena_consumer_close(consumer, 0, &err));
    milena_fd fd = -1;
    OK(milena_consumer_fd(consumer, &fd, &err));
    CHECK(fd >= 0);
    OK(milena_consumer_wakeup(consumer, &err));
    CHECK(joined(thread) == MILENA_E_WAKEUP);

    /* Freed while another thread waits inside. */
    CHECK(pthread_create(&thread, NULL, poll_long, consumer) == 0);
    while (milena_consumer_pause(consumer, NULL, 0, 0, NULL) != MILENA_E_BUSY) usleep(1000);
    milena_consumer_free(consumer);
    CHECK(joined(thread) == MILENA_E_WAKEUP);

    milena_config *config = config_for(cluster);
    milena_producer *producer = NULL;
    OK(milena_config_set(config, "buffer.memory", "100000", &err));
    OK(milena_config_set(config, "linger.ms", "60000", &err));
    OK(milena_producer_new(config, &producer, &err));
    milena_config_free(config);
    OK(milena_embedded_broker_pause(cluster, 1, &err));
    CHECK(pthread_create(&thread, NULL, send_long, producer) == 0);
    milena_record record = MILENA_RECORD_INIT;
    while (milena_producer_send(producer, milena_str("t"), &record, sizeof record, 1, 0, NULL, NULL) == MILENA_OK)
        usleep(1000);
    milena_producer_free(producer);
    /* Let go while it waited, or too late to come in. */
    const milena_status ended = joined(thread);
    CHECK(ended == MILENA_E_CLOSED || ended == MILENA_E_STALE_HANDLE);
    OK(milena_embedded_broker_resume(cluster, 1, &err));
}

static void consumers(void) {
    milena_consumer *consumer = consumer_for(cluster);
    milena_batch *batch = NULL;
    milena_offsets *offsets = NULL;
    milena_bytes topic = milena_str("t");
    milena_topic_partition partition = { milena_str("t"), 0 };
    milena_offset offset = MILENA_OFFSET_INIT;
    offset.topic = topic;
    EXPECT(MILENA_E_INVALID_STATE, milena_consumer_subscribe(consumer, &topic, 1, &err)); /* no group.id */
    EXPECT(MILENA_E_INVALID_STATE, milena_consumer_commit(consumer, NULL, 0, 0, -1, &err));
    EXPECT(MILENA_E_INVALID_STATE, milena_consumer_pause(consumer, &partition, sizeof partition, 1, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_consumer_poll(consumer, 0, 0, NULL, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_consumer_poll(consumer, -2, 0, &batch, &err));
    uint8_t block[64];
    size_t packed = 7;
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_consumer_poll_packed(consumer, 0, 0, NULL, 64, &packed, &batch, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_consumer_poll_packed(consumer, 0, 0, block, 64, NULL, &batch, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_consumer_poll_packed(consumer, 0, 0, block, 64, &packed, NULL, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_consumer_poll_packed(NULL, 0, 0, block, 64, &packed, &batch, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_consumer_poll_packed(consumer, 0, 0, block, SIZE_MAX, &packed, &batch, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_consumer_poll_packed(consumer, -2, 0, block, 64, &packed, &batch, &err));
    EXPECT(MILENA_E_INVALID_STATE, milena_consumer_poll_packed(consumer, 0, 0, NULL, 0, &packed, &batch, &err));
    CHECK(packed == 7);
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_consumer_assign(consumer, NULL, sizeof partition, 1, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_consumer_assign(consumer, &partition, 4, 1, &err));
    OK(milena_consumer_assign(consumer, &partition, sizeof partition, 1, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_consumer_seek(consumer, &offset, sizeof offset, 1, &err));
    offset.offset = 0;
    offset.partition = 5;
    EXPECT(MILENA_E_INVALID_STATE, milena_consumer_seek(consumer, &offset, sizeof offset, 1, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_consumer_offsets_for_times(consumer, &offset, sizeof offset, 1, -1, &offsets, &err));
    CHECK(batch == NULL && offsets == NULL);
    OK(milena_consumer_close(consumer, 60000, &err));
    OK(milena_consumer_close(consumer, 60000, &err));
    EXPECT(MILENA_E_CLOSED, milena_consumer_poll(consumer, 0, 0, &batch, &err));
    EXPECT(MILENA_E_CLOSED, milena_consumer_poll_packed(consumer, 0, 0, block, 64, &packed, &batch, &err));
    EXPECT(MILENA_E_CLOSED, milena_consumer_seek_to_end(consumer, NULL, 0, 0, &err));
    milena_consumer_free(consumer);
}

static void faults(void) {
    milena_fault fault = MILENA_FAULT_INIT;
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_embedded_push_fault(cluster, &fault, sizeof fault, &err));
    fault.kind = MILENA_FAULT_DELAY;
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_embedded_push_fault(cluster, &fault, 4, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_embedded_push_error(cluster, 999, 6, 1, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_embedded_push_error(cluster, 0, MILENA_E_CLOSED, 1, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_embedded_broker_down(cluster, 9, &err));
    milena_embedded *other = NULL;
    milena_config *settings = milena_config_new();
    OK(milena_config_set(settings, "num.partitons", "3", &err));
    EXPECT(MILENA_E_INVALID_CONFIGURATION, milena_embedded_new(1, 0, settings, &other, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_embedded_new(0, 0, NULL, &other, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_embedded_new(1, 70000, NULL, &other, &err));
    CHECK(other == NULL);
    milena_config_free(settings);
}

int main(void) {
    cluster = cluster_of(1);
    OK(milena_embedded_create_topic(cluster, milena_str("t"), 1, 1, &err));
    OK(milena_embedded_create_topic(cluster, milena_str("empty"), 1, 1, &err));
    nulls();
    handles();
    records();
    short_way();
    consumers();
    threads();
    faults();
    milena_embedded_free(cluster);
    milena_embedded_free(cluster);
    return 0;
}
