/* Starts, stops and answers for the orderer's state; what the engine asks when it connects. */
#include "order/comet/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_GATHER_US 5000
/* What is kept decoded of other nodes' transactions. */
#define POOL_COUNT 8192
#define POOL_LEN   ((size_t)64 << 20)

#define FILTER_ID   "/p2p/filter/id/"
#define FILTER_ADDR "/p2p/filter/addr/"

struct comet_head comet_head(struct comet *comet)
{
    pthread_mutex_lock(&comet->head_lock);
    struct comet_head head = comet->head;
    pthread_mutex_unlock(&comet->head_lock);
    return head;
}

struct bytes comet_node_of(const struct comet *comet, struct bytes address)
{
    const struct regime *regime = comet->options.regime;
    for (size_t i = 0; i < regime->count; i++) {
        uint8_t one[COMET_ADDRESS_LEN];
        comet_address(one, &regime->validators[i].key);
        if (bytes_equal(address, BYTES_OF(one))) {
            return regime->validators[i].node;
        }
    }
    return bytes_text("unknown");
}

/* ---- what the engine asks first */

/* A handshake: this engine has executed nothing with us yet, and knows none of our transactions. */
static enum err info(void *context, const struct abci_info *request, struct abci_info_answer *out,
                     struct arena *arena, struct why *why)
{
    struct comet *comet = context;
    (void)request;
    (void)why;
    pthread_mutex_lock(&comet->exec_lock);
    execution_forget(comet);
    atomic_store(&comet->caught_up, false);
    out->height = atomic_load(&comet->engine_height);
    pthread_mutex_unlock(&comet->exec_lock);
    struct comet_head head = comet_head(comet);
    out->data = bytes_text("cairn");
    out->app_hash = arena_copy(arena, hash_bytes(&head.hash));
    outbox_send_again(comet->outbox);
    return OK;
}

static bool same_validators(const struct regime *regime, const struct abci_init_chain *init)
{
    if (init->validator_count != regime->count) {
        return false;
    }
    for (size_t i = 0; i < regime->count; i++) {
        const struct regime_validator *ours = &regime->validators[i];
        bool found = false;
        for (size_t k = 0; k < init->validator_count && !found; k++) {
            const struct abci_validator *theirs = &init->validators[k];
            found = theirs->key_type == 1 && theirs->power == ours->power &&
                    bytes_equal(theirs->key, hash_bytes(&ours->key));
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static enum err init_chain(void *context, const struct abci_init_chain *init,
                           struct abci_init_answer *out, struct arena *arena, struct why *why)
{
    struct comet *comet = context;
    const struct regime *regime = comet->options.regime;
    struct comet_head head = comet_head(comet);
    if (!bytes_equal(init->chain, regime->chain)) {
        return why_sayf(why, ERR_MISMATCH, "chain id", "is another consortium's",
                        "The engine's folder does not belong to this ledger.", "%.*s",
                        (int)init->chain.len, (const char *)init->chain.at);
    }
    if (!same_validators(regime, init)) {
        return why_say(why, ERR_MISMATCH, "validators", NULL, "are not those of the ledger",
                       "The engine's folder does not belong to this ledger.");
    }
    if (atomic_load(&comet->engine_height) != 0) {
        return why_say(why, ERR_MISMATCH, "engine", NULL, "begins anew under a ledger that goes on",
                       "Restore the engine's folder with the ledger's; never delete it alone.");
    }
    out->app_hash = arena_copy(arena, hash_bytes(&head.hash));
    return OK;
}

static bool peer_listed(const struct comet *comet, struct bytes id)
{
    for (size_t i = 0; i < comet->options.peer_count; i++) {
        if (bytes_equal(id, bytes_text(comet->options.peers[i]))) {
            return true;
        }
    }
    return false;
}

static bool begins(struct bytes text, const char *with, struct bytes *rest)
{
    size_t len = strlen(with);
    if (text.len < len || memcmp(text.at, with, len) != 0) {
        return false;
    }
    *rest = (struct bytes){text.at + len, text.len - len};
    return true;
}

/* filter_peers: an address says nothing about who is there; the id, which the handshake has proved,
 * does. */
static enum err query(void *context, const struct abci_query *request,
                      struct abci_query_answer *out, struct arena *arena, struct why *why)
{
    struct comet *comet = context;
    (void)arena;
    (void)why;
    struct bytes id;
    if (begins(request->path, FILTER_ADDR, &id)) {
        return OK;
    }
    if (begins(request->path, FILTER_ID, &id)) {
        out->code = peer_listed(comet, id) ? 0 : 1;
        if (out->code != 0) {
            out->log = bytes_text("no node of this ledger");
            log_event(LOG_WARN, "engine.peer_refused", "id=\"%.*s\"",
                      (int)(id.len < ENGINE_ID_LEN ? id.len : ENGINE_ID_LEN), (const char *)id.at);
        }
        return OK;
    }
    out->code = 1;
    out->log = bytes_text("ask the node's own interface");
    return OK;
}

static void closed(void *context, enum err err, const struct why *why)
{
    (void)context;
    if (err != ERR_CLOSED) {
        log_event(LOG_WARN, "engine.connection", "err=%s what=\"%s %s\"", err_name(err), why->field,
                  why->problem);
    }
}

/* ---- down */

static enum err submit(struct order *order, struct submission *submission, order_fn *done,
                       void *context)
{
    return outbox_submit(((struct comet *)order)->outbox, submission, done, context);
}

static void wake(struct order *order)
{
    outbox_wake(((struct comet *)order)->outbox);
}

static void status(struct order *order, struct order_status *out)
{
    struct comet *comet = (struct comet *)order;
    struct outbox_figures figures;
    const struct comet_options *options = &comet->options;
    outbox_figures(comet->outbox, &figures);
    *out = (struct order_status){
        .state = atomic_load(&comet->failed)      ? ORDER_FAILED
                 : atomic_load(&comet->diverged)  ? ORDER_DIVERGED
                 : atomic_load(&comet->caught_up) ? ORDER_RUNNING
                                                  : ORDER_WAITING,
        .queued_count = figures.count,
        .queued_len = figures.len,
        .queued_count_max = options->queue_count_max,
        .queued_len_max = options->queue_len_max,
        .batch_max = TX_SEQUENCE_MAX,
    };
    comet->link.status(comet->link.context, &out->engine);
    out->engine.height = atomic_load(&comet->engine_height);
    pthread_mutex_lock(&comet->problem_lock);
    out->diverged_height = comet->diverged_height;
    out->diverged_ours = comet->diverged_ours;
    out->diverged_theirs = comet->diverged_theirs;
    pthread_mutex_unlock(&comet->problem_lock);
    if (out->state == ORDER_RUNNING && !out->engine.running) {
        out->state = ORDER_WAITING;
    }
}

/* Time is the consortium's: no step of one clock stops it. */
static enum err accept_clock(struct order *order)
{
    (void)order;
    return ERR_REFUSED;
}

static void comet_free(struct comet *comet)
{
    execution_clear(comet);
    pool_free(comet->pool);
    if (comet->link.release) {
        comet->link.release(comet->link.context);
    }
    if (comet->home_fd >= 0) {
        close(comet->home_fd);
    }
    pthread_mutex_destroy(&comet->head_lock);
    pthread_mutex_destroy(&comet->exec_lock);
    pthread_mutex_destroy(&comet->problem_lock);
    free(comet);
}

/* The engine goes first: without its server it would call that a failure. */
static void halt(struct order *order)
{
    struct comet *comet = (struct comet *)order;
    if (comet->server) {
        comet->link.stop(comet->link.context);
        abci_server_stop(comet->server);
        comet->server = NULL;
    }
}

static void stop(struct order *order)
{
    struct comet *comet = (struct comet *)order;
    halt(order);
    outbox_stop(comet->outbox);
    comet_free(comet);
}

struct rpc *comet_rpc(struct order *order)
{
    return order->submit == submit ? ((struct comet *)order)->rpc : NULL;
}

/* ---- starting */

static void set_defaults(struct comet_options *options)
{
    options->queue_count_max =
        options->queue_count_max ? options->queue_count_max : ORDER_QUEUE_COUNT;
    options->queue_len_max = options->queue_len_max ? options->queue_len_max : ORDER_QUEUE_LEN;
    options->gather_us = options->gather_us ? options->gather_us : DEFAULT_GATHER_US;
    options->wall_ms = options->wall_ms ? options->wall_ms : clock_wall_ms;
}

static struct comet *comet_new(const struct order_app *app, const struct comet_options *options)
{
    struct comet *comet = mem_zalloc(sizeof *comet);
    comet->order = (struct order){submit, wake, status, accept_clock, halt, stop};
    comet->app = *app;
    comet->options = *options;
    set_defaults(&comet->options);
    comet->home_fd = -1;
    comet->pool = pool_new(POOL_COUNT, POOL_LEN);
    comet->head =
        (struct comet_head){options->head, options->head_hash, app->timer_due(app->context)};
    comet->durable_height = options->engine_height;
    atomic_init(&comet->engine_height, options->engine_height);
    pthread_mutex_init(&comet->head_lock, NULL);
    pthread_mutex_init(&comet->exec_lock, NULL);
    pthread_mutex_init(&comet->problem_lock, NULL);
    return comet;
}

static enum err serve(struct comet *comet, struct why *why)
{
    comet->home_fd = open(comet->options.home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (comet->home_fd < 0) {
        return why_say(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "engine", comet->options.home,
                       "can't be opened", NULL);
    }
    struct abci_handler handler = {comet,          info,          init_chain,    query,
                                   comet_check_tx, comet_prepare, comet_process, comet_finalize,
                                   comet_commit,   closed};
    return abci_server_start(&comet->server, comet->home_fd, ENGINE_APP_SOCKET, &handler, why);
}

enum err comet_start_over(struct order **out, const struct order_app *app,
                          const struct comet_options *options, const struct comet_link *link,
                          struct why *why)
{
    struct comet *comet = comet_new(app, options);
    comet->link = *link;
    enum err err = outbox_start(&comet->outbox, comet);
    if (err != OK) {
        comet_free(comet);
        return why_say(why, err, "orderer", NULL, "did not start", NULL);
    }
    err = serve(comet, why);
    if (err != OK) {
        outbox_stop(comet->outbox);
        comet_free(comet);
        return err;
    }
    *out = &comet->order;
    return OK;
}

/* ---- the real engine */

struct real_link {
    struct engine *engine;
    struct rpc *rpc;
};

static enum err real_broadcast(void *context, struct bytes tx, struct rpc_check *out,
                               struct why *why)
{
    return rpc_broadcast(((struct real_link *)context)->rpc, tx, out, why);
}

static bool real_caught_up(void *context)
{
    struct rpc_status state;
    struct why why = {0};
    return rpc_status(((struct real_link *)context)->rpc, &state, &why) == OK && !state.catching_up;
}

static void real_status(void *context, struct engine_status *out)
{
    struct engine_process process = {0};
    struct real_link *real = context;
    if (real->engine) {
        engine_status(real->engine, &process);
    }
    out->running = process.pid != 0;
    out->restarts = process.restarts;
    memcpy(out->problem, process.problem, sizeof out->problem);
}

static void real_stop(void *context)
{
    struct real_link *real = context;
    struct engine *engine = real->engine;
    real->engine = NULL;
    engine_stop(engine);
}

static void real_release(void *context)
{
    struct real_link *real = context;
    rpc_free(real->rpc);
    free(real);
}

static enum err make_home(const char *home, struct why *why)
{
    return file_exists(home) ? OK : dir_make(home, 0700, why);
}

static void engine_options(struct engine_options *out, const struct comet_options *options)
{
    *out = (struct engine_options){
        .home = options->home,
        .program = options->engine,
        .net = options->net,
        .consensus = options->consensus,
        .transport = options->transport,
        .genesis = {.regime = options->regime,
                    .time_ms = options->start.time_ms,
                    .app_hash = options->start.hash},
        .verbose = options->verbose,
    };
}

enum err comet_start(struct order **out, const struct order_app *app,
                     const struct comet_options *options, struct why *why)
{
    struct engine_options engine;
    engine_options(&engine, options);
    TRY(make_home(options->home, why));
    TRY(engine_prepare(&engine, why));
    struct real_link *real = mem_zalloc(sizeof *real);
    struct comet_link link = {real,        real_broadcast, real_caught_up,
                              real_status, real_stop,      real_release};
    enum err err = rpc_new(&real->rpc, options->home, why);
    if (err != OK) {
        free(real);
        return err;
    }
    err = comet_start_over(out, app, options, &link, why);
    if (err != OK) {
        return err;
    }
    struct comet *comet = (struct comet *)*out;
    comet->rpc = real->rpc;
    err = engine_start(&real->engine, &engine, NULL, NULL, why);
    if (err != OK) {
        (*out)->stop(*out);
        *out = NULL;
    }
    return err;
}
