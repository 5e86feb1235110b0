/* The ordering engine of a consortium: one CometBFT process, its folder and its life.
 *
 * The engine is another program, unpatched. It lives in a folder of its own, "home", below the
 * node's: config/ and data/. We write config/ before every start; data/ is the engine's alone,
 * above all data/priv_validator_state.json, which says what this validator has signed. It is
 * written once, with data/, and never again: whoever copies it or rolls it back makes a validator
 * sign twice. */
#ifndef CAIRN_ORDER_COMET_ENGINE_H
#define CAIRN_ORDER_COMET_ENGINE_H

#include "crypto/signer.h"
#include "ledger/regime.h"

#include <sys/types.h>

/* Sockets in home, which is the engine's working directory. */
#define ENGINE_APP_SOCKET "abci.sock" /* ours: the engine calls us */
#define ENGINE_RPC_SOCKET "rpc.sock"  /* its own: we call it (rpc.h) */

/* What ledgers of this version say to their engines: part of the genesis, so the same everywhere.
 */
#define ENGINE_BLOCK_MAX ((uint64_t)4 << 20) /* bytes of a block */

#define ENGINE_ID_LEN 40 /* hex digits */

/* The engine's name for a node: hex of the first 20 bytes of SHA-256(its transport key). */
void engine_node_id(char *out41, const struct hash *transport_key);

struct engine_peer {
    const char *id;      /* engine_node_id of the other node */
    const char *address; /* HOST:PORT */
};

struct engine_net {
    const char *listen; /* HOST:PORT of node-to-node connections */
    size_t peer_count;
    const struct engine_peer *peers; /* all others: a full mesh */
};

struct engine_genesis {
    const struct regime *regime; /* chain and validators */
    uint64_t time_ms;
    struct hash app_hash; /* of the head from which the engine orders */
};

struct engine_options {
    const char *home;    /* an existing folder */
    const char *program; /* path of cometbft */
    struct engine_net net;
    const struct signer *consensus; /* both Ed25519 keys in files: the engine needs them itself */
    const struct signer *transport;
    struct engine_genesis genesis;
    bool verbose; /* the engine's "info" is read too, and logged as debug */
};

/* Writes config.toml, node_key.json and priv_validator_key.json anew, each whole and for this user
 * only; genesis.json and data/ where they are not there yet. ERR_MISMATCH: genesis.json is there
 * and says something else. ERR_UNSUPPORTED: a key that lies elsewhere; ERR_KEY: none of Ed25519.
 * ERR_FORMAT: an address or a name. ERR_NOT_FOUND: no home. ERR_IO. */
must_use enum err engine_prepare(const struct engine_options *options, struct why *why);

struct engine;

/* The process ended by itself, `problem` says how; it will be started again. On the engine's
 * thread: must not block, nor call engine_stop. */
typedef void engine_ended_fn(void *context, const char *problem);

/* Starts the process, and a thread that starts it again whenever it ends, after 0.2 s, doubled up
 * to 10 s and back to 0.2 s once it has run for a minute. It is ended when its consensus fails, for
 * then it would stay and do nothing. What it prints becomes events of the log, engine.*. It is
 * killed with this process, however that ends. `ended` may be NULL. ERR_NOT_FOUND: there is no such
 * program. `options` (of which home, program and verbose are read) is not kept. */
must_use enum err engine_start(struct engine **out, const struct engine_options *options,
                               engine_ended_fn *ended, void *context, struct why *why);
/* SIGTERM, SIGKILL after 10 s, and frees. NULL is nothing. */
void engine_stop(struct engine *engine);
/* Ends the process at once (SIGKILL), so that it is started again. Any thread. */
void engine_restart(struct engine *engine);

struct engine_process {
    pid_t pid; /* 0: not running */
    unsigned restarts;
    uint64_t since_ms; /* wall clock, of its last start */
    char problem[200]; /* how it ended last, and the last error that it printed; empty if never */
};
/* Any thread. */
void engine_status(struct engine *engine, struct engine_process *out);

#endif
