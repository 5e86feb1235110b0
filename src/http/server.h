/* An HTTP/1.1 server, seen as a table of routes: one or more event loops, a thread each. Only
 * server.c knows which library does it.
 *
 * A handler parses, makes one call and fills the response, or suspends the exchange and lets
 * another thread fill it later. It never blocks. An exchange belongs to its loop's thread; only
 * exchange_resume and server_post may be called by others. */
#ifndef CAIRN_HTTP_SERVER_H
#define CAIRN_HTTP_SERVER_H

#include "base/bytes.h"
#include "base/why.h"
#include "http/limits.h"

/* One request and its response. */
struct exchange;

/* How long an answer may be kept by the client. The last two get a strong ETag where the status is
 * 200, and If-None-Match is answered. */
enum caching {
    CACHE_NEVER,      /* no-store */
    CACHE_REVALIDATE, /* may be kept, but asked about each time */
    CACHE_FOREVER,    /* never changes */
};

struct response {
    unsigned status;          /* HTTP status; 0 until it is set */
    const char *content_type; /* static */
    struct buf body;          /* taken over by the server */
    unsigned retry_after_s;   /* Retry-After, unless 0 */
    enum caching caching;
};

/* Called when the request is complete, on the loop thread. */
typedef void route_fn(void *context, struct exchange *exchange);
/* Called for each part of the body as it comes, where a route streams; the part is not kept. On an
 * error it fills the response: the rest of the body is read and dropped, the handler not called. */
typedef void stream_fn(void *context, struct exchange *exchange, struct bytes part);
/* Called when an exchange ends in any way: frees what exchange_keep was given. It may run on the
 * thread that resumes, where the connection ended before. */
typedef void free_fn(void *kept);

enum route_access {
    ROUTE_OPEN,    /* everybody */
    ROUTE_READ,    /* by the read policy: what the ledger is made of */
    ROUTE_DEPOSIT, /* by the read policy: the handler asks for each deposit (http/access.h) */
    ROUTE_ALL,     /* by the read policy: contents of deposits, whosever they are */
    ROUTE_WRITE,   /* authorised by the signatures within */
    ROUTE_WATCH,   /* operation */
};

struct route {
    const char *method;
    const char *pattern; /* "/v1/evidence/{id}": a part in braces takes one path segment; at the end
                            "{name...}" takes all that is left, slashes too */
    route_fn *handler;
    size_t body_max;   /* bytes; 413 beyond. 0: no body expected */
    stream_fn *stream; /* or NULL: the body is gathered */
    enum route_access access;
    /* Media types (http/negotiate.h) that it answers with, 406 to who takes none of them, and that
     * it takes, 415 for others; NULL: not judged. */
    const char *produces;
    const char *consumes;
};

/* Called on the loop thread when a request is complete, before its handler: false if it filled the
 * response itself (401, 403, 429). */
typedef bool guard_fn(void *context, struct exchange *exchange, enum route_access access);

struct server;
struct server_tls; /* http/tls.h */

struct server_options {
    const char *address; /* numeric, "127.0.0.1" or "::1" */
    uint16_t port;       /* 0: any free one */
    unsigned threads;    /* event loops, at most 64; 0 = 1 */
    struct server_limits limits;
    struct server_tls *tls;     /* NULL: plain; outlives the server */
    const struct route *routes; /* ends with a NULL method; outlives the server */
    guard_fn *guard;            /* NULL: everybody may do everything */
    void *context;              /* handed to the handlers, the guard and posts */
};

/* ERR_IO if the address can't be bound; `why` says so. */
must_use enum err server_start(struct server **out, const struct server_options *options,
                               struct why *why);
/* The port it listens on. */
uint16_t server_port(const struct server *server);
/* Takes no new connections, ends streams, answers every request that came whole (waits at most
 * `wait_ms`), stops. What is resumed afterwards is dropped. */
void server_stop(struct server *server, unsigned wait_ms);

/* Changes requests_per_second and requests_burst; 0 as in server_limits. Any thread. */
void server_set_rate(struct server *server, unsigned per_second, unsigned burst);
/* Whether each answer gets a line of the log (http.answered). Any thread. */
void server_log_requests(struct server *server, bool wanted);

/* Runs `fn` once on every loop thread, soon; any thread may post. One that waits already is not
 * posted again. `loop` is the loop's number, from 0. Not after server_stop began. */
typedef void post_fn(void *context, void *argument, unsigned loop);
void server_post(struct server *server, post_fn *fn, void *argument);
/* Has it called on every loop thread about once a second. At most 8 of them. */
void server_every_second(struct server *server, post_fn *fn, void *argument);

/* ---- the request; texts are valid while the exchange lasts */

/* "other" for a method of more than 15 letters. */
const char *exchange_method(const struct exchange *exchange);
/* Percent-decoded. */
const char *exchange_path(const struct exchange *exchange);
/* Path and query as they were sent, and the query alone, without '?': "" if there is none. */
const char *exchange_target(const struct exchange *exchange);
const char *exchange_query_string(const struct exchange *exchange);
/* The path segment that the n-th pair of braces took, decoded; it holds a slash only where the
 * braces take all that is left. */
const char *exchange_part(const struct exchange *exchange, unsigned n);
/* A query parameter or header, or NULL. Handler, guard and stream function only. */
const char *exchange_query(const struct exchange *exchange, const char *name);
const char *exchange_header(const struct exchange *exchange, const char *name);
/* Calls `each` for every header in order, until it returns false. */
typedef bool header_fn(void *context, const char *name, const char *value);
void exchange_headers(const struct exchange *exchange, header_fn *each, void *context);
/* The gathered body; a handler may take it over by clearing the buffer. */
struct buf *exchange_body(struct exchange *exchange);
/* Who is at the other end: a numeric address without port. */
const char *exchange_peer(const struct exchange *exchange);
bool exchange_peer_is_loopback(const struct exchange *exchange);
/* The certificate that the client showed in TLS, judged good, in DER; none without one. Handler,
 * guard and stream function only. */
struct bytes exchange_client_certificate(const struct exchange *exchange);
/* 16 hex digits, also in the response's X-Request-Id. */
const char *exchange_request_id(const struct exchange *exchange);
/* The number of its loop, from 0. */
unsigned exchange_loop(const struct exchange *exchange);

/* ---- who asks: set by the guard, read by handlers; the meaning is theirs */

struct reader;
/* `release` (may be NULL) is called as exchange_keep's. At most once. */
void exchange_set_reader(struct exchange *exchange, struct reader *reader, free_fn *release);
/* NULL: nobody in particular. */
struct reader *exchange_reader(const struct exchange *exchange);
/* What it is answered is the same for everybody, so that caches may share it. Without a guard that
 * is so for all; where there is one, it says so. */
void exchange_set_shared(struct exchange *exchange);
/* Takes a token of `who`, or of the peer's address if that is empty: false if there is none, and
 * the response is filled (429). Always true where requests_per_second is 0. */
must_use bool exchange_take_token(struct exchange *exchange, struct bytes who);

/* ---- the response */

struct response *exchange_response(struct exchange *exchange);
/* One more header: the name is static, the value copied. At most 8. A value that is empty or holds
 * control characters is a bug. */
void response_header(struct exchange *exchange, const char *name, const char *value);

/* Something of the handler's that lives as long as the exchange. At most once. */
void exchange_keep(struct exchange *exchange, void *kept, free_fn *release);
void *exchange_kept(const struct exchange *exchange);

/* Handler only: the response will come later. Then exactly one call of exchange_resume, from any
 * thread; `finish` is called on the loop thread and fills the response.
 * After answer_wait_s without it `late` is called on the loop thread instead and fills the response
 * (NULL: a 504 that names nothing); exchange_resume stays due, and what was kept is kept until
 * then. */
void exchange_suspend(struct exchange *exchange, route_fn *late);
void exchange_resume(struct exchange *exchange, route_fn *finish);

/* ---- answers without an end
 *
 * Handler only, instead of a body: the response begins with the status, content type and headers
 * that are set; then the server calls `pull` on the loop thread whenever the client takes more, and
 * after exchange_wake. It appends to `out`, at most 64 KiB, and says what comes next. False, with
 * the response filled (503), if there are too many streams. */
enum pull { PULL_MORE, PULL_WAIT, PULL_END };
typedef enum pull pull_fn(void *context, struct exchange *exchange, struct buf *out);
bool exchange_stream(struct exchange *exchange, pull_fn *pull);
/* On the exchange's loop thread: pull may have something. Never after the exchange ended. */
void exchange_wake(struct exchange *exchange);

#endif
