/* Opening and closing, in an order that leaves nothing half-done: what the store holds is compared
 * with the head mark before anything may be written; threads start last and stop first. */
#include "node/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "modules/modules.h"
#include "order/solo.h"
#include "store/audit.h"
#include "store/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CACHE_LEN   ((size_t)256 << 20)
#define DEFAULT_DELTA_PAIRS ((size_t)4 << 20)

enum err node_lock_folder(struct node *node, struct why *why)
{
    char *path = path_join(node->dir, "lock");
    node->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int code = errno;
    free(path);
    if (node->lock_fd < 0) {
        return why_say(why, code == ENOENT ? ERR_NOT_FOUND : ERR_IO, "folder", node->dir,
                       code == ENOENT ? "does not exist" : "can't be locked",
                       "Make a ledger with 'cairn init DIR --name NAME'.");
    }
    if (flock(node->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return why_say(why, ERR_BUSY, "folder", node->dir, "is in use by another process",
                       "Stop the other 'cairn run' of this folder first.");
    }
    return OK;
}

void node_set_read_only(struct node *node, const char *field, const char *problem,
                        const char *remedy)
{
    why_say(&node->read_only, ERR_READ_ONLY, field, NULL, problem, remedy);
    log_event(LOG_ERROR, "node.read_only", "reason=\"%s %s\"", field, problem);
}

static enum err open_store(struct node *node, const struct node_options *options, bool *writable,
                           struct why *why)
{
    struct mark_head marked;
    struct store_options wanted = {.cache_len =
                                       options->cache_len ? options->cache_len : DEFAULT_CACHE_LEN};
    TRY(mark_open(&node->mark, node->dir, false, why));
    enum err err = mark_read(node->mark, &marked);
    if (err != OK && err != ERR_NOT_FOUND) {
        return why_say(why, err, "head mark", node->dir, NULL, "Restore it from a backup.");
    }
    enum store_health health;
    TRY(store_recover(&node->store, &health, node->dir, &wanted, err == OK ? &marked : NULL, why));
    *writable = health != STORE_BEHIND;
    if (health == STORE_BEHIND) {
        node_set_read_only(
            node, "ledger", "ends before a head that it acknowledged",
            "Restore the newest copy, or run 'cairn resume DIR --lost-after HEIGHT'.");
    }
    return OK;
}

/* A ledger that began with one node is that node's. Of several the receipt key tells (keys.c). */
static void take_only_name(struct node *node, const struct genesis *genesis)
{
    const struct genesis_member *only = NULL;
    unsigned count = 0;
    for (size_t i = 0; i < genesis->member_count; i++) {
        if (genesis->members[i].kind == MEMBER_NODE) {
            only = &genesis->members[i];
            count++;
        }
    }
    if (count == 1) {
        memcpy(node->name, only->id.at, only->id.len);
    }
}

enum err node_read_genesis(struct node *node, struct why *why)
{
    struct view *view = node_view(node);
    uint64_t height;
    enum err err = view_entry(view, 0, &node->genesis, &height);
    view_release(view);
    struct genesis *genesis = mem_alloc(sizeof *genesis);
    if (err == OK) {
        err = genesis_parse(genesis, buf_bytes(&node->genesis), why);
    }
    if (err == OK) {
        sha256(&node->chain, buf_bytes(&node->genesis));
        node->ledger_name = genesis->name;
        take_only_name(node, genesis);
    }
    free(genesis);
    return err;
}

static enum err start_writing(struct node *node, const struct node_options *options,
                              struct why *why)
{
    struct view *view = node_view(node);
    struct solo_options solo = {.clock_step_ms = options->clock_step_ms,
                                .last_time_ms = view_header(view)->time_ms};
    node->admit = admit_new(node->ledger, &modules_rules, options->verifiers);
    if (node->engine) {
        enum err err = node_start_comet(node, view, options, why);
        view_release(view);
        return err;
    }
    view_release(view);
    struct order_app app = node_order_app(node);
    enum err err = solo_start(&node->order, &app, &solo);
    return err == OK ? OK : why_say(why, err, "orderer", NULL, "did not start", NULL);
}

/* Whoever made the file accepted the step that there is now. */
static void take_clock_acceptance(struct node *node, const char *path)
{
    struct stat info;
    struct order_status status;
    if (lstat(path, &info) != 0 || unlink(path) != 0) {
        return;
    }
    node->order->status(node->order, &status);
    if (node_accept_clock(node) == OK) {
        log_event(LOG_WARN, "clock.accepted", "by=operator");
        node_note_clock(node, info.st_uid, status.clock_step_ms);
    }
}

/* A few times a second: has the operator accepted a clock step (the file can only be made by
 * somebody who may write the folder), and do keys in tokens still sign? */
static void *jobs_run(void *context)
{
    struct node *node = context;
    char *path = path_join(node->dir, NODE_CLOCK_ACCEPT);
    while (!atomic_load(&node->stopping)) {
        take_clock_acceptance(node, path);
        node_probe_keys(node);
        struct timespec second = {.tv_nsec = 250000000};
        nanosleep(&second, NULL);
    }
    free(path);
    return NULL;
}

static enum err read_regime(struct node *node, struct why *why)
{
    struct view *view = node_view(node);
    enum err err = node_engine_new(&node->engine, view, why);
    view_release(view);
    return err;
}

static enum err open_all(struct node *node, const struct node_options *options, struct why *why)
{
    bool writable;
    TRY(node_lock_folder(node, why));
    TRY(node_open_audit(node, why));
    TRY(open_store(node, options, &writable, why));
    TRY(ledger_open(&node->ledger, node->store, &modules_rules, why));
    TRY(node_read_genesis(node, why));
    TRY(node_attested_load(node, why));
    TRY(node_finish_restart(node, why));
    TRY(read_regime(node, why));
    TRY(node_check_known_heads(node, &writable, why));
    TRY(index_open(&node->index, node->store,
                   options->delta_pairs ? options->delta_pairs : DEFAULT_DELTA_PAIRS, why));
    struct view *view = node_view(node);
    enum err err = indexer_start(&node->indexer, node->index, view);
    view_release(view);
    if (err != OK) {
        return why_say(why, err, "index", node->dir, NULL,
                       "Check the disk; then restore the newest copy of the folder.");
    }
    if (writable) {
        TRY(node_open_keys(node, options, &writable, why));
    }
    if (writable) {
        TRY(start_writing(node, options, why));
        node->has_jobs = pthread_create(&node->jobs, NULL, jobs_run, node) == 0;
    }
    node_note_start(node);
    return OK;
}

enum err node_open(struct node **out, const struct node_options *options, struct why *why)
{
    struct node *node = mem_zalloc(sizeof *node);
    node->dir = mem_strdup(options->dir);
    node->lock_fd = -1;
    pthread_mutex_init(&node->vouched_lock, NULL);
    pthread_mutex_init(&node->notes_lock, NULL);
    pthread_mutex_init(&node->key_lock, NULL);
    pthread_mutex_init(&node->watch_lock, NULL);
    node_attested_init(node);
    enum err err = open_all(node, options, why);
    if (err != OK) {
        node_close(node);
        node = NULL;
    }
    *out = node;
    return err;
}

static void stop_threads(struct node *node)
{
    if (node->has_jobs) {
        atomic_store(&node->stopping, true);
        pthread_join(node->jobs, NULL);
    }
    if (node->order) {
        node->order->halt(node->order);
    }
    if (node->admit) {
        admit_free(node->admit);
    }
    if (node->order) {
        node->order->stop(node->order);
    }
    if (node->indexer) {
        indexer_stop(node->indexer);
        enum err err = node->order ? index_flush(node->index) : OK;
        if (err != OK) {
            log_event(LOG_WARN, "index.flush", "err=%s", err_name(err));
        }
    }
}

void node_clear(struct node *node)
{
    stop_threads(node);
    node_note_stop(node);
    audit_close(node->audit);
    if (node->index) {
        index_close(node->index);
    }
    node_vouched_clear(node);
    node_attested_clear(node);
    pthread_mutex_destroy(&node->key_lock);
    pthread_mutex_destroy(&node->watch_lock);
    if (node->ledger) {
        ledger_close(node->ledger);
    }
    store_close(node->store);
    if (node->mark) {
        mark_close(node->mark);
    }
    if (node->lock_fd >= 0) {
        close(node->lock_fd);
    }
    node_engine_free(node->engine);
    buf_clear(&node->genesis);
    buf_clear(&node->trust_file);
    buf_clear(&node->receipt_kids);
    free(node->dir);
}

void node_close(struct node *node)
{
    node_clear(node);
    free(node);
}

bool node_read_only(struct node *node, struct why *why)
{
    if (!node->order) {
        *why = node->read_only;
        return true;
    }
    struct order_status status;
    node->order->status(node->order, &status);
    switch (status.state) {
    case ORDER_RUNNING:
        return node_key_failed(node, why);
    case ORDER_CLOCK_STEPPED:
        why_sayf(why, ERR_READ_ONLY, "clock", "stepped since the last block",
                 "Check the clock, then run 'cairn clock accept DIR'.", "%lld ms",
                 (long long)status.clock_step_ms);
        return true;
    case ORDER_FAILED:
        why_say(why, ERR_READ_ONLY, "disk", node->dir, "failed while a block was written",
                "Check the disk, then restart the node; nothing acknowledged is lost.");
        return true;
    case ORDER_WAITING:
        return node_key_failed(node, why); /* what is sent waits */
    case ORDER_DIVERGED:
        why_sayf(why, ERR_READ_ONLY, "ledger", "differs from the one that the others committed",
                 "Ask whether this node runs the same version of the program as the others.",
                 "height %llu", (unsigned long long)status.diverged_height);
        return true;
    case ORDER_STOPPED:
        why_say(why, ERR_READ_ONLY, "node", NULL, "is stopping", "Start it again.");
        return true;
    }
    BUG_ON(true);
}

enum err node_accept_clock(struct node *node)
{
    return node->order ? node->order->accept_clock(node->order) : ERR_READ_ONLY;
}

struct bytes node_ledger_name(const struct node *node)
{
    return node->ledger_name;
}

const struct hash *node_chain(const struct node *node)
{
    return &node->chain;
}

struct bytes node_name(const struct node *node)
{
    return bytes_text(node->name);
}

struct bytes node_trust_file(const struct node *node)
{
    return buf_bytes(&node->trust_file);
}

struct view *node_view(struct node *node)
{
    return ledger_view(node->ledger);
}
