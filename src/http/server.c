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
    bool handled;     /* the handler was called, or need not be */
    bool suspended;   /* by the handler, on the loop thread */
    route_fn *finish; /* set by whoever resumes, before the loop thread looks again */
    void *kept;
    free_fn *release;
};

struct server {
    struct MHD_Daemon *daemon;
    struct server_options options;
    atomic_uint open; /* exchanges under way */
};

/* ---- matching */

/* Cuts the path at its slashes against the pattern; captured segments are percent-decoded. */
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

static void decode_parts(struct exchange *exchange)
{
    for (unsigned i = 0; i < PARTS_MAX && exchange->parts[i]; i++) {
        char *part = exchange->segments + (exchange->parts[i] - exchange->segments);
        MHD_http_unescape(part);
    }
}

static void problem(struct exchange *exchange, unsigned status, const char *text)
{
    struct response *response = &exchange->response;
    char json[256];
    int len = snprintf(json, sizeof json,
                       "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u}", text, status);
    response->status = status;
    response->content_type = "application/problem+json";
    response->body.len = 0;
    buf_put(&response->body, (struct bytes){(const uint8_t *)json, (size_t)len});
    exchange->handled = true;
}

/* Finds the route, or answers 404 or 405. HEAD is served as GET without a body. */
static void find_route(struct exchange *exchange)
{
    const char *method = strcmp(exchange->method, "HEAD") == 0 ? "GET" : exchange->method;
    bool path_known = false;
    for (const struct route *route = exchange->server->options.routes; route->method; route++) {
        memset(exchange->parts, 0, sizeof exchange->parts);
        if (match(exchange, route->pattern)) {
            path_known = true;
            if (strcmp(route->method, method) == 0) {
                exchange->route = route;
                decode_parts(exchange);
                return;
            }
        }
    }
    problem(exchange, path_known ? 405 : 404,
            path_known ? "This path has no such method" : "There is no such path");
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
    atomic_fetch_add(&server->open, 1);
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    if (exchange->release) {
        exchange->release(exchange->kept);
    }
    atomic_fetch_sub(&exchange->server->open, 1);
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
    MHD_add_response_header(message, "Cache-Control",
                            response->immutable ? "public, max-age=31536000, immutable"
                                                : "no-store");
    enum MHD_Result result = MHD_queue_response(exchange->connection, response->status, message);
    MHD_destroy_response(message);
    return result;
}

/* What the headers alone can tell: route, and a body that is too long. */
static enum MHD_Result begin(struct exchange *exchange)
{
    if (strlen(exchange->path) > PATH_LEN_MAX) {
        problem(exchange, 414, "The path is longer than 2,048 bytes");
        return send_response(exchange);
    }
    find_route(exchange);
    const char *length = exchange_header(exchange, "Content-Length");
    if (exchange->route && length && strtoull(length, NULL, 10) > exchange->route->body_max) {
        problem(exchange, 413, "The body is larger than this path takes");
    }
    return exchange->response.status ? send_response(exchange) : MHD_YES;
}

static void take_part(struct exchange *exchange, struct bytes part)
{
    exchange->body_len += part.len;
    if (exchange->response.status) {
        return;
    }
    if (exchange->body_len > exchange->route->body_max) {
        problem(exchange, 413, "The body is larger than this path takes");
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

static struct MHD_Daemon *start_daemon(struct server *server, const struct sockaddr_storage *to)
{
    const struct server_options *options = &server->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     (to->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    return MHD_start_daemon(
        flags, options->port, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, to,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max ? options->connections_max : 1024u,
        MHD_OPTION_CONNECTION_TIMEOUT, options->idle_s ? options->idle_s : 60u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
        MHD_OPTION_END);
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
