/* libmicrohttpd, one thread, epoll. Its handler is called once when the headers are there, then for
 * each part of the body, then once with nothing more; after a resume, once again with nothing. */
#include "http/server.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PARTS_MAX    4
#define PATH_LEN_MAX 2048
#define BODIES_MAX   ((size_t)256 << 20) /* of all exchanges together */

struct exchange {
    struct server *server;
    struct MHD_Connection *connection;
    const struct route *route;
    char *method;
    char *path;
    char *segments; /* the path cut into strings, to which `parts` point */
    const char *parts[PARTS_MAX];
    struct buf body;
    size_t body_len; /* seen so far, kept or streamed */
    struct response response;
    size_t held;      /* of the body, counted in the server's budget */
    char allow[32];   /* methods of the path, where another was asked for */
    bool counted;     /* in the server's `open` */
    bool handled;     /* the handler was called, or need not be */
    bool suspended;   /* by the handler, on the loop thread */
    route_fn *finish; /* set by whoever resumes, before the loop thread looks again */
    void *kept;
    free_fn *release;
};

struct server {
    struct MHD_Daemon *daemon;
    struct server_options options;
    atomic_uint open; /* requests that came whole and are being answered */
    size_t held;      /* bytes of bodies that exchanges hold; the loop thread's */
};

/* ---- matching */

/* Cuts the path, which was percent-decoded, at its slashes against the pattern. */
static bool match(struct exchange *exchange, const char *pattern)
{
    char *path = exchange->segments;
    snprintf(path, PATH_LEN_MAX + 1, "%s", exchange->path);
    unsigned count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++) {
                return false;
            }
            continue;
        }
        size_t len = strcspn(path, "/");
        if (len == 0 || count == PARTS_MAX) {
            return false;
        }
        exchange->parts[count++] = path;
        pattern = strchr(pattern, '}') + 1;
        path += len;
        if (*path == '/') {
            *path++ = '\0';
            if (*pattern++ != '/') {
                return false;
            }
        } else if (*pattern) {
            return false;
        }
    }
    return *path == '\0';
}

/* What the server refuses by itself. */
enum refusal { REFUSE_PATH, REFUSE_METHOD, REFUSE_LONG_PATH, REFUSE_BODY, REFUSE_BUSY };

static const struct {
    unsigned status;
    const char *type;
    const char *field;
    const char *title;
    const char *remedy;
} refusals[] = {
    [REFUSE_PATH] = {404, "not-found", "path", "is none of this node",
                     "GET /openapi.yaml lists every path."},
    [REFUSE_METHOD] = {405, "method", "method", "is none of this path",
                       "Use one that the Allow header names."},
    [REFUSE_LONG_PATH] = {414, "range", "path", "is longer than 2,048 bytes",
                          "GET /openapi.yaml lists every path."},
    [REFUSE_BODY] = {413, "range", "body", "is larger than this path takes",
                     "Send it in smaller parts; GET /openapi.yaml says how much each path takes."},
    [REFUSE_BUSY] = {503, "busy", "body", "has no room beside those that others are sending",
                     "Send it again in a moment."},
};

static void refuse(struct exchange *exchange, enum refusal which)
{
    struct response *response = &exchange->response;
    char json[512];
    int len = snprintf(json, sizeof json,
                       "{\"type\":\"/problems/%s\",\"title\":\"%s %s\",\"status\":%u,"
                       "\"detail\":\"%s %s. %s\",\"field\":\"%s\",\"problem\":\"%s\","
                       "\"remedy\":\"%s\"}",
                       refusals[which].type, refusals[which].field, refusals[which].title,
                       refusals[which].status, refusals[which].field, refusals[which].title,
                       refusals[which].remedy, refusals[which].field, refusals[which].title,
                       refusals[which].remedy);
    BUG_ON(len < 0 || (size_t)len >= sizeof json);
    response->status = refusals[which].status;
    response->content_type = "application/problem+json";
    response->retry_after_s = which == REFUSE_BUSY ? 1 : 0;
    response->body.len = 0;
    buf_put(&response->body, (struct bytes){(const uint8_t *)json, (size_t)len});
    exchange->handled = true;
}

/* Adds a method to those that the path has, and HEAD to GET. */
static void allow(struct exchange *exchange, const char *method)
{
    size_t len = strlen(exchange->allow);
    snprintf(exchange->allow + len, sizeof exchange->allow - len, "%s%s%s", len ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

/* Finds the route, or answers 404 or 405. HEAD is served as GET without a body. */
static void find_route(struct exchange *exchange)
{
    const char *method = strcmp(exchange->method, "HEAD") == 0 ? "GET" : exchange->method;
    for (const struct route *route = exchange->server->options.routes; route->method; route++) {
        memset(exchange->parts, 0, sizeof exchange->parts);
        if (match(exchange, route->pattern)) {
            if (strcmp(route->method, method) == 0) {
                exchange->route = route;
                return;
            }
            allow(exchange, route->method);
        }
    }
    refuse(exchange, exchange->allow[0] ? REFUSE_METHOD : REFUSE_PATH);
}

/* ---- the life of an exchange */

static struct exchange *exchange_new(struct server *server, struct MHD_Connection *connection,
                                     const char *path, const char *method)
{
    struct exchange *exchange = mem_zalloc(sizeof *exchange);
    exchange->server = server;
    exchange->connection = connection;
    exchange->method = mem_strdup(method);
    exchange->path = mem_strdup(path);
    exchange->segments = mem_alloc(PATH_LEN_MAX + 1);
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    if (exchange->release) {
        exchange->release(exchange->kept);
    }
    exchange->server->held -= exchange->held;
    if (exchange->counted) {
        atomic_fetch_sub(&exchange->server->open, 1);
    }
    buf_clear(&exchange->body);
    buf_clear(&exchange->response.body);
    free(exchange->method);
    free(exchange->path);
    free(exchange->segments);
    free(exchange);
}

static void completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    if (*slot) {
        exchange_free(*slot);
        *slot = NULL;
    }
}

static enum MHD_Result send_response(struct exchange *exchange)
{
    struct response *response = &exchange->response;
    BUG_ON(response->status == 0);
    /* The library frees the body with free(), as buf_clear would. */
    struct MHD_Response *message = MHD_create_response_from_buffer(
        response->body.len, response->body.at, MHD_RESPMEM_MUST_FREE);
    response->body = (struct buf){0};
    BUG_ON(message == NULL);
    if (response->content_type) {
        MHD_add_response_header(message, "Content-Type", response->content_type);
    }
    if (response->retry_after_s) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", response->retry_after_s);
        MHD_add_response_header(message, "Retry-After", seconds);
    }
    if (response->status == 405) {
        MHD_add_response_header(message, "Allow", exchange->allow);
    }
    MHD_add_response_header(message, "Cache-Control",
                            response->immutable ? "public, max-age=31536000, immutable"
                                                : "no-store");
    enum MHD_Result result = MHD_queue_response(exchange->connection, response->status, message);
    MHD_destroy_response(message);
    return result;
}

static unsigned idle_s(const struct server *server)
{
    return server->options.idle_s ? server->options.idle_s : 60u;
}

/* What the headers alone can tell: route, and a body that is too long. An answer before the body is
 * there ends the connection, so it waits where there is none. */
static enum MHD_Result begin(struct exchange *exchange)
{
    const char *length = exchange_header(exchange, "Content-Length");
    bool has_body = (length && strcmp(length, "0") != 0) ||
                    exchange_header(exchange, "Transfer-Encoding") != NULL;
    if (strlen(exchange->path) > PATH_LEN_MAX) {
        refuse(exchange, REFUSE_LONG_PATH);
    } else {
        find_route(exchange);
    }
    if (exchange->route && length && strtoull(length, NULL, 10) > exchange->route->body_max) {
        refuse(exchange, REFUSE_BODY);
    }
    if (has_body) {
        /* The library does not notice a client that goes away in the middle of a body. */
        MHD_set_connection_option(exchange->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                  idle_s(exchange->server) / 4 + 1);
    }
    return exchange->response.status && has_body ? send_response(exchange) : MHD_YES;
}

/* Whether the bodies under way leave room for this part of one. */
static bool hold(struct exchange *exchange, size_t len)
{
    struct server *server = exchange->server;
    if (len > BODIES_MAX - server->held) {
        return false;
    }
    server->held += len;
    exchange->held += len;
    return true;
}

static void take_part(struct exchange *exchange, struct bytes part)
{
    exchange->body_len += part.len;
    if (exchange->response.status) {
        return;
    }
    if (exchange->body_len > exchange->route->body_max) {
        refuse(exchange, REFUSE_BODY);
    } else if (!hold(exchange, part.len)) {
        refuse(exchange, REFUSE_BUSY);
        buf_clear(&exchange->body);
    } else if (exchange->route->stream) {
        exchange->route->stream(exchange->server->options.context, exchange, part);
    } else {
        buf_put(&exchange->body, part);
    }
}

/* NOLINTNEXTLINE(readability-function-size): the library calls it so */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **slot)
{
    (void)version;
    struct exchange *exchange = *slot;
    if (!exchange) {
        exchange = exchange_new(context, connection, path, method);
        *slot = exchange;
        return begin(exchange);
    }
    if (*upload_len > 0) {
        take_part(exchange, (struct bytes){(const uint8_t *)upload, *upload_len});
        *upload_len = 0;
        return MHD_YES;
    }
    if (!exchange->handled && !exchange->response.status) {
        exchange->handled = true;
        exchange->counted = true;
        atomic_fetch_add(&exchange->server->open, 1);
        /* However long the answer takes, the client has done its part. */
        MHD_set_connection_option(exchange->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                  idle_s(exchange->server));
        exchange->route->handler(exchange->server->options.context, exchange);
        if (exchange->suspended) {
            exchange->suspended = false;
            return MHD_YES;
        }
    }
    if (exchange->finish && !exchange->response.status) {
        exchange->finish(exchange->server->options.context, exchange);
    }
    return send_response(exchange);
}

/* ---- what handlers use */

const char *exchange_method(const struct exchange *exchange)
{
    return exchange->method;
}

const char *exchange_path(const struct exchange *exchange)
{
    return exchange->path;
}

const char *exchange_part(const struct exchange *exchange, unsigned n)
{
    BUG_ON(n >= PARTS_MAX || !exchange->parts[n]);
    return exchange->parts[n];
}

const char *exchange_query(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct buf *exchange_body(struct exchange *exchange)
{
    return &exchange->body;
}

struct response *exchange_response(struct exchange *exchange)
{
    return &exchange->response;
}

void exchange_keep(struct exchange *exchange, void *kept, free_fn *release)
{
    BUG_ON(exchange->kept);
    exchange->kept = kept;
    exchange->release = release;
}

void *exchange_kept(const struct exchange *exchange)
{
    return exchange->kept;
}

void exchange_suspend(struct exchange *exchange)
{
    exchange->suspended = true;
    MHD_suspend_connection(exchange->connection);
}

void exchange_resume(struct exchange *exchange, route_fn *finish)
{
    exchange->finish = finish;
    MHD_resume_connection(exchange->connection);
}

/* ---- start and stop */

static bool parse_address(const struct server_options *options, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, options->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(options->port);
        return true;
    }
    if (inet_pton(AF_INET6, options->address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(options->port);
        return true;
    }
    return false;
}

/* Decodes a path or a part of a query, but no NUL into it, which would end it early. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

static struct MHD_Daemon *start_daemon(struct server *server, const struct sockaddr_storage *to)
{
    const struct server_options *options = &server->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     (to->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    return MHD_start_daemon(
        flags, options->port, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, to,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max ? options->connections_max : 1024u,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s(server), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)65536, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_LISTENING_ADDRESS_REUSE,
        1u, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_UNESCAPE_CALLBACK, unescape,
        NULL, MHD_OPTION_END);
}

enum err server_start(struct server **out, const struct server_options *options, struct why *why)
{
    struct sockaddr_storage address;
    *out = NULL;
    if (!parse_address(options, &address)) {
        return why_say(why, ERR_FORMAT, "listen", options->address, "is not a numeric address",
                       "Write it as 127.0.0.1:8420.");
    }
    struct server *server = mem_zalloc(sizeof *server);
    server->options = *options;
    server->daemon = start_daemon(server, &address);
    if (!server->daemon) {
        free(server);
        return why_sayf(why, ERR_IO, "listen", "can't be bound",
                        "Stop what listens there, or choose another port (0 = any).", "%s:%u",
                        options->address, options->port);
    }
    *out = server;
    return OK;
}

uint16_t server_port(const struct server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void server_stop(struct server *server, unsigned wait_ms)
{
    MHD_socket listening = MHD_quiesce_daemon(server->daemon);
    uint64_t deadline = clock_mono_ns() + (uint64_t)wait_ms * 1000000u;
    while (atomic_load(&server->open) > 0 && clock_mono_ns() < deadline) {
        struct timespec moment = {.tv_nsec = 2000000};
        nanosleep(&moment, NULL);
    }
    MHD_stop_daemon(server->daemon);
    if (listening != MHD_INVALID_SOCKET) {
        shutdown(listening, SHUT_RDWR);
    }
    free(server);
}
