/* What the tests of the C API share. */
#ifndef CAPI_CHECK_H
#define CAPI_CHECK_H

#include <milena.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the test when `condition` does not hold. */
#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);     \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

/* Ends the test when `call`, which uses a variable `err`, does not return `expected`; frees the error. */
#define EXPECT(expected, call)                                                          \
    do {                                                                                \
        milena_error *err = NULL;                                                       \
        milena_status status_ = (call);                                                 \
        if (status_ != (expected)) {                                                    \
            fprintf(stderr, "%s:%d: %s: %s instead of %s\n", __FILE__, __LINE__, #call, \
                    milena_error_string(err), milena_status_name(expected));            \
            exit(1);                                                                    \
        }                                                                               \
        CHECK(milena_error_code(err) == status_);                                       \
        milena_error_free(err);                                                         \
    } while (0)

#define OK(call) EXPECT(MILENA_OK, call)

static inline milena_config *config_for(const milena_embedded *cluster) {
    milena_config *config = milena_config_new();
    OK(milena_config_set(config, "bootstrap.servers", milena_embedded_bootstrap_servers(cluster), &err));
    return config;
}

static inline milena_embedded *cluster_of(int32_t brokers) {
    milena_embedded *cluster = NULL;
    OK(milena_embedded_new(brokers, 0, NULL, &cluster, &err));
    return cluster;
}

static inline milena_producer *producer_for(const milena_embedded *cluster) {
    milena_config *config = config_for(cluster);
    milena_producer *producer = NULL;
    OK(milena_producer_new(config, &producer, &err));
    milena_config_free(config);
    return producer;
}

/* A consumer in no group that begins at the beginning. */
static inline milena_consumer *consumer_for(const milena_embedded *cluster) {
    milena_config *config = config_for(cluster);
    milena_consumer *consumer = NULL;
    OK(milena_config_set(config, "auto.offset.reset", "earliest", &err));
    OK(milena_consumer_new(config, &consumer, &err));
    milena_config_free(config);
    return consumer;
}

static inline int same(milena_bytes bytes, const char *text) {
    return bytes.data != NULL && bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

#endif
