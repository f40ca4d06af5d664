/* Arrays that the library gives: their elements may be longer than this program knows, so one steps by the stride. */
#ifndef COMMON_ROWS_H
#define COMMON_ROWS_H

#include <stddef.h>

/* Element `i` of the array that begins at `first`: ROW(milena_chunk, chunks, stride, 0) */
#define ROW(type, first, stride, i) ((const type *)(const void *)((const char *)(first) + (size_t)(i) * (stride)))

#endif
