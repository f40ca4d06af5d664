#include "common/letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rows.h"

/* A letter is its writer, its number, a checksum of all other bytes, and a text that is different in each. */
enum { WRITER_AT = 0, NUMBER_AT = 4, CHECKSUM_AT = 12, TEXT_AT = 20 };

/* As FNV-1a, four bytes at a time. */
static uint64_t checksum(const uint8_t *value) {
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < LETTER_BYTES; i += 4) {
        uint32_t word = 0;
        if (i != CHECKSUM_AT && i != CHECKSUM_AT + 4)
            memcpy(&word, value + i, sizeof word);
        sum = (sum ^ word) * 1099511628211u;
    }
    return sum;
}

void letter_write(int writer, int64_t number, uint8_t *key, uint8_t *value) {
    const int32_t from = writer;
    uint64_t noise = (uint64_t)number * 0x9E3779B97F4A7C15u + (uint64_t)writer;
    memcpy(value + WRITER_AT, &from, sizeof from);
    memcpy(value + NUMBER_AT, &number, sizeof number);
    for (size_t i = TEXT_AT; i < LETTER_BYTES; i += 8) {
        noise ^= noise >> 29;
        noise *= 0xBF58476D1CE4E5B9u;
        memcpy(value + i, &noise, sizeof noise);
    }
    const uint64_t sum = checksum(value);
    memcpy(value + CHECKSUM_AT, &sum, sizeof sum);
    const int64_t addressee = number % LETTER_KEYS;
    memcpy(key, &addressee, sizeof addressee);
}

void ledger_init(ledger *l, int writers, int64_t per_writer, int32_t partitions) {
    *l = (ledger){.writers = writers, .per_writer = per_writer, .partitions = partitions};
    pthread_mutex_init(&l->lock, NULL);
    l->seen = allocate((size_t)(writers * per_writer) / 8 + 1, 1);
    l->newest = allocate((size_t)(writers * partitions), sizeof *l->newest);
    for (int i = 0; i < writers * partitions; i++)
        l->newest[i] = -1;
}

void ledger_free(ledger *l) {
    free(l->seen);
    free(l->newest);
    pthread_mutex_destroy(&l->lock);
}

static void complain(ledger *l, int64_t *counter, const char *what, const milena_chunk *chunk, int64_t offset) {
    ++*counter;
    if (l->example[0] == '\0')
        snprintf(l->example, sizeof l->example, "%s: partition %" PRId32 ", offset %" PRId64, what, chunk->partition,
                 offset);
}

static void enter_one(ledger *l, const milena_chunk *chunk, const milena_record_view *record) {
    int32_t writer = -1;
    int64_t number = -1;
    uint64_t sum = 0;
    if (record->value.len == LETTER_BYTES) {
        memcpy(&writer, record->value.data + WRITER_AT, sizeof writer);
        memcpy(&number, record->value.data + NUMBER_AT, sizeof number);
        memcpy(&sum, record->value.data + CHECKSUM_AT, sizeof sum);
    }
    if (writer < 0 || writer >= l->writers || number < 0 || number >= l->per_writer ||
        chunk->partition >= l->partitions || sum != checksum(record->value.data)) {
        complain(l, &l->corrupt, "not a letter of this demo", chunk, record->offset);
        return;
    }
    const int64_t bit = writer * l->per_writer + number;
    if (l->seen[bit / 8] & (1 << (bit % 8))) {
        complain(l, &l->twice, "read twice", chunk, record->offset);
        return;
    }
    l->seen[bit / 8] |= (uint8_t)(1 << (bit % 8));
    l->read++;
    int64_t *newest = &l->newest[chunk->partition * l->writers + writer];
    if (number <= *newest)
        complain(l, &l->disordered, "behind a later one", chunk, record->offset);
    *newest = number;
}

void ledger_enter(ledger *l, const milena_chunk *chunk) {
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < chunk->records_len; i++)
        enter_one(l, chunk, ROW(milena_record_view, chunk->records, chunk->records_stride, i));
    pthread_mutex_unlock(&l->lock);
}

int64_t ledger_read(ledger *l) {
    pthread_mutex_lock(&l->lock);
    const int64_t read = l->read;
    pthread_mutex_unlock(&l->lock);
    return read;
}
