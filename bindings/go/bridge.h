/*
 * What stands between Go and milena.h.
 *
 * Handles are numbers here, not pointers: they only look like pointers, and Go's runtime checks whatever is one by its
 * type. The calls of the hot paths return their results by value, so that nothing of Go's escapes to the heap for
 * them, and do in one crossing what takes several calls.
 */
#ifndef MILENA_GO_BRIDGE_H
#define MILENA_GO_BRIDGE_H

#include <milena.h>
#include <stdlib.h>

#define GO_PRODUCER(h) ((const milena_producer *)(h))
#define GO_CONSUMER(h) ((milena_consumer *)(h))
#define GO_ADMIN(h) ((const milena_admin *)(h))
#define GO_EMBEDDED(h) ((const milena_embedded *)(h))

/* ---- errors */

typedef struct {
    milena_status code;
    int32_t broker;
    int32_t partition;
    bool retriable, fatal, abort;
    int64_t offset, next_offset;
    milena_bytes topic;
    const char *text, *message, *cause, *hint, *address, *phase;
} go_error;

static inline go_error go_error_read(const milena_error *e) {
    go_error v;
    v.code = milena_error_code(e);
    v.broker = milena_error_broker(e);
    v.partition = milena_error_partition(e);
    v.retriable = milena_error_is_retriable(e);
    v.fatal = milena_error_is_fatal(e);
    v.abort = milena_error_txn_requires_abort(e);
    v.offset = milena_error_offset(e);
    v.next_offset = milena_error_next_offset(e);
    v.topic = milena_error_topic(e);
    v.text = milena_error_string(e);
    v.message = milena_error_message(e);
    v.cause = milena_error_cause(e);
    v.hint = milena_error_hint(e);
    v.address = milena_error_address(e);
    v.phase = milena_error_phase(e);
    return v;
}

/* ---- log */

typedef struct {
    milena_log *log;
    const milena_log_line *lines;
    size_t n, stride;
    uint64_t dropped;
} go_log;

/* `kind` is 'p', 'c' or 'a': producer, consumer or admin client. */
static inline go_log go_log_take(uintptr_t handle, char kind) {
    go_log v = {NULL, NULL, 0, 0, 0};
    if (kind == 'p') milena_producer_log(GO_PRODUCER(handle), &v.log, NULL);
    if (kind == 'c') milena_consumer_log(GO_CONSUMER(handle), &v.log, NULL);
    if (kind == 'a') milena_admin_log(GO_ADMIN(handle), &v.log, NULL);
    v.lines = milena_log_lines(v.log, &v.n, &v.stride);
    v.dropped = milena_log_dropped(v.log);
    return v;
}

/* ---- producer */

typedef struct {
    milena_status status;
    milena_error *err;
    size_t accepted;
} go_sent;

typedef struct {
    milena_status status;
    milena_error *err;
    milena_deliveries *all;
    const milena_delivery *chunks;
    size_t n, stride;
} go_delivered;

static inline milena_status go_producer_new(const milena_config *config, uintptr_t *out, milena_error **err) {
    milena_producer *made = NULL;
    milena_status status = milena_producer_new(config, &made, err);
    *out = (uintptr_t)made;
    return status;
}

static inline go_sent go_producer_send(uintptr_t producer, const char *topic, size_t topic_len, const uint8_t *block,
                                       size_t len, size_t n, int64_t max_block_ms) {
    go_sent v = {MILENA_OK, NULL, 0};
    milena_bytes name = {(const uint8_t *)(topic ? topic : ""), topic_len};
    milena_bytes packed = {block, len};
    v.status =
        milena_producer_send_packed(GO_PRODUCER(producer), name, packed, n, max_block_ms, &v.accepted, &v.err);
    return v;
}

static inline go_delivered go_producer_poll(uintptr_t producer) {
    go_delivered v = {MILENA_OK, NULL, NULL, NULL, 0, 0};
    v.status = milena_producer_poll(GO_PRODUCER(producer), 0, 0, &v.all, &v.err);
    v.chunks = milena_deliveries_chunks(v.all, &v.n, &v.stride);
    return v;
}

static inline milena_status go_producer_flush(uintptr_t producer, int64_t timeout_ms, milena_error **err) {
    return milena_producer_flush(GO_PRODUCER(producer), timeout_ms, err);
}

static inline milena_status go_producer_close(uintptr_t producer, int64_t timeout_ms, milena_error **err) {
    return milena_producer_close(GO_PRODUCER(producer), timeout_ms, err);
}

static inline milena_status go_producer_fd(uintptr_t producer, milena_fd *out, milena_error **err) {
    return milena_producer_fd(GO_PRODUCER(producer), out, err);
}

static inline void go_producer_free(uintptr_t producer) {
    milena_producer_free((milena_producer *)producer);
}

/* ---- consumer */

typedef struct {
    milena_status status;
    milena_error *err;
    size_t packed; /* bytes in the block, or: */
    milena_batch *batch;
    const milena_event *event;
    size_t size;
} go_polled;

static inline milena_status go_consumer_new(const milena_config *config, uintptr_t *out, milena_error **err) {
    milena_consumer *made = NULL;
    milena_status status = milena_consumer_new(config, &made, err);
    *out = (uintptr_t)made;
    return status;
}

static inline go_polled go_consumer_poll(uintptr_t consumer, uint8_t *block, size_t capacity) {
    go_polled v = {MILENA_OK, NULL, 0, NULL, NULL, 0};
    v.status = milena_consumer_poll_packed(GO_CONSUMER(consumer), 0, 0, block, capacity, &v.packed, &v.batch, &v.err);
    v.event = milena_batch_event(v.batch);
    v.size = milena_batch_packed_size(v.batch);
    return v;
}

/* Copies a batch into `block` and frees it. */
static inline milena_status go_batch_take(milena_batch *batch, uint8_t *block, size_t size, milena_error **err) {
    milena_status status = milena_batch_pack(batch, block, size, err);
    milena_batch_free(batch);
    return status;
}

static inline milena_status go_consumer_subscribe(uintptr_t consumer, const milena_bytes *topics, size_t n,
                                                  milena_error **err) {
    return milena_consumer_subscribe(GO_CONSUMER(consumer), topics, n, err);
}

static inline milena_status go_consumer_unsubscribe(uintptr_t consumer, milena_error **err) {
    return milena_consumer_unsubscribe(GO_CONSUMER(consumer), err);
}

static inline milena_status go_consumer_assign(uintptr_t consumer, const milena_topic_partition *rows, size_t n,
                                               milena_error **err) {
    return milena_consumer_assign(GO_CONSUMER(consumer), rows, sizeof *rows, n, err);
}

static inline milena_status go_consumer_assignment(uintptr_t consumer, milena_offsets **out, milena_error **err) {
    return milena_consumer_assignment(GO_CONSUMER(consumer), out, err);
}

static inline milena_status go_consumer_seek(uintptr_t consumer, const milena_offset *rows, size_t n,
                                             milena_error **err) {
    return milena_consumer_seek(GO_CONSUMER(consumer), rows, sizeof *rows, n, err);
}

static inline milena_status go_consumer_seek_to_beginning(uintptr_t consumer, const milena_topic_partition *rows,
                                                          size_t n, milena_error **err) {
    return milena_consumer_seek_to_beginning(GO_CONSUMER(consumer), rows, sizeof *rows, n, err);
}

static inline milena_status go_consumer_seek_to_end(uintptr_t consumer, const milena_topic_partition *rows, size_t n,
                                                    milena_error **err) {
    return milena_consumer_seek_to_end(GO_CONSUMER(consumer), rows, sizeof *rows, n, err);
}

static inline milena_status go_consumer_pause(uintptr_t consumer, const milena_topic_partition *rows, size_t n,
                                              milena_error **err) {
    return milena_consumer_pause(GO_CONSUMER(consumer), rows, sizeof *rows, n, err);
}

static inline milena_status go_consumer_resume(uintptr_t consumer, const milena_topic_partition *rows, size_t n,
                                               milena_error **err) {
    return milena_consumer_resume(GO_CONSUMER(consumer), rows, sizeof *rows, n, err);
}

static inline milena_status go_consumer_position(uintptr_t consumer, const milena_topic_partition *rows, size_t n,
                                                 int64_t timeout_ms, milena_offsets **out, milena_error **err) {
    return milena_consumer_position(GO_CONSUMER(consumer), rows, sizeof *rows, n, timeout_ms, out, err);
}

static inline milena_status go_consumer_committed(uintptr_t consumer, const milena_topic_partition *rows, size_t n,
                                                  int64_t timeout_ms, milena_offsets **out, milena_error **err) {
    return milena_consumer_committed(GO_CONSUMER(consumer), rows, sizeof *rows, n, timeout_ms, out, err);
}

static inline milena_status go_consumer_beginning_offsets(uintptr_t consumer, const milena_topic_partition *rows,
                                                          size_t n, int64_t timeout_ms, milena_offsets **out,
                                                          milena_error **err) {
    return milena_consumer_beginning_offsets(GO_CONSUMER(consumer), rows, sizeof *rows, n, timeout_ms, out, err);
}

static inline milena_status go_consumer_end_offsets(uintptr_t consumer, const milena_topic_partition *rows, size_t n,
                                                    int64_t timeout_ms, milena_offsets **out, milena_error **err) {
    return milena_consumer_end_offsets(GO_CONSUMER(consumer), rows, sizeof *rows, n, timeout_ms, out, err);
}

static inline milena_status go_consumer_offsets_for_times(uintptr_t consumer, const milena_offset *rows, size_t n,
                                                          int64_t timeout_ms, milena_offsets **out,
                                                          milena_error **err) {
    return milena_consumer_offsets_for_times(GO_CONSUMER(consumer), rows, sizeof *rows, n, timeout_ms, out, err);
}

static inline milena_status go_consumer_commit(uintptr_t consumer, const milena_offset *rows, size_t n,
                                               int64_t timeout_ms, milena_error **err) {
    return milena_consumer_commit(GO_CONSUMER(consumer), rows, sizeof *rows, n, timeout_ms, err);
}

static inline milena_status go_consumer_commit_async(uintptr_t consumer, const milena_offset *rows, size_t n,
                                                     milena_error **err) {
    return milena_consumer_commit_async(GO_CONSUMER(consumer), rows, sizeof *rows, n, err);
}

static inline void go_consumer_wakeup(uintptr_t consumer) {
    milena_consumer_wakeup(GO_CONSUMER(consumer), NULL);
}

static inline milena_status go_consumer_fd(uintptr_t consumer, milena_fd *out, milena_error **err) {
    return milena_consumer_fd(GO_CONSUMER(consumer), out, err);
}

static inline milena_status go_consumer_close(uintptr_t consumer, int64_t timeout_ms, milena_error **err) {
    return milena_consumer_close(GO_CONSUMER(consumer), timeout_ms, err);
}

static inline void go_consumer_free(uintptr_t consumer) {
    milena_consumer_free(GO_CONSUMER(consumer));
}

/* ---- admin client */

static inline milena_status go_admin_new(const milena_config *config, uintptr_t *out, milena_error **err) {
    milena_admin *made = NULL;
    milena_status status = milena_admin_new(config, &made, err);
    *out = (uintptr_t)made;
    return status;
}

static inline milena_status go_admin_create_topics(uintptr_t admin, const milena_new_topic *rows, size_t n,
                                                   int32_t validate_only, int64_t timeout_ms, milena_topics **out,
                                                   milena_error **err) {
    return milena_admin_create_topics(GO_ADMIN(admin), rows, sizeof *rows, n, validate_only, timeout_ms, out, err);
}

static inline milena_status go_admin_delete_topics(uintptr_t admin, const milena_bytes *names, size_t n,
                                                   int64_t timeout_ms, milena_topics **out, milena_error **err) {
    return milena_admin_delete_topics(GO_ADMIN(admin), names, n, timeout_ms, out, err);
}

static inline milena_status go_admin_describe_topics(uintptr_t admin, const milena_bytes *names, size_t n,
                                                     int64_t timeout_ms, milena_topics **out, milena_error **err) {
    return milena_admin_describe_topics(GO_ADMIN(admin), names, n, timeout_ms, out, err);
}

static inline milena_status go_admin_list_topics(uintptr_t admin, int32_t list_internal, int64_t timeout_ms,
                                                 milena_topics **out, milena_error **err) {
    return milena_admin_list_topics(GO_ADMIN(admin), list_internal, timeout_ms, out, err);
}

static inline milena_status go_admin_describe_cluster(uintptr_t admin, int64_t timeout_ms, milena_cluster **out,
                                                      milena_error **err) {
    return milena_admin_describe_cluster(GO_ADMIN(admin), timeout_ms, out, err);
}

static inline milena_status go_admin_fd(uintptr_t admin, milena_fd *out, milena_error **err) {
    return milena_admin_fd(GO_ADMIN(admin), out, err);
}

static inline milena_status go_admin_close(uintptr_t admin, milena_error **err) {
    return milena_admin_close(GO_ADMIN(admin), err);
}

static inline void go_admin_free(uintptr_t admin) {
    milena_admin_free((milena_admin *)admin);
}

/* ---- embedded cluster */

static inline milena_status go_embedded_new(int32_t brokers, int32_t base_port, const milena_config *settings,
                                            uintptr_t *out, milena_error **err) {
    milena_embedded *made = NULL;
    milena_status status = milena_embedded_new(brokers, base_port, settings, &made, err);
    *out = (uintptr_t)made;
    return status;
}

static inline const char *go_embedded_bootstrap_servers(uintptr_t cluster) {
    return milena_embedded_bootstrap_servers(GO_EMBEDDED(cluster));
}

static inline milena_status go_embedded_create_topic(uintptr_t cluster, milena_bytes name, int32_t partitions,
                                                     int32_t replication_factor, milena_error **err) {
    return milena_embedded_create_topic(GO_EMBEDDED(cluster), name, partitions, replication_factor, err);
}

static inline milena_status go_embedded_push_fault(uintptr_t cluster, const milena_fault *fault,
                                                   milena_error **err) {
    return milena_embedded_push_fault(GO_EMBEDDED(cluster), fault, sizeof *fault, err);
}

static inline milena_status go_embedded_push_error(uintptr_t cluster, int32_t api_key, milena_status code,
                                                   uint32_t times, milena_error **err) {
    return milena_embedded_push_error(GO_EMBEDDED(cluster), api_key, code, times, err);
}

static inline milena_status go_embedded_clear_faults(uintptr_t cluster, milena_error **err) {
    return milena_embedded_clear_faults(GO_EMBEDDED(cluster), err);
}

static inline milena_status go_embedded_broker_down(uintptr_t cluster, int32_t broker, milena_error **err) {
    return milena_embedded_broker_down(GO_EMBEDDED(cluster), broker, err);
}

static inline milena_status go_embedded_broker_up(uintptr_t cluster, int32_t broker, milena_error **err) {
    return milena_embedded_broker_up(GO_EMBEDDED(cluster), broker, err);
}

static inline milena_status go_embedded_broker_pause(uintptr_t cluster, int32_t broker, milena_error **err) {
    return milena_embedded_broker_pause(GO_EMBEDDED(cluster), broker, err);
}

static inline milena_status go_embedded_broker_resume(uintptr_t cluster, int32_t broker, milena_error **err) {
    return milena_embedded_broker_resume(GO_EMBEDDED(cluster), broker, err);
}

static inline milena_status go_embedded_move_leader(uintptr_t cluster, milena_bytes topic, int32_t partition,
                                                    int32_t broker, milena_error **err) {
    return milena_embedded_move_leader(GO_EMBEDDED(cluster), topic, partition, broker, err);
}

static inline milena_status go_embedded_move_coordinator(uintptr_t cluster, milena_bytes group, int32_t broker,
                                                         milena_error **err) {
    return milena_embedded_move_coordinator(GO_EMBEDDED(cluster), group, broker, err);
}

static inline milena_status go_embedded_corrupt_batch(uintptr_t cluster, milena_bytes topic, int32_t partition,
                                                      size_t batch, milena_error **err) {
    return milena_embedded_corrupt_batch(GO_EMBEDDED(cluster), topic, partition, batch, err);
}

static inline milena_status go_embedded_request_count(uintptr_t cluster, int32_t api_key, uint64_t *out,
                                                      milena_error **err) {
    return milena_embedded_request_count(GO_EMBEDDED(cluster), api_key, out, err);
}

static inline void go_embedded_free(uintptr_t cluster) {
    milena_embedded_free((milena_embedded *)cluster);
}

#endif
