/**
 * A record without key, value and headers, for any partition, at the moment of the call:
 * milena_record record = MILENA_RECORD_INIT;
 */
#define MILENA_RECORD_INIT { -1, 0, -1, { NULL, 0 }, { NULL, 0 }, NULL, 0 }
