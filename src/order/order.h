/* Ordering: who decides which statements make the next block, and when. A pair of tables.
 *
 * Down, what the node asks of an orderer: start, submit, status, stop. Up, what an orderer asks of
 * the node: execute and commit. `solo` is the orderer of a ledger that one institution runs. */
#ifndef CAIRN_ORDER_ORDER_H
#define CAIRN_ORDER_ORDER_H

#include "ledger/ledger.h"

struct order_result {
    const struct statement_result *result; /* borrowed for the length of the call */
    const struct header *head;             /* the head under which it is durable */
    enum err err; /* OK, or why the orderer itself gave up: ERR_IO, ERR_CLOSED, ERR_REFUSED (the
                     clock stepped) */
};
/* Called once per submission, after its block is durable, on the orderer's thread: must not block.
 * Takes over `submission`. */
typedef void order_fn(void *context, struct submission *submission,
                      const struct order_result *result);

/* Up. */
struct order_app {
    void *context;
    enum err (*execute)(void *context, const struct block_input *input, struct block_result *out);
    enum err (*commit)(void *context, const struct block_input *input,
                       const struct block_result *result);
};

enum order_state { ORDER_RUNNING, ORDER_CLOCK_STEPPED, ORDER_FAILED, ORDER_STOPPED };

struct order_status {
    enum order_state state;
    uint64_t queued_count;
    uint64_t queued_len;
    uint64_t queued_count_max; /* at which, or at whose bytes, ERR_BUSY begins */
    uint64_t queued_len_max;
    int64_t clock_step_ms; /* where state is ORDER_CLOCK_STEPPED */
};

/* Down. */
struct order {
    /* Takes over the submission, to be ordered from the next `wake` on at the latest: a group goes
     * into one block. ERR_BUSY (queue full), ERR_CLOSED: it stays the caller's. */
    enum err (*submit)(struct order *order, struct submission *submission, order_fn *done,
                       void *context);
    void (*wake)(struct order *order);
    void (*status)(struct order *order, struct order_status *out);
    /* Accepts a clock step that stopped writing (cairn clock accept). */
    enum err (*accept_clock)(struct order *order);
    /* Commits what was taken, answers all, frees. */
    void (*stop)(struct order *order);
};

#endif
