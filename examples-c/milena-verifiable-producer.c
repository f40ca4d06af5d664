/*
 * milena-verifiable-producer: Kafka's VerifiableProducer, by its arguments and its JSON lines. It sends increasing
 * numbers to a topic and prints what became of each, so that a test can tell what was acknowledged and what was not.
 *
 *     milena-verifiable-producer --bootstrap-server localhost:9092 --topic letters --max-messages 1000
 *
 * Unlike Kafka's tool it keeps idempotence on and retries. SIGTERM ends it in good order: what is on its way is
 * delivered, for at most five seconds, and the last line but one is shutdown_complete.
 */
#include <inttypes.h>
#include <milena.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/json.h"
#include "common/measure.h"
#include "common/options.h"
#include "common/rows.h"
#include "common/settings.h"
#include "common/stop.h"

enum { LAST_WAIT_MS = 5000 };

#define NO_PREFIX INT64_MIN /* all integers of Java are prefixes */

static const char *topic, *bootstrap, *acks = "-1", *config_file;
static int64_t max_messages = -1, throughput = -1, value_prefix = NO_PREFIX, repeating_keys = 0, create_time = -1;
static int64_t sent, accepted, acknowledged, failed, started_ms;

/* The texts of message `i`, all that there is to know of it: so its number is enough of a token. */
typedef struct {
    char key[24], value[48];
} message;

static message message_text(uint64_t i) {
    message m = {"", ""};
    if (repeating_keys > 0)
        snprintf(m.key, sizeof m.key, "%" PRIu64, i % (uint64_t)repeating_keys);
    if (value_prefix != NO_PREFIX)
        snprintf(m.value, sizeof m.value, "%" PRId64 ".%" PRIu64, value_prefix, i);
    else
        snprintf(m.value, sizeof m.value, "%" PRIu64, i);
    return m;
}

static milena_bytes key_of(const message *m) {
    return milena_str(repeating_keys > 0 ? m->key : NULL);
}

static void begin_event(const char *name) {
    json_open(NULL, '{');
    json_integer("timestamp", wall_ms());
    json_string("name", name);
}

static void end_event(void) {
    json_close('}');
    json_end();
}

static void print_event(const char *name) {
    begin_event(name);
    end_event();
    check_stdout();
}

static void print_success(uint64_t i, const milena_delivery *chunk, int64_t offset) {
    const message m = message_text(i);
    begin_event("producer_send_success");
    json_text("key", key_of(&m));
    json_string("value", m.value);
    json_integer("offset", offset);
    json_text("topic", chunk->topic);
    json_integer("partition", chunk->partition);
    end_event();
    acknowledged++;
}

static void print_failure(uint64_t i, const milena_error *error) {
    const message m = message_text(i);
    begin_event("producer_send_error");
    json_string("topic", topic);
    json_text("key", key_of(&m));
    json_string("value", m.value);
    json_string("exception", milena_error_name(error));
    json_string("message", milena_error_string(error));
    end_event();
}

static int64_t underway(void) {
    return accepted - acknowledged - failed;
}

/* Prints what became of messages. Waits at most `timeout_ms` for something to have become of them. */
static void print_deliveries(milena_producer *producer, int64_t timeout_ms) {
    milena_deliveries *deliveries = NULL;
    milena_error *err = NULL;
    check(milena_producer_poll(producer, timeout_ms, 0, &deliveries, &err), &err, "polling");
    size_t n, stride;
    const milena_delivery *chunks = milena_deliveries_chunks(deliveries, &n, &stride);
    for (size_t c = 0; c < n; c++) {
        const milena_delivery *chunk = ROW(milena_delivery, chunks, stride, c);
        for (size_t i = 0; i < chunk->tokens_len; i++) {
            if (chunk->error)
                print_failure(chunk->tokens[i], chunk->error), failed++;
            else
                print_success(chunk->tokens[i], chunk, chunk->base_offset < 0 ? -1 : chunk->base_offset + (int64_t)i);
        }
    }
    milena_deliveries_free(deliveries);
    check_stdout();
}

static void send_message(milena_producer *producer, uint64_t i) {
    const message m = message_text(i);
    milena_record record = MILENA_RECORD_INIT;
    record.key = key_of(&m);
    record.value = milena_str(m.value);
    record.token = i;
    if (create_time >= 0)
        record.timestamp_ms = create_time + wall_ms() - started_ms;
    sent++;
    /* Waits for room in buffer.memory, in small steps, so that a signal is heard. The library copies the record. */
    milena_status status = MILENA_E_BUFFER_EXHAUSTED;
    while (status == MILENA_E_BUFFER_EXHAUSTED && !stop_requested()) {
        milena_error *err = NULL;
        status = milena_producer_send(producer, milena_str(topic), &record, sizeof record, 1, 100, NULL, &err);
        if (status == MILENA_E_BUFFER_EXHAUSTED)
            print_deliveries(producer, 0);
        else if (status != MILENA_OK)
            print_failure(i, err);
        milena_error_free(err);
    }
    accepted += status == MILENA_OK;
}

/* How long to wait before the next message, so that there are `throughput` a second on the whole. */
static int64_t pause_ms(int64_t began_ns) {
    if (throughput < 0)
        return 0;
    if (throughput == 0)
        return 1000;
    const int64_t due_ns = (int64_t)((double)sent / (double)throughput * 1e9);
    const int64_t early_ns = due_ns - (monotonic_ns() - began_ns);
    return early_ns > 0 ? (early_ns + 999999) / 1000000 : 0;
}

static void send_messages(milena_producer *producer) {
    const int64_t began_ns = monotonic_ns();
    while (!stop_requested() && (max_messages < 0 || sent < max_messages)) {
        const int64_t wait_ms = pause_ms(began_ns);
        if (wait_ms == 0)
            send_message(producer, (uint64_t)sent);
        print_deliveries(producer, wait_ms < 100 ? wait_ms : 100);
    }
    /* In small steps, so that a signal is heard while brokers are down. */
    while (!stop_requested() && underway() > 0) {
        milena_producer_flush(producer, 100, NULL);
        print_deliveries(producer, 0);
    }
}

/* The configuration that the options ask for; the file has the last word. */
static milena_config *make_config(void) {
    if (strcmp(acks, "0") != 0 && strcmp(acks, "1") != 0 && strcmp(acks, "-1") != 0 && strcmp(acks, "all") != 0)
        usage_error("--acks is 0, 1 or -1, not \"%s\"", acks);
    milena_config *config = settings_new(bootstrap);
    settings_put(config, "acks", strcmp(acks, "-1") == 0 ? "all" : acks);
    settings_put_file(config, config_file);
    return config;
}

int main(int argc, char **argv) {
    const option options[] = {
        {"--topic", OPTION_TEXT, &topic, "TOPIC", "where to send", 0, 0, true},
        {"--bootstrap-server", OPTION_TEXT, &bootstrap, "HOST:PORT,...", "brokers to begin with", 0, 0, true},
        {"--max-messages", OPTION_NUMBER, &max_messages, "N", "how many; -1: until a signal", -1, INT64_MAX, false},
        {"--throughput", OPTION_NUMBER, &throughput, "N", "messages a second; -1: no limit", -1, INT32_MAX, false},
        {"--acks", OPTION_TEXT, &acks, "0|1|-1", "who has to confirm a message; -1: all", 0, 0, false},
        {"--value-prefix", OPTION_NUMBER, &value_prefix, "N", "values are N.0, N.1 ..., not 0, 1 ...", INT32_MIN, INT32_MAX, false},
        {"--repeating-keys", OPTION_NUMBER, &repeating_keys, "N", "keys are 0 to N-1 in turn; 0: none", 0, INT32_MAX, false},
        {"--message-create-time", OPTION_NUMBER, &create_time, "MS", "timestamps begin here; -1: now", -1, INT64_MAX / 2, false},
        {"--command-config", OPTION_TEXT, &config_file, "FILE", "a Java properties file, which wins", 0, 0, false},
        {"--producer.config", OPTION_TEXT, &config_file, "FILE", "the same, by its old name", 0, 0, false},
    };
    stop_prepare();
    options_parse(argc, argv, "Sends increasing numbers to a topic and prints a JSON line for each outcome.", options,
                  sizeof options / sizeof *options);
    milena_config *config = make_config();
    milena_producer *producer = NULL;
    milena_error *err = NULL;
    check(milena_producer_new(config, &producer, &err), &err, "making a producer");
    milena_config_free(config);
    stop_watch(NULL);
    started_ms = wall_ms();

    print_event("startup_complete");
    send_messages(producer);
    if (milena_producer_close(producer, LAST_WAIT_MS, &err) != MILENA_OK) {
        report(err, "closing");
        milena_error_free(err);
    }
    for (int tries = 0; underway() > 0 && tries < 10; tries++)
        print_deliveries(producer, 1000);
    milena_producer_free(producer);
    print_event("shutdown_complete");

    const double seconds = (double)(wall_ms() - started_ms) / 1000;
    begin_event("tool_data");
    json_integer("sent", sent);
    json_integer("acked", acknowledged);
    json_integer("target_throughput", throughput);
    json_number("avg_throughput", seconds > 0 ? (double)acknowledged / seconds : 0, 3);
    end_event();
    check_stdout();
    return 0;
}
