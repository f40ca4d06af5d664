/*
 * milena-cluster: the embedded cluster as a program, a Kafka for tests that starts in milliseconds.
 *
 *     milena-cluster --brokers 3 --base-port 9092 --topic letters:6
 *     {"bootstrap_servers":"127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094","brokers":3}
 *
 * Broker i listens on 127.0.0.1, port base-port + i - 1. Everything is in memory and gone when the program ends, which
 * it does on SIGTERM or SIGINT.
 */
#include <milena.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/json.h"
#include "common/options.h"
#include "common/settings.h"
#include "common/stop.h"

/* Creates the topic that "NAME:PARTITIONS" or just "NAME" asks for. */
static void create_topic(const milena_embedded *cluster, const char *wanted) {
    milena_bytes name = milena_str(wanted);
    long partitions = -1;
    const char *colon = strrchr(wanted, ':');
    if (colon) {
        char *end;
        partitions = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end != '\0' || partitions < 1 || partitions > INT32_MAX)
            usage_error("--topic needs NAME:PARTITIONS, not \"%s\"", wanted);
        name.len = (size_t)(colon - wanted);
    }
    milena_error *err = NULL;
    check(milena_embedded_create_topic(cluster, name, (int32_t)partitions, -1, &err), &err, wanted);
}

int main(int argc, char **argv) {
    int64_t brokers = 1, base_port = 0;
    text_list topics = {0}, pairs = {0};
    const option options[] = {
        {"--brokers", OPTION_NUMBER, &brokers, "N", "how many", 1, 1000, false},
        {"--base-port", OPTION_NUMBER, &base_port, "P", "port of the first broker; 0: free ones", 0, 65535, false},
        {"--topic", OPTION_LIST, &topics, "NAME:PARTITIONS", "create a topic (repeatable)", 0, 0, false},
        {"--set", OPTION_LIST, &pairs, "NAME=VALUE", "a setting, such as broker.version=1.1 (repeatable)", 0, 0, false},
    };
    stop_prepare();
    options_parse(argc, argv, "Runs an embedded cluster: Kafka for tests, in memory.", options, 4);

    milena_config *settings = settings_new(NULL);
    settings_put_pairs(settings, &pairs, "--set");
    milena_embedded *cluster = NULL;
    milena_error *err = NULL;
    check(milena_embedded_new((int32_t)brokers, (int32_t)base_port, settings, &cluster, &err), &err, "starting");
    milena_config_free(settings);
    for (size_t i = 0; i < topics.len; i++)
        create_topic(cluster, topics.items[i]);

    json_open(NULL, '{');
    json_string("bootstrap_servers", milena_embedded_bootstrap_servers(cluster));
    json_integer("brokers", brokers);
    json_close('}');
    json_end();
    check_stdout();

    stop_wait();
    milena_embedded_free(cluster);
    free(topics.items);
    free(pairs.items);
    return 0;
}
