/** An offset with nothing known but what is set then: milena_offset offset = MILENA_OFFSET_INIT; */
#define MILENA_OFFSET_INIT { { NULL, 0 }, 0, -1, -1, -1, { NULL, 0 } }
