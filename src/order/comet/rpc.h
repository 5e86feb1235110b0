/* What we ask of the running engine: JSON-RPC over its socket in home (engine.h). All functions may
 * be called by several threads at once, and each waits for its answer, at most RPC_TIMEOUT_S.
 *
 * Errors of all: ERR_CLOSED: the engine is not there; ERR_TIMEOUT; ERR_CORRUPT: an answer that is
 * not what CometBFT v0.40.0 answers; ERR_REFUSED: it answered with an error, `why` says which. */
#ifndef CAIRN_ORDER_COMET_RPC_H
#define CAIRN_ORDER_COMET_RPC_H

#include "proof/commit.h"

#define RPC_TIMEOUT_S 10
#define RPC_PEERS_MAX 256

struct rpc;

/* `home` as in engine.h; the engine need not run yet. ERR_IO: there is no such folder. */
must_use enum err rpc_new(struct rpc **out, const char *home, struct why *why);
void rpc_free(struct rpc *rpc);

struct rpc_check {
    uint32_t code; /* of our CheckTx, 0: it is in the mempool */
    char log[160];
};
/* Hands over a transaction and waits for what our CheckTx says of it. ERR_BUSY: the mempool is
 * full; ERR_EXISTS: it has seen this very transaction; ERR_RANGE: too large; ERR_UNREACHABLE: the
 * node is still catching up. */
must_use enum err rpc_broadcast(struct rpc *rpc, struct bytes tx, struct rpc_check *out,
                                struct why *why);

/* Header and votes of one height; the set stays empty. What it borrows lies in `arena`. The header
 * hashes to what was signed, else ERR_CORRUPT; signatures are not checked here. ERR_NOT_FOUND: the
 * engine does not have the height (not yet, or no longer). */
must_use enum err rpc_commit(struct rpc *rpc, uint64_t height, struct commit *out,
                             struct arena *arena, struct why *why);

struct rpc_status {
    char id[41]; /* of this node */
    uint64_t height;
    uint64_t time_ms;      /* of the block at `height` */
    uint64_t first_height; /* the oldest block that it still has; 0: none */
    struct hash app_hash;  /* after `height`; zero where it is not 32 bytes long */
    bool catching_up;
};
must_use enum err rpc_status(struct rpc *rpc, struct rpc_status *out, struct why *why);

struct rpc_peer {
    char id[41];
    char address[64]; /* of the connection, numeric */
    bool outbound;
    uint64_t connected_ms; /* for how long */
};
struct rpc_peers {
    size_t count;
    struct rpc_peer at[RPC_PEERS_MAX];
};
/* The nodes it is connected with. */
must_use enum err rpc_net_info(struct rpc *rpc, struct rpc_peers *out, struct why *why);

enum rpc_step {
    RPC_NEW_HEIGHT = 1,
    RPC_NEW_ROUND,
    RPC_PROPOSE,
    RPC_PREVOTE,
    RPC_PREVOTE_WAIT,
    RPC_PRECOMMIT,
    RPC_PRECOMMIT_WAIT,
    RPC_COMMIT
};
/* Where the engine stands in the round that is going on. Bit arrays are by number of validator. */
struct rpc_consensus {
    uint64_t height;
    uint64_t round;
    enum rpc_step step;
    uint64_t start_ms; /* wall clock, of the height */
    bool has_proposal; /* the proposed block is here */
    bool is_locked;
    size_t validators;
    uint64_t proposer; /* number of a validator */
    bool prevoted[VALIDATORS_MAX];
    bool precommitted[VALIDATORS_MAX];
};
must_use enum err rpc_consensus(struct rpc *rpc, struct rpc_consensus *out, struct why *why);

#endif
