/* From the node's statements to the engine, and back to whoever waits for them.
 *
 *   queued -> (gathered into a transaction) -> to send -> sent -> its block is durable: answered
 *                                               ^          |
 *                                               +----------+ lost, or the engine is new
 *
 * One thread gathers and sends. While nothing of ours is on its way a statement is sent at once;
 * else a few milliseconds are waited for more of them, since a transaction costs every node the
 * same whatever it holds. What did not come in time is sent again with other bytes (tx.h): an
 * engine passes the same ones on only once, and those that others refused because they had not
 * heard of a new key yet would be ours alone for ever. */
#include "order/comet/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "crypto/digest.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GATHER_LEN ((size_t)256 << 10)
/* What may be with the engine at once; the rest gathers meanwhile. */
#define ON_THE_WAY_LEN   ((size_t)16 << 20)
#define ON_THE_WAY_COUNT 1024

#define MS               1000000u
#define RESEND_FIRST_NS  ((uint64_t)4000 * MS)
#define RESEND_MOST_NS   ((uint64_t)60000 * MS)
#define RESEND_KNOWN_NS  ((uint64_t)500 * MS)
#define RETRY_BUSY_NS    ((uint64_t)100 * MS)
#define RETRY_AWAY_NS    ((uint64_t)200 * MS)
#define RETRY_REFUSED_NS ((uint64_t)1000 * MS)
#define POLL_NS          ((uint64_t)200 * MS)
/* Between the ticks of one validator and the next. */
#define TICK_RANK_MS  500
#define TICK_AGAIN_NS ((uint64_t)3000 * MS)

/* Places in the label of METRIC_ORDER_SENT. */
enum { SENT_NEW, SENT_AGAIN, SENT_KNOWN, SENT_BUSY, SENT_AWAY, SENT_REFUSED, SENT_TICK };

struct waiting {
    struct submission *submission;
    order_fn *done;
    void *context;
    size_t len; /* as it travels, at most */
    uint64_t since_ns;
};

struct own_tx {
    struct own_tx *next;
    struct own_tx *previous;
    struct tx_draft draft;
    struct bytes bytes; /* of the draft, as it is sent */
    uint64_t attempt;
    struct pool_tx *tx; /* held */
    struct waiting *waiting;
    size_t count;
    size_t len;
    bool sent;         /* the engine has it */
    uint64_t due_ns;   /* when it is to be sent, if not sent, or sent again */
    uint64_t delay_ns; /* until then, the next time */
    bool in_hand;      /* the thread sends it just now, without the lock */
    bool answered;     /* meanwhile: the thread frees it */
};

struct outbox {
    struct comet *comet;
    unsigned rank; /* of this node among the validators */
    uint64_t gather_ns;
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    bool stopping;
    struct waiting *queue; /* a ring */
    size_t queue_first;
    size_t queue_count;
    size_t queue_cap;
    size_t queue_len;
    struct own_tx *first;
    struct own_tx *last;
    size_t own_count;
    size_t own_len;
    uint64_t statements; /* queued and on their way */
    uint64_t len;
    uint64_t blocked_ns; /* nothing is sent before */
    uint64_t poll_ns;    /* when the engine is asked whether it has caught up */
    uint64_t tick_height;
    uint64_t tick_due_ms;
    uint64_t tick_ns; /* when that tick may be sent again */
};

static size_t wire_len(const struct submission *submission)
{
    const struct items *items = submission->items;
    return submission->entry.len + (items ? (size_t)items->total_len + 16 : 0);
}

/* ---- what is refused without being ordered */

static void refuse(struct outbox *outbox, const struct waiting *waiting,
                   struct statement_result *result)
{
    struct comet_head head = comet_head(outbox->comet);
    struct order_result answer = {.result = result, .head = &head.header, .err = OK};
    waiting->done(waiting->context, waiting->submission, &answer);
}

/* No honest node proposes a statement whose key the ledger does not know; it is answered as the
 * ledger would, in the order of its checks. */
static enum err refusal(struct outbox *outbox, const struct submission *submission, struct why *why)
{
    if (wire_len(submission) > TX_SEQUENCE_MAX) {
        return why_sayf(why, ERR_RANGE, "statement",
                        "is larger with its items than one of a consortium may be (720,896)",
                        "Deposit the items in several statements; batch_max of /v1/ledger is the "
                        "limit.",
                        "%zu bytes", wire_len(submission));
    }
    if (submission->verified) {
        return OK;
    }
    struct comet_head head = comet_head(outbox->comet);
    if (!submission->statement.foreign) {
        if (!hash_equal(&submission->statement.chain, &head.header.chain)) {
            return why_say(why, ERR_MISMATCH, "chain id", NULL, "is another ledger's",
                           "Check which ledger the statement was made for.");
        }
        TRY(statement_validity_check(&submission->statement, outbox->comet->options.wall_ms(),
                                     why));
    }
    return why_say(why, ERR_KEY, "kid", NULL, "is not registered here", NULL);
}

/* ---- submitting */

static void queue_put(struct outbox *outbox, const struct waiting *waiting)
{
    if (outbox->queue_count == outbox->queue_cap) {
        size_t cap = outbox->queue_cap ? outbox->queue_cap * 2 : 256;
        struct waiting *queue = mem_alloc(cap * sizeof *queue);
        for (size_t i = 0; i < outbox->queue_count; i++) {
            queue[i] = outbox->queue[(outbox->queue_first + i) % outbox->queue_cap];
        }
        free(outbox->queue);
        outbox->queue = queue;
        outbox->queue_cap = cap;
        outbox->queue_first = 0;
    }
    outbox->queue[(outbox->queue_first + outbox->queue_count) % outbox->queue_cap] = *waiting;
    outbox->queue_count++;
    outbox->queue_len += waiting->len;
    outbox->statements++;
    outbox->len += waiting->len;
}

static struct waiting queue_take(struct outbox *outbox)
{
    struct waiting waiting = outbox->queue[outbox->queue_first];
    outbox->queue_first = (outbox->queue_first + 1) % outbox->queue_cap;
    outbox->queue_count--;
    outbox->queue_len -= waiting.len;
    return waiting;
}

enum err outbox_submit(struct outbox *outbox, struct submission *submission, order_fn *done,
                       void *context)
{
    struct waiting waiting = {submission, done, context, wire_len(submission), clock_mono_ns()};
    struct statement_result result = {.id = submission->id};
    const struct comet_options *options = &outbox->comet->options;
    if (atomic_load(&outbox->comet->failed)) {
        return ERR_CLOSED;
    }
    result.err = refusal(outbox, submission, &result.why);
    if (result.err != OK) {
        refuse(outbox, &waiting, &result);
        return OK;
    }
    enum err err = OK;
    pthread_mutex_lock(&outbox->lock);
    if (outbox->stopping) {
        err = ERR_CLOSED;
    } else if (outbox->statements >= options->queue_count_max ||
               (outbox->statements > 0 && outbox->len + waiting.len > options->queue_len_max)) {
        err = ERR_BUSY;
    } else {
        queue_put(outbox, &waiting);
    }
    pthread_mutex_unlock(&outbox->lock);
    return err;
}

void outbox_wake(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    pthread_cond_signal(&outbox->changed);
    pthread_mutex_unlock(&outbox->lock);
}

void outbox_figures(struct outbox *outbox, struct outbox_figures *out)
{
    pthread_mutex_lock(&outbox->lock);
    *out = (struct outbox_figures){outbox->statements, outbox->len};
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- transactions of ours; all with the lock held but where it says so */

static void own_link(struct outbox *outbox, struct own_tx *own)
{
    own->previous = outbox->last;
    *(outbox->last ? &outbox->last->next : &outbox->first) = own;
    outbox->last = own;
    outbox->own_count++;
    outbox->own_len += own->len;
}

static void own_unlink(struct outbox *outbox, struct own_tx *own)
{
    *(own->previous ? &own->previous->next : &outbox->first) = own->next;
    *(own->next ? &own->next->previous : &outbox->last) = own->previous;
    outbox->own_count--;
    outbox->own_len -= own->len;
    outbox->statements -= own->count;
    outbox->len -= own->len;
}

static void own_free(struct own_tx *own)
{
    tx_draft_clear(&own->draft);
    pool_tx_release(own->tx);
    free(own->waiting);
    free(own);
}

/* Puts the transaction into the pool under the hash of its bytes. A twin of ours, of the same
 * statements, may be there already: then other bytes are made. */
static void own_publish(struct outbox *outbox, struct own_tx *own)
{
    struct hash hash;
    do {
        own->bytes = tx_draft_close(&own->draft, own->attempt);
        sha256(&hash, own->bytes);
        own->attempt += own->attempt < TX_ATTEMPT_MAX;
    } while (!pool_add(outbox->comet->pool, &hash, own->tx));
}

/* Without the lock: the statements are written as they travel. */
static void own_write(struct outbox *outbox, struct own_tx *own)
{
    const struct order_app *app = &outbox->comet->app;
    struct submissions submissions = {own->count, mem_alloc(own->count * sizeof(void *))};
    tx_draft_begin(&own->draft);
    buf_reserve(&own->draft.buf, own->len + 16);
    for (size_t i = 0; i < own->count; i++) {
        submissions.at[i] = own->waiting[i].submission;
        app->wire(app->context, submissions.at[i], &own->draft.buf);
    }
    own->tx = pool_tx_new(&submissions, own->draft.buf.len, own);
}

/* Takes the oldest of the queue that make one transaction; one that is large goes alone. */
static struct own_tx *own_take(struct outbox *outbox)
{
    struct own_tx *own = mem_zalloc(sizeof *own);
    size_t most = outbox->queue_count < TX_STATEMENTS_MAX ? outbox->queue_count : TX_STATEMENTS_MAX;
    own->waiting = mem_alloc(most * sizeof *own->waiting);
    while (own->count < most) {
        size_t len = outbox->queue[outbox->queue_first].len;
        if (own->count > 0 && own->len + len > GATHER_LEN) {
            break;
        }
        own->waiting[own->count++] = queue_take(outbox);
        own->len += len;
    }
    own->delay_ns = RESEND_FIRST_NS;
    return own;
}

static void gather(struct outbox *outbox)
{
    struct own_tx *own = own_take(outbox);
    pthread_mutex_unlock(&outbox->lock);
    own_write(outbox, own);
    pthread_mutex_lock(&outbox->lock);
    own_publish(outbox, own);
    own_link(outbox, own);
    metric_observe(METRIC_ORDER_GATHERED, 0, own->count);
}

static bool gathered(const struct outbox *outbox, uint64_t now_ns)
{
    if (outbox->queue_count == 0 || outbox->own_len >= ON_THE_WAY_LEN ||
        outbox->own_count >= ON_THE_WAY_COUNT) {
        return false;
    }
    return outbox->own_count == 0 || outbox->queue_count >= TX_STATEMENTS_MAX ||
           outbox->queue_len >= GATHER_LEN ||
           now_ns >= outbox->queue[outbox->queue_first].since_ns + outbox->gather_ns;
}

/* ---- sending */

/* What follows from the engine's answer. */
static unsigned after_broadcast(struct outbox *outbox, struct own_tx *own, enum err err,
                                uint32_t code)
{
    uint64_t now_ns = clock_mono_ns();
    if (err == OK && code == 0) {
        own->sent = true;
        own->due_ns = now_ns + own->delay_ns;
        own->delay_ns = own->delay_ns * 2 < RESEND_MOST_NS ? own->delay_ns * 2 : RESEND_MOST_NS;
        return SENT_NEW;
    }
    if (err == ERR_EXISTS) {
        own->sent = true;
        own->due_ns = now_ns + RESEND_KNOWN_NS;
        return SENT_KNOWN;
    }
    if (err == OK) {
        own->due_ns = now_ns + RETRY_REFUSED_NS;
        return SENT_REFUSED;
    }
    outbox->blocked_ns = now_ns + (err == ERR_BUSY ? RETRY_BUSY_NS : RETRY_AWAY_NS);
    return err == ERR_BUSY ? SENT_BUSY : SENT_AWAY;
}

static void send_own(struct outbox *outbox, struct own_tx *own)
{
    struct rpc_check check = {0};
    struct why why = {0};
    bool again = own->sent;
    if (again) {
        own->sent = false;
        own_publish(outbox, own);
    }
    own->in_hand = true;
    pthread_mutex_unlock(&outbox->lock);
    const struct comet_link *link = &outbox->comet->link;
    enum err err = link->broadcast(link->context, own->bytes, &check, &why);
    if (err != OK || check.code != 0) {
        log_event(LOG_DEBUG, "transaction.not_taken", "err=%s code=%u what=\"%s %s%s\"",
                  err_name(err), (unsigned)check.code, why.field, why.problem, check.log);
    }
    pthread_mutex_lock(&outbox->lock);
    own->in_hand = false;
    unsigned what = after_broadcast(outbox, own, err, check.code);
    metric_add(METRIC_ORDER_SENT, what == SENT_NEW && again ? SENT_AGAIN : what, 1);
    if (own->answered) {
        own_free(own);
    }
}

static struct own_tx *due_own(const struct outbox *outbox, uint64_t now_ns)
{
    struct own_tx *own = outbox->first;
    while (own != NULL && own->due_ns > now_ns) {
        own = own->next;
    }
    return own;
}

void outbox_send_again(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    for (struct own_tx *own = outbox->first; own != NULL; own = own->next) {
        own->sent = false;
        own->due_ns = 0;
        own->delay_ns = RESEND_FIRST_NS;
    }
    outbox->tick_ns = 0;
    outbox->poll_ns = 0;
    pthread_cond_signal(&outbox->changed);
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- ticks */

/* When this node sends a tick: 0 if there is no timer, or this tick was sent just now. */
static uint64_t tick_wait_ms(struct outbox *outbox, const struct comet_head *head, uint64_t now_ns)
{
    if (head->due_ms > TX_TIME_MAX) {
        return UINT64_MAX;
    }
    bool same = outbox->tick_height == head->header.height && outbox->tick_due_ms == head->due_ms;
    if (same && now_ns < outbox->tick_ns) {
        return (outbox->tick_ns - now_ns) / MS + 1;
    }
    uint64_t at_ms = head->due_ms + (uint64_t)outbox->rank * TICK_RANK_MS;
    uint64_t own_ms = outbox->comet->options.wall_ms();
    return at_ms > own_ms ? at_ms - own_ms : 0;
}

static void send_tick(struct outbox *outbox, const struct comet_head *head)
{
    struct buf tick = {0};
    struct rpc_check check = {0};
    struct why why = {0};
    tx_tick_write(&tick, head->header.height, head->due_ms);
    outbox->tick_height = head->header.height;
    outbox->tick_due_ms = head->due_ms;
    outbox->tick_ns = clock_mono_ns() + TICK_AGAIN_NS;
    pthread_mutex_unlock(&outbox->lock);
    const struct comet_link *link = &outbox->comet->link;
    enum err err = link->broadcast(link->context, buf_bytes(&tick), &check, &why);
    log_event(LOG_DEBUG, "order.tick", "height=%llu due_ms=%llu err=%s code=%u",
              (unsigned long long)head->header.height, (unsigned long long)head->due_ms,
              err_name(err), (unsigned)check.code);
    metric_add(METRIC_ORDER_SENT, SENT_TICK, 1);
    buf_clear(&tick);
    pthread_mutex_lock(&outbox->lock);
}

/* ---- the thread */

static void wait_for(struct outbox *outbox, uint64_t until_ns)
{
    if (until_ns == UINT64_MAX) {
        pthread_cond_wait(&outbox->changed, &outbox->lock);
        return;
    }
    struct timespec until = {(time_t)(until_ns / 1000000000u), (long)(until_ns % 1000000000u)};
    pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When there is something to do next, if nobody wakes the thread before. */
static uint64_t next_ns(struct outbox *outbox, uint64_t now_ns, uint64_t tick_ms)
{
    uint64_t next = UINT64_MAX;
    for (const struct own_tx *own = outbox->first; own != NULL; own = own->next) {
        next = sooner(next, own->due_ns);
    }
    if (outbox->queue_count > 0 && outbox->own_count < ON_THE_WAY_COUNT &&
        outbox->own_len < ON_THE_WAY_LEN) {
        next = sooner(next, outbox->queue[outbox->queue_first].since_ns + outbox->gather_ns);
    }
    if (tick_ms < 3600000) { /* a clock that steps is noticed within the hour */
        next = sooner(next, now_ns + tick_ms * MS);
    } else if (tick_ms != UINT64_MAX) {
        next = sooner(next, now_ns + (uint64_t)3600000 * MS);
    }
    if (now_ns < outbox->blocked_ns && next < outbox->blocked_ns) {
        next = outbox->blocked_ns;
    }
    return next;
}

/* While the engine does not take part nothing is sent; it is asked a few times a second. */
static void poll(struct outbox *outbox, uint64_t now_ns)
{
    if (now_ns < outbox->poll_ns) {
        wait_for(outbox, outbox->poll_ns);
        return;
    }
    const struct comet_link *link = &outbox->comet->link;
    pthread_mutex_unlock(&outbox->lock);
    if (link->caught_up(link->context)) {
        atomic_store(&outbox->comet->caught_up, true);
        log_event(LOG_INFO, "order.caught_up", "engine_height=%llu",
                  (unsigned long long)atomic_load(&outbox->comet->engine_height));
    }
    pthread_mutex_lock(&outbox->lock);
    outbox->poll_ns = clock_mono_ns() + POLL_NS;
}

static void step(struct outbox *outbox)
{
    uint64_t now_ns = clock_mono_ns();
    if (atomic_load(&outbox->comet->failed)) {
        wait_for(outbox, UINT64_MAX);
        return;
    }
    if (!atomic_load(&outbox->comet->caught_up)) {
        poll(outbox, now_ns);
        return;
    }
    bool blocked = now_ns < outbox->blocked_ns;
    struct own_tx *own = blocked ? NULL : due_own(outbox, now_ns);
    if (own != NULL) {
        send_own(outbox, own);
        return;
    }
    if (!blocked && gathered(outbox, now_ns)) {
        gather(outbox);
        return;
    }
    struct comet_head head = comet_head(outbox->comet);
    uint64_t tick_ms = tick_wait_ms(outbox, &head, now_ns);
    if (!blocked && tick_ms == 0) {
        send_tick(outbox, &head);
        return;
    }
    wait_for(outbox, next_ns(outbox, now_ns, tick_ms));
}

static void *outbox_run(void *context)
{
    struct outbox *outbox = context;
    pthread_mutex_lock(&outbox->lock);
    while (!outbox->stopping) {
        step(outbox);
    }
    pthread_mutex_unlock(&outbox->lock);
    return NULL;
}

/* ---- answering */

/* The thread that sends it frees it. */
static void own_close(struct outbox *outbox, struct own_tx *own)
{
    pthread_mutex_lock(&outbox->lock);
    bool in_hand = own->in_hand;
    own->answered = true;
    pthread_cond_signal(&outbox->changed);
    pthread_mutex_unlock(&outbox->lock);
    if (!in_hand) {
        own_free(own);
    }
}

void outbox_committed(struct outbox *outbox, struct own_tx *own,
                      const struct statement_result *results, const struct header *head)
{
    pthread_mutex_lock(&outbox->lock);
    own_unlink(outbox, own);
    own->due_ns = UINT64_MAX;
    pool_drop(outbox->comet->pool, own->tx);
    pthread_mutex_unlock(&outbox->lock);
    struct statement_result refused = {.err = ERR_REFUSED};
    why_say(&refused.why, ERR_REFUSED, "block", NULL, "has a time that no honest node proposes",
            "Send the same statement again.");
    for (size_t i = 0; i < own->count; i++) {
        struct waiting *waiting = &own->waiting[i];
        refused.id = waiting->submission->id;
        struct order_result answer = {.result = results ? &results[i] : &refused, .head = head};
        own->tx->submissions.at[i] = NULL;
        waiting->done(waiting->context, waiting->submission, &answer);
    }
    own_close(outbox, own);
}

static void give_up(const struct waiting *waiting)
{
    struct order_result answer = {.err = ERR_CLOSED};
    waiting->done(waiting->context, waiting->submission, &answer);
}

void outbox_stop(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->stopping = true;
    pthread_cond_signal(&outbox->changed);
    pthread_mutex_unlock(&outbox->lock);
    pthread_join(outbox->thread, NULL);
    while (outbox->queue_count > 0) {
        struct waiting waiting = queue_take(outbox);
        give_up(&waiting);
    }
    for (struct own_tx *next, *own = outbox->first; own != NULL; own = next) {
        next = own->next;
        for (size_t i = 0; i < own->count; i++) {
            own->tx->submissions.at[i] = NULL;
            give_up(&own->waiting[i]);
        }
        pool_drop(outbox->comet->pool, own->tx);
        own_free(own);
    }
    pthread_mutex_destroy(&outbox->lock);
    pthread_cond_destroy(&outbox->changed);
    free(outbox->queue);
    free(outbox);
}

static unsigned own_rank(const struct comet_options *options)
{
    const struct regime *regime = options->regime;
    struct hash key = comet_key(pubkey_spki(signer_pubkey(options->consensus)));
    unsigned rank = 0;
    while (rank < regime->count && !hash_equal(&regime->validators[rank].key, &key)) {
        rank++;
    }
    return rank;
}

enum err outbox_start(struct outbox **out, struct comet *comet)
{
    const struct comet_options *options = &comet->options;
    struct outbox *outbox = mem_zalloc(sizeof *outbox);
    pthread_condattr_t monotonic;
    outbox->comet = comet;
    outbox->rank = own_rank(options);
    outbox->gather_ns = 1000u * (uint64_t)options->gather_us;
    pthread_mutex_init(&outbox->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&outbox->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&outbox->thread, NULL, outbox_run, outbox) != 0) {
        pthread_mutex_destroy(&outbox->lock);
        pthread_cond_destroy(&outbox->changed);
        free(outbox);
        return ERR_IO;
    }
    *out = outbox;
    return OK;
}
