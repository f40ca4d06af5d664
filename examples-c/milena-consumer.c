/*
 * milena-consumer: the ConsumerDemo of the document that this project implements (kafka-clients 1.1.0, explained),
 * with the same properties. Like the demo it expects JSON values; what is not JSON it says so of.
 *
 *     milena-consumer                          from localhost:9092
 *     milena-consumer client.properties        the file's properties win over those below
 *
 * It reads until SIGTERM or SIGINT.
 */
#include <inttypes.h>
#include <milena.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "common/json_check.h"
#include "common/options.h"
#include "common/rows.h"
#include "common/settings.h"
#include "common/stop.h"

static const char *const PROPERTIES[][2] = {
    {"bootstrap.servers", "localhost:9092"},
    {"group.id", "nginx-consu-group"},
    {"enable.auto.commit", "true"},
    {"auto.commit.interval.ms", "1000"},
    {"auto.offset.reset", "earliest"},
    {"session.timeout.ms", "30000"},
    {"key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer"},
};

static void print_record(const milena_record_view *record) {
    const milena_bytes value = record->value.data ? record->value : milena_str("null");
    printf("offset = %" PRId64 ", value = %.*s%s\n", record->offset, (int)value.len, (const char *)value.data,
           json_is_valid(value) ? "" : " (not JSON)");
}

/* One poll: records of several partitions, or something that happened to the group. */
static void handle(const milena_batch *batch) {
    const milena_event *event = milena_batch_event(batch);
    if (event && event->kind == MILENA_EVENT_ASSIGNED)
        fprintf(stderr, "%zu partitions assigned\n", event->partitions_len);
    if (event && event->error)
        report(event->error, "committing");
    size_t n, stride;
    const milena_chunk *chunks = milena_batch_chunks(batch, &n, &stride);
    for (size_t i = 0; i < n; i++) {
        const milena_chunk *chunk = ROW(milena_chunk, chunks, stride, i);
        for (size_t k = 0; k < chunk->records_len; k++)
            print_record(ROW(milena_record_view, chunk->records, chunk->records_stride, k));
    }
    check_stdout();
}

/* Reads until it is told to stop; false after an error that does not pass by itself. */
static bool read_records(milena_consumer *consumer) {
    while (!stop_requested()) {
        milena_batch *batch = NULL;
        milena_error *err = NULL;
        if (milena_consumer_poll(consumer, -1, 0, &batch, &err) == MILENA_OK) {
            handle(batch);
            milena_batch_free(batch);
            continue;
        }
        const bool goes_on = milena_error_code(err) == MILENA_E_WAKEUP || milena_error_is_retriable(err);
        if (milena_error_code(err) != MILENA_E_WAKEUP)
            report(err, "polling");
        milena_error_free(err);
        if (!goes_on)
            return false;
    }
    return true;
}

int main(int argc, char **argv) {
    const char *topic = "HelloWorld";
    text_list files = {0};
    const option options[] = {
        {NULL, OPTION_LIST, &files, "[FILE]", "a Java properties file", 0, 0, false},
        {"--topic", OPTION_TEXT, &topic, "NAME", "what to read", 0, 0, false},
    };
    stop_prepare();
    options_parse(argc, argv, "Prints the records of a topic, as a member of a group.", options, 2);

    milena_config *config = settings_new(NULL);
    for (size_t i = 0; i < sizeof PROPERTIES / sizeof *PROPERTIES; i++)
        settings_put(config, PROPERTIES[i][0], PROPERTIES[i][1]);
    for (size_t i = 0; i < files.len; i++)
        settings_put_file(config, files.items[i]);
    free(files.items);

    milena_error *err = NULL;
    milena_consumer *consumer = NULL;
    const milena_bytes name = milena_str(topic);
    check(milena_consumer_new(config, &consumer, &err), &err, "making a consumer");
    milena_config_free(config);
    stop_watch(consumer);
    check(milena_consumer_subscribe(consumer, &name, 1, &err), &err, "subscribing");
    const bool in_order = read_records(consumer);
    /* Commits what was read, and leaves the group. */
    check(milena_consumer_close(consumer, 5000, &err), &err, "closing");
    milena_consumer_free(consumer);
    return in_order ? 0 : EXIT_FAILED;
}
