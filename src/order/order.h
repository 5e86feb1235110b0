/* Ordering: who decides which statements make the next block, and when. A pair of tables.
 *
 * Down, what the node asks of an orderer: start, submit, status, stop. Up, what an orderer asks of
 * the node: to decode, execute and commit. `solo` is the orderer of a ledger that one institution
 * runs; `comet` orders for several, with CometBFT as its engine. Both use the same table upwards.
 */
#ifndef CAIRN_ORDER_ORDER_H
#define CAIRN_ORDER_ORDER_H

#include "ledger/ledger.h"

struct order_result {
    const struct statement_result *result; /* borrowed for the length of the call */
    const struct header *head;             /* the head under which it is durable */
    enum err err; /* OK, or why the orderer itself gave up: ERR_IO, ERR_CLOSED, ERR_REFUSED (the
                     clock stepped) */
};
/* Called once per submission: after its block is durable, on the orderer's thread; where the
 * orderer itself refuses it, perhaps from within `submit`. Must not block. Takes over `submission`.
 */
typedef void order_fn(void *context, struct submission *submission,
                      const struct order_result *result);

/* What waits for a block at most, unless an orderer is told otherwise: statements, and their bytes
 * with their items. */
#define ORDER_QUEUE_COUNT 65536
#define ORDER_QUEUE_LEN   ((size_t)128 << 20)

/* Up. */
struct order_app {
    void *context;
    /* Decodes and admits statements as they travel in a block, a CBOR sequence, and waits for the
     * verifiers. Any thread but theirs. The submissions of *out are the caller's.
     *
     * An error names the first statement that nobody honest would have ordered. If one does not
     * decode, or fails its rule's stateless check, *out is empty; that follows from the bytes
     * alone. If all decode and it is a key or a signature, unknown or false under the committed
     * head, *out holds them all the same, those unverified: the ledger finds that out again. */
    enum err (*admit)(void *context, struct bytes sequence, struct submissions *out,
                      struct why *why);
    /* Appends a submission as it travels, an entry with its items in it. Any thread. */
    void (*wire)(void *context, const struct submission *submission, struct buf *out);
    /* When the earliest timer is due, milliseconds; UINT64_MAX if there is none. On the thread that
     * executes, with nothing executed and uncommitted. */
    uint64_t (*timer_due)(void *context);
    enum err (*execute)(void *context, const struct block_input *input, struct block_result *out);
    enum err (*commit)(void *context, const struct block_input *input,
                       const struct block_result *result);
    /* A block of the engine that changed nothing: the engine stands there. May be durable later. */
    enum err (*passed)(void *context, uint64_t engine_height);
};

enum order_state {
    ORDER_RUNNING,
    ORDER_WAITING, /* comet: its engine is not there, or is catching up; submissions are taken */
    ORDER_CLOCK_STEPPED,
    ORDER_FAILED,
    ORDER_DIVERGED, /* comet: our header differs from the committed one; nothing is taken */
    ORDER_STOPPED
};

/* What there is to say of the process that orders. */
struct engine_status {
    bool running;
    unsigned restarts;
    uint64_t height;   /* the engine's own, of the last block that came from it */
    char problem[200]; /* why it is not running, or empty */
};

struct order_status {
    enum order_state state;
    uint64_t queued_count; /* statements that have no block yet */
    uint64_t queued_len;
    uint64_t queued_count_max; /* at which, or at whose bytes, ERR_BUSY begins */
    uint64_t queued_len_max;
    int64_t clock_step_ms; /* where state is ORDER_CLOCK_STEPPED */
    size_t batch_max;      /* bytes of a statement with its items that it takes */
    /* Of comet alone. */
    struct engine_status engine;
    uint64_t diverged_height; /* of ours; where state is ORDER_DIVERGED */
    struct hash diverged_ours;
    struct hash diverged_theirs;
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
    /* Calls nothing upwards any more but what answers; before the verifiers are freed. */
    void (*halt)(struct order *order);
    /* Answers all and frees: solo commits what was taken first; what waits for comet's engine is
     * answered ERR_CLOSED and may be ordered yet. */
    void (*stop)(struct order *order);
};

#endif
