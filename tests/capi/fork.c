/* Clients made before fork say so in the child, freeing them there touches nothing of the parent's, and the child can
 * make clients of its own. */
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static void child(milena_producer *producer, milena_consumer *consumer, milena_admin *admin, milena_batch *batch,
                  milena_embedded *cluster, const char *bootstrap) {
    milena_record record = MILENA_RECORD_INIT;
    milena_batch *none = NULL;
    milena_cluster *about = NULL;
    EXPECT(MILENA_E_FORKED,
           milena_producer_send(producer, milena_str("t"), &record, sizeof record, 1, 0, NULL, &err));
    EXPECT(MILENA_E_FORKED, milena_producer_close(producer, 0, &err));
    EXPECT(MILENA_E_FORKED, milena_consumer_poll(consumer, 0, 0, &none, &err));
    EXPECT(MILENA_E_FORKED, milena_consumer_wakeup(consumer, &err));
    EXPECT(MILENA_E_FORKED, milena_admin_describe_cluster(admin, 0, &about, &err));
    EXPECT(MILENA_E_FORKED, milena_embedded_broker_down(cluster, 1, &err));
    CHECK(milena_batch_count(batch) == 1);
    milena_batch_free(batch);
    milena_producer_free(producer);
    milena_consumer_free(consumer);
    milena_admin_free(admin);
    milena_embedded_free(cluster);

    milena_config *config = milena_config_new();
    milena_producer *own = NULL;
    OK(milena_config_set(config, "bootstrap.servers", bootstrap, &err));
    OK(milena_producer_new(config, &own, &err));
    OK(milena_producer_send(own, milena_str("t"), &record, sizeof record, 1, 0, NULL, &err));
    OK(milena_producer_close(own, 60000, &err));
    milena_producer_free(own);
    milena_config_free(config);
}

int main(void) {
    milena_embedded *cluster = cluster_of(1);
    char bootstrap[64];
    snprintf(bootstrap, sizeof bootstrap, "%s", milena_embedded_bootstrap_servers(cluster));
    OK(milena_embedded_create_topic(cluster, milena_str("t"), 1, 1, &err));
    milena_producer *producer = producer_for(cluster);
    milena_consumer *consumer = consumer_for(cluster);
    milena_config *config = config_for(cluster);
    milena_admin *admin = NULL;
    OK(milena_admin_new(config, &admin, &err));
    milena_config_free(config);

    milena_record record = MILENA_RECORD_INIT;
    OK(milena_producer_send(producer, milena_str("t"), &record, sizeof record, 1, -1, NULL, &err));
    OK(milena_producer_flush(producer, 60000, &err));
    milena_topic_partition partition = { milena_str("t"), 0 };
    OK(milena_consumer_assign(consumer, &partition, sizeof partition, 1, &err));
    milena_batch *batch = NULL;
    OK(milena_consumer_poll(consumer, 60000, 1, &batch, &err));
    CHECK(milena_batch_count(batch) == 1);

    pid_t pid = fork();
    if (pid == 0) {
        child(producer, consumer, admin, batch, cluster, bootstrap);
        _exit(0);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);

    /* The parent's go on, and the child's record is there. */
    milena_batch_free(batch);
    batch = NULL;
    OK(milena_consumer_poll(consumer, 60000, 1, &batch, &err));
    CHECK(milena_batch_count(batch) == 1);
    milena_batch_free(batch);
    OK(milena_producer_close(producer, 60000, &err));
    OK(milena_consumer_close(consumer, 60000, &err));
    milena_producer_free(producer);
    milena_consumer_free(consumer);
    milena_admin_free(admin);
    milena_embedded_free(cluster);
    return 0;
}
