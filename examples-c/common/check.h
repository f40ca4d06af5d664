/* What to do when a call of the library fails: say everything there is to say, and end. */
#ifndef COMMON_CHECK_H
#define COMMON_CHECK_H

#include <milena.h>

/*
 * Ends the program with exit code 1 unless `status` is MILENA_OK. On stderr: what was tried, and the whole error.
 *
 *     milena_error *err = NULL;
 *     check(milena_producer_new(config, &producer, &err), &err, "making a producer");
 */
static inline void check(milena_status status, milena_error **err, const char *doing);

/* Ends the program, in any case. */
_Noreturn void give_up(milena_error *error, const char *doing);

/* Writes a line about an error that the program survives to stderr. */
void report(const milena_error *error, const char *doing);

/* Ends the program with exit code 1 and a message of its own. */
_Noreturn void fail(const char *format, ...);

/* As malloc of `n` times `size` bytes, all 0; never returns NULL. */
void *allocate(size_t n, size_t size);

/* Flushes stdout, and ends the program with exit code 1 if what was printed did not arrive. */
void check_stdout(void);

static inline void check(milena_status status, milena_error **err, const char *doing) {
    if (status != MILENA_OK)
        give_up(*err, doing);
}

#endif
