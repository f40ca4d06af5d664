/* The running broker that C tests against a real Kafka are told of in MILENA_BROKER. */
#ifndef MILENA_TEST_BROKER_H
#define MILENA_TEST_BROKER_H

#include <stdio.h>
#include <stdlib.h>

/* host:port of the brokers, joined by commas, for bootstrap.servers. Ends the program when nobody named one. */
static inline const char *test_bootstrap_servers(void) {
    const char *servers = getenv("MILENA_BROKER");
    if (servers == NULL || *servers == '\0') {
        fputs("MILENA_BROKER is not set; run this by: tests/kafka/kafka_cluster.py run -- PROGRAM\n", stderr);
        exit(2);
    }
    return servers;
}

#endif
