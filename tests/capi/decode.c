/* Record batches as bytes: what is read, what is cut off, what is corrupt. */
#include "check.h"

/* One batch of format v2 at offset 5 with two records: key "k" and value "v"; null and "". Made by Java's client. */
static const uint8_t BATCH[] = {
#include "decode_batch.h"
};

int main(void) {
    milena_batch *batch = NULL;
    size_t n, stride;
    OK(milena_decode_batches(BATCH, sizeof BATCH, 0, &batch, &err));
    const milena_chunk *chunk = milena_batch_chunks(batch, &n, &stride);
    CHECK(n == 1 && chunk->topic.data == NULL && chunk->partition == -1 && chunk->next_offset == 7);
    CHECK(chunk->records_len == 2 && milena_batch_count(batch) == 2);
    const milena_record_view *record = chunk->records;
    CHECK(record[0].offset == 5 && record[0].timestamp_ms == 1000 && same(record[0].key, "k"));
    CHECK(same(record[0].value, "v") && record[0].headers_len == 1 && same(record[0].headers[0].name, "h"));
    CHECK(record[0].headers[0].value.data == NULL);
    CHECK(record[1].offset == 6 && record[1].key.data == NULL && same(record[1].value, ""));
    CHECK(record[1].headers_len == 0 && record[1].flags == 0);
    milena_batch_free(batch);

    /* Cut off anywhere: no error, and nothing but whole batches. */
    uint8_t two[2 * sizeof BATCH];
    memcpy(two, BATCH, sizeof BATCH);
    memcpy(two + sizeof BATCH, BATCH, sizeof BATCH);
    for (size_t len = 0; len <= sizeof two; len++) {
        batch = NULL;
        OK(milena_decode_batches(two, len, 0, &batch, &err));
        CHECK(milena_batch_count(batch) == 2 * (len / sizeof BATCH));
        milena_batch_free(batch);
    }

    /* A flipped bit in the second batch: the first is given, and the error has the offset. */
    two[sizeof two - 1] ^= 1;
    milena_error *err = NULL;
    CHECK(milena_decode_batches(two, sizeof two, 0, &batch, &err) == MILENA_E_CORRUPT_MESSAGE);
    CHECK(milena_batch_count(batch) == 2 && milena_error_offset(err) == 5 && milena_error_next_offset(err) == 7);
    milena_error_free(err);
    milena_batch_free(batch);

    OK(milena_decode_batches(NULL, 0, 0, &batch, &err));
    CHECK(batch == NULL);
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_decode_batches(NULL, 1, 0, &batch, &err));
    EXPECT(MILENA_E_NULL_ARGUMENT, milena_decode_batches(BATCH, sizeof BATCH, 0, NULL, &err));
    return 0;
}
