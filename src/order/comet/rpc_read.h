/* Reads what the engine's RPC answers (JSON-RPC 2.0). Strict in what is read, blind to the rest.
 * Errors as in rpc.h. */
#ifndef CAIRN_ORDER_COMET_RPC_READ_H
#define CAIRN_ORDER_COMET_RPC_READ_H

#include "order/comet/rpc.h"

/* A commit of VALIDATORS_MAX votes, or RPC_PEERS_MAX peers, fit. */
#define RPC_ANSWER_MAX ((size_t)2 << 20)

must_use enum err rpc_read_check(struct rpc_check *out, struct bytes answer, struct why *why);
must_use enum err rpc_read_commit(struct commit *out, struct bytes answer, struct arena *arena,
                                  struct why *why);
must_use enum err rpc_read_status(struct rpc_status *out, struct bytes answer, struct why *why);
must_use enum err rpc_read_net_info(struct rpc_peers *out, struct bytes answer, struct why *why);
must_use enum err rpc_read_consensus(struct rpc_consensus *out, struct bytes answer,
                                     struct why *why);

#endif
