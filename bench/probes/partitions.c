/*
 * partitions: sends records to one partition of a topic, by default settings, many a call. Before, with --others, it
 * has sent a record to each of that many partitions of another topic, so that the producer knows them all.
 *
 * It prints nothing: what is counted are its instructions.
 */
#include <inttypes.h>
#include <milena.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/options.h"
#include "common/rows.h"
#include "common/settings.h"

enum { POOL = 1000 }; /* records of a call */

static const char *bootstrap, *topic, *other_topic;
static int64_t count = 1000000, size = 100, others = 0;
static milena_record pool[POOL];

static void make_pool(void) {
    uint8_t *value = allocate((size_t)size, 1); /* lives as long as the process */
    memset(value, 'x', (size_t)size);
    for (size_t i = 0; i < POOL; i++) {
        pool[i] = (milena_record)MILENA_RECORD_INIT;
        pool[i].partition = 0;
        pool[i].value.data = value;
        pool[i].value.len = (size_t)size;
    }
}

static void send(const milena_producer *producer, const char *to, const milena_record *records, int64_t n) {
    milena_error *err = NULL;
    check(milena_producer_send(producer, milena_str(to), records, sizeof *records, (size_t)n, -1, NULL, &err), &err, to);
}

/* How many records were delivered since the last call; with `wait`, at least one. */
static int64_t take_deliveries(const milena_producer *producer, bool wait) {
    milena_deliveries *deliveries = NULL;
    milena_error *err = NULL;
    check(milena_producer_poll(producer, wait ? -1 : 0, 0, &deliveries, &err), &err, "polling deliveries");
    size_t n, stride;
    const milena_delivery *chunks = milena_deliveries_chunks(deliveries, &n, &stride);
    for (size_t i = 0; i < n; i++) {
        const milena_error *error = ROW(milena_delivery, chunks, stride, i)->error;
        if (error)
            fail("delivering: %s", milena_error_string(error));
    }
    const int64_t delivered = (int64_t)milena_deliveries_count(deliveries);
    milena_deliveries_free(deliveries);
    return delivered;
}

static void wait_for(const milena_producer *producer, int64_t undelivered) {
    while (undelivered > 0)
        undelivered -= take_deliveries(producer, true);
}

static void send_to_others(const milena_producer *producer) {
    for (int32_t partition = 0; partition < others; partition++) {
        milena_record record = pool[0];
        record.partition = partition;
        send(producer, other_topic, &record, 1);
    }
    wait_for(producer, others);
}

static void send_to_one(const milena_producer *producer, int64_t records) {
    int64_t undelivered = 0;
    for (int64_t left = records; left > 0; left -= POOL) {
        const int64_t n = left < POOL ? left : POOL;
        send(producer, topic, pool, n);
        undelivered += n - take_deliveries(producer, false);
    }
    wait_for(producer, undelivered);
}

int main(int argc, char **argv) {
    const option options[] = {
        {"--bootstrap", OPTION_TEXT, &bootstrap, "HOST:PORT,...", "brokers to begin with", 0, 0, true},
        {"--topic", OPTION_TEXT, &topic, "TOPIC", "that is measured", 0, 0, true},
        {"--other-topic", OPTION_TEXT, &other_topic, "TOPIC", "with the other partitions", 0, 0, true},
        {"--others", OPTION_NUMBER, &others, "N", "how many of them get a record", 0, INT32_MAX, false},
        {"--count", OPTION_NUMBER, &count, "N", "how many records", 1, INT64_C(1) << 40, false},
        {"--size", OPTION_NUMBER, &size, "BYTES", "of a value", 0, INT64_C(1) << 30, false},
    };
    options_parse(argc, argv, "Sends to one partition of many.", options, sizeof options / sizeof *options);
    make_pool();
    milena_config *config = settings_new(bootstrap);
    milena_producer *producer = NULL;
    milena_error *err = NULL;
    check(milena_producer_new(config, &producer, &err), &err, "making a producer");
    milena_config_free(config);
    send_to_others(producer);
    send_to_one(producer, 1); /* until then records wait for the topic's partitions: another way */
    send_to_one(producer, count);
    check(milena_producer_close(producer, -1, &err), &err, "closing");
    milena_producer_free(producer);
    return 0;
}
