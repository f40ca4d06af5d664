/*
 * milena-verifiable-consumer: Kafka's VerifiableConsumer, by its arguments and its JSON lines. A member of a group that
 * prints what it is assigned, what it reads and what it commits, so that a test can follow it.
 *
 *     milena-verifiable-consumer --bootstrap-server localhost:9092 --topic letters --group-id felice --verbose
 *
 * Everything that is read is printed, and the lines are flushed, before it is committed: what a reader of the lines
 * has not seen, the group reads again. SIGTERM ends it in good order, with shutdown_complete as the last line.
 */
#define _POSIX_C_SOURCE 200809L
#include <milena.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/json.h"
#include "common/measure.h"
#include "common/options.h"
#include "common/rows.h"
#include "common/settings.h"
#include "common/stop.h"

enum { CLOSE_MS = 5000 };

static const char *topic, *bootstrap, *group_id, *instance_id, *config_file, *reset_policy = "earliest",
                  *strategy = "org.apache.kafka.clients.consumer.RangeAssignor", *protocol, *remote_assignor;
static int64_t max_messages = -1, session_timeout_ms = 30000;
static bool verbose = false, auto_commit = false;

static int64_t consumed;

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

/* An event with partitions, with their offsets if `with_offsets`. */
static void print_partitions(const char *member, const milena_offset *rows, size_t n, size_t stride,
                             bool with_offsets) {
    json_open(member, '[');
    for (size_t i = 0; i < n; i++) {
        const milena_offset *row = ROW(milena_offset, rows, stride, i);
        json_open(NULL, '{');
        json_text("topic", row->topic);
        json_integer("partition", row->partition);
        if (with_offsets)
            json_integer("offset", row->offset);
        json_close('}');
    }
    json_close(']');
}

static void print_membership(const milena_event *event) {
    const bool assigned = event->kind == MILENA_EVENT_ASSIGNED;
    if (!assigned && event->kind != MILENA_EVENT_REVOKED && event->kind != MILENA_EVENT_LOST) {
        if (event->error)
            report(event->error, "committing");
        return;
    }
    begin_event(assigned ? "partitions_assigned" : "partitions_revoked");
    print_partitions("partitions", event->partitions, event->partitions_len, event->partitions_stride, false);
    end_event();
    check_stdout();
}

static void print_record(const milena_chunk *chunk, const milena_record_view *record) {
    begin_event("record_data");
    json_text("key", record->key);
    json_text("value", record->value);
    json_text("topic", chunk->topic);
    json_integer("partition", chunk->partition);
    json_integer("offset", record->offset);
    end_event();
}

/* What a poll gave of one partition, however many chunks that is. */
typedef struct {
    milena_offset behind; /* the offset to commit */
    int64_t count, min_offset, max_offset;
} portion;

static portion *portion_of(portion *portions, size_t *n, const milena_chunk *chunk) {
    for (size_t i = 0; i < *n; i++) {
        const milena_offset *known = &portions[i].behind;
        if (known->partition == chunk->partition && known->topic.len == chunk->topic.len &&
            memcmp(known->topic.data, chunk->topic.data, chunk->topic.len) == 0)
            return &portions[i];
    }
    portion *added = &portions[(*n)++];
    *added = (portion){MILENA_OFFSET_INIT, 0, chunk->records[0].offset, -1};
    added->behind.topic = chunk->topic;
    added->behind.partition = chunk->partition;
    return added;
}

/* The portions of a batch: `*n` of them, which borrow from it. The caller frees the array. */
static portion *divide(const milena_batch *batch, size_t *n) {
    size_t chunks_len, stride;
    const milena_chunk *chunks = milena_batch_chunks(batch, &chunks_len, &stride);
    portion *portions = allocate(chunks_len, sizeof *portions);
    *n = 0;
    for (size_t i = 0; i < chunks_len; i++) {
        const milena_chunk *chunk = ROW(milena_chunk, chunks, stride, i);
        portion *whole = portion_of(portions, n, chunk);
        /* Chunks of a partition are in the order of their offsets. */
        whole->behind.offset = chunk->next_offset;
        whole->behind.leader_epoch = chunk->leader_epoch;
        whole->count += (int64_t)chunk->records_len;
        whole->max_offset = ROW(milena_record_view, chunk->records, chunk->records_stride, chunk->records_len - 1)->offset;
    }
    return portions;
}

/* Prints the records of a batch, and what they are as a whole. */
static void print_records(const milena_batch *batch, const portion *portions, size_t n) {
    size_t chunks_len, stride;
    const milena_chunk *chunks = milena_batch_chunks(batch, &chunks_len, &stride);
    for (size_t i = 0; verbose && i < chunks_len; i++) {
        const milena_chunk *chunk = ROW(milena_chunk, chunks, stride, i);
        for (size_t k = 0; k < chunk->records_len; k++)
            print_record(chunk, ROW(milena_record_view, chunk->records, chunk->records_stride, k));
    }
    begin_event("records_consumed");
    json_integer("count", (int64_t)milena_batch_count(batch));
    json_open("partitions", '[');
    for (size_t i = 0; i < n; i++) {
        json_open(NULL, '{');
        json_text("topic", portions[i].behind.topic);
        json_integer("partition", portions[i].behind.partition);
        json_integer("count", portions[i].count);
        json_integer("minOffset", portions[i].min_offset);
        json_integer("maxOffset", portions[i].max_offset);
        json_close('}');
    }
    json_close(']');
    end_event();
    check_stdout();
}

/* Commits behind what was printed, and prints how that went. */
static void commit(milena_consumer *consumer, const portion *portions, size_t n) {
    const milena_offset *offsets = &portions[0].behind;
    milena_error *err = NULL;
    milena_status status = milena_consumer_commit(consumer, offsets, sizeof *portions, n, -1, &err);
    if (status == MILENA_E_WAKEUP) { /* the signal came while it waited; that wakes only once */
        milena_error_free(err);
        err = NULL;
        status = milena_consumer_commit(consumer, offsets, sizeof *portions, n, CLOSE_MS, &err);
    }
    begin_event("offsets_committed");
    print_partitions("offsets", offsets, n, sizeof *portions, true);
    if (status != MILENA_OK)
        json_string("error", milena_error_string(err));
    json_bool("success", status == MILENA_OK);
    end_event();
    check_stdout();
    milena_error_free(err);
}

static void handle_records(milena_consumer *consumer, const milena_batch *batch) {
    size_t n;
    portion *portions = divide(batch, &n);
    consumed += (int64_t)milena_batch_count(batch);
    print_records(batch, portions, n);
    if (!auto_commit)
        commit(consumer, portions, n);
    free(portions);
}

/* How many records the next poll may give: no more than are wanted, or as many as max.poll.records says. */
static size_t wanted(void) {
    return max_messages < 0 ? 0 : (size_t)(max_messages - consumed);
}

/* Reads until it is told to stop, or has all it wants; false after an error that does not pass by itself. */
static bool consume(milena_consumer *consumer) {
    while (!stop_requested() && (max_messages < 0 || consumed < max_messages)) {
        milena_batch *batch = NULL;
        milena_error *err = NULL;
        if (milena_consumer_poll(consumer, -1, wanted(), &batch, &err) != MILENA_OK) {
            const bool woken = milena_error_code(err) == MILENA_E_WAKEUP, goes_on = woken || milena_error_is_retriable(err);
            if (!woken)
                report(err, "polling");
            milena_error_free(err);
            if (!goes_on)
                return false;
            continue;
        }
        if (milena_batch_event(batch))
            print_membership(milena_batch_event(batch));
        if (milena_batch_count(batch) > 0)
            handle_records(consumer, batch);
        milena_batch_free(batch);
    }
    return true;
}

/* Leaving the group gives everything up: Kafka's tool prints that as well. */
static void print_last_revocation(milena_consumer *consumer) {
    milena_offsets *offsets = NULL;
    if (milena_consumer_assignment(consumer, &offsets, NULL) != MILENA_OK)
        return;
    size_t n, stride;
    const milena_offset *rows = milena_offsets_rows(offsets, &n, &stride);
    if (n > 0) {
        begin_event("partitions_revoked");
        print_partitions("partitions", rows, n, stride, false);
        end_event();
    }
    milena_offsets_free(offsets);
}

static milena_config *make_config(void) {
    milena_config *config = settings_new(NULL);
    settings_put_file(config, config_file);
    settings_put(config, "bootstrap.servers", bootstrap);
    settings_put(config, "group.id", group_id);
    settings_put(config, "group.instance.id", instance_id);
    settings_put(config, "group.protocol", protocol);
    /* Who assigns is the broker or a member; what is said of the other one is ignored. */
    if (protocol && strcasecmp(protocol, "consumer") == 0)
        settings_put(config, "group.remote.assignor", remote_assignor);
    else
        settings_put(config, "partition.assignment.strategy", strategy);
    settings_put(config, "enable.auto.commit", auto_commit ? "true" : "false");
    settings_put(config, "auto.offset.reset", reset_policy);
    settings_put_number(config, "session.timeout.ms", session_timeout_ms);
    return config;
}

int main(int argc, char **argv) {
    const option options[] = {
        {"--topic", OPTION_TEXT, &topic, "TOPIC", "what to read", 0, 0, true},
        {"--bootstrap-server", OPTION_TEXT, &bootstrap, "HOST:PORT,...", "brokers to begin with", 0, 0, true},
        {"--group-id", OPTION_TEXT, &group_id, "ID", "the group", 0, 0, true},
        {"--group-instance-id", OPTION_TEXT, &instance_id, "ID", "this member, if it is a static one", 0, 0, false},
        {"--group-protocol", OPTION_TEXT, &protocol, "classic", "how members find together", 0, 0, false},
        {"--group-remote-assignor", OPTION_TEXT, &remote_assignor, "NAME", "of --group-protocol consumer, else ignored", 0, 0, false},
        {"--max-messages", OPTION_NUMBER, &max_messages, "N", "how many; -1: until a signal", -1, INT64_MAX, false},
        {"--session-timeout", OPTION_NUMBER, &session_timeout_ms, "MS", "when a silent member is out", 1, INT32_MAX, false},
        {"--verbose", OPTION_FLAG, &verbose, NULL, "print each record", 0, 0, false},
        {"--enable-autocommit", OPTION_FLAG, &auto_commit, NULL, "leave committing to the library", 0, 0, false},
        {"--reset-policy", OPTION_TEXT, &reset_policy, "earliest|latest|none", "where to begin", 0, 0, false},
        {"--assignment-strategy", OPTION_TEXT, &strategy, "NAME", "range, roundrobin, or Java's class", 0, 0, false},
        {"--command-config", OPTION_TEXT, &config_file, "FILE", "a Java properties file", 0, 0, false},
        {"--consumer.config", OPTION_TEXT, &config_file, "FILE", "the same, by its old name", 0, 0, false},
    };
    stop_prepare();
    options_parse(argc, argv, "Reads a topic as a member of a group and prints a JSON line for everything that happens.",
                  options, sizeof options / sizeof *options);
    milena_config *config = make_config();
    milena_consumer *consumer = NULL;
    milena_error *err = NULL;
    const milena_bytes name = milena_str(topic);
    check(milena_consumer_new(config, &consumer, &err), &err, "making a consumer");
    milena_config_free(config);
    stop_watch(consumer);

    print_event("startup_complete");
    check(milena_consumer_subscribe(consumer, &name, 1, &err), &err, "subscribing");
    bool in_order = consume(consumer);
    print_last_revocation(consumer);
    milena_status status = milena_consumer_close(consumer, CLOSE_MS, &err);
    if (status != MILENA_OK) {
        report(err, "closing");
        milena_error_free(err);
        in_order = false;
    }
    milena_consumer_free(consumer);
    print_event("shutdown_complete");
    return in_order ? 0 : EXIT_FAILED;
}
