/* The demo's records: each says who wrote it, has a checksum, and can be verified from its bytes alone. */
#ifndef COMMON_LETTERS_H
#define COMMON_LETTERS_H

#include <milena.h>
#include <pthread.h>
#include <stdbool.h>

enum { LETTER_BYTES = 100, LETTER_KEYS = 1000 };

/* The `number`-th letter of a writer, written into `value` (LETTER_BYTES) and `key` (8 bytes). */
void letter_write(int writer, int64_t number, uint8_t *key, uint8_t *value);

/* What is known of the letters that were read so far. Any threads may use it at once. */
typedef struct {
    int writers;
    int64_t per_writer;
    int32_t partitions;
    pthread_mutex_t lock;
    uint8_t *seen;    /* a bit for each letter */
    int64_t *newest;  /* for each partition and writer: the number of the last letter, or -1 */
    int64_t read, twice, disordered, corrupt;
    char example[160]; /* what was wrong with the first one of which something was */
} ledger;

void ledger_init(ledger *l, int writers, int64_t per_writer, int32_t partitions);
void ledger_free(ledger *l);

/* Verifies the records of a chunk: checksum, not seen before, in the order of their writer. */
void ledger_enter(ledger *l, const milena_chunk *chunk);

/* How many different sound letters were read. */
int64_t ledger_read(ledger *l);

#endif
