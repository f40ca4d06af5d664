/* The admin client's calls, each result's rows, and that it finds the controller again. */
#include "check.h"

static milena_admin *admin;

static void create_and_delete(void) {
    milena_property compact = { milena_str("cleanup.policy"), milena_str("compact") };
    milena_new_topic topics[2] = { MILENA_NEW_TOPIC_INIT, MILENA_NEW_TOPIC_INIT };
    topics[0].name = milena_str("a");
    topics[0].partitions = 3;
    topics[0].replication_factor = 2;
    topics[1].name = milena_str("b");
    topics[1].configs = &compact;
    topics[1].configs_len = 1;
    milena_topics *result = NULL;
    size_t n, stride;

    OK(milena_admin_create_topics(admin, topics, sizeof *topics, 2, 1, -1, NULL, &err));
    OK(milena_admin_create_topics(admin, topics, sizeof *topics, 1, 0, -1, NULL, &err));
    EXPECT(MILENA_E_TOPIC_ALREADY_EXISTS,
           milena_admin_create_topics(admin, topics, sizeof *topics, 2, 0, -1, &result, &err));
    const milena_topic *row = milena_topics_rows(result, &n, &stride);
    CHECK(n == 2 && stride == sizeof *row);
    CHECK(same(row[0].name, "a") && row[0].status == MILENA_E_TOPIC_ALREADY_EXISTS);
    CHECK(milena_error_code(row[0].error) == row[0].status);
    CHECK(same(row[1].name, "b") && row[1].status == MILENA_OK && row[1].error == NULL);
    milena_topics_free(result);

    topics[0].name = milena_str("c");
    topics[0].replication_factor = 7;
    EXPECT(MILENA_E_INVALID_REPLICATION_FACTOR,
           milena_admin_create_topics(admin, topics, sizeof *topics, 1, 0, -1, NULL, &err));
    topics[0].name = milena_str("b");
    topics[0].replication_factor = 1;
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_admin_create_topics(admin, topics, sizeof *topics, 2, 0, -1, NULL, &err)); /* b twice */
    topics[0].replication_factor = 100000;
    EXPECT(MILENA_E_INVALID_ARGUMENT,
           milena_admin_create_topics(admin, topics, sizeof *topics, 1, 0, -1, NULL, &err));

    milena_bytes names[2] = { milena_str("b"), milena_str("nothing") };
    EXPECT(MILENA_E_UNKNOWN_TOPIC_OR_PARTITION, milena_admin_delete_topics(admin, names, 2, -1, &result, &err));
    row = milena_topics_rows(result, &n, NULL);
    CHECK(n == 2 && row[0].status == MILENA_OK && row[1].status == MILENA_E_UNKNOWN_TOPIC_OR_PARTITION);
    milena_topics_free(result);
}

static void describe(void) {
    milena_bytes names[2] = { milena_str("a"), milena_str("b") };
    static const uint8_t none[16];
    milena_topics *result = NULL;
    size_t n;
    EXPECT(MILENA_E_UNKNOWN_TOPIC_OR_PARTITION, milena_admin_describe_topics(admin, names, 2, -1, &result, &err));
    const milena_topic *row = milena_topics_rows(result, &n, NULL);
    CHECK(n == 2 && row[0].status == MILENA_OK && row[0].partitions_len == 3 && row[0].is_internal == 0);
    CHECK(memcmp(row[0].id, none, sizeof none) != 0);
    for (int i = 0; i < 3; i++) {
        const milena_partition *partition = &row[0].partitions[i];
        CHECK(partition->partition == i && partition->status == MILENA_OK && partition->leader >= 1);
        CHECK(partition->replicas_len == 2 && partition->in_sync_len == 2);
        CHECK(partition->replicas[0] == partition->leader || partition->replicas[1] == partition->leader);
    }
    CHECK(row[1].status == MILENA_E_UNKNOWN_TOPIC_OR_PARTITION && row[1].partitions == NULL);
    milena_topics_free(result);

    OK(milena_admin_list_topics(admin, 0, -1, &result, &err));
    row = milena_topics_rows(result, &n, NULL);
    CHECK(n == 1 && same(row[0].name, "a"));
    milena_topics_free(result);
}

static void describe_cluster(int32_t controller) {
    milena_cluster *about = NULL;
    size_t n;
    OK(milena_admin_describe_cluster(admin, -1, &about, &err));
    const milena_broker *broker = milena_cluster_brokers(about, &n, NULL);
    CHECK(milena_cluster_id(about) != NULL && milena_cluster_controller(about) == controller);
    CHECK(n == (size_t)(4 - controller));
    CHECK(broker[0].id == controller && broker[0].port > 0 && strcmp(broker[0].host, "127.0.0.1") == 0);
    milena_cluster_free(about);
}

static void troubles(milena_embedded *cluster) {
    milena_new_topic topic = MILENA_NEW_TOPIC_INIT;
    topic.name = milena_str("d");
    OK(milena_embedded_push_error(cluster, 19, MILENA_E_NOT_CONTROLLER, 3, &err));
    OK(milena_admin_create_topics(admin, &topic, sizeof topic, 1, 0, -1, NULL, &err));

    /* The controller goes, another takes over. */
    OK(milena_embedded_broker_down(cluster, 1, &err));
    topic.name = milena_str("e");
    OK(milena_admin_create_topics(admin, &topic, sizeof topic, 1, 0, -1, NULL, &err));
    describe_cluster(2);

    milena_error *err = NULL;
    for (int32_t broker = 2; broker <= 3; broker++) OK(milena_embedded_broker_pause(cluster, broker, &err));
    CHECK(milena_admin_create_topics(admin, &topic, sizeof topic, 1, 0, 300, NULL, &err) == MILENA_E_TIMED_OUT);
    milena_error_free(err);
    OK(milena_admin_close(admin, &err));
    EXPECT(MILENA_E_CLOSED, milena_admin_create_topics(admin, &topic, sizeof topic, 1, 0, 300, NULL, &err));
}

int main(void) {
    milena_embedded *cluster = cluster_of(3);
    milena_config *config = config_for(cluster);
    OK(milena_admin_new(config, &admin, &err));
    milena_config_free(config);
    create_and_delete();
    describe();
    describe_cluster(1);
    troubles(cluster);
    milena_admin_free(admin);
    milena_embedded_free(cluster);
    return 0;
}
