/* Time, and what the process has used. */
#ifndef COMMON_MEASURE_H
#define COMMON_MEASURE_H

#include <stdint.h>

/* Nanoseconds since some moment; never runs backwards. */
int64_t monotonic_ns(void);

/* Milliseconds since 1970-01-01 UTC. */
int64_t wall_ms(void);

/* Processor time of all threads of this process so far, in seconds. */
double cpu_seconds(void);

/* The most memory that the process has had in RAM so far (VmHWM), in MiB; 0 where the system does not tell. */
double max_rss_mb(void);

#endif
