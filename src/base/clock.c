#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000u;
}

uint64_t clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_format(char out25[25], uint64_t wall_ms)
{
    /* Year 9999 is the last that RFC 3339 can write; later times are shown as that. */
    const uint64_t last_ms = 253402300799999u;
    uint64_t shown_ms = wall_ms > last_ms ? last_ms : wall_ms;
    time_t seconds = (time_t)(shown_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char date[20];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out25, 25, "%s.%03uZ", date, (unsigned)(shown_ms % 1000));
}
