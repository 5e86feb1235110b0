/* An exchange as handlers see it: everything that needs no library. */
#include "http/server_internal.h"

#include "base/metrics.h"
#include "codec/text.h"
#include "http/concise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers up to this length are never refused for lack of memory: there would be no saying so. */
#define SMALL_ANSWER ((size_t)64 << 10)

/* ---- its life */

/* splitmix64: ids that do not look alike. */
static uint64_t stir(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct exchange *exchange_new(struct connection *connection, struct MHD_Connection *handle,
                              const char *target)
{
    struct exchange *exchange = mem_zalloc(sizeof *exchange);
    struct loop *loop = connection->loop;
    uint8_t id[8];
    exchange->server = loop->server;
    exchange->loop = loop;
    exchange->connection = connection;
    exchange->handle = handle;
    atomic_init(&exchange->owners, 1);
    exchange->target = mem_strdup(target);
    memcpy(exchange->peer, connection->peer, sizeof exchange->peer);
    exchange->loopback = connection->loopback;
    exchange->since_ns = loop->now_ns;
    put_u64(id, stir(loop->id += 0x9e3779b97f4a7c15u));
    hex_write(exchange->request_id, (struct bytes){id, sizeof id});
    exchange->request_id[16] = '\0';
    atomic_fetch_add(&loop->server->owners, 1);
    connection->exchange = exchange;
    return exchange;
}

void exchange_let_go(struct exchange *exchange)
{
    if (atomic_fetch_sub(&exchange->owners, 1) != 1) {
        return;
    }
    struct server *server = exchange->server;
    if (exchange->release) {
        exchange->release(exchange->kept);
    }
    if (exchange->release_reader) {
        exchange->release_reader(exchange->reader);
    }
    budget_give(&server->budget, exchange->held);
    for (unsigned i = 0; i < exchange->extra_count; i++) {
        free(exchange->extra[i].value);
    }
    buf_clear(&exchange->body);
    buf_clear(&exchange->response.body);
    buf_clear(&exchange->out);
    free(exchange->target);
    free(exchange->path);
    free(exchange);
    server_let_go(server);
}

void exchange_refuse(struct exchange *exchange, enum refusal refusal)
{
    struct response *response = &exchange->response;
    bool concise = exchange->path && concise_path(exchange->path);
    if (refusal != REFUSE_LATE) { /* counted when it came to that, whoever answers */
        metric_add(METRIC_HTTP_REFUSALS, refusal, 1);
    }
    response->status = refusal_status(refusal);
    response->content_type = concise ? CONCISE_TYPE : "application/problem+json";
    response->retry_after_s = refusal_retry_after_s(refusal);
    response->caching = CACHE_NEVER;
    response->body.len = 0;
    if (concise) {
        refusal_write_concise(&response->body, refusal);
    } else {
        refusal_write(&response->body, refusal);
    }
}

void exchange_hold_answer(struct exchange *exchange)
{
    struct budget *budget = &exchange->server->budget;
    size_t len = exchange->response.body.len;
    if (atomic_load(&exchange->wait) == WAIT_LATE) {
        /* Whoever resumes may still read the request. */
        budget_force(budget, len);
        exchange->held += len;
        return;
    }
    buf_clear(&exchange->body);
    if (len <= exchange->held) {
        budget_give(budget, exchange->held - len);
        exchange->held = len;
        return;
    }
    size_t more = len - exchange->held;
    bool may_refuse =
        len > SMALL_ANSWER && exchange->match.route && exchange->match.route->access != ROUTE_WRITE;
    if (!may_refuse) {
        budget_force(budget, more);
    } else if (!budget_take(budget, more)) {
        buf_clear(&exchange->response.body);
        exchange_refuse(exchange, REFUSE_ANSWER);
        return;
    }
    exchange->held = len;
}

void exchange_hold_part(struct exchange *exchange)
{
    budget_give(&exchange->server->budget, exchange->held);
    exchange->held = exchange->out.cap;
    budget_force(&exchange->server->budget, exchange->held);
}

/* ---- the request */

const char *exchange_method(const struct exchange *exchange)
{
    return exchange->method;
}

const char *exchange_path(const struct exchange *exchange)
{
    return exchange->path;
}

const char *exchange_target(const struct exchange *exchange)
{
    return exchange->target;
}

const char *exchange_query_string(const struct exchange *exchange)
{
    const char *mark = strchr(exchange->target, '?');
    return mark ? mark + 1 : "";
}

const char *exchange_part(const struct exchange *exchange, unsigned n)
{
    BUG_ON(n >= ROUTE_PARTS_MAX || !exchange->match.parts[n]);
    return exchange->match.parts[n];
}

struct buf *exchange_body(struct exchange *exchange)
{
    return &exchange->body;
}

const char *exchange_peer(const struct exchange *exchange)
{
    return exchange->peer;
}

bool exchange_peer_is_loopback(const struct exchange *exchange)
{
    return exchange->loopback;
}

const char *exchange_request_id(const struct exchange *exchange)
{
    return exchange->request_id;
}

unsigned exchange_loop(const struct exchange *exchange)
{
    return exchange->loop->number;
}

/* ---- who asks */

void exchange_set_reader(struct exchange *exchange, struct reader *reader, free_fn *release)
{
    BUG_ON(exchange->reader);
    exchange->reader = reader;
    exchange->release_reader = release;
}

struct reader *exchange_reader(const struct exchange *exchange)
{
    return exchange->reader;
}

void exchange_set_shared(struct exchange *exchange)
{
    exchange->shared = true;
}

bool exchange_take_token(struct exchange *exchange, struct bytes who)
{
    struct server *server = exchange->server;
    if (!atomic_load_explicit(&server->rated, memory_order_relaxed)) {
        return true;
    }
    who = who.len ? who : bytes_text(exchange->peer);
    unsigned wait_s = buckets_take(server->buckets, who, exchange->loop->now_ns);
    if (wait_s) {
        exchange_refuse(exchange, REFUSE_RATE);
        exchange->response.retry_after_s = wait_s;
    }
    return wait_s == 0;
}

/* ---- the response */

struct response *exchange_response(struct exchange *exchange)
{
    return &exchange->response;
}

void response_header(struct exchange *exchange, const char *name, const char *value)
{
    BUG_ON(exchange->extra_count == RESPONSE_HEADERS_MAX);
    exchange->extra[exchange->extra_count++] = (struct response_extra){name, mem_strdup(value)};
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

void exchange_suspend(struct exchange *exchange, route_fn *late)
{
    BUG_ON(atomic_load(&exchange->wait) != WAIT_NONE);
    exchange->late = late;
    exchange->since_ns = exchange->loop->now_ns;
    atomic_fetch_add(&exchange->owners, 1);
    atomic_store(&exchange->wait, WAIT_OPEN);
    library_park(exchange);
}

void exchange_resume(struct exchange *exchange, route_fn *finish)
{
    struct server *server = exchange->server;
    struct loop *loop = exchange->loop;
    enum wait_state open = WAIT_OPEN;
    /* Once it is handed over, the exchange may end, and with it everything. */
    atomic_fetch_add(&server->owners, 1);
    exchange->finish = finish;
    if (atomic_compare_exchange_strong(&exchange->wait, &open, WAIT_RESUMED)) {
        loop_push(loop, exchange);
    } else {
        BUG_ON(open != WAIT_LATE);
        exchange_let_go(exchange);
    }
    server_let_go(server);
}

/* ---- streams */

bool exchange_stream(struct exchange *exchange, pull_fn *pull)
{
    struct server *server = exchange->server;
    if (atomic_fetch_add(&server->streams, 1) >= server->limits.streams) {
        atomic_fetch_sub(&server->streams, 1);
        exchange_refuse(exchange, REFUSE_STREAMS);
        return false;
    }
    metric_add(METRIC_HTTP_STREAMS, 0, 1);
    exchange->pull = pull;
    return true;
}

void exchange_wake(struct exchange *exchange)
{
    if (exchange->pull && exchange->parked) {
        library_unpark(exchange);
    }
}
