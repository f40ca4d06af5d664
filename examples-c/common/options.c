#define _POSIX_C_SOURCE 200809L
#include "common/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *program = "milena";

const char *program_name(void) {
    return program;
}

void usage_error(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nTry: %s --help\n", program);
    va_end(args);
    exit(EXIT_USAGE);
}

static void print_help(const char *about, const option *options, size_t n) {
    printf("usage: %s", program);
    for (size_t i = 0; i < n; i++)
        if (options[i].name == NULL)
            printf(" %s", options[i].value);
    printf(" [options]\n\n%s\n\n", about);
    for (size_t i = 0; i < n; i++) {
        char left[80];
        const option *o = &options[i];
        snprintf(left, sizeof left, "%s%s%s", o->name ? o->name : "", o->name && o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-30s  %s", left, o->help);
        if (o->required)
            printf(" (required)");
        else if (o->kind == OPTION_NUMBER && *(const int64_t *)o->target >= o->min && *(const int64_t *)o->target <= o->max)
            printf(" (default: %" PRId64 ")", *(const int64_t *)o->target);
        else if (o->kind == OPTION_TEXT && *(const char **)o->target != NULL)
            printf(" (default: %s)", *(const char **)o->target);
        printf("\n");
    }
    exit(EXIT_SUCCESS);
}

static int64_t parse_number(const option *o, const char *text) {
    char *end;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < o->min || number > o->max)
        usage_error("%s needs a number from %" PRId64 " to %" PRId64 ", not \"%s\"", o->name, o->min, o->max, text);
    return number;
}

static void append(text_list *list, const char *item) {
    const char **items = realloc(list->items, (list->len + 1) * sizeof *items);
    if (items == NULL) {
        fprintf(stderr, "%s: out of memory\n", program);
        exit(EXIT_FAILED);
    }
    items[list->len++] = item;
    list->items = items;
}

static void store(const option *o, const char *text) {
    switch (o->kind) {
    case OPTION_TEXT:
        *(const char **)o->target = text;
        break;
    case OPTION_NUMBER:
        *(int64_t *)o->target = parse_number(o, text);
        break;
    case OPTION_FLAG:
        *(bool *)o->target = true;
        break;
    case OPTION_LIST:
        append(o->target, text);
        break;
    }
}

/* The option called `name` (`len` characters of it; 0: the one for words). */
static size_t find(const option *options, size_t n, const char *name, size_t len) {
    for (size_t i = 0; i < n; i++) {
        const char *candidate = options[i].name ? options[i].name : "";
        if (strlen(candidate) == len && strncmp(candidate, name, len) == 0)
            return i;
    }
    return n;
}

void options_parse(int argc, char **argv, const char *about, const option *options, size_t n) {
    const char *slash = strrchr(argv[0], '/');
    program = slash ? slash + 1 : argv[0];
    bool *given = calloc(n + 1, sizeof *given);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            print_help(about, options, n);
        const bool is_option = word[0] == '-' && word[1] != '\0';
        const size_t len = is_option ? strcspn(word, "=") : 0;
        const size_t found = find(options, n, word, len);
        if (found == n)
            usage_error(is_option ? "there is no option %s" : "\"%s\" does not belong here", word);
        const option *o = &options[found];
        const char *value = word;
        if (is_option) {
            value = word[len] == '=' ? word + len + 1 : NULL;
            if (o->kind == OPTION_FLAG && value != NULL)
                usage_error("%s takes no value", o->name);
            if (o->kind != OPTION_FLAG && value == NULL && (value = argv[++i]) == NULL)
                usage_error("%s needs a value: %s", o->name, o->value);
        }
        store(o, value);
        if (given)
            given[found] = true;
    }
    for (size_t i = 0; given && i < n; i++)
        if (options[i].required && !given[i])
            usage_error("%s is missing: %s", options[i].name ? options[i].name : options[i].value, options[i].help);
    free(given);
}
