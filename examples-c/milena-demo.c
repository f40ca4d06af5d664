/*
 * milena-demo: a million records through the library and back, every one verified.
 *
 *     milena-demo                                            on an embedded cluster, without a server
 *     milena-demo --bootstrap-servers localhost:9092         on a real one
 *
 * Two threads share a producer and send; two consumers share the topic as a group and read. What was read must be what
 * was sent: nothing lost, nothing twice, nothing changed, each writer's records in order within a partition. Exit
 * code 1 on any difference.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <milena.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "common/check.h"
#include "common/letters.h"
#include "common/measure.h"
#include "common/options.h"
#include "common/rows.h"
#include "common/settings.h"

enum { WRITERS = 2, MEMBERS = 2, PARTITIONS = 6, BROKERS = 3, A_CALL = 500, PATIENCE_MS = 60000 };

static const char *bootstrap;
static int64_t count = 1000000;
static char topic_name[64];

static milena_bytes topic(void) {
    return milena_str(topic_name);
}

/* A line of progress, or of a result: how many records in how much time. */
static void print_rate(const char *what, int64_t n, int64_t began_ns) {
    const double seconds = (double)(monotonic_ns() - began_ns) / 1e9;
    printf("%-10s %9" PRId64 " of %" PRId64 " records, %.2f s, %.0f records/s, %.1f MB/s\n", what, n, count, seconds,
           (double)n / seconds, (double)n * LETTER_BYTES / 1e6 / seconds);
    check_stdout();
}

static void sleep_ms(long ms) {
    struct timespec pause = {0, ms * 1000000};
    nanosleep(&pause, NULL);
}

/* ---------------------------------------------------------------------------------------------------- the topic */

static milena_admin *make_admin(void) {
    milena_config *config = settings_new(bootstrap);
    milena_admin *admin = NULL;
    milena_error *err = NULL;
    check(milena_admin_new(config, &admin, &err), &err, "making an admin client");
    milena_config_free(config);
    return admin;
}

static void create_topic(const milena_admin *admin) {
    milena_new_topic wanted = MILENA_NEW_TOPIC_INIT;
    milena_error *err = NULL;
    snprintf(topic_name, sizeof topic_name, "milena-demo-%" PRId64, wall_ms());
    wanted.name = topic();
    wanted.partitions = PARTITIONS;
    wanted.replication_factor = 1;
    check(milena_admin_create_topics(admin, &wanted, sizeof wanted, 1, 0, -1, NULL, &err), &err, "creating the topic");
    printf("created topic %s with %d partitions on %s\n", topic_name, PARTITIONS, bootstrap);
}

static void delete_topic(const milena_admin *admin) {
    const milena_bytes name = topic();
    milena_error *err = NULL;
    if (milena_admin_delete_topics(admin, &name, 1, -1, NULL, &err) != MILENA_OK) {
        report(err, "deleting the topic");
        milena_error_free(err);
    }
}

/* ---------------------------------------------------------------------------------------------------- writing */

typedef struct {
    pthread_t thread;
    int number;
    const milena_producer *producer;
} writer;

/* A writer's thread: its share of the letters, many in a call. */
static void *write_letters(void *argument) {
    const writer *self = argument;
    static uint8_t keys[WRITERS][A_CALL][8], values[WRITERS][A_CALL][LETTER_BYTES];
    milena_record records[A_CALL];
    for (int64_t sent = 0; sent < count / WRITERS;) {
        size_t n = 0;
        for (; n < A_CALL && sent < count / WRITERS; n++, sent++) {
            uint8_t *key = keys[self->number][n], *value = values[self->number][n];
            letter_write(self->number, sent, key, value);
            records[n] = (milena_record)MILENA_RECORD_INIT;
            records[n].key = (milena_bytes){key, sizeof keys[0][0]};
            records[n].value = (milena_bytes){value, LETTER_BYTES};
        }
        milena_error *err = NULL;
        /* Waits while buffer.memory is full. */
        check(milena_producer_send(self->producer, topic(), records, sizeof *records, n, -1, NULL, &err), &err, "sending");
    }
    return NULL;
}

/* How many letters were delivered since the last call. */
static int64_t take_deliveries(const milena_producer *producer, int64_t timeout_ms) {
    milena_deliveries *deliveries = NULL;
    milena_error *err = NULL;
    check(milena_producer_poll(producer, timeout_ms, 0, &deliveries, &err), &err, "polling deliveries");
    size_t n, stride;
    const milena_delivery *chunks = milena_deliveries_chunks(deliveries, &n, &stride);
    for (size_t i = 0; i < n; i++) {
        const milena_delivery *chunk = ROW(milena_delivery, chunks, stride, i);
        if (chunk->error)
            fail("delivering: %s", milena_error_string(chunk->error));
    }
    const int64_t delivered = (int64_t)milena_deliveries_count(deliveries);
    milena_deliveries_free(deliveries);
    return delivered;
}

/* Has the writers write, and counts what is delivered meanwhile. */
static void produce(void) {
    milena_config *config = settings_new(bootstrap);
    settings_put(config, "linger.ms", "20");
    settings_put(config, "batch.size", "131072");
    milena_producer *producer = NULL;
    milena_error *err = NULL;
    check(milena_producer_new(config, &producer, &err), &err, "making a producer");
    milena_config_free(config);

    writer writers[WRITERS];
    const int64_t began_ns = monotonic_ns();
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.number = i, .producer = producer};
        if (pthread_create(&writers[i].thread, NULL, write_letters, &writers[i]) != 0)
            fail("no thread to write with");
    }
    int64_t delivered = 0, shown_ns = began_ns;
    while (delivered < count) {
        delivered += take_deliveries(producer, 1000);
        if (delivered < count && monotonic_ns() - shown_ns >= 500000000) {
            shown_ns = monotonic_ns();
            print_rate("  produced", delivered, began_ns);
        }
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    print_rate("produced", delivered, began_ns);
    check(milena_producer_close(producer, PATIENCE_MS, &err), &err, "closing the producer");
    milena_producer_free(producer);
}

/* ---------------------------------------------------------------------------------------------------- reading */

static ledger letters;
static atomic_int ready;      /* members that have a share of the partitions */
static atomic_bool finished;  /* everything was read, or time is over */

typedef struct {
    pthread_t thread;
    milena_consumer *consumer;
    int32_t share;   /* partitions that it has */
    int64_t records; /* that it has read */
    bool paused;
} member;

/* Members read only while the other one has a share as well: this is a demo of two. */
static void pause_or_resume(member *self) {
    const bool pause = atomic_load(&ready) < MEMBERS;
    if (pause == self->paused || self->share == 0)
        return;
    milena_offsets *assignment = NULL;
    milena_error *err = NULL;
    check(milena_consumer_assignment(self->consumer, &assignment, &err), &err, "looking at the assignment");
    size_t n, stride;
    const milena_offset *rows = milena_offsets_rows(assignment, &n, &stride);
    milena_topic_partition partitions[PARTITIONS];
    for (size_t i = 0; i < n && i < PARTITIONS; i++) {
        partitions[i].topic = topic();
        partitions[i].partition = ROW(milena_offset, rows, stride, i)->partition;
    }
    if (pause)
        check(milena_consumer_pause(self->consumer, partitions, sizeof *partitions, n, &err), &err, "pausing");
    else
        check(milena_consumer_resume(self->consumer, partitions, sizeof *partitions, n, &err), &err, "resuming");
    self->paused = pause;
    milena_offsets_free(assignment);
}

static void take_event(member *self, const milena_event *event) {
    milena_error *err = NULL;
    const bool had_some = self->share > 0;
    if (event->kind == MILENA_EVENT_ASSIGNED)
        self->share = (int32_t)event->partitions_len;
    if (event->kind == MILENA_EVENT_LOST)
        self->share = 0;
    if (event->kind == MILENA_EVENT_REVOKED) {
        /* Another member reads on from here; the next poll gives the partitions up. */
        check(milena_consumer_commit(self->consumer, NULL, 0, 0, -1, &err), &err, "committing");
        self->share = 0;
    }
    atomic_fetch_add(&ready, (self->share > 0) - had_some);
    self->paused = false;
    pause_or_resume(self);
}

/* A member's thread. */
static void *read_letters(void *argument) {
    member *self = argument;
    milena_error *err = NULL;
    while (!atomic_load(&finished)) {
        milena_batch *batch = NULL;
        check(milena_consumer_poll(self->consumer, 100, 0, &batch, &err), &err, "polling");
        if (milena_batch_event(batch))
            take_event(self, milena_batch_event(batch));
        size_t n, stride;
        const milena_chunk *chunks = milena_batch_chunks(batch, &n, &stride);
        for (size_t i = 0; i < n; i++)
            ledger_enter(&letters, ROW(milena_chunk, chunks, stride, i));
        self->records += (int64_t)milena_batch_count(batch);
        milena_batch_free(batch);
        pause_or_resume(self);
    }
    /* Commits, and leaves the group. */
    check(milena_consumer_close(self->consumer, PATIENCE_MS, &err), &err, "closing a consumer");
    milena_consumer_free(self->consumer);
    return NULL;
}

static void start_member(member *self) {
    milena_config *config = settings_new(bootstrap);
    settings_put(config, "group.id", topic_name);
    settings_put(config, "auto.offset.reset", "earliest");
    settings_put(config, "heartbeat.interval.ms", "200");
    settings_put(config, "max.poll.records", "5000");
    milena_error *err = NULL;
    const milena_bytes name = topic();
    *self = (member){0};
    check(milena_consumer_new(config, &self->consumer, &err), &err, "making a consumer");
    check(milena_consumer_subscribe(self->consumer, &name, 1, &err), &err, "subscribing");
    milena_config_free(config);
    if (pthread_create(&self->thread, NULL, read_letters, self) != 0)
        fail("no thread to read with");
}

/* Has the members read until all letters are there, or none has come for a while. */
static void consume(void) {
    member members[MEMBERS];
    for (int i = 0; i < MEMBERS; i++)
        start_member(&members[i]);
    int64_t read = 0, began_ns = 0, shown_ns = 0, came_ns = monotonic_ns();
    while (read < count && monotonic_ns() - came_ns < PATIENCE_MS * INT64_C(1000000)) {
        sleep_ms(2);
        const int64_t now_ns = monotonic_ns(), before = read;
        if (atomic_load(&ready) < MEMBERS)
            continue;
        if (began_ns == 0)
            began_ns = shown_ns = now_ns;
        read = ledger_read(&letters);
        if (read > before)
            came_ns = now_ns;
        if (read < count && now_ns - shown_ns >= 500000000) {
            shown_ns = now_ns;
            print_rate("  consumed", read, began_ns);
        }
    }
    atomic_store(&finished, true);
    print_rate("consumed", read, began_ns ? began_ns : came_ns);
    for (int i = 0; i < MEMBERS; i++) {
        pthread_join(members[i].thread, NULL);
        printf("  member %d read %" PRId64 " records\n", i + 1, members[i].records);
    }
}

/* How many records the topic holds. */
static int64_t count_stored(void) {
    milena_topic_partition partitions[PARTITIONS];
    for (int32_t i = 0; i < PARTITIONS; i++)
        partitions[i] = (milena_topic_partition){topic(), i};
    milena_config *config = settings_new(bootstrap);
    milena_consumer *consumer = NULL;
    milena_offsets *ends = NULL;
    milena_error *err = NULL;
    check(milena_consumer_new(config, &consumer, &err), &err, "making a consumer");
    check(milena_consumer_end_offsets(consumer, partitions, sizeof *partitions, PARTITIONS, -1, &ends, &err), &err,
          "looking up the ends");
    size_t n, stride;
    int64_t stored = 0;
    const milena_offset *rows = milena_offsets_rows(ends, &n, &stride);
    for (size_t i = 0; i < n; i++)
        stored += ROW(milena_offset, rows, stride, i)->offset;
    milena_offsets_free(ends);
    milena_consumer_free(consumer);
    milena_config_free(config);
    return stored;
}

/* Says what came of it. */
static bool verify(void) {
    const int64_t stored = count_stored(), missing = count - letters.read;
    const bool good = stored == count && missing == 0 && !letters.twice && !letters.disordered && !letters.corrupt;
    if (good)
        printf("verified: all %" PRId64 " records, each once, unchanged and in order\n", count);
    else
        printf("DIFFERENT: %" PRId64 " stored, %" PRId64 " missing, %" PRId64 " twice, %" PRId64 " out of order, %" PRId64
               " corrupt%s%s\n",
               stored, missing, letters.twice, letters.disordered, letters.corrupt, letters.example[0] ? "; first: " : "",
               letters.example);
    return good;
}

int main(int argc, char **argv) {
    const option options[] = {
        {"--bootstrap-servers", OPTION_TEXT, &bootstrap, "HOST:PORT,...", "a real cluster (default: an embedded one)", 0, 0, false},
        {"--count", OPTION_NUMBER, &count, "N", "how many records, an even number", WRITERS, INT64_C(1) << 32, false},
    };
    options_parse(argc, argv, "Sends records and reads them back, and verifies every one.", options, 2);
    count -= count % WRITERS;

    milena_embedded *cluster = NULL;
    milena_error *err = NULL;
    if (bootstrap == NULL) {
        check(milena_embedded_new(BROKERS, 0, NULL, &cluster, &err), &err, "starting the embedded cluster");
        bootstrap = milena_embedded_bootstrap_servers(cluster);
        printf("started an embedded cluster of %d brokers\n", BROKERS);
    }
    milena_admin *admin = make_admin();
    create_topic(admin);
    ledger_init(&letters, WRITERS, count / WRITERS, PARTITIONS);
    produce();
    consume();
    const bool good = verify();
    delete_topic(admin);
    ledger_free(&letters);
    milena_admin_free(admin);
    milena_embedded_free(cluster);
    check_stdout();
    return good ? 0 : EXIT_FAILED;
}
