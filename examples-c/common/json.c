#include "common/json.h"

#include <inttypes.h>
#include <stdio.h>

/* Whether the next value is not the first one of its object, array or line. */
static bool another;

static void put_escaped(milena_bytes text);

static void begin(const char *name) {
    if (another)
        putchar(',');
    another = true;
    if (name) {
        put_escaped(milena_str(name));
        putchar(':');
    }
}

/* The length of the UTF-8 character at the beginning of `text`, 0 if there is none. */
static size_t utf8_length(const uint8_t *text, size_t len) {
    const uint8_t first = text[0];
    if (first < 0x80)
        return 1;
    const size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || wanted > len)
        return 0;
    for (size_t i = 1; i < wanted; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    const uint8_t second = text[1];
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool impossible = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
    return overlong || impossible ? 0 : wanted;
}

bool json_is_utf8(milena_bytes text) {
    for (size_t i = 0; i < text.len;) {
        const size_t length = utf8_length(text.data + i, text.len - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

static void put_escaped(milena_bytes text) {
    putchar('"');
    for (size_t i = 0; i < text.len;) {
        const size_t length = utf8_length(text.data + i, text.len - i);
        const uint8_t c = text.data[i];
        if (length == 0)
            fputs("\\ufffd", stdout);
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            fwrite(text.data + i, 1, length, stdout);
        i += length ? length : 1;
    }
    putchar('"');
}

void json_open(const char *name, char bracket) {
    begin(name);
    putchar(bracket);
    another = false;
}

void json_close(char bracket) {
    putchar(bracket);
    another = true;
}

void json_text(const char *name, milena_bytes text) {
    begin(name);
    if (text.data)
        put_escaped(text);
    else
        fputs("null", stdout);
}

void json_string(const char *name, const char *text) {
    json_text(name, milena_str(text));
}

void json_hex(const char *name, milena_bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    begin(name);
    if (bytes.data == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (size_t i = 0; i < bytes.len; i++) {
        putchar(digits[bytes.data[i] >> 4]);
        putchar(digits[bytes.data[i] & 15]);
    }
    putchar('"');
}

void json_integer(const char *name, int64_t number) {
    begin(name);
    printf("%" PRId64, number);
}

void json_number(const char *name, double number, int decimals) {
    begin(name);
    printf("%.*f", decimals, number);
}

void json_bool(const char *name, bool value) {
    begin(name);
    fputs(value ? "true" : "false", stdout);
}

void json_end(void) {
    putchar('\n');
    another = false;
}
