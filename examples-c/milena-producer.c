/*
 * milena-producer: the ProducerDemo of the document that this project implements (kafka-clients 1.1.0, explained),
 * with the same properties: 100 messages to the topic HelloWorld.
 *
 *     milena-producer                          to localhost:9092
 *     milena-producer client.properties        the file's properties win over those below
 */
#include <inttypes.h>
#include <milena.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "common/options.h"
#include "common/rows.h"
#include "common/settings.h"

static const char *const PROPERTIES[][2] = {
    {"bootstrap.servers", "localhost:9092"},
    {"acks", "all"},
    {"retries", "0"},
    {"batch.size", "16384"},
    {"linger.ms", "1"},
    {"buffer.memory", "33554432"},
    {"key.serializer", "org.apache.kafka.common.serialization.StringSerializer"},
    {"value.serializer", "org.apache.kafka.common.serialization.StringSerializer"},
};

static size_t failed;

/* Prints what became of records, a line for each. Waits `timeout_ms` for something to have become of them. */
static void print_deliveries(milena_producer *producer, int64_t timeout_ms) {
    milena_deliveries *deliveries = NULL;
    milena_error *err = NULL;
    check(milena_producer_poll(producer, timeout_ms, 0, &deliveries, &err), &err, "polling");
    size_t n, stride;
    const milena_delivery *chunks = milena_deliveries_chunks(deliveries, &n, &stride);
    for (size_t c = 0; c < n; c++) {
        const milena_delivery *chunk = ROW(milena_delivery, chunks, stride, c);
        if (chunk->error) {
            report(chunk->error, "delivering");
            failed += chunk->tokens_len;
            continue;
        }
        for (size_t i = 0; i < chunk->tokens_len; i++)
            printf("Delivered:%" PRIu64 ", partition = %" PRId32 ", offset = %" PRId64 "\n", chunk->tokens[i],
                   chunk->partition, chunk->base_offset < 0 ? -1 : chunk->base_offset + (int64_t)i);
    }
    milena_deliveries_free(deliveries);
}

int main(int argc, char **argv) {
    const char *topic = "HelloWorld", *message = "Message Hello ";
    int64_t count = 100;
    text_list files = {0};
    const option options[] = {
        {NULL, OPTION_LIST, &files, "[FILE]", "a Java properties file", 0, 0, false},
        {"--topic", OPTION_TEXT, &topic, "NAME", "where to send", 0, 0, false},
        {"--message", OPTION_TEXT, &message, "TEXT", "what to send", 0, 0, false},
        {"--count", OPTION_NUMBER, &count, "N", "how often", 0, INT64_MAX, false},
    };
    options_parse(argc, argv, "Sends messages to a topic.", options, 4);

    milena_config *config = settings_new(NULL);
    for (size_t i = 0; i < sizeof PROPERTIES / sizeof *PROPERTIES; i++)
        settings_put(config, PROPERTIES[i][0], PROPERTIES[i][1]);
    for (size_t i = 0; i < files.len; i++)
        settings_put_file(config, files.items[i]);

    milena_error *err = NULL;
    milena_producer *producer = NULL;
    check(milena_producer_new(config, &producer, &err), &err, "making a producer");
    milena_config_free(config);
    for (int64_t i = 0; i < count; i++) {
        milena_record record = MILENA_RECORD_INIT;
        record.value = milena_str(message);
        record.token = (uint64_t)i;
        check(milena_producer_send(producer, milena_str(topic), &record, sizeof record, 1, -1, NULL, &err), &err,
              "sending");
        printf("Sent:%s\n", message);
        print_deliveries(producer, 0);
    }

    /* Closing delivers what is on its way; deliveries can be polled afterwards. */
    check(milena_producer_close(producer, -1, &err), &err, "closing");
    print_deliveries(producer, 0);
    milena_producer_free(producer);
    free(files.items);
    check_stdout();
    return failed ? EXIT_FAILED : 0;
}
