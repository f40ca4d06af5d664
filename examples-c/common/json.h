/* Writes JSON, a line for each object, to stdout. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <milena.h>
#include <stdbool.h>

/*
 * Members are written one by one, with their names; elements of arrays and the outermost value have the name NULL.
 *
 *     json_open(NULL, '{');
 *     json_text("topic", topic);
 *     json_open("offsets", '[');
 *     json_integer(NULL, 42);
 *     json_close(']');
 *     json_close('}');
 *     json_end();                     {"topic":"letters","offsets":[42]}
 */
void json_open(const char *name, char bracket);
void json_close(char bracket);

/* Text; null becomes null, and what is not UTF-8 becomes U+FFFD. */
void json_text(const char *name, milena_bytes text);
void json_string(const char *name, const char *text);
/* Bytes as hexadecimal digits; null becomes null. */
void json_hex(const char *name, milena_bytes bytes);
void json_integer(const char *name, int64_t number);
void json_number(const char *name, double number, int decimals);
void json_bool(const char *name, bool value);

/* Whether json_text writes this text as it is: all of it is UTF-8. */
bool json_is_utf8(milena_bytes text);

/* Ends the line, without flushing it. */
void json_end(void);

#endif
