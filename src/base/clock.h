/* The two clocks of the machine. Code in ledger/ and modules/ may not include this. */
#ifndef CAIRN_BASE_CLOCK_H
#define CAIRN_BASE_CLOCK_H

#include <stdint.h>

/* Wall clock, milliseconds since 1970-01-01T00:00:00Z. */
uint64_t clock_wall_ms(void);
/* Monotonic clock, nanoseconds since an arbitrary start; never steps. */
uint64_t clock_mono_ns(void);
/* CPU time of this process, nanoseconds. */
uint64_t clock_cpu_ns(void);
/* Writes RFC 3339 in UTC with milliseconds, "2026-11-24T21:57:38.123Z": 24 bytes and NUL. */
void clock_format(char out25[25], uint64_t wall_ms);

#endif
