#include "common/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"

void give_up(milena_error *error, const char *doing) {
    report(error, doing);
    milena_error_free(error);
    exit(EXIT_FAILED);
}

void report(const milena_error *error, const char *doing) {
    fprintf(stderr, "%s: %s: %s\n", program_name(), doing, milena_error_string(error));
}

void fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program_name());
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(EXIT_FAILED);
}

void *allocate(size_t n, size_t size) {
    void *memory = calloc(n ? n : 1, size ? size : 1);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

void check_stdout(void) {
    if (fflush(stdout) != 0 || ferror(stdout))
        fail("writing to stdout: %s", strerror(errno));
}
