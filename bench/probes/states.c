/*
 * states: brings clients into a state and keeps them in it, for the benchmark to look at the process from outside.
 *
 *     states idle-producer      ...   has delivered one record
 *     states idle-consumer      ...   has read --count records and waits for more; with --group as a member of a group
 *     states full-producer      ...   once a line came on stdin: sends until its memory is full, and goes on trying
 *     states unpolled-consumer  ...   has polled one record and never polls again
 *     states many-clients       ...   five producers and five consumers, all of which have sent or read records
 *
 * It prints "ready" when the state is reached, and stays until it is ended.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <milena.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/options.h"
#include "common/settings.h"

enum {
    MANY = 5,    /* producers, and consumers, of many-clients */
    POOL = 1000, /* records of a call */
    PATIENCE_MS = 60000
};

static const char *bootstrap, *topic, *group;
static int64_t count = 1, size = 100, partitions = 1;
static text_list words, conf;
static milena_record pool[POOL];

static void make_pool(void) {
    uint8_t *value = allocate((size_t)size, 1); /* lives as long as the process */
    memset(value, 'x', (size_t)size);
    for (size_t i = 0; i < POOL; i++) {
        pool[i] = (milena_record)MILENA_RECORD_INIT;
        pool[i].value.data = value;
        pool[i].value.len = (size_t)size;
    }
}

static _Noreturn void stay(void) {
    for (;;)
        pause();
}

static void ready(void) {
    puts("ready");
    check_stdout();
}

/* ---------------------------------------------------------------------------------------------------- producers */

static milena_producer *make_producer(void) {
    milena_config *config = settings_new(bootstrap);
    settings_put_pairs(config, &conf, "--conf");
    milena_producer *producer = NULL;
    milena_error *err = NULL;
    check(milena_producer_new(config, &producer, &err), &err, "making a producer");
    milena_config_free(config);
    return producer;
}

/* Takes what deliveries there are; all must be good. */
static void take_deliveries(const milena_producer *producer) {
    milena_deliveries *deliveries = NULL;
    milena_error *err = NULL;
    check(milena_producer_poll(producer, 0, 0, &deliveries, &err), &err, "polling deliveries");
    size_t n, stride;
    const milena_delivery *chunks = milena_deliveries_chunks(deliveries, &n, &stride);
    for (size_t i = 0; i < n; i++, chunks = (const void *)((const char *)chunks + stride))
        if (chunks->error)
            fail("delivering: %s", milena_error_string(chunks->error));
    milena_deliveries_free(deliveries);
}

/* Delivers a record to each of the topic's partitions. */
static void deliver_one_each(const milena_producer *producer) {
    milena_error *err = NULL;
    for (int32_t partition = 0; partition < partitions; partition++) {
        milena_record record = pool[0];
        record.partition = partition;
        check(milena_producer_send(producer, milena_str(topic), &record, sizeof record, 1, -1, NULL, &err), &err, "sending");
    }
    check(milena_producer_flush(producer, PATIENCE_MS, &err), &err, "flushing");
    take_deliveries(producer);
}

static void full_producer(void) {
    const milena_producer *producer = make_producer();
    deliver_one_each(producer);
    ready();
    getchar();
    for (;;) {
        milena_error *err = NULL;
        const milena_status status =
            milena_producer_send(producer, milena_str(topic), pool, sizeof *pool, POOL, 100, NULL, &err);
        if (status != MILENA_E_BUFFER_EXHAUSTED)
            check(status, &err, "sending");
        milena_error_free(err);
        take_deliveries(producer);
    }
}

/* ---------------------------------------------------------------------------------------------------- consumers */

/* Subscribed, if there is a group, or else at the beginning of all partitions. */
static milena_consumer *make_consumer(void) {
    milena_config *config = settings_new(bootstrap);
    settings_put(config, "group.id", group);
    settings_put(config, "auto.offset.reset", "earliest");
    settings_put_pairs(config, &conf, "--conf");
    milena_consumer *consumer = NULL;
    milena_error *err = NULL;
    check(milena_consumer_new(config, &consumer, &err), &err, "making a consumer");
    milena_config_free(config);
    const milena_bytes name = milena_str(topic);
    if (group) {
        check(milena_consumer_subscribe(consumer, &name, 1, &err), &err, "subscribing");
        return consumer;
    }
    milena_topic_partition *all = allocate((size_t)partitions, sizeof *all);
    for (int32_t i = 0; i < partitions; i++)
        all[i] = (milena_topic_partition){name, i};
    check(milena_consumer_assign(consumer, all, sizeof *all, (size_t)partitions, &err), &err, "assigning");
    free(all);
    return consumer;
}

static void read_records(milena_consumer *consumer, int64_t n) {
    while (n > 0) {
        milena_batch *batch = NULL;
        milena_error *err = NULL;
        check(milena_consumer_poll(consumer, PATIENCE_MS, (size_t)n, &batch, &err), &err, "polling");
        if (batch == NULL)
            fail("no record of %s came for %d ms", topic, PATIENCE_MS);
        n -= (int64_t)milena_batch_count(batch);
        milena_batch_free(batch);
    }
}

static void idle_consumer(void) {
    milena_consumer *consumer = make_consumer();
    read_records(consumer, count);
    ready();
    milena_batch *batch = NULL;
    milena_error *err = NULL;
    check(milena_consumer_poll(consumer, -1, 0, &batch, &err), &err, "polling");
    fail("something came");
}

static void many_clients(void) {
    for (int i = 0; i < MANY; i++)
        deliver_one_each(make_producer());
    for (int i = 0; i < MANY; i++)
        read_records(make_consumer(), MANY * partitions);
    ready();
    stay();
}

/* ---------------------------------------------------------------------------------------------------- */

static void enter(const char *state) {
    if (strcmp(state, "idle-producer") == 0)
        deliver_one_each(make_producer());
    else if (strcmp(state, "unpolled-consumer") == 0)
        read_records(make_consumer(), 1);
    else if (strcmp(state, "idle-consumer") == 0)
        idle_consumer();
    else if (strcmp(state, "full-producer") == 0)
        full_producer();
    else if (strcmp(state, "many-clients") == 0)
        many_clients();
    else
        usage_error("there is no state \"%s\"", state);
    ready();
    stay();
}

int main(int argc, char **argv) {
    const option options[] = {
        {NULL, OPTION_LIST, &words, "STATE", "which", 0, 0, true},
        {"--bootstrap", OPTION_TEXT, &bootstrap, "HOST:PORT,...", "brokers to begin with", 0, 0, true},
        {"--topic", OPTION_TEXT, &topic, "TOPIC", "which", 0, 0, true},
        {"--partitions", OPTION_NUMBER, &partitions, "N", "how many the topic has", 1, INT32_MAX, false},
        {"--count", OPTION_NUMBER, &count, "N", "records to read", 0, INT64_C(1) << 40, false},
        {"--size", OPTION_NUMBER, &size, "BYTES", "of a value", 0, INT64_C(1) << 30, false},
        {"--group", OPTION_TEXT, &group, "ID", "consume by subscribe, in this group", 0, 0, false},
        {"--conf", OPTION_LIST, &conf, "NAME=VALUE", "any property (repeatable)", 0, 0, false},
    };
    options_parse(argc, argv, "Keeps clients in a state.", options, sizeof options / sizeof *options);
    if (words.len != 1)
        usage_error("there is one state, not %zu", words.len);
    make_pool();
    enter(words.items[0]);
    return 0;
}
