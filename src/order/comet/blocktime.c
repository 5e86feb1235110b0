#include "order/comet/blocktime.h"

#include <string.h>

uint64_t blocktime_engine_ms(const struct comet_time *time)
{
    if (time->seconds < 0) {
        return 0;
    }
    return (uint64_t)time->seconds * 1000 + ((uint64_t)time->nanos + 999999) / 1000000;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t blocktime_propose(uint64_t own_ms, uint64_t engine_ms, uint64_t last_ms)
{
    return later(own_ms, later(engine_ms, last_ms + 1));
}

enum time_fault blocktime_check(uint64_t time_ms, uint64_t engine_ms, uint64_t last_ms)
{
    if (time_ms <= last_ms) {
        return TIME_NOT_LATER;
    }
    return time_ms < engine_ms ? TIME_BEFORE_ENGINE : TIME_GOOD;
}

enum time_fault blocktime_judge(uint64_t time_ms, uint64_t own_ms, bool waived)
{
    if (time_ms > own_ms && time_ms - own_ms > BLOCKTIME_AHEAD_MS) {
        return TIME_AHEAD;
    }
    if (!waived && own_ms > time_ms && own_ms - time_ms > BLOCKTIME_BEHIND_MS) {
        return TIME_BEHIND;
    }
    return TIME_GOOD;
}

bool blocktime_seen(struct blocktime *blocktime, uint64_t height, const struct hash *hash)
{
    if (blocktime->height != height) {
        blocktime->height = height;
        blocktime->count = 0;
    }
    size_t at = 0;
    while (at < blocktime->count && !hash_equal(&blocktime->blocks[at].hash, hash)) {
        at++;
    }
    unsigned seen = at < blocktime->count ? blocktime->blocks[at].seen : 0;
    if (at == blocktime->count && blocktime->count < BLOCKTIME_BLOCKS) {
        blocktime->count++;
    } else if (at == blocktime->count) {
        at--; /* whoever makes up ever new blocks pushes out the oldest, not a locked one */
    }
    memmove(&blocktime->blocks[1], &blocktime->blocks[0], at * sizeof blocktime->blocks[0]);
    seen += seen < BLOCKTIME_WAIVED_AT;
    blocktime->blocks[0].hash = *hash;
    blocktime->blocks[0].seen = seen;
    return seen >= BLOCKTIME_WAIVED_AT;
}
