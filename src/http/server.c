/* libmicrohttpd, driven by a loop of ours (loop.c). For each request it calls `target_known` when
 * the request line is there, then `handle` once for the headers, once for each part of the body,
 * once with nothing more, and, after a suspension, once again with nothing.
 *
 * Its own timeouts are not used (sweep.c), nor its way of waking: in this mode resuming a
 * connection only marks it, for the loop's thread to find. */
#include "http/server_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/etag.h"
#include "http/negotiate.h"
#include "http/tls.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOOPS_MAX 64
/* Connections beyond the limit that are still told so. */
#define SPARE_CONNECTIONS 64
/* Descriptors for everything else: the database, logs, clients of ours. */
#define SPARE_FILES 512
/* What is at most this long may use the last part of the budget. */
#define SMALL_BODY  ((size_t)64 << 10)
#define SMALL_SHARE 8
#define STREAM_PART 1024

/* ---- responses */

static void add_header(struct MHD_Response *message, const char *name, const char *value)
{
    enum MHD_Result result = MHD_add_response_header(message, name, value);
    BUG_ON(result != MHD_YES);
}

/* What every answer says, whatever it is. */
static void add_common(struct MHD_Response *message, const struct exchange *exchange)
{
    const struct response *response = &exchange->response;
    const char *type = response->content_type;
    if (type && response->status != 304) {
        add_header(message, "Content-Type", type);
    }
    if (!type || strncmp(type, "text/html", 9) != 0) {
        add_header(message, "Content-Security-Policy",
                   "default-src 'none'; frame-ancestors 'none'");
    }
    add_header(message, "X-Content-Type-Options", "nosniff");
    add_header(message, "Referrer-Policy", "no-referrer");
    add_header(message, "X-Request-Id", exchange->request_id);
    if (exchange->server->options.tls) {
        add_header(message, "Strict-Transport-Security", "max-age=63072000");
    }
    if (exchange->match.allow[0]) {
        add_header(message, "Allow", exchange->match.allow);
    }
    if (response->retry_after_s) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", response->retry_after_s);
        add_header(message, "Retry-After", seconds);
    }
    if (exchange->loop->draining || (exchange->connection && exchange->connection->refused)) {
        add_header(message, "Connection", "close");
    }
    for (unsigned i = 0; i < exchange->extra_count; i++) {
        add_header(message, exchange->extra[i].name, exchange->extra[i].value);
    }
}

static const char *cache_control(const struct exchange *exchange)
{
    bool ok = exchange->response.status == 200 || exchange->response.status == 304;
    bool shared = exchange->shared || !exchange->server->options.guard;
    switch (ok ? exchange->response.caching : CACHE_NEVER) {
    case CACHE_NEVER:
        break;
    case CACHE_REVALIDATE:
        return shared ? "no-cache" : "private, no-cache";
    case CACHE_FOREVER:
        return shared ? "public, max-age=31536000, immutable"
                      : "private, max-age=31536000, immutable";
    }
    return "no-store";
}

/* Tags what may be kept; a client that has it already is told so instead. */
static void tag(struct exchange *exchange, char etag[ETAG_LEN + 1])
{
    struct response *response = &exchange->response;
    etag[0] = '\0';
    if (response->status != 200 || response->caching == CACHE_NEVER || exchange->pull) {
        return;
    }
    etag_make(etag, response->content_type ? response->content_type : "",
              buf_bytes(&response->body));
    bool reads = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;
    if (reads && etag_listed(exchange_header(exchange, "If-None-Match"), etag)) {
        response->status = 304;
        buf_clear(&response->body);
    }
}

/* Part of an answer without an end. */
static ssize_t pull(void *context, uint64_t position, char *out, size_t max)
{
    (void)position;
    struct exchange *exchange = context;
    if (exchange->out_at == exchange->out.len && !exchange->ended) {
        exchange->out.len = 0;
        exchange->out_at = 0;
        enum pull next =
            exchange->loop->draining
                ? PULL_END
                : exchange->pull(exchange->server->options.context, exchange, &exchange->out);
        exchange->ended = next == PULL_END;
        if (exchange->out.len == 0 && !exchange->ended) {
            buf_clear(&exchange->out); /* thousands may be parked */
            exchange_hold_part(exchange);
            library_park(exchange);
            return 0;
        }
        exchange_hold_part(exchange);
    }
    size_t len = exchange->out.len - exchange->out_at;
    if (len == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    len = len < max ? len : max;
    memcpy(out, exchange->out.at + exchange->out_at, len);
    exchange->out_at += len;
    metric_add(METRIC_HTTP_SENT, 0, len);
    return (ssize_t)len;
}

/* The place of the status in the label "code". */
static unsigned class_of(unsigned status)
{
    return status < 500 ? status / 100 - 2 : 3;
}

static enum MHD_Result send_response(struct exchange *exchange)
{
    struct response *response = &exchange->response;
    struct MHD_Response *message;
    char etag[ETAG_LEN + 1];
    BUG_ON(response->status == 0);
    tag(exchange, etag);
    exchange_hold_answer(exchange);
    if (exchange->pull) {
        message =
            MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_PART, pull, exchange, NULL);
    } else {
        metric_add(METRIC_HTTP_SENT, 0, response->body.len);
        /* The library frees the body with free(), as buf_clear would. */
        message = MHD_create_response_from_buffer(response->body.len, response->body.at,
                                                  MHD_RESPMEM_MUST_FREE);
        response->body = (struct buf){0};
    }
    BUG_ON(message == NULL);
    metric_add(METRIC_HTTP_REQUESTS, class_of(response->status), 1);
    if (etag[0] && response->status < 400) {
        add_header(message, "ETag", etag);
    }
    add_header(message, "Cache-Control", cache_control(exchange));
    add_common(message, exchange);
    enum MHD_Result result = MHD_queue_response(exchange->handle, response->status, message);
    MHD_destroy_response(message);
    exchange->answered = true;
    return result;
}

/* ---- the life of a connection */

static const struct sockaddr *address_of(struct MHD_Connection *handle)
{
    return MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

static void name_peer(struct connection *connection, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        inet_ntop(AF_INET6, v6, connection->peer, sizeof connection->peer);
        connection->loopback = IN6_IS_ADDR_LOOPBACK(v6);
    } else {
        const struct in_addr *v4 = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
        inet_ntop(AF_INET, v4, connection->peer, sizeof connection->peer);
        connection->loopback = ntohl(v4->s_addr) >> 24 == 127;
    }
}

/* Decides whether its requests will be answered. */
static void count(struct connection *connection)
{
    struct server *server = connection->loop->server;
    const struct server_limits *limits = &server->limits;
    if (atomic_fetch_add(&server->connections, 1) >= limits->connections) {
        connection->refused = true;
        connection->refusal = REFUSE_CONNECTIONS;
    }
    if (!connection->loopback || limits->count_loopback) {
        connection->counted = true;
        if (addresses_add(server->addresses, connection->peer) > limits->connections_per_address) {
            connection->refused = true;
            connection->refusal = REFUSE_ADDRESS;
        }
    }
}

static void connection_open(struct loop *loop, struct MHD_Connection *handle, void **slot)
{
    struct connection *connection = mem_zalloc(sizeof *connection);
    connection->loop = loop;
    connection->fd = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->since_ns = loop->now_ns;
    connection->next = loop->connections;
    if (loop->connections) {
        loop->connections->previous = connection;
    }
    loop->connections = connection;
    metric_add(METRIC_HTTP_ACCEPTED, 0, 1);
    metric_add(METRIC_HTTP_CONNECTIONS, 0, 1);
    name_peer(connection, address_of(handle));
    count(connection);
    if (loop->server->options.tls) {
        tls_begin(loop->server->options.tls, handle);
    }
    *slot = connection;
}

static void connection_close(struct connection *connection)
{
    struct loop *loop = connection->loop;
    BUG_ON(connection->exchange);
    if (connection->next) {
        connection->next->previous = connection->previous;
    }
    *(connection->previous ? &connection->previous->next : &loop->connections) = connection->next;
    if (connection->lingers && !loop->draining) {
        linger_add(loop, connection->fd);
    }
    if (connection->counted) {
        addresses_remove(loop->server->addresses, connection->peer);
    }
    metric_sub(METRIC_HTTP_CONNECTIONS, 0, 1);
    atomic_fetch_sub(&loop->server->connections, 1);
    free(connection);
}

static void connection_changed(void *context, struct MHD_Connection *handle, void **slot,
                               enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_open(context, handle, slot);
    } else {
        connection_close(*slot);
    }
}

/* ---- the life of an exchange */

/* The request line is there; `target` is not decoded yet and may be NULL. */
static void *target_known(void *context, const char *target, struct MHD_Connection *handle)
{
    (void)context;
    struct connection *connection =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    return exchange_new(connection, handle, target ? target : "");
}

/* Places in the label of METRIC_HTTP_DURATION. */
static unsigned access_label(enum route_access access)
{
    enum { OPEN, READ, WRITE, WATCH };
    switch (access) {
    case ROUTE_OPEN:
        return OPEN;
    case ROUTE_READ:
    case ROUTE_DEPOSIT:
    case ROUTE_ALL:
        return READ;
    case ROUTE_WRITE:
        return WRITE;
    case ROUTE_WATCH:
        return WATCH;
    }
    BUG_ON(true);
}

/* The route's pattern, not the path: that may hold a member's id, which may be a name. */
static void log_answer(const struct exchange *exchange)
{
    const struct route *route = exchange->match.route;
    uint64_t elapsed_ns = clock_mono_ns() - exchange->begun_ns;
    log_event(LOG_INFO, "http.answered",
              "request=%s peer=%s method=%s route=%s status=%u received_bytes=%zu ms=%llu",
              exchange->request_id, exchange->peer, exchange->method,
              route ? route->pattern : "none", exchange->answered ? exchange->response.status : 0,
              exchange->body_len, (unsigned long long)(elapsed_ns / 1000000));
}

void server_set_rate(struct server *server, unsigned per_second, unsigned burst)
{
    struct server_limits limits = {.requests_per_second = per_second, .requests_burst = burst};
    limits_complete(&limits);
    buckets_set_rate(server->buckets, per_second, limits.requests_burst);
    atomic_store(&server->rated, per_second > 0);
}

void server_log_requests(struct server *server, bool wanted)
{
    atomic_store(&server->log_requests, wanted);
}

/* Counts what can be said of an exchange when it ended. */
static void measure(const struct exchange *exchange)
{
    const struct route *route = exchange->match.route;
    if (!exchange->begun) {
        metric_add(METRIC_HTTP_REFUSALS, REFUSE_MALFORMED, !exchange->connection->refused);
        return;
    }
    if (atomic_load_explicit(&exchange->server->log_requests, memory_order_relaxed)) {
        log_answer(exchange);
    }
    metric_add(METRIC_HTTP_RECEIVED, 0, exchange->body_len);
    if (route && exchange->answered && !exchange->pull) {
        uint64_t elapsed_ns = clock_mono_ns() - exchange->begun_ns;
        metric_observe_us(METRIC_HTTP_DURATION, access_label(route->access), elapsed_ns / 1000);
    }
}

static void completed(void *context, struct MHD_Connection *handle, void **slot,
                      enum MHD_RequestTerminationCode code)
{
    (void)handle;
    (void)code;
    struct loop *loop = context;
    struct exchange *exchange = *slot;
    if (!exchange) {
        return;
    }
    *slot = NULL;
    measure(exchange);
    if (exchange->begun && exchange->complete) {
        loop->open--;
    }
    if (exchange->pull) {
        metric_sub(METRIC_HTTP_STREAMS, 0, 1);
        atomic_fetch_sub(&loop->server->streams, 1);
    }
    exchange->connection->exchange = NULL;
    exchange->connection->served = true;
    exchange->connection->since_ns = loop->now_ns;
    exchange->connection = NULL;
    exchange_let_go(exchange);
}

static void find_route(struct exchange *exchange)
{
    char *path = exchange->path + strlen(exchange->path) + 1;
    bool asks = strcmp(exchange->method, "OPTIONS") == 0;
    route_find(&exchange->match, exchange->server->options.routes, exchange->method, path);
    if (exchange->match.route) {
        return;
    }
    if (asks && (exchange->match.allow[0] || strcmp(exchange->path, "*") == 0)) {
        exchange->response.status = 204; /* OPTIONS (RFC 9110, 9.3.7) */
    } else {
        exchange_refuse(exchange, exchange->match.allow[0] ? REFUSE_METHOD : REFUSE_PATH);
    }
}

/* Takes `len` bytes of the budget, whose last part is for what is small. */
static bool hold(struct exchange *exchange, size_t len, size_t whole)
{
    struct budget *budget = &exchange->server->budget;
    bool small = whole <= SMALL_BODY;
    if (!small &&
        atomic_load(&budget->used) + len > budget->max / SMALL_SHARE * (SMALL_SHARE - 1)) {
        return false;
    }
    if (!budget_take(budget, len)) {
        return false;
    }
    exchange->held += len;
    return true;
}

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    framing_header(context, name, value ? value : "");
    return MHD_YES;
}

static void read_framing(struct exchange *exchange, const char *version)
{
    MHD_get_connection_values(exchange->handle, MHD_HEADER_KIND, take_header, &exchange->framing);
    framing_end(&exchange->framing, strcmp(version, "HTTP/1.1") == 0);
}

/* Whether the body that is announced may come. */
static void admit_body(struct exchange *exchange)
{
    const struct framing *framing = &exchange->framing;
    /* What a stream makes of its body as it comes is about as large again. */
    size_t times = exchange->match.route->stream ? 2 : 1;
    if (framing->length > exchange->match.route->body_max) {
        exchange_refuse(exchange, REFUSE_BODY);
    } else if (framing->length && !hold(exchange, times * framing->length, framing->length)) {
        exchange_refuse(exchange, REFUSE_MEMORY);
    } else if (framing->length && !exchange->match.route->stream) {
        buf_reserve(&exchange->body, framing->length < SMALL_BODY ? framing->length : SMALL_BODY);
    }
}

/* Whether there are forms of request and answer that suit both sides. */
static void judge_forms(struct exchange *exchange)
{
    const struct route *route = exchange->match.route;
    if (route->consumes &&
        !type_listed(exchange_header(exchange, "Content-Type"), route->consumes)) {
        exchange_refuse(exchange, REFUSE_TYPE);
    } else if (route->produces && exchange_choose(exchange, route->produces) < 0) {
        exchange_refuse(exchange, REFUSE_ACCEPT);
    }
}

/* What the headers alone can tell. An answer before the body is there ends the connection, so it
 * waits where there is none. */
static void judge(struct exchange *exchange, const char *version)
{
    size_t target_len = strlen(exchange->target);
    read_framing(exchange, version);
    if (exchange->framing.bad) {
        exchange->framing.chunked = true; /* there is no telling: the connection must end */
        exchange_refuse(exchange, REFUSE_FRAMING);
    } else if (exchange->connection->refused) {
        exchange_refuse(exchange, exchange->connection->refusal);
    } else if (strlen(exchange->path) > PATH_LEN_MAX) {
        exchange_refuse(exchange, REFUSE_LONG_PATH);
    } else if (exchange->framing.names_len + target_len > exchange->server->limits.header_max) {
        exchange_refuse(exchange, REFUSE_HEADER);
    } else {
        find_route(exchange);
    }
    if (!exchange->response.status) {
        judge_forms(exchange);
    }
    if (!exchange->response.status) {
        admit_body(exchange);
    }
}

static enum MHD_Result begin(struct exchange *exchange, const char *path, const char *method,
                             const char *version)
{
    size_t len = strlen(path) + 1;
    exchange->begun = true;
    exchange->since_ns = exchange->loop->now_ns;
    exchange->begun_ns = exchange->loop->now_ns;
    snprintf(exchange->method, sizeof exchange->method, "%s",
             strlen(method) < sizeof exchange->method ? method : "other");
    exchange->path = mem_alloc(2 * len);
    memcpy(exchange->path, path, len);
    memcpy(exchange->path + len, path, len);
    judge(exchange, version);
    if (exchange->response.status && framing_has_body(&exchange->framing)) {
        exchange->complete = true;
        exchange->connection->lingers = true;
        exchange->loop->open++;
        return send_response(exchange);
    }
    return MHD_YES;
}

static void take_part(struct exchange *exchange, struct bytes part)
{
    const struct server_limits *limits = &exchange->server->limits;
    const struct route *route = exchange->match.route;
    exchange->body_len += part.len;
    if (exchange->response.status) {
        return;
    }
    if (exchange->body_len > route->body_max) {
        exchange_refuse(exchange, REFUSE_BODY);
    } else if (exchange->framing.chunked && exchange->body_len > limits->chunked_max) {
        exchange_refuse(exchange, REFUSE_CHUNKED);
    } else if (exchange->framing.chunked && !hold(exchange, part.len, exchange->body_len)) {
        exchange_refuse(exchange, REFUSE_MEMORY);
    } else if (route->stream) {
        route->stream(exchange->server->options.context, exchange, part);
    } else {
        buf_put(&exchange->body, part);
    }
    if (exchange->response.status) {
        buf_clear(&exchange->body);
    }
}

/* The request is there as a whole. */
static void call_handler(struct exchange *exchange)
{
    const struct server_options *options = &exchange->server->options;
    const struct route *route = exchange->match.route;
    exchange->complete = true;
    exchange->loop->open++;
    if (exchange->response.status) {
        return;
    }
    if (exchange->loop->over) {
        exchange_refuse(exchange, REFUSE_STOPPING);
        return;
    }
    bool may = options->guard ? options->guard(options->context, exchange, route->access)
                              : exchange_take_token(exchange, BYTES_NONE);
    if (may) {
        route->handler(options->context, exchange);
    }
}

/* The request was suspended and goes on. */
static void finish(struct exchange *exchange)
{
    enum wait_state wait = atomic_load(&exchange->wait);
    route_fn *fn = wait == WAIT_LATE ? exchange->late : exchange->finish;
    if (wait == WAIT_NONE) {
        return;
    }
    metric_observe_us(METRIC_HTTP_WAIT, 0, (exchange->loop->now_ns - exchange->since_ns) / 1000);
    if (exchange->response.status) {
        return;
    }
    if (fn) {
        fn(exchange->server->options.context, exchange);
    } else {
        exchange_refuse(exchange, REFUSE_LATE);
    }
}

/* NOLINTNEXTLINE(readability-function-size): the library calls it so */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **slot)
{
    (void)context;
    (void)connection;
    struct exchange *exchange = *slot;
    if (!exchange->begun) {
        return begin(exchange, path, method, version);
    }
    if (*upload_len > 0) {
        take_part(exchange, (struct bytes){(const uint8_t *)upload, *upload_len});
        *upload_len = 0;
        return MHD_YES;
    }
    if (exchange->complete) {
        finish(exchange);
    } else {
        call_handler(exchange);
        if (atomic_load(&exchange->wait) != WAIT_NONE) {
            return MHD_YES;
        }
    }
    return send_response(exchange);
}

const char *exchange_query(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->handle, MHD_GET_ARGUMENT_KIND, name);
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->handle, MHD_HEADER_KIND, name);
}

struct bytes exchange_client_certificate(const struct exchange *exchange)
{
    return exchange->server->options.tls ? tls_client_certificate(exchange->handle) : BYTES_NONE;
}

struct header_walk {
    header_fn *each;
    void *context;
};

static enum MHD_Result walk_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    const struct header_walk *walk = context;
    return walk->each(walk->context, name, value ? value : "") ? MHD_YES : MHD_NO;
}

void exchange_headers(const struct exchange *exchange, header_fn *each, void *context)
{
    struct header_walk walk = {each, context};
    MHD_get_connection_values(exchange->handle, MHD_HEADER_KIND, walk_header, &walk);
}

/* ---- for the loop */

void library_park(struct exchange *exchange)
{
    exchange->parked = true;
    MHD_suspend_connection(exchange->handle);
}

void library_unpark(struct exchange *exchange)
{
    exchange->parked = false;
    exchange->loop->again = true;
    MHD_resume_connection(exchange->handle);
}

void library_run(struct loop *loop)
{
    loop->again = false;
    MHD_run(loop->daemon);
}

int library_timeout(const struct loop *loop, int most)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    if (MHD_get_timeout(loop->daemon, &timeout) == MHD_YES && timeout < (unsigned)most) {
        return (int)timeout;
    }
    return most;
}

void library_stop_listening(struct loop *loop)
{
    MHD_socket fd = MHD_quiesce_daemon(loop->daemon);
    if (fd != MHD_INVALID_SOCKET) {
        close(fd);
    }
}

void library_stop(struct loop *loop)
{
    MHD_stop_daemon(loop->daemon);
}

/* ---- start and stop */

/* Decodes a path or a part of a query, but no NUL into it, which would end it early. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

/* A pool holds the headers, once as they came and once read, and is the buffer of a body. Up to 32
 * KiB the library takes it from malloc. */
static size_t pool_len(const struct server_limits *limits)
{
    size_t len = 2 * limits->header_max;
    return len < (32u << 10) ? 32u << 10 : len;
}

static bool start_daemon(struct loop *loop, int listen_fd)
{
    struct server *server = loop->server;
    struct MHD_OptionItem tls[TLS_OPTIONS] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
                     (server->options.tls ? tls_library_options(tls) : 0);
    loop->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, loop, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, server->limits.connections + SPARE_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        pool_len(&server->limits), MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_COMPLETED, completed, loop,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, loop, MHD_OPTION_URI_LOG_CALLBACK,
        target_known, loop, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
    if (!loop->daemon) {
        return false;
    }
    loop->library_fd = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return true;
}

/* Asks for as many descriptors as the limits need, and lowers the limits to what there is. */
static void fit_files(struct server_limits *limits)
{
    struct rlimit files;
    rlim_t wanted = (rlim_t)limits->connections + SPARE_CONNECTIONS + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted) {
        return;
    }
    files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < wanted) {
        rlim_t spare = SPARE_CONNECTIONS + SPARE_FILES;
        unsigned fit = (unsigned)(files.rlim_cur > 2 * spare ? files.rlim_cur - spare : spare);
        log_event(LOG_WARN, "http.connections_lowered",
                  "wanted=%u got=%u remedy=\"raise the limit of open files\"", limits->connections,
                  fit);
        limits->connections = fit;
    }
}

static struct server *server_new(const struct server_options *options)
{
    unsigned count = options->threads ? options->threads : 1;
    BUG_ON(count > LOOPS_MAX);
    struct server *server = mem_zalloc(sizeof *server + count * sizeof server->loops[0]);
    server->options = *options;
    server->limits = options->limits;
    limits_complete(&server->limits);
    fit_files(&server->limits);
    server->budget.max = server->limits.memory_len;
    metric_set(METRIC_HTTP_MEMORY_MAX, 0, server->budget.max);
    server->addresses = addresses_new();
    server->buckets =
        buckets_new(server->limits.requests_per_second, server->limits.requests_burst);
    atomic_init(&server->rated, server->limits.requests_per_second > 0);
    server->port = options->port;
    server->loop_count = count;
    atomic_init(&server->owners, 1);
    pthread_mutex_init(&server->lock, NULL);
    for (unsigned i = 0; i < count; i++) {
        loop_init(&server->loops[i], server, i);
    }
    return server;
}

void server_let_go(struct server *server)
{
    if (atomic_fetch_sub(&server->owners, 1) != 1) {
        return;
    }
    for (unsigned i = 0; i < server->loop_count; i++) {
        loop_clear(&server->loops[i]);
    }
    pthread_mutex_destroy(&server->lock);
    addresses_free(server->addresses);
    buckets_free(server->buckets);
    free(server);
}

/* Signals are the main thread's. */
static void start_threads(struct server *server)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 0; i < server->loop_count; i++) {
        int failed = pthread_create(&server->loops[i].thread, NULL, loop_run, &server->loops[i]);
        BUG_ON(failed);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum err server_start(struct server **out, const struct server_options *options, struct why *why)
{
    int fds[LOOPS_MAX];
    *out = NULL;
    struct server *server = server_new(options);
    enum err err = listen_open(fds, server->loop_count, options->address, &server->port, why);
    if (err != OK) {
        server_let_go(server);
        return err;
    }
    for (unsigned i = 0; i < server->loop_count; i++) {
        bool started = start_daemon(&server->loops[i], fds[i]);
        BUG_ON(!started);
    }
    start_threads(server);
    *out = server;
    return OK;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_stop(struct server *server, unsigned wait_ms)
{
    server->stop_ns = clock_mono_ns() + (uint64_t)wait_ms * 1000000u;
    atomic_store(&server->stopping, true);
    for (unsigned i = 0; i < server->loop_count; i++) {
        loop_wake(&server->loops[i]);
    }
    for (unsigned i = 0; i < server->loop_count; i++) {
        pthread_join(server->loops[i].thread, NULL);
    }
    server_let_go(server);
}
