/* An HTTP/1.1 server on one event-loop thread, seen as a table of routes. Only server.c knows which
 * library does it.
 *
 * A handler parses, makes one call and fills the response, or suspends the exchange and lets
 * another thread fill it later. It never blocks. */
#ifndef CAIRN_HTTP_SERVER_H
#define CAIRN_HTTP_SERVER_H

#include "base/bytes.h"
#include "base/why.h"

/* One request and its response. */
struct exchange;

struct response {
    unsigned status;          /* HTTP status; 0 until it is set */
    const char *content_type; /* static */
    struct buf body;          /* taken over by the server */
    unsigned retry_after_s;   /* Retry-After, unless 0 */
    bool immutable;           /* never changes: may be cached for ever */
};

/* Called when the request is complete, on the loop thread. */
typedef void route_fn(void *context, struct exchange *exchange);
/* Called for each part of the body as it comes, where a route streams; the part is not kept. On an
 * error it fills the response: the rest of the body is read and dropped, the handler not called. */
typedef void stream_fn(void *context, struct exchange *exchange, struct bytes part);
/* Called when an exchange ends in any way: frees what exchange_keep was given. */
typedef void free_fn(void *kept);

struct route {
    const char *method;
    const char *pattern; /* "/v1/evidence/{id}": a part in braces takes one path segment */
    route_fn *handler;
    size_t body_max;   /* bytes; 413 beyond. 0: no body expected */
    stream_fn *stream; /* or NULL: the body is gathered */
};

struct server;

struct server_options {
    const char *address;        /* numeric, "127.0.0.1" or "::1" */
    uint16_t port;              /* 0: any free one */
    unsigned connections_max;   /* 0 = 1,024 */
    unsigned idle_s;            /* seconds until a silent connection is closed; 0 = 60. A quarter
                                   of them in the middle of a body */
    const struct route *routes; /* ends with a NULL method; outlives the server */
    void *context;              /* handed to the handlers */
};

/* ERR_IO if the address can't be bound; `why` says so. */
must_use enum err server_start(struct server **out, const struct server_options *options,
                               struct why *why);
/* The port it listens on. */
uint16_t server_port(const struct server *server);
/* Takes no new connections, answers every request that came whole (waits at most `wait_ms`), stops,
 * frees. */
void server_stop(struct server *server, unsigned wait_ms);

/* Valid while the exchange lasts. */
const char *exchange_method(const struct exchange *exchange);
const char *exchange_path(const struct exchange *exchange);
/* The path segment that the n-th pair of braces took, decoded; it never holds a slash. */
const char *exchange_part(const struct exchange *exchange, unsigned n);
/* A query parameter or header, or NULL. */
const char *exchange_query(const struct exchange *exchange, const char *name);
const char *exchange_header(const struct exchange *exchange, const char *name);
/* The gathered body; a handler may take it over by clearing the buffer. */
struct buf *exchange_body(struct exchange *exchange);
struct response *exchange_response(struct exchange *exchange);

/* Something of the handler's that lives as long as the exchange. */
void exchange_keep(struct exchange *exchange, void *kept, free_fn *release);
void *exchange_kept(const struct exchange *exchange);

/* Handler only: the response will come later. Then exactly one call of exchange_resume, from any
 * thread; `finish` is called on the loop thread and fills the response. */
void exchange_suspend(struct exchange *exchange);
void exchange_resume(struct exchange *exchange, route_fn *finish);

#endif
