/* Orderer of a ledger run by one institution: a thread that makes blocks at once when idle and
 * gathers while the disk is busy.
 *
 * Time (protocol.md 4): at start and before every block the wall clock is held against the last
 * block's time plus monotonic time; a step over the limit stops writing until it is accepted. */
#ifndef CAIRN_ORDER_SOLO_H
#define CAIRN_ORDER_SOLO_H

#include "order/order.h"

struct solo_options {
    size_t queue_count_max;    /* statements waiting; 0 = 65,536 */
    size_t queue_len_max;      /* their bytes, items included; 0 = 128 MiB */
    size_t block_count_max;    /* statements in one block; 0 = 8,192 */
    uint64_t clock_step_ms;    /* 0 = 60,000 */
    uint64_t last_time_ms;     /* of the last block */
    uint64_t (*wall_ms)(void); /* NULL = clock_wall_ms; tests bring their own */
    uint64_t (*mono_ns)(void); /* NULL = clock_mono_ns */
};

must_use enum err solo_start(struct order **out, const struct order_app *app,
                             const struct solo_options *options);

#endif
