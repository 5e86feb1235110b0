/* Serves CometBFT's four connections on a unix socket: a thread each, dispatched by message alone,
 * since nothing says which connection is which. Answers go out in the order of the requests, at
 * the latest when CometBFT asks for a flush. */
#ifndef CAIRN_ORDER_COMET_ABCI_SERVER_H
#define CAIRN_ORDER_COMET_ABCI_SERVER_H

#include "base/why.h"
#include "order/comet/abci.h"

#define ABCI_CONNECTIONS_MAX 8

/* What answers. Each call gets a request, valid until it returns, and an answer to fill, zero
 * before; what the answer points to may lie in `arena`, which lives until it is written, or in the
 * request. A call that fails has its `why` sent as an exception, on which CometBFT stops: for what
 * leaves no other way only. Calls of one connection come one after the other, on its thread;
 * connections run side by side (check_tx on one, the calls of consensus on another, info and query
 * on a third). */
struct abci_handler {
    void *context;
    enum err (*info)(void *context, const struct abci_info *info, struct abci_info_answer *out,
                     struct arena *arena, struct why *why);
    enum err (*init_chain)(void *context, const struct abci_init_chain *init,
                           struct abci_init_answer *out, struct arena *arena, struct why *why);
    enum err (*query)(void *context, const struct abci_query *query, struct abci_query_answer *out,
                      struct arena *arena, struct why *why);
    enum err (*check_tx)(void *context, const struct abci_check_tx *check, struct abci_result *out,
                         struct arena *arena, struct why *why);
    enum err (*prepare)(void *context, const struct abci_block *block, struct abci_txs *out,
                        struct arena *arena, struct why *why);
    enum err (*process)(void *context, const struct abci_block *block, enum abci_verdict *out,
                        struct arena *arena, struct why *why);
    enum err (*finalize)(void *context, const struct abci_block *block, struct abci_finalized *out,
                         struct arena *arena, struct why *why);
    enum err (*commit)(void *context, uint64_t *retain_height, struct why *why);
    /* A connection ended, in whatever way: `err` is ERR_CLOSED where the other side closed it or
     * the server stops, else what was wrong, and `why` says it. On the connection's thread, or
     * where one too many was turned away on the server's. */
    void (*closed)(void *context, enum err err, const struct why *why);
};

struct abci_server;

/* Listens on `name` in the folder `dir_fd`, replacing a socket that stands there; only the
 * program's user may connect. The caller keeps `dir_fd` and the handler (which is copied) and its
 * context until the server has stopped. ERR_EXISTS: something there is no socket; ERR_IO. */
must_use enum err abci_server_start(struct abci_server **out, int dir_fd, const char *name,
                                    const struct abci_handler *handler, struct why *why);
/* Ends all connections, waits for calls that run, removes the socket. */
void abci_server_stop(struct abci_server *server);

#endif
