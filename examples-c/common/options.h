/* Command lines: a table of options, a parser, and a help text made from the table. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of all programs. */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Values of an option that may come more than once, in their order. */
typedef struct {
    const char **items;
    size_t len;
} text_list;

typedef enum {
    OPTION_TEXT,   /* const char *: the next argument */
    OPTION_NUMBER, /* int64_t: a number from `min` to `max` */
    OPTION_FLAG,   /* bool: takes no value */
    OPTION_LIST    /* text_list: repeatable */
} option_kind;

typedef struct {
    const char *name; /* with its dashes; NULL for the words that are not options, kept in a text_list */
    option_kind kind;
    void *target; /* holds the default before, the value afterwards; a number outside the range is no default */
    const char *value; /* how the help text calls the value; NULL for flags */
    const char *help;
    int64_t min, max; /* of numbers */
    bool required;
} option;

/*
 * Reads the command line into the targets of `options`. Both `--name value` and `--name=value` will do.
 * `--help` prints a text and ends the program with 0; anything that is wrong, with 2 and the reason on stderr.
 */
void options_parse(int argc, char **argv, const char *about, const option *options, size_t n);

/* Ends the program with exit code 2, saying on stderr what is wrong with the command line. */
_Noreturn void usage_error(const char *format, ...);

/* The program's name without its directory, for messages. Set by options_parse. */
const char *program_name(void);

#endif
