#include "common/json_check.h"

#include <string.h>

enum { MAX_DEPTH = 100 };

typedef struct {
    const char *at, *end;
} cursor;

static bool value(cursor *c, int depth);

static void skip_space(cursor *c) {
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at != '\0')
        c->at++;
}

static bool take(cursor *c, char wanted) {
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool word(cursor *c, const char *wanted) {
    const size_t len = strlen(wanted);
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, wanted, len) != 0)
        return false;
    c->at += len;
    return true;
}

static bool digits(cursor *c) {
    const char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > start;
}

static bool number(cursor *c) {
    take(c, '-');
    if (!take(c, '0') && !digits(c))
        return false;
    if (take(c, '.') && !digits(c))
        return false;
    if (take(c, 'e') || take(c, 'E')) {
        if (!take(c, '+'))
            take(c, '-');
        return digits(c);
    }
    return true;
}

static bool escape(cursor *c) {
    if (c->at == c->end)
        return false;
    if (*c->at != 'u')
        return *c->at != '\0' && strchr("\"\\/bfnrt", *c->at++) != NULL;
    if (c->end - c->at < 5)
        return false;
    for (int i = 1; i <= 4; i++)
        if (c->at[i] == '\0' || strchr("0123456789abcdefABCDEF", c->at[i]) == NULL)
            return false;
    c->at += 5;
    return true;
}

static bool string(cursor *c) {
    if (!take(c, '"'))
        return false;
    while (c->at < c->end && (unsigned char)*c->at >= 0x20) {
        if (take(c, '"'))
            return true;
        if (*c->at++ == '\\' && !escape(c))
            return false;
    }
    return false;
}

/* The rest of an object or array, behind its opening bracket. */
static bool members(cursor *c, int depth, char closing) {
    skip_space(c);
    if (take(c, closing))
        return true;
    do {
        skip_space(c);
        if (closing == '}') {
            if (!string(c))
                return false;
            skip_space(c);
            if (!take(c, ':'))
                return false;
        }
        if (!value(c, depth))
            return false;
        skip_space(c);
    } while (take(c, ','));
    return take(c, closing);
}

static bool value(cursor *c, int depth) {
    if (depth == MAX_DEPTH)
        return false;
    skip_space(c);
    if (c->at == c->end)
        return false;
    switch (*c->at) {
    case '{':
        c->at++;
        return members(c, depth + 1, '}');
    case '[':
        c->at++;
        return members(c, depth + 1, ']');
    case '"':
        return string(c);
    case 't':
        return word(c, "true");
    case 'f':
        return word(c, "false");
    case 'n':
        return word(c, "null");
    default:
        return number(c);
    }
}

bool json_is_valid(milena_bytes text) {
    cursor c = {(const char *)text.data, (const char *)text.data + text.len};
    if (text.data == NULL || !value(&c, 0))
        return false;
    skip_space(&c);
    return c.at == c.end;
}
