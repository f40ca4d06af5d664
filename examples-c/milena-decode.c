/*
 * milena-decode: record batch bytes on stdin, one JSON line a record on stdout.
 *
 *     milena-decode < /var/lib/kafka/letters-0/00000000000000000000.log
 *
 *     {"offset":7,"timestamp":1700000000000,"timestamp_type":"create","key":null,"value":"6869",
 *      "headers":[["lang","6373"],[{"hex":"ff"},null]]}
 *
 * Keys and values are hexadecimal, or null. Names of headers are text; one that is not UTF-8, as other clients may have
 * written it, is an object with its bytes, so that names which differ are different here as well.
 *
 * Reads what brokers store and send, of any message format and codec. It shows milena_decode_batches, which needs no
 * client. Control records, the markers of transactions, are no records of a program: they are left out.
 */
#include <inttypes.h>
#include <milena.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/json.h"
#include "common/options.h"
#include "common/rows.h"

static bool with_control = false;
static int64_t max_batch_bytes = INT64_C(1) << 30;

/* All of stdin; the caller frees it. */
static uint8_t *read_all(size_t *len) {
    size_t capacity = 1 << 16;
    uint8_t *bytes = allocate(capacity, 1);
    *len = 0;
    for (;;) {
        const size_t got = fread(bytes + *len, 1, capacity - *len, stdin);
        *len += got;
        if (got == 0 && ferror(stdin))
            fail("stdin could not be read");
        if (got == 0)
            return bytes;
        if (*len == capacity) {
            capacity *= 2;
            uint8_t *larger = realloc(bytes, capacity);
            if (larger == NULL)
                fail("out of memory for %zu bytes", capacity);
            bytes = larger;
        }
    }
}

static const char *timestamp_type(uint32_t flags) {
    if (flags & MILENA_RECORD_NO_TIMESTAMP)
        return "none";
    return flags & MILENA_RECORD_APPEND_TIME ? "append" : "create";
}

/* A header's name, without a loss: see the top. */
static void print_name(milena_bytes name) {
    if (json_is_utf8(name)) {
        json_text(NULL, name);
        return;
    }
    json_open(NULL, '{');
    json_hex("hex", name);
    json_close('}');
}

static void print_record(const milena_record_view *record) {
    json_open(NULL, '{');
    json_integer("offset", record->offset);
    json_integer("timestamp", record->timestamp_ms);
    json_string("timestamp_type", timestamp_type(record->flags));
    json_hex("key", record->key);
    json_hex("value", record->value);
    json_open("headers", '[');
    for (uint32_t i = 0; i < record->headers_len; i++) {
        json_open(NULL, '[');
        print_name(record->headers[i].name);
        json_hex(NULL, record->headers[i].value);
        json_close(']');
    }
    json_close(']');
    if (record->flags & MILENA_RECORD_CONTROL)
        json_bool("control", true);
    json_close('}');
    json_end();
}

static void print_batch(const milena_batch *batch) {
    size_t n, stride;
    const milena_chunk *chunks = milena_batch_chunks(batch, &n, &stride);
    for (size_t i = 0; i < n; i++) {
        const milena_chunk *chunk = ROW(milena_chunk, chunks, stride, i);
        for (size_t k = 0; k < chunk->records_len; k++) {
            const milena_record_view *record = ROW(milena_record_view, chunk->records, chunk->records_stride, k);
            if (with_control || !(record->flags & MILENA_RECORD_CONTROL))
                print_record(record);
        }
    }
}

/* What the library says of its argument, in terms of this program. */
static void explain_limit(const milena_error *error) {
    const char *hint = milena_error_hint(error);
    if (hint && strstr(hint, "max_batch_bytes"))
        fprintf(stderr, "%s: a batch decompresses to more than --max-batch-bytes, %" PRId64 "; if it is to be trusted, raise that\n",
                program_name(), max_batch_bytes);
}

int main(int argc, char **argv) {
    const option options[] = {
        {"--max-batch-bytes", OPTION_NUMBER, &max_batch_bytes, "BYTES", "what a batch may decompress to", 1, INT64_C(1) << 40, false},
        {"--control", OPTION_FLAG, &with_control, NULL, "print control records as well, marked \"control\": true", 0, 0, false},
    };
    options_parse(argc, argv, "Decodes record batches from stdin into one JSON line a record. Keys and values are hexadecimal, names of\n"
                  "headers text, or {\"hex\": ...} if they are not UTF-8.",
                  options, sizeof options / sizeof *options);

    size_t len;
    uint8_t *bytes = read_all(&len);
    milena_batch *batch = NULL;
    milena_error *err = NULL;
    const milena_status status = milena_decode_batches(bytes, len, (size_t)max_batch_bytes, &batch, &err);
    /* Also when a batch is corrupt: then this is what was in front of it. */
    print_batch(batch);
    check_stdout();
    milena_batch_free(batch);
    free(bytes);
    explain_limit(err);
    check(status, &err, "decoding");
    return 0;
}
