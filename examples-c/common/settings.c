#include "common/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

milena_config *settings_new(const char *bootstrap_servers) {
    milena_config *config = milena_config_new();
    if (config == NULL)
        fail("out of memory");
    settings_put(config, "bootstrap.servers", bootstrap_servers);
    return config;
}

void settings_put(milena_config *config, const char *name, const char *value) {
    milena_error *err = NULL;
    if (value)
        check(milena_config_set(config, name, value, &err), &err, name);
}

void settings_put_number(milena_config *config, const char *name, int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    settings_put(config, name, value < 0 ? NULL : text);
}

void settings_put_pairs(milena_config *config, const text_list *pairs, const char *option) {
    for (size_t i = 0; i < pairs->len; i++) {
        const char *pair = pairs->items[i], *equals = strchr(pair, '=');
        if (equals == NULL || equals == pair)
            usage_error("%s needs name=value, not \"%s\"", option, pair);
        const size_t len = (size_t)(equals - pair);
        char *name = allocate(len + 1, 1);
        memcpy(name, pair, len);
        settings_put(config, name, equals + 1);
        free(name);
    }
}

void settings_put_file(milena_config *config, const char *path) {
    milena_error *err = NULL;
    if (path)
        check(milena_config_load_file(config, path, &err), &err, path);
}

int64_t settings_number(const milena_config *config, const char *name, int64_t otherwise) {
    const char *value = milena_config_get(config, name);
    return value ? strtoll(value, NULL, 10) : otherwise;
}
