/* Tells JSON from other bytes. */
#ifndef COMMON_JSON_CHECK_H
#define COMMON_JSON_CHECK_H

#include <milena.h>
#include <stdbool.h>

/* Whether `text` is one JSON value (RFC 8259), nested at most 100 deep. */
bool json_is_valid(milena_bytes text);

#endif
