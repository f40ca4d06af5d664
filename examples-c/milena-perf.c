/*
 * milena-perf: how fast, and at what cost, records go through the library.
 *
 *     milena-perf produce --bootstrap localhost:9092 --topic letters --count 1000000 --size 100
 *     milena-perf consume --bootstrap localhost:9092 --topic letters --count 1000000
 *     milena-perf lat     ...      one by one: from send to the delivery
 *     milena-perf e2e     ...      one by one: from send to the poll of a consumer
 *
 * It prints one JSON line. Whatever goes wrong ends it with exit code 1 and the whole error on stderr.
 *
 * What is measured is the library: values are made before the clock starts, and the loops do as little as a program
 * can do with a record.
 */
#include <inttypes.h>
#include <milena.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/json.h"
#include "common/measure.h"
#include "common/options.h"
#include "common/rows.h"
#include "common/settings.h"

enum {
    POOL = 1000,           /* records that are prepared, and sent over and over: so many at most, */
    POOL_BYTES = 16 << 20, /* with so many bytes of values in all, but at least one */
    MOST_POLLED = 8192,    /* records that one poll asks for, in mode batch */
    REASON_MS = 5000       /* how long to ask for the reason when no record comes */
};

static const char *bootstrap, *topic, *acks, *compression, *group, *mode = "batch";
static int64_t count = 1000000, size = 100, linger_ms = -1, batch_bytes = -1, warmup = 0;
static text_list words, conf;

static bool one_a_call;           /* --mode poll */
static int64_t patience_ms;       /* how long nothing may come: default.api.timeout.ms */
static milena_record *pool;       /* what is sent: `pool_len` records, over and over */
static int64_t pool_len;
static uint8_t *pool_values;
static uint64_t bytes;            /* of values, sent or received while the clock ran */
static int64_t *latencies_ns;     /* of lat and e2e; NULL for the others */

/* ---------------------------------------------------------------------------------------------------- records */

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Values whose first half is random and whose second half is constant: a codec can halve them. */
static void make_pool(void) {
    uint64_t state = 88172645463325252u;
    pool_len = warmup + count < POOL ? warmup + count : POOL;
    if (size > POOL_BYTES / pool_len)
        pool_len = size < POOL_BYTES ? POOL_BYTES / size : 1;
    pool = allocate((size_t)pool_len, sizeof *pool);
    pool_values = allocate((size_t)pool_len, (size_t)size);
    for (int64_t i = 0; i < pool_len; i++) {
        uint8_t *value = pool_values + i * size;
        for (int64_t k = 0; k < size; k++)
            value[k] = k < size / 2 ? (uint8_t)(next_random(&state) >> 56) : 'x';
        pool[i] = (milena_record)MILENA_RECORD_INIT;
        pool[i].value.data = value;
        pool[i].value.len = (size_t)size;
    }
}

static milena_config *client_config(void) {
    return settings_new(bootstrap);
}

/* ---------------------------------------------------------------------------------------------------- producing */

static milena_producer *make_producer(void) {
    milena_config *config = client_config();
    settings_put(config, "acks", acks);
    settings_put(config, "compression.type", compression);
    settings_put_number(config, "linger.ms", linger_ms);
    settings_put_number(config, "batch.size", batch_bytes);
    settings_put_pairs(config, &conf, "--conf");
    milena_error *err = NULL;
    milena_producer *producer = NULL;
    check(milena_producer_new(config, &producer, &err), &err, "making a producer");
    milena_config_free(config);
    return producer;
}

/* How many records were delivered since the last call. Waits at most `timeout_ms` for the first. */
static int64_t take_deliveries(const milena_producer *producer, int64_t timeout_ms) {
    milena_deliveries *deliveries = NULL;
    milena_error *err = NULL;
    check(milena_producer_poll(producer, timeout_ms, 0, &deliveries, &err), &err, "polling deliveries");
    size_t n, stride;
    const milena_delivery *chunks = milena_deliveries_chunks(deliveries, &n, &stride);
    int64_t delivered = 0;
    for (size_t i = 0; i < n; i++) {
        const milena_delivery *chunk = ROW(milena_delivery, chunks, stride, i);
        if (chunk->error)
            fail("delivering to %s: %s", topic, milena_error_string(chunk->error));
        delivered += (int64_t)chunk->tokens_len;
    }
    milena_deliveries_free(deliveries);
    return delivered;
}

/* Sends `n` records, many or one a call, and waits until all are delivered. */
static void send_records(const milena_producer *producer, int64_t n) {
    const milena_bytes name = milena_str(topic);
    milena_error *err = NULL;
    int64_t delivered = 0;
    for (int64_t sent = 0; sent < n;) {
        const int64_t end = sent + pool_len < n ? sent + pool_len : n;
        if (one_a_call) {
            for (size_t i = 0; sent < end; i++, sent++)
                check(milena_producer_send(producer, name, &pool[i], sizeof *pool, 1, -1, NULL, &err), &err, "sending");
        } else {
            check(milena_producer_send(producer, name, pool, sizeof *pool, (size_t)(end - sent), -1, NULL, &err), &err,
                  "sending");
            sent = end;
        }
        delivered += take_deliveries(producer, 0);
    }
    check(milena_producer_flush(producer, -1, &err), &err, "flushing");
    while (delivered < n)
        delivered += take_deliveries(producer, -1);
}

/* Sends one record and waits until it is delivered. */
static void send_and_wait(const milena_producer *producer, const milena_record *record) {
    milena_error *err = NULL;
    check(milena_producer_send(producer, milena_str(topic), record, sizeof *record, 1, -1, NULL, &err), &err, "sending");
    while (take_deliveries(producer, -1) == 0)
        continue;
}

static void close_producer(milena_producer *producer) {
    milena_error *err = NULL;
    check(milena_producer_close(producer, patience_ms, &err), &err, "closing the producer");
    milena_producer_free(producer);
}

/* ---------------------------------------------------------------------------------------------------- consuming */

static milena_consumer *make_consumer(void) {
    milena_config *config = client_config();
    settings_put(config, "group.id", group);
    settings_put(config, "auto.offset.reset", "earliest");
    settings_put(config, "enable.auto.commit", group ? NULL : "false");
    settings_put_pairs(config, &conf, "--conf");
    milena_error *err = NULL;
    milena_consumer *consumer = NULL;
    check(milena_consumer_new(config, &consumer, &err), &err, "making a consumer");
    milena_config_free(config);
    return consumer;
}

/* How many partitions the topic has. */
static int32_t count_partitions(void) {
    milena_config *config = client_config();
    settings_put_pairs(config, &conf, "--conf");
    if (patience_ms < settings_number(config, "request.timeout.ms", 30000)) /* an admin client insists on that */
        settings_put_number(config, "request.timeout.ms", patience_ms);
    milena_admin *admin = NULL;
    milena_topics *topics = NULL;
    milena_error *err = NULL;
    const milena_bytes name = milena_str(topic);
    check(milena_admin_new(config, &admin, &err), &err, "making an admin client");
    check(milena_admin_describe_topics(admin, &name, 1, -1, &topics, &err), &err, "describing the topic");
    const int32_t partitions = (int32_t)milena_topics_rows(topics, NULL, NULL)->partitions_len;
    milena_topics_free(topics);
    milena_admin_free(admin);
    milena_config_free(config);
    return partitions;
}

static void assign_all(milena_consumer *consumer) {
    const int32_t n = count_partitions();
    const size_t stride = sizeof(milena_topic_partition);
    milena_topic_partition *partitions = allocate((size_t)n, stride);
    for (int32_t i = 0; i < n; i++) {
        partitions[i].topic = milena_str(topic);
        partitions[i].partition = i;
    }
    milena_error *err = NULL;
    check(milena_consumer_assign(consumer, partitions, stride, (size_t)n, &err), &err, "assigning");
    check(milena_consumer_seek_to_beginning(consumer, NULL, stride, 0, &err), &err, "seeking");
    free(partitions);
}

/* Has the consumer read the topic: with --group what the group gives it, else all partitions from the beginning. */
static void begin_reading(milena_consumer *consumer) {
    const milena_bytes name = milena_str(topic);
    milena_error *err = NULL;
    if (group)
        check(milena_consumer_subscribe(consumer, &name, 1, &err), &err, "subscribing");
    else
        assign_all(consumer);
}

static int64_t sum_offsets(const milena_offsets *offsets) {
    size_t n, stride;
    const milena_offset *rows = milena_offsets_rows(offsets, &n, &stride);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ROW(milena_offset, rows, stride, i)->offset;
    return sum;
}

/* The partitions in these offsets, or partition 0 if there are none: `*n` of them. The caller frees the array. */
static milena_topic_partition *partitions_of(const milena_offsets *offsets, size_t *n) {
    size_t stride;
    const milena_offset *rows = milena_offsets_rows(offsets, n, &stride);
    milena_topic_partition *partitions = allocate(*n + 1, sizeof *partitions);
    for (size_t i = 0; i < *n; i++)
        partitions[i].partition = ROW(milena_offset, rows, stride, i)->partition;
    *n += *n == 0;
    for (size_t i = 0; i < *n; i++)
        partitions[i].topic = milena_str(topic);
    return partitions;
}

static milena_offsets *assignment(milena_consumer *consumer, size_t *n) {
    milena_offsets *offsets = NULL;
    milena_error *err = NULL;
    check(milena_consumer_assignment(consumer, &offsets, &err), &err, "looking up the assignment");
    milena_offsets_rows(offsets, n, NULL);
    return offsets;
}

/* Asks the brokers for what reading needs, and ends the program with the error of whatever fails. */
static _Noreturn void ask_brokers(milena_consumer *consumer) {
    const size_t stride = sizeof(milena_topic_partition);
    size_t assigned, n;
    milena_offsets *own = assignment(consumer, &assigned), *committed = NULL, *ends = NULL;
    milena_topic_partition *partitions = partitions_of(own, &n);
    milena_error *err = NULL;
    if (group)
        check(milena_consumer_committed(consumer, partitions, stride, n, REASON_MS, &committed, &err), &err,
              "asking for the group's offsets");
    check(milena_consumer_end_offsets(consumer, partitions, stride, n, REASON_MS, &ends, &err), &err,
          "asking for the ends of the partitions");
    if (assigned == 0)
        fail("the brokers answer, but no partition is assigned to this consumer");
    fail("the brokers answer: %zu partitions are read up to offset %" PRId64 " of %" PRId64 " in all", n,
         sum_offsets(own), sum_offsets(ends));
}

/*
 * Ends the program because nothing came. That is no error of the poll, which goes on trying: the reason shows when one
 * asks for what reading needs, that is the delivery (if there is a `sender`), the coordinator, the partitions' leaders.
 */
static _Noreturn void end_for_lack_of(const char *what, milena_consumer *consumer, const milena_producer *sender) {
    fprintf(stderr, "%s: no %s of %s came for %" PRId64 " ms (default.api.timeout.ms)\n", program_name(), what, topic,
            patience_ms);
    milena_error *err = NULL;
    if (sender) {
        check(milena_producer_flush(sender, REASON_MS, &err), &err, "waiting for the delivery");
        take_deliveries(sender, 0);
    }
    ask_brokers(consumer);
}

/* Waits until the group, if there is one, has given all partitions to this consumer. */
static void wait_until_all_assigned(milena_consumer *consumer) {
    const int64_t deadline_ns = monotonic_ns() + patience_ms * 1000000;
    const size_t all = (size_t)count_partitions();
    for (;;) {
        size_t assigned;
        milena_offsets_free(assignment(consumer, &assigned));
        if (assigned >= all)
            return;
        const int64_t left_ms = (deadline_ns - monotonic_ns()) / 1000000;
        if (left_ms <= 0 && assigned > 0)
            fail("only %zu of the %zu partitions of %s were assigned for %" PRId64 " ms (default.api.timeout.ms): has the "
                 "group %s other members?", assigned, all, topic, patience_ms, group);
        if (left_ms <= 0)
            end_for_lack_of("partition", consumer, NULL);
        milena_batch *batch = NULL;
        milena_error *err = NULL;
        check(milena_consumer_poll(consumer, left_ms, 1, &batch, &err), &err, "polling");
        milena_batch_free(batch);
    }
}

/* Has the consumer go on at the end of all its partitions, so that it reads only what comes from now on. */
static void go_to_end(milena_consumer *consumer) {
    const size_t stride = sizeof(milena_topic_partition);
    size_t n;
    milena_offsets *own = assignment(consumer, &n), *positions = NULL;
    milena_topic_partition *partitions = partitions_of(own, &n);
    milena_error *err = NULL;
    check(milena_consumer_seek_to_end(consumer, NULL, stride, 0, &err), &err, "seeking");
    check(milena_consumer_position(consumer, partitions, stride, n, -1, &positions, &err), &err, "looking up the end");
    milena_offsets_free(positions);
    milena_offsets_free(own);
    free(partitions);
}

/* The next records, at most `most`; the caller frees them. Ends the program when none come. */
static milena_batch *poll_records(milena_consumer *consumer, size_t most, const milena_producer *sender) {
    milena_error *err = NULL;
    int64_t deadline_ns = 0;
    for (;;) {
        milena_batch *batch = NULL;
        check(milena_consumer_poll(consumer, patience_ms, most, &batch, &err), &err, "polling");
        if (milena_batch_count(batch) > 0)
            return batch;
        const bool nothing = batch == NULL; /* otherwise it is an event of the group */
        milena_batch_free(batch);
        if (nothing || (deadline_ns > 0 && monotonic_ns() > deadline_ns))
            end_for_lack_of("record", consumer, sender);
        if (deadline_ns == 0)
            deadline_ns = monotonic_ns() + patience_ms * 1000000;
    }
}

/* Reads `n` records. */
static void read_records(milena_consumer *consumer, int64_t n) {
    const int64_t most = one_a_call ? 1 : MOST_POLLED;
    while (n > 0) {
        milena_batch *batch = poll_records(consumer, (size_t)(n < most ? n : most), NULL);
        size_t chunks_len, stride;
        const milena_chunk *chunks = milena_batch_chunks(batch, &chunks_len, &stride);
        for (size_t c = 0; c < chunks_len; c++) {
            const milena_chunk *chunk = ROW(milena_chunk, chunks, stride, c);
            const milena_record_view *record = chunk->records;
            for (size_t i = chunk->records_len; i > 0; i--) {
                bytes += record->value.len;
                record = ROW(milena_record_view, record, chunk->records_stride, 1);
            }
            n -= (int64_t)chunk->records_len;
        }
        milena_batch_free(batch);
    }
}

/* Reads one record, which is to have this value, and was sent by `sender`. */
static void read_one(milena_consumer *consumer, milena_bytes value, const milena_producer *sender) {
    milena_batch *batch = poll_records(consumer, 1, sender);
    const milena_bytes read = milena_batch_chunks(batch, NULL, NULL)->records->value;
    if (read.len != value.len || memcmp(read.data, value.data, value.len) != 0)
        fail("the record that was read is not the one that was sent: does something else write to %s?", topic);
    milena_batch_free(batch);
}

/* ---------------------------------------------------------------------------------------------------- results */

typedef struct {
    int64_t began_ns;
    double cpu_seconds;
} stopwatch;

static stopwatch start(void) {
    bytes = 0;
    return (stopwatch){monotonic_ns(), cpu_seconds()};
}

static int compare(const void *a, const void *b) {
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void put_percentile(const char *name, double share) {
    const int64_t rank = (int64_t)(share * (double)count + 0.999999);
    json_number(name, (double)latencies_ns[rank > 0 ? rank - 1 : 0] / 1000, 1);
}

static void print_result(stopwatch started) {
    const double seconds = (double)(monotonic_ns() - started.began_ns) / 1e9;
    const double cpu = cpu_seconds() - started.cpu_seconds;
    json_open(NULL, '{');
    json_string("client", "milena");
    json_string("op", words.items[0]);
    json_integer("msgs", count);
    json_integer("bytes", (int64_t)bytes);
    json_number("seconds", seconds, 6);
    json_number("msgs_per_s", (double)count / seconds, 1);
    json_number("mb_per_s", (double)bytes / seconds / (1024 * 1024), 3);
    json_number("cpu_seconds", cpu, 6);
    json_number("cpu_ns_per_msg", cpu * 1e9 / (double)count, 1);
    json_number("max_rss_mb", max_rss_mb(), 1);
    if (latencies_ns) {
        qsort(latencies_ns, (size_t)count, sizeof *latencies_ns, compare);
        put_percentile("p50_us", 0.5);
        put_percentile("p99_us", 0.99);
        put_percentile("p999_us", 0.999);
    }
    json_close('}');
    json_end();
    check_stdout();
}

/* ---------------------------------------------------------------------------------------------------- operations */

static void produce(void) {
    milena_producer *producer = make_producer();
    send_records(producer, warmup);
    const stopwatch started = start();
    send_records(producer, count);
    bytes = (uint64_t)(count * size);
    print_result(started);
    close_producer(producer);
}

/* Warming up reads the first records, then goes back to the beginning. */
static void consume(void) {
    milena_consumer *consumer = make_consumer();
    milena_error *err = NULL;
    begin_reading(consumer);
    read_records(consumer, warmup);
    if (warmup > 0)
        check(milena_consumer_seek_to_beginning(consumer, NULL, 0, 0, &err), &err, "seeking");
    const stopwatch started = start();
    read_records(consumer, count);
    print_result(started);
    check(milena_consumer_close(consumer, patience_ms, &err), &err, "closing the consumer");
    milena_consumer_free(consumer);
}

static void measure_send_to_delivery(void) {
    milena_producer *producer = make_producer();
    for (int64_t i = 0; i < warmup; i++)
        send_and_wait(producer, &pool[i % pool_len]);
    const stopwatch started = start();
    for (int64_t i = 0; i < count; i++) {
        const int64_t sent_ns = monotonic_ns();
        send_and_wait(producer, &pool[i % pool_len]);
        latencies_ns[i] = monotonic_ns() - sent_ns;
    }
    bytes = (uint64_t)(count * size);
    print_result(started);
    close_producer(producer);
}

/* Sends record `i`, whose value is like no other's, and reads it. Nanoseconds from the one to the other. */
static int64_t send_and_read(const milena_producer *producer, milena_consumer *consumer, uint8_t *value, int64_t i) {
    milena_record record = pool[i % pool_len];
    memcpy(value, record.value.data, (size_t)size);
    memcpy(value, &i, (size_t)size < sizeof i ? (size_t)size : sizeof i);
    record.value.data = value;
    milena_error *err = NULL;
    const int64_t sent_ns = monotonic_ns();
    check(milena_producer_send(producer, milena_str(topic), &record, sizeof record, 1, -1, NULL, &err), &err, "sending");
    read_one(consumer, record.value, producer);
    const int64_t latency_ns = monotonic_ns() - sent_ns;
    take_deliveries(producer, 0);
    return latency_ns;
}

static void measure_send_to_poll(void) {
    milena_producer *producer = make_producer();
    milena_consumer *consumer = make_consumer();
    uint8_t *value = allocate((size_t)size, 1);
    milena_error *err = NULL;
    send_and_wait(producer, &pool[0]); /* so that there is a topic to read */
    begin_reading(consumer);
    wait_until_all_assigned(consumer);
    go_to_end(consumer);
    for (int64_t i = 0; i < warmup; i++)
        send_and_read(producer, consumer, value, i);
    const stopwatch started = start();
    for (int64_t i = 0; i < count; i++)
        latencies_ns[i] = send_and_read(producer, consumer, value, warmup + i);
    bytes = (uint64_t)(count * size);
    print_result(started);
    free(value);
    close_producer(producer);
    check(milena_consumer_close(consumer, patience_ms, &err), &err, "closing the consumer");
    milena_consumer_free(consumer);
}

static void run(const char *op) {
    const bool one_by_one = strcmp(op, "lat") == 0 || strcmp(op, "e2e") == 0;
    latencies_ns = one_by_one ? allocate((size_t)count, sizeof *latencies_ns) : NULL;
    if (strcmp(op, "produce") == 0)
        produce();
    else if (strcmp(op, "consume") == 0)
        consume();
    else if (strcmp(op, "lat") == 0)
        measure_send_to_delivery();
    else if (strcmp(op, "e2e") == 0)
        measure_send_to_poll();
    else
        usage_error("there is no operation \"%s\": it is produce, consume, lat or e2e", op);
}

/* default.api.timeout.ms, as --conf may have set it. */
static int64_t api_timeout_ms(void) {
    milena_config *config = client_config();
    settings_put_pairs(config, &conf, "--conf");
    const int64_t ms = settings_number(config, "default.api.timeout.ms", 60000);
    milena_config_free(config);
    return ms;
}

int main(int argc, char **argv) {
    const option options[] = {
        {NULL, OPTION_LIST, &words, "produce|consume|lat|e2e", "what to measure", 0, 0, true},
        {"--bootstrap", OPTION_TEXT, &bootstrap, "HOST:PORT,...", "brokers to begin with", 0, 0, true},
        {"--topic", OPTION_TEXT, &topic, "TOPIC", "where to", 0, 0, true},
        {"--count", OPTION_NUMBER, &count, "N", "how many records", 1, INT64_C(1) << 40, false},
        {"--size", OPTION_NUMBER, &size, "BYTES", "of a value", 0, INT64_C(1) << 30, false},
        {"--acks", OPTION_TEXT, &acks, "0|1|all", "who has to confirm a record", 0, 0, false},
        {"--linger", OPTION_NUMBER, &linger_ms, "MS", "linger.ms; -1: its default", -1, INT32_MAX, false},
        {"--compression", OPTION_TEXT, &compression, "CODEC", "compression.type", 0, 0, false},
        {"--batch", OPTION_NUMBER, &batch_bytes, "BYTES", "batch.size; -1: its default", -1, INT32_MAX, false},
        {"--mode", OPTION_TEXT, &mode, "batch|poll", "many records a call, or one", 0, 0, false},
        {"--warmup", OPTION_NUMBER, &warmup, "N", "records before the clock starts", 0, INT64_C(1) << 40, false},
        {"--group", OPTION_TEXT, &group, "ID", "consume and e2e: subscribe, in this group", 0, 0, false},
        {"--conf", OPTION_LIST, &conf, "NAME=VALUE", "any property, wins over the others (repeatable)", 0, 0, false},
    };
    options_parse(argc, argv, "Measures the library; prints one JSON line.", options, sizeof options / sizeof *options);
    if (words.len != 1)
        usage_error("there is one operation, not %zu", words.len);
    if (strcmp(mode, "batch") != 0 && strcmp(mode, "poll") != 0)
        usage_error("--mode is batch or poll, not \"%s\"", mode);
    one_a_call = strcmp(mode, "poll") == 0;
    patience_ms = api_timeout_ms();
    if (strcmp(words.items[0], "consume") != 0)
        make_pool();
    run(words.items[0]);
    free(pool_values);
    free(pool);
    free(latencies_ns);
    free(words.items);
    free(conf.items);
    return 0;
}
