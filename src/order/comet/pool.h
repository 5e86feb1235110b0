/* Transactions of statements that were decoded and found good, by the SHA-256 of their complete
 * bytes, so that each is decoded and its signatures are checked once per node, whichever of
 * CheckTx, ProcessProposal and FinalizeBlock sees it first.
 *
 * Those of others are kept until they are executed, or until newer ones need the room: forgetting
 * one costs a decoding, never a wrong answer. A node's own stay until they are dropped.
 * Thread-safe; a transaction that somebody holds stays whole. */
#ifndef CAIRN_ORDER_COMET_POOL_H
#define CAIRN_ORDER_COMET_POOL_H

#include "ledger/submission.h"

#include <stdatomic.h>

struct pool;

/* One decoded transaction. What it holds is the executing thread's once it is in a block. */
struct pool_tx {
    struct submissions submissions;
    size_t len; /* bytes of the transaction */
    void *own;  /* whose it is, of this node's own; else NULL */
    atomic_uint holders;
    struct pool_key *keys; /* the pool's: the hashes by which it is found */
};

/* Bounds for what others sent. */
struct pool *pool_new(size_t count_max, size_t len_max);
/* Nobody holds any transaction any more. */
void pool_free(struct pool *pool);

/* A transaction that is not in the pool. Takes over the submissions. */
struct pool_tx *pool_tx_new(struct submissions *submissions, size_t len, void *own);
/* Gives back what new, find or add gave. */
void pool_tx_release(struct pool_tx *tx);

/* The transaction, held for the caller, or NULL. */
struct pool_tx *pool_find(struct pool *pool, const struct hash *hash);
/* Puts it in, unless one of this hash is there; then returns false. A node's own takes the place of
 * what others sent: whoever waits for it is told through it. */
bool pool_add(struct pool *pool, const struct hash *hash, struct pool_tx *tx);
/* Takes it out, under all its hashes; then it has no owner. */
void pool_drop(struct pool *pool, struct pool_tx *tx);

/* What it holds for others. */
struct pool_figures {
    size_t count;
    size_t len;
};
void pool_figures(struct pool *pool, struct pool_figures *out);

#endif
