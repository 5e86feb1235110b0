/* Orderer of a ledger run by several institutions: CometBFT, an engine in a process of its own,
 * agrees on the order of transactions; we are its application.
 *
 * Statements that a node takes gather into transactions, which are handed to the engine and kept
 * until the block that holds them is durable here. What the engine decided is executed in memory at
 * FinalizeBlock, as often as it asks, and made durable at Commit. An engine that starts again is
 * told up to which of its blocks we are durable and gives us the rest once more. */
#ifndef CAIRN_ORDER_COMET_COMET_H
#define CAIRN_ORDER_COMET_COMET_H

#include "ledger/regime.h"
#include "order/comet/engine.h"
#include "order/comet/rpc.h"
#include "order/order.h"

/* How many of its blocks the engine keeps for nodes that were off, at the least. */
#define COMET_KEEP_BLOCKS 100000

/* Where the engine starts: the same on every node. */
struct comet_start_head {
    uint64_t time_ms;
    struct hash hash;
};

struct comet_options {
    const char *home;   /* the engine's folder; made where it is missing */
    const char *engine; /* path of cometbft */
    struct engine_net net;
    const struct regime *regime;                /* stays the caller's until stop */
    struct comet_start_head start;              /* the head from which the engine orders */
    const struct signer *consensus, *transport; /* both Ed25519 and in files */
    bool verbose;                               /* the engine's own talk, as debug */
    uint64_t engine_height;                     /* of its last block that is durable here */
    struct header head;                         /* as are these */
    struct hash head_hash;
    size_t queue_count_max;    /* statements without a block; 0 = 65,536 */
    size_t queue_len_max;      /* their bytes, items included; 0 = 128 MiB */
    unsigned gather_us;        /* under load; 0 = 5,000 */
    uint64_t (*wall_ms)(void); /* NULL = clock_wall_ms; tests bring their own */
    /* Nodes whose engines ours may talk to (engine_node_id); the strings stay the caller's. */
    size_t peer_count;
    const char *const *peers;
    /* The first of the engine's heights whose block is still needed; UINT64_MAX: none is, and so
     * if it is NULL. Called on the thread that commits. */
    uint64_t (*retain_floor)(void *context);
    void *retain_context;
};

/* Prepares the engine's folder, listens for the engine and starts it. Errors of engine_prepare and
 * engine_start; ERR_IO. */
must_use enum err comet_start(struct order **out, const struct order_app *app,
                              const struct comet_options *options, struct why *why);
/* The engine's RPC; NULL where there is none. Valid until stop. */
struct rpc *comet_rpc(struct order *order);

#endif
