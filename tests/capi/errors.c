/* Errors say what went wrong, where, why, and what to do about it. */
#include "check.h"

#include <poll.h>
#include <unistd.h>

static int says(const char *text, const char *part) { return text != NULL && strstr(text, part) != NULL; }

static void configurations(void) {
    milena_config *config = milena_config_new();
    milena_producer *producer = NULL;
    milena_error *err = NULL;
    const char text[] = "# comment\nbootstrap.servers = localhost:9092\nacks: 1\n";
    OK(milena_config_load_properties(config, text, sizeof text - 1, &err));
    CHECK(strcmp(milena_config_get(config, "acks"), "1") == 0);
    const char *before = milena_config_get(config, "bootstrap.servers");
    OK(milena_config_set(config, "bootstrap.servers", "other:1", &err));
    CHECK(strcmp(before, "localhost:9092") == 0);
    CHECK(strcmp(milena_config_get(config, "bootstrap.servers"), "other:1") == 0);
    CHECK(milena_config_get(config, "linger.ms") == NULL);

    OK(milena_config_set(config, "linger.mss", "5", &err));
    OK(milena_config_set(config, "batch.size", "many", &err));
    CHECK(milena_producer_new(config, &producer, &err) == MILENA_E_INVALID_CONFIGURATION);
    CHECK(says(milena_error_message(err), "linger.ms") && says(milena_error_message(err), "batch.size"));
    CHECK(producer == NULL && !milena_error_is_retriable(err) && !milena_error_is_fatal(err));
    CHECK(strcmp(milena_error_name(err), "INVALID_CONFIGURATION") == 0);
    milena_error_free(err);

    err = NULL;
    CHECK(milena_config_load_file(config, "/nowhere/at.all", &err) == MILENA_E_INVALID_CONFIGURATION);
    CHECK(says(milena_error_message(err), "/nowhere/at.all") && milena_error_cause(err) && milena_error_hint(err));
    milena_error_free(err);

    char path[] = "/tmp/milena-capi-XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0 && write(file, text, sizeof text - 1) > 0 && close(file) == 0);
    milena_config *loaded = milena_config_new();
    OK(milena_config_load_file(loaded, path, &err));
    CHECK(strcmp(milena_config_get(loaded, "acks"), "1") == 0);
    unlink(path);
    milena_config_free(loaded);
    milena_config_free(config);
    CHECK(says(milena_config_table(), "\"name\":\"linger.ms\""));
}

static void nobody_there(void) {
    milena_config *config = milena_config_new();
    milena_admin *admin = NULL;
    milena_cluster *about = NULL;
    milena_error *err = NULL;
    OK(milena_config_set(config, "bootstrap.servers", "127.0.0.1:1", &err));
    OK(milena_admin_new(config, &admin, &err));
    CHECK(milena_admin_describe_cluster(admin, 3000, &about, &err) == MILENA_E_TIMED_OUT);
    CHECK(about == NULL && milena_error_is_retriable(err));
    CHECK(says(milena_error_string(err), "127.0.0.1:1") && says(milena_error_string(err), "tcp"));
    milena_error_free(err);
    milena_admin_free(admin);

    milena_producer *producer = NULL;
    milena_deliveries *deliveries = NULL;
    OK(milena_config_set(config, "delivery.timeout.ms", "3000", &err));
    OK(milena_config_set(config, "request.timeout.ms", "1500", &err));
    OK(milena_config_set(config, "max.block.ms", "3000", &err));
    OK(milena_producer_new(config, &producer, &err));
    milena_record record = MILENA_RECORD_INIT;
    record.token = 77;
    OK(milena_producer_send(producer, milena_str("t"), &record, sizeof record, 1, -1, NULL, &err));
    OK(milena_producer_poll(producer, 60000, 0, &deliveries, &err));
    const milena_delivery *chunk = milena_deliveries_chunks(deliveries, NULL, NULL);
    CHECK(chunk != NULL && chunk->status != MILENA_OK && chunk->tokens_len == 1 && chunk->tokens[0] == 77);
    CHECK(milena_error_code(chunk->error) == chunk->status && chunk->base_offset == -1);
    CHECK(says(milena_error_string(chunk->error), "127.0.0.1:1"));
    milena_deliveries_free(deliveries);
    milena_producer_free(producer);
    milena_config_free(config);
}

static void corrupt_batch(const milena_embedded *cluster) {
    milena_producer *producer = producer_for(cluster);
    for (int i = 0; i < 3; i++) {
        milena_record record = MILENA_RECORD_INIT;
        record.value = milena_str("v");
        OK(milena_producer_send(producer, milena_str("t"), &record, sizeof record, 1, -1, NULL, &err));
        OK(milena_producer_flush(producer, 60000, &err));
    }
    milena_producer_free(producer);
    OK(milena_embedded_corrupt_batch(cluster, milena_str("t"), 0, 1, &err));
    EXPECT(MILENA_E_INVALID_ARGUMENT, milena_embedded_corrupt_batch(cluster, milena_str("t"), 0, 9, &err));

    milena_consumer *consumer = consumer_for(cluster);
    milena_topic_partition partition = { milena_str("t"), 0 };
    OK(milena_consumer_assign(consumer, &partition, sizeof partition, 1, &err));
    milena_batch *batch = NULL;
    milena_error *err = NULL;
    OK(milena_consumer_poll(consumer, 60000, 0, &batch, &err));
    CHECK(milena_batch_count(batch) == 1);
    milena_batch_free(batch);
    CHECK(milena_consumer_poll(consumer, 60000, 0, &batch, &err) == MILENA_E_CORRUPT_MESSAGE);
    CHECK(same(milena_error_topic(err), "t") && milena_error_partition(err) == 0);
    CHECK(milena_error_offset(err) == 1 && milena_error_next_offset(err) == 2);
    milena_offset behind = MILENA_OFFSET_INIT;
    behind.topic = milena_error_topic(err);
    behind.partition = milena_error_partition(err);
    behind.offset = milena_error_next_offset(err);
    OK(milena_consumer_seek(consumer, &behind, sizeof behind, 1, &err));
    milena_error_free(err);
    OK(milena_consumer_poll(consumer, 60000, 0, &batch, &err));
    CHECK(milena_batch_count(batch) == 1 && milena_batch_chunks(batch, NULL, NULL)->records[0].offset == 2);
    milena_batch_free(batch);
    milena_consumer_free(consumer);
}

/* Log lines kept for the program make the descriptor readable, and are gone when they were taken. */
static void logs(const milena_embedded *cluster) {
    milena_config *config = config_for(cluster);
    milena_producer *producer = NULL;
    milena_deliveries *deliveries = NULL;
    milena_log *log = NULL;
    milena_fd fd = -1;
    size_t n, stride;
    OK(milena_config_set(config, "log.sink", "poll", &err));
    OK(milena_config_set(config, "log.level", "debug", &err));
    OK(milena_config_set(config, "group.id", "not for producers", &err));
    OK(milena_producer_new(config, &producer, &err));
    milena_config_free(config);
    OK(milena_producer_fd(producer, &fd, &err));
    milena_record record = MILENA_RECORD_INIT;
    OK(milena_producer_send(producer, milena_str("t"), &record, sizeof record, 1, -1, NULL, &err));
    OK(milena_producer_flush(producer, 60000, &err));
    OK(milena_producer_poll(producer, 60000, 0, &deliveries, &err));
    milena_deliveries_free(deliveries);
    struct pollfd ready = { (int)fd, POLLIN, 0 };
    CHECK(poll(&ready, 1, 0) == 1);
    OK(milena_producer_log(producer, &log, &err));
    const milena_log_line *line = milena_log_lines(log, &n, &stride);
    CHECK(n > 0 && stride == sizeof *line && milena_log_dropped(log) == 0);
    CHECK(line[0].level == MILENA_LOG_WARNING && says(line[0].text, "group.id") && !strcmp(line[0].context, "conf"));
    int produced = 0;
    for (size_t i = 0; i < n; i++) produced |= line[i].level == MILENA_LOG_DEBUG && says(line[i].text, "api=Produce");
    CHECK(produced && says(line[0].client_id, "milena"));
    milena_log_free(log);
    OK(milena_producer_close(producer, 60000, &err));
    OK(milena_producer_log(producer, &log, &err)); /* what was logged since */
    milena_log_free(log);
    OK(milena_producer_poll(producer, 0, 0, &deliveries, &err));
    CHECK(deliveries == NULL);
    milena_producer_free(producer);
}

int main(void) {
    milena_embedded *cluster = cluster_of(1);
    OK(milena_embedded_create_topic(cluster, milena_str("t"), 1, 1, &err));
    configurations();
    nobody_there();
    corrupt_batch(cluster);
    logs(cluster);
    milena_embedded_free(cluster);
    return 0;
}
