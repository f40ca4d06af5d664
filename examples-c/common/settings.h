/* Configurations, from options of the command line. */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include <milena.h>

#include "common/options.h"

/* A new configuration for clients of these brokers. The caller frees it. */
milena_config *settings_new(const char *bootstrap_servers);

/* Sets a property; with NULL as the value, leaves it at its default. */
void settings_put(milena_config *config, const char *name, const char *value);

/* Sets a property to a number; less than 0 leaves it at its default. */
void settings_put_number(milena_config *config, const char *name, int64_t value);

/* Sets properties from texts such as "linger.ms=5"; `option` is where they came from, for errors. */
void settings_put_pairs(milena_config *config, const text_list *pairs, const char *option);

/* Adds the properties of a Java properties file; NULL is none. */
void settings_put_file(milena_config *config, const char *path);

/* The number that was set under this name, or `otherwise`. */
int64_t settings_number(const milena_config *config, const char *name, int64_t otherwise);

#endif
