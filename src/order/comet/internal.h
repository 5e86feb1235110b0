/* What the files of this orderer share.
 *
 * comet.c starts, stops and answers for its state; proposal.c says which transactions may stand in
 * a block; execution.c executes and commits; outbox.c brings this node's statements to the engine;
 * pool.h is what they have decoded. The engine calls on several threads: check_tx on one, the calls
 * of consensus on another, info and query on a third.
 *
 * 1. `execution` and the ledger behind `app` are touched under exec_lock alone.
 * 2. `head` is what the ledger has committed; it changes in commit alone, under head_lock.
 * 3. What was executed and not committed leaves no trace once it is forgotten. */
#ifndef CAIRN_ORDER_COMET_INTERNAL_H
#define CAIRN_ORDER_COMET_INTERNAL_H

#include "order/comet/abci_server.h"
#include "order/comet/blocktime.h"
#include "order/comet/comet.h"
#include "order/comet/pool.h"
#include "order/comet/tx.h"

#include <pthread.h>
#include <stdatomic.h>

/* The engine as this orderer uses it; tests bring their own. */
struct comet_link {
    void *context;
    /* As rpc_broadcast. */
    enum err (*broadcast)(void *context, struct bytes tx, struct rpc_check *out, struct why *why);
    /* Whether it takes part in consensus. */
    bool (*caught_up)(void *context);
    void (*status)(void *context, struct engine_status *out);
    void (*stop)(void *context);    /* ends the engine; the others may be called still */
    void (*release)(void *context); /* nothing is called any more; NULL: nothing to free */
};

/* What stands committed, as the other threads need it. */
struct comet_head {
    struct header header;
    struct hash hash;
    uint64_t due_ms; /* of the earliest timer; UINT64_MAX: none */
};

/* A transaction of statements in the executed block. */
struct executed_tx {
    struct pool_tx *tx; /* held */
    size_t first;       /* its statements in the block's input */
};

/* The block that was executed and is not committed. */
struct execution {
    bool standing;
    bool refused; /* its time breaks the rules: every statement is refused */
    struct block_input input;
    struct block_result result;
    struct submission **submissions;
    size_t submissions_cap;
    struct executed_tx *txs;
    size_t tx_count;
    size_t txs_cap;
};

struct outbox;

struct comet {
    struct order order; /* first, so that one is the other */
    struct order_app app;
    struct comet_options options;
    struct comet_link link;
    struct abci_server *server;
    int home_fd;
    struct rpc *rpc;
    struct pool *pool;
    struct outbox *outbox;

    pthread_mutex_t head_lock;
    struct comet_head head;

    pthread_mutex_t exec_lock; /* of the next three */
    struct execution execution;
    struct blocktime blocktime;
    uint64_t durable_height; /* the engine's: of the last block that is on the disk here */

    atomic_uint_fast64_t engine_height; /* of the last block that was executed and committed */
    atomic_bool caught_up;              /* it takes part in consensus */
    atomic_bool failed;                 /* the disk; nothing is executed any more */
    atomic_bool diverged;
    pthread_mutex_t problem_lock; /* of the next three */
    uint64_t diverged_height;
    struct hash diverged_ours, diverged_theirs;
};

/* ---- comet.c */

/* As comet_start, over a link that is there; the folder is options->home. */
must_use enum err comet_start_over(struct order **out, const struct order_app *app,
                                   const struct comet_options *options,
                                   const struct comet_link *link, struct why *why);
struct comet_head comet_head(struct comet *comet);
/* The node of a validator, for the log; "unknown" if the regime has none of that address. */
struct bytes comet_node_of(const struct comet *comet, struct bytes address);

/* ---- proposal.c */

enum err comet_check_tx(void *context, const struct abci_check_tx *request, struct abci_result *out,
                        struct arena *arena, struct why *why);
enum err comet_prepare(void *context, const struct abci_block *block, struct abci_txs *out,
                       struct arena *arena, struct why *why);
enum err comet_process(void *context, const struct abci_block *block, enum abci_verdict *out,
                       struct arena *arena, struct why *why);
/* The decoded statements of a transaction, out of the pool or fresh; held for the caller. On an
 * error NULL where they do not decode, else there all the same (see order_app.admit). */
must_use enum err comet_decode(struct comet *comet, struct bytes bytes, const struct tx *tx,
                               struct pool_tx **out, struct why *why);

/* ---- execution.c */

enum err comet_finalize(void *context, const struct abci_block *block, struct abci_finalized *out,
                        struct arena *arena, struct why *why);
enum err comet_commit(void *context, uint64_t *retain_height, struct why *why);
/* Forgets what was executed and not committed; exec_lock is held. */
void execution_forget(struct comet *comet);
void execution_clear(struct comet *comet);

/* ---- outbox.c: from the node's statements to the engine, and back to whoever waits */

/* One transaction of this node, with those who wait for its statements. */
struct own_tx;

must_use enum err outbox_start(struct outbox **out, struct comet *comet);
enum err outbox_submit(struct outbox *outbox, struct submission *submission, order_fn *done,
                       void *context);
void outbox_wake(struct outbox *outbox);
/* The engine is new: it knows none of our transactions. */
void outbox_send_again(struct outbox *outbox);
/* The block of a transaction is durable: takes it out of the pool, answers, frees; the pool's
 * transaction has no owner and no statements then. `results` are those of its statements; NULL: the
 * whole block was refused. */
void outbox_committed(struct outbox *outbox, struct own_tx *own,
                      const struct statement_result *results, const struct header *head);
struct outbox_figures {
    uint64_t count; /* statements without a block */
    uint64_t len;
};
void outbox_figures(struct outbox *outbox, struct outbox_figures *out);
/* Ends the thread, answers all who wait with ERR_CLOSED, frees. */
void outbox_stop(struct outbox *outbox);

#endif
