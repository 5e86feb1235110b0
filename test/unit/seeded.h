/* Random input for properties: the seed is printed, and CAIRN_SEED repeats a run. */
#ifndef CAIRN_TEST_SEEDED_H
#define CAIRN_TEST_SEEDED_H

#include "check.h"

#include <time.h>

static uint64_t seeded_state;

/* Begins a property; the same seed gives the same numbers. */
static inline void seeded_start(const char *property)
{
    const char *given = getenv("CAIRN_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec;
    seeded_state = given != NULL ? strtoull(given, NULL, 0) : seed;
    printf("%s: CAIRN_SEED=%llu\n", property, (unsigned long long)seeded_state);
}

/* splitmix64. */
static inline uint64_t seeded_u64(void)
{
    uint64_t z = seeded_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number below `limit`. */
static inline uint64_t seeded_below(uint64_t limit)
{
    return seeded_u64() % limit;
}

static inline struct hash seeded_hash(void)
{
    struct hash out;
    for (size_t i = 0; i < sizeof out.at; i += 8) {
        put_u64(out.at + i, seeded_u64());
    }
    return out;
}

#endif
