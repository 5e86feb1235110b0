/* The time that a proposal carries, and who may say which (protocol.md 4).
 *
 * Two rules follow from the block alone and hold wherever it is executed: later than our last
 * header, and not before the CometBFT header's time. Two are by the judge's own clock and hold for
 * proposals only: not more than 2 s ahead of it, and not more than 60 s behind. The last is waived
 * from the third time on that the same block is proposed at a height: validators that locked a
 * block and were then cut off from each other can decide no other, however long that took. */
#ifndef CAIRN_ORDER_COMET_BLOCKTIME_H
#define CAIRN_ORDER_COMET_BLOCKTIME_H

#include "proof/commit.h"

#define BLOCKTIME_AHEAD_MS  2000
#define BLOCKTIME_BEHIND_MS 60000
#define BLOCKTIME_WAIVED_AT 3  /* the how-manieth proposal of a block */
#define BLOCKTIME_BLOCKS    32 /* different blocks of one height that are counted */

enum time_fault {
    TIME_GOOD,
    TIME_NOT_LATER,     /* than our last header */
    TIME_BEFORE_ENGINE, /* than the CometBFT header */
    TIME_AHEAD,
    TIME_BEHIND
};

/* A CometBFT time in milliseconds, rounded up; before 1970 is 0. */
uint64_t blocktime_engine_ms(const struct comet_time *time);
/* What a proposer says. */
uint64_t blocktime_propose(uint64_t own_ms, uint64_t engine_ms, uint64_t last_ms);
/* The rules that follow from the block. */
enum time_fault blocktime_check(uint64_t time_ms, uint64_t engine_ms, uint64_t last_ms);
/* Those by the judge's clock. */
enum time_fault blocktime_judge(uint64_t time_ms, uint64_t own_ms, bool waived);

/* How often which block was proposed at one height. Zero-initialised is empty. One thread. */
struct blocktime {
    uint64_t height;
    size_t count;
    struct {
        struct hash hash;
        unsigned seen;
    } blocks[BLOCKTIME_BLOCKS]; /* the one that came last is the first */
};
/* Counts a proposal of the block `hash` at `height`, a CometBFT one; another height forgets what
 * was counted. Returns whether the waiver holds. */
bool blocktime_seen(struct blocktime *blocktime, uint64_t height, const struct hash *hash);

#endif
