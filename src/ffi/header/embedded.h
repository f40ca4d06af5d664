/** A fault of every request, once: milena_fault fault = MILENA_FAULT_INIT; and then at least its kind. */
#define MILENA_FAULT_INIT { 0, 0, -1, -1, { NULL, 0 }, -1, 0, 1, 0 }
