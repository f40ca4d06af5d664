/* A consumer in a group, by the descriptor: events, commits, positions, lookups, pauses. */
#include "check.h"

#include <poll.h>

static milena_consumer *in_group(const milena_embedded *cluster) {
    milena_config *config = config_for(cluster);
    milena_consumer *consumer = NULL;
    OK(milena_config_set(config, "group.id", "g", &err));
    OK(milena_config_set(config, "auto.offset.reset", "earliest", &err));
    OK(milena_config_set(config, "enable.auto.commit", "false", &err));
    OK(milena_consumer_new(config, &consumer, &err));
    milena_config_free(config);
    return consumer;
}

/* Waits on the descriptor and polls without waiting, until there is something. */
static milena_batch *next(milena_consumer *consumer) {
    milena_fd fd = -1;
    OK(milena_consumer_fd(consumer, &fd, &err));
    for (;;) {
        milena_batch *batch = NULL;
        OK(milena_consumer_poll(consumer, 0, 0, &batch, &err));
        if (batch != NULL) return batch;
        struct pollfd ready = { (int)fd, POLLIN, 0 };
        CHECK(poll(&ready, 1, 60000) == 1);
    }
}

static void expect_event(milena_consumer *consumer, int32_t kind, size_t partitions) {
    milena_batch *batch = next(consumer);
    const milena_event *event = milena_batch_event(batch);
    CHECK(event != NULL && event->kind == kind && event->status == MILENA_OK && event->error == NULL);
    CHECK(event->partitions_len == partitions && event->partitions_stride == sizeof(milena_offset));
    CHECK(same(event->partitions[0].topic, "t"));
    CHECK(milena_batch_chunks(batch, NULL, NULL) == NULL && milena_batch_packed_size(batch) == 0);
    milena_batch_free(batch);
}

static size_t drain(milena_consumer *consumer, size_t wanted) {
    size_t seen = 0;
    while (seen < wanted) {
        milena_batch *batch = next(consumer);
        CHECK(milena_batch_event(batch) == NULL);
        seen += milena_batch_count(batch);
        milena_batch_free(batch);
    }
    return seen;
}

/* The offset of partition 0 in what a question gave. */
static int64_t first_offset(milena_offsets *offsets) {
    size_t n, stride;
    const milena_offset *row = milena_offsets_rows(offsets, &n, &stride);
    CHECK(n == 1 && stride == sizeof *row && same(row->topic, "t") && row->partition == 0);
    int64_t offset = row->offset;
    milena_offsets_free(offsets);
    return offset;
}

static void lookups(milena_consumer *consumer) {
    milena_topic_partition p = { milena_str("t"), 0 };
    milena_offsets *offsets = NULL;
    OK(milena_consumer_position(consumer, &p, sizeof p, 1, -1, &offsets, &err));
    CHECK(first_offset(offsets) == 10);
    OK(milena_consumer_beginning_offsets(consumer, &p, sizeof p, 1, -1, &offsets, &err));
    CHECK(first_offset(offsets) == 0);
    OK(milena_consumer_end_offsets(consumer, &p, sizeof p, 1, -1, &offsets, &err));
    CHECK(first_offset(offsets) == 10);
    milena_offset time = MILENA_OFFSET_INIT;
    time.topic = milena_str("t");
    time.timestamp_ms = 1007;
    OK(milena_consumer_offsets_for_times(consumer, &time, sizeof time, 1, -1, &offsets, &err));
    CHECK(first_offset(offsets) == 7);
    time.timestamp_ms = 9999;
    OK(milena_consumer_offsets_for_times(consumer, &time, sizeof time, 1, -1, &offsets, &err));
    CHECK(first_offset(offsets) == -1);
    OK(milena_consumer_assignment(consumer, &offsets, &err));
    size_t n;
    milena_offsets_rows(offsets, &n, NULL);
    CHECK(n == 2);
    milena_offsets_free(offsets);
}

static void commits(milena_consumer *consumer) {
    milena_topic_partition p = { milena_str("t"), 0 };
    milena_offsets *offsets = NULL;
    OK(milena_consumer_committed(consumer, &p, sizeof p, 1, -1, &offsets, &err));
    CHECK(first_offset(offsets) == -1);
    OK(milena_consumer_commit(consumer, NULL, 0, 0, -1, &err));
    OK(milena_consumer_committed(consumer, &p, sizeof p, 1, -1, &offsets, &err));
    CHECK(first_offset(offsets) == 10);
    milena_offset back = MILENA_OFFSET_INIT;
    back.topic = milena_str("t");
    back.offset = 4;
    back.metadata = milena_str("note");
    OK(milena_consumer_commit_async(consumer, &back, sizeof back, 1, &err));
    milena_batch *batch = next(consumer);
    const milena_event *event = milena_batch_event(batch);
    CHECK(event->kind == MILENA_EVENT_COMMITTED && event->status == MILENA_OK);
    CHECK(event->partitions_len == 1 && event->partitions[0].offset == 4);
    milena_batch_free(batch);
    OK(milena_consumer_committed(consumer, &p, sizeof p, 1, -1, &offsets, &err));
    CHECK(same(milena_offsets_rows(offsets, NULL, NULL)->metadata, "note"));
    CHECK(first_offset(offsets) == 4);
}

static void seeks(milena_consumer *consumer) {
    milena_topic_partition both[2] = { { milena_str("t"), 0 }, { milena_str("t"), 1 } };
    milena_offset to[2] = { MILENA_OFFSET_INIT, MILENA_OFFSET_INIT };
    for (int i = 0; i < 2; i++) {
        to[i].topic = milena_str("t");
        to[i].partition = i;
        to[i].offset = 8;
    }
    OK(milena_consumer_seek(consumer, to, sizeof *to, 2, &err));
    CHECK(drain(consumer, 4) == 4);
    to[1].partition = 9;
    to[0].offset = 0;
    EXPECT(MILENA_E_INVALID_STATE, milena_consumer_seek(consumer, to, sizeof *to, 2, &err));
    milena_batch *batch = NULL;
    OK(milena_consumer_poll(consumer, 0, 0, &batch, &err));
    CHECK(batch == NULL); /* partition 0 did not move */

    OK(milena_consumer_pause(consumer, both, sizeof *both, 1, &err));
    OK(milena_consumer_seek_to_beginning(consumer, NULL, 0, 0, &err));
    CHECK(drain(consumer, 10) == 10);
    OK(milena_consumer_resume(consumer, both, sizeof *both, 1, &err));
    CHECK(drain(consumer, 10) == 10);
    OK(milena_consumer_seek_to_end(consumer, both, sizeof *both, 2, &err));
}

int main(void) {
    milena_embedded *cluster = cluster_of(2);
    OK(milena_embedded_create_topic(cluster, milena_str("t"), 2, 1, &err));
    milena_producer *producer = producer_for(cluster);
    for (int i = 0; i < 20; i++) {
        milena_record record = MILENA_RECORD_INIT;
        record.partition = i % 2;
        record.timestamp_ms = 1000 + i / 2;
        OK(milena_producer_send(producer, milena_str("t"), &record, sizeof record, 1, -1, NULL, &err));
    }
    OK(milena_producer_flush(producer, 60000, &err));

    milena_consumer *consumer = in_group(cluster), *second = in_group(cluster);
    milena_bytes topic = milena_str("t");
    OK(milena_consumer_subscribe(consumer, &topic, 1, &err));
    expect_event(consumer, MILENA_EVENT_ASSIGNED, 2);
    CHECK(drain(consumer, 20) == 20);
    lookups(consumer);
    commits(consumer);
    seeks(consumer);

    OK(milena_consumer_subscribe(second, &topic, 1, &err));
    expect_event(consumer, MILENA_EVENT_REVOKED, 2);
    expect_event(consumer, MILENA_EVENT_ASSIGNED, 1);
    expect_event(second, MILENA_EVENT_ASSIGNED, 1);
    OK(milena_consumer_unsubscribe(second, &err));
    OK(milena_consumer_close(second, 60000, &err));
    OK(milena_consumer_close(consumer, 60000, &err));
    milena_consumer_free(second);
    milena_consumer_free(consumer);
    milena_producer_free(producer);
    milena_embedded_free(cluster);
    return 0;
}
