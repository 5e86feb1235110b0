/* Once a second: what a client or a handler takes too long for is ended. The library's own timeout
 * begins anew with every byte, so that a byte a minute would hold a connection for ever. */
#include "http/server_internal.h"

#include "base/metrics.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>

/* Where nearly all connections are taken, those between two requests are kept so long. */
#define IDLE_CROWDED_S 2

/* Ends a connection. What the library has not begun to answer gets a last word, where bytes can be
 * written past it. */
static void cut(struct connection *connection, enum refusal refusal)
{
    if (!connection->exchange->answered && !connection->loop->server->options.tls) {
        char head[256];
        struct buf body = {0};
        refusal_write(&body, refusal);
        int len = snprintf(head, sizeof head,
                           "HTTP/1.1 %u %s\r\nConnection: close\r\nCache-Control: no-store\r\n"
                           "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n\r\n",
                           refusal_status(refusal), "Request Timeout", body.len);
        send(connection->fd, head, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
        send(connection->fd, body.at, body.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        buf_clear(&body);
    }
    shutdown(connection->fd, SHUT_RDWR);
    connection->refused = true;
    metric_add(METRIC_HTTP_REFUSALS, refusal, 1);
}

static bool is_over(const struct loop *loop, uint64_t since_ns, unsigned wait_s)
{
    return loop->now_ns > since_ns && loop->now_ns - since_ns > wait_s * SECOND_NS;
}

/* Between two requests, or before the first. */
static void sweep_idle(struct connection *connection)
{
    struct loop *loop = connection->loop;
    const struct server *server = loop->server;
    const struct server_limits *limits = &server->limits;
    unsigned wait_s = connection->served ? limits->idle_s : limits->header_wait_s;
    bool crowded = atomic_load(&server->connections) > limits->connections / 8 * 7;
    if (connection->served && crowded && wait_s > IDLE_CROWDED_S) {
        wait_s = IDLE_CROWDED_S;
    }
    if (loop->draining || is_over(loop, connection->since_ns, wait_s)) {
        shutdown(connection->fd, SHUT_RDWR);
    }
}

static uint64_t acked_by(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_bytes_acked : 0;
}

/* While an answer is being sent: the client's machine must take it at the rate of a body. */
static void sweep_answer(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    const struct server_limits *limits = &loop->server->limits;
    uint64_t acked = acked_by(exchange->connection->fd);
    bool more = acked != exchange->acked;
    exchange->acked = acked;
    if (!exchange->acked_since_ns || (exchange->pull && more)) {
        exchange->acked_since_ns = loop->now_ns;
        exchange->acked_first = acked;
        return;
    }
    uint64_t elapsed_ns = loop->now_ns - exchange->acked_since_ns;
    bool kept = exchange->pull ? elapsed_ns <= limits->answer_wait_s * SECOND_NS
                               : rate_is_kept(acked - exchange->acked_first, elapsed_ns,
                                              limits->body_rate, limits->body_grace_s);
    if (!kept) {
        cut(exchange->connection, REFUSE_SLOW_READER);
    }
}

static void make_late(struct exchange *exchange)
{
    enum wait_state open = WAIT_OPEN;
    if (atomic_compare_exchange_strong(&exchange->wait, &open, WAIT_LATE)) {
        metric_add(METRIC_HTTP_REFUSALS, REFUSE_LATE, 1);
        library_unpark(exchange);
    }
}

static void sweep_exchange(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    const struct server_limits *limits = &loop->server->limits;
    uint64_t elapsed_ns = loop->now_ns - exchange->since_ns;
    if (!exchange->begun) {
        if (is_over(loop, exchange->since_ns, limits->header_wait_s)) {
            cut(exchange->connection, REFUSE_SLOW_HEADER);
        }
    } else if (exchange->answered) {
        if (!exchange->parked) {
            sweep_answer(exchange);
        }
    } else if (atomic_load(&exchange->wait) == WAIT_OPEN) {
        if (is_over(loop, exchange->since_ns, limits->answer_wait_s)) {
            make_late(exchange);
        }
    } else if (!exchange->parked && !rate_is_kept(exchange->body_len, elapsed_ns, limits->body_rate,
                                                  limits->body_grace_s)) {
        cut(exchange->connection, REFUSE_SLOW_BODY);
    }
}

void loop_sweep(struct loop *loop)
{
    metric_set(METRIC_HTTP_MEMORY, 0, atomic_load(&loop->server->budget.used));
    for (struct connection *at = loop->connections; at; at = at->next) {
        if (at->exchange) {
            sweep_exchange(at->exchange);
        } else {
            sweep_idle(at);
        }
    }
}

/* Whether one was resumed by a thread that has not handed it over yet. */
static bool is_owed(const struct loop *loop)
{
    for (const struct connection *at = loop->connections; at; at = at->next) {
        const struct exchange *exchange = at->exchange;
        if (exchange && exchange->parked && atomic_load(&exchange->wait) == WAIT_RESUMED) {
            return true;
        }
    }
    return false;
}

void loop_give_up(struct loop *loop)
{
    loop->over = true;
    for (struct connection *at = loop->connections; at; at = at->next) {
        if (at->exchange) {
            exchange_wake(at->exchange);
            make_late(at->exchange);
        }
    }
    for (loop_take(loop); is_owed(loop); loop_take(loop)) {
        sched_yield();
    }
}
