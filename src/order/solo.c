/* One thread owns the clock anchor and makes the blocks; submitters only append to a bounded
 * queue. While a block is being made durable the next ones gather, so that under load one fsync
 * serves many statements and an idle ledger answers at once.
 *
 * Clock (protocol.md 4). The anchor is a pair (wall, monotonic) taken when a block was made. Before
 * every block: wall' - wall must be within the limit of monotonic' - monotonic. At start only a
 * wall clock that stands before the last block by more than the limit is a step: how long the
 * ledger was off, nobody can tell. Once stepped, everything waiting is refused, with the remedy,
 * until the step is accepted.
 *
 * Timers. An idle ledger wakes when the earliest timer is due by the wall clock, and makes a block
 * without statements; while a step stands unaccepted, none. */
#include "order/solo.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_BLOCK_COUNT   8192
#define DEFAULT_CLOCK_STEP_MS 60000
#define GATHER_NS             300000
#define GATHER_COUNT          256
#define NAP_MAX_MS            1000 /* the wall clock is asked again: it may have been set */

struct waiting {
    struct submission *submission;
    order_fn *done;
    void *context;
    size_t len;
};

struct solo {
    struct order order; /* first, so that one is the other */
    struct order_app app;
    struct solo_options options;
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below it up to the next comment */
    pthread_cond_t wake;
    struct waiting *queue;
    size_t queue_count;
    size_t queue_cap;
    size_t queue_len;
    size_t last_count; /* of the last block */
    enum order_state state;
    bool stopping;
    bool clock_accepted;
    int64_t clock_step_ms;

    /* Of the thread alone. */
    struct waiting *block;
    struct submission **submissions;
    uint64_t last_time_ms;
    uint64_t anchor_wall_ms;
    uint64_t anchor_mono_ns;
};

static size_t submission_len(const struct submission *submission)
{
    size_t items_len = submission->items ? (size_t)submission->items->total_len : 0;
    return submission->entry.len + items_len;
}

static enum err solo_submit(struct order *order, struct submission *submission, order_fn *done,
                            void *context)
{
    struct solo *solo = (struct solo *)order;
    size_t len = submission_len(submission);
    enum err err = OK;
    pthread_mutex_lock(&solo->lock);
    if (solo->stopping || solo->state == ORDER_FAILED) {
        err = ERR_CLOSED;
    } else if (solo->queue_count >= solo->options.queue_count_max ||
               (solo->queue_count > 0 && solo->queue_len + len > solo->options.queue_len_max)) {
        err = ERR_BUSY;
    } else {
        if (solo->queue_count == solo->queue_cap) {
            solo->queue_cap = solo->queue_cap ? solo->queue_cap * 2 : 256;
            solo->queue = mem_realloc(solo->queue, solo->queue_cap * sizeof *solo->queue);
        }
        solo->queue[solo->queue_count++] = (struct waiting){submission, done, context, len};
        solo->queue_len += len;
    }
    pthread_mutex_unlock(&solo->lock);
    return err;
}

static void solo_wake(struct order *order)
{
    struct solo *solo = (struct solo *)order;
    pthread_mutex_lock(&solo->lock);
    pthread_cond_signal(&solo->wake);
    pthread_mutex_unlock(&solo->lock);
}

static void solo_status(struct order *order, struct order_status *out)
{
    struct solo *solo = (struct solo *)order;
    pthread_mutex_lock(&solo->lock);
    *out = (struct order_status){.state = solo->state,
                                 .queued_count = solo->queue_count,
                                 .queued_len = solo->queue_len,
                                 .queued_count_max = solo->options.queue_count_max,
                                 .queued_len_max = solo->options.queue_len_max,
                                 .clock_step_ms = solo->clock_step_ms,
                                 .batch_max = BATCH_BYTES_MAX};
    pthread_mutex_unlock(&solo->lock);
}

static enum err solo_accept_clock(struct order *order)
{
    struct solo *solo = (struct solo *)order;
    pthread_mutex_lock(&solo->lock);
    enum err err = solo->state == ORDER_CLOCK_STEPPED ? OK : ERR_REFUSED;
    if (err == OK) {
        solo->clock_accepted = true;
        solo->state = ORDER_RUNNING;
        solo->clock_step_ms = 0;
        pthread_cond_signal(&solo->wake); /* a timer may be due */
    }
    pthread_mutex_unlock(&solo->lock);
    return err;
}

static void set_state(struct solo *solo, enum order_state state, int64_t step_ms)
{
    pthread_mutex_lock(&solo->lock);
    solo->state = state;
    solo->clock_step_ms = step_ms;
    pthread_mutex_unlock(&solo->lock);
}

/* How many of the waiting fit one block: at least one, by count and by bytes. */
static size_t block_fit(const struct solo *solo)
{
    size_t count = 0;
    size_t len = 0;
    while (count < solo->queue_count && count < solo->options.block_count_max) {
        len += solo->queue[count].len;
        if (count > 0 && len > BLOCK_LEN_MAX) {
            break;
        }
        count++;
    }
    return count;
}

/* Under load, that is after a block of several statements, a moment is waited for more of them, so
 * that one fsync serves them too; an idle ledger makes its block at once. */
static void gather(struct solo *solo)
{
    pthread_mutex_lock(&solo->lock);
    bool wait = solo->last_count > 1 && solo->queue_count < GATHER_COUNT && !solo->stopping;
    pthread_mutex_unlock(&solo->lock);
    if (wait) {
        struct timespec moment = {.tv_nsec = GATHER_NS};
        nanosleep(&moment, NULL);
    }
}

/* Sleeps until something changes, but not longer than `ms`. */
static void nap(struct solo *solo, uint64_t ms)
{
    uint64_t at_ns = clock_mono_ns() + ms * 1000000u;
    struct timespec until = {.tv_sec = (time_t)(at_ns / 1000000000u),
                             .tv_nsec = (long)(at_ns % 1000000000u)};
    pthread_cond_timedwait(&solo->wake, &solo->lock, &until);
}

/* What a block says that is made at `wall_ms`: never less than the last one did. */
static uint64_t block_time(const struct solo *solo, uint64_t wall_ms)
{
    return wall_ms > solo->last_time_ms ? wall_ms : solo->last_time_ms;
}

/* Waits for a statement, or for the time at which the earliest timer is due. */
static void await_work(struct solo *solo)
{
    while (solo->queue_count == 0 && !solo->stopping) {
        uint64_t due_ms = solo->app.timer_due(solo->app.context);
        if (due_ms == UINT64_MAX || solo->state != ORDER_RUNNING) {
            pthread_cond_wait(&solo->wake, &solo->lock);
            continue;
        }
        uint64_t now_ms = block_time(solo, solo->options.wall_ms());
        if (now_ms >= due_ms) {
            return;
        }
        nap(solo, due_ms - now_ms < NAP_MAX_MS ? due_ms - now_ms : NAP_MAX_MS);
    }
}

/* Waits for work and moves up to one block of it out of the queue, oldest first. False when
 * stopping with nothing left; *count is 0 where a timer alone is due. */
static bool take_block(struct solo *solo, size_t *out)
{
    gather(solo);
    pthread_mutex_lock(&solo->lock);
    await_work(solo);
    size_t count = block_fit(solo);
    bool stop = count == 0 && solo->stopping;
    if (count > 0) {
        memcpy(solo->block, solo->queue, count * sizeof *solo->queue);
        solo->last_count = count;
        solo->queue_count -= count;
        memmove(solo->queue, solo->queue + count, solo->queue_count * sizeof *solo->queue);
        for (size_t i = 0; i < count; i++) {
            solo->queue_len -= solo->block[i].len;
            solo->submissions[i] = solo->block[i].submission;
        }
    }
    pthread_mutex_unlock(&solo->lock);
    *out = count;
    return !stop;
}

static void anchor_clock(struct solo *solo, uint64_t wall_ms, uint64_t mono_ns)
{
    solo->anchor_wall_ms = wall_ms;
    solo->anchor_mono_ns = mono_ns;
}

/* Reads the clock for the next block. ERR_REFUSED while a step stands unaccepted. */
static enum err read_clock(struct solo *solo, uint64_t *time_ms)
{
    uint64_t wall_ms = solo->options.wall_ms();
    uint64_t mono_ns = solo->options.mono_ns();
    pthread_mutex_lock(&solo->lock);
    bool accepted = solo->clock_accepted;
    solo->clock_accepted = false;
    bool stepped = solo->state == ORDER_CLOCK_STEPPED;
    pthread_mutex_unlock(&solo->lock);
    uint64_t expected_ms = solo->anchor_wall_ms + (mono_ns - solo->anchor_mono_ns) / 1000000u;
    int64_t step_ms = (int64_t)(wall_ms - expected_ms);
    uint64_t size_ms = (uint64_t)(step_ms < 0 ? -step_ms : step_ms);
    if (stepped) {
        return ERR_REFUSED;
    }
    if (!accepted && size_ms > solo->options.clock_step_ms) {
        log_event(LOG_ERROR, "clock.step", "step_ms=%lld", (long long)step_ms);
        set_state(solo, ORDER_CLOCK_STEPPED, step_ms);
        return ERR_REFUSED;
    }
    anchor_clock(solo, wall_ms, mono_ns);
    *time_ms = block_time(solo, wall_ms);
    return OK;
}

static void answer_all(struct solo *solo, size_t count, const struct block_result *result,
                       enum err err)
{
    for (size_t i = 0; i < count; i++) {
        struct waiting *waiting = &solo->block[i];
        struct order_result answer = {
            .result = err == OK ? &result->results[i] : NULL,
            .head = err == OK ? &result->header : NULL,
            .err = err,
        };
        waiting->done(waiting->context, waiting->submission, &answer);
    }
}

/* Places in the label of METRIC_ORDER_TIME. */
enum { STEP_EXECUTE, STEP_COMMIT };

/* Notes how long a step took and returns when it ended. */
static uint64_t note_step(unsigned step, uint64_t from_ns)
{
    uint64_t now_ns = clock_mono_ns();
    metric_observe_us(METRIC_ORDER_TIME, step, (now_ns - from_ns) / 1000);
    return now_ns;
}

/* A failed disk stops the writer for good: "stored" may never be said wrongly. */
static enum err make_block(struct solo *solo, size_t count, struct block_result *result)
{
    struct block_input input = {.submissions = solo->submissions, .count = count};
    TRY(read_clock(solo, &input.time_ms));
    uint64_t from_ns = clock_mono_ns();
    enum err err = solo->app.execute(solo->app.context, &input, result);
    from_ns = note_step(STEP_EXECUTE, from_ns);
    metric_observe(METRIC_ORDER_SIZE, 0, count);
    if (err == OK && result->changed) {
        err = solo->app.commit(solo->app.context, &input, result);
        note_step(STEP_COMMIT, from_ns);
        metric_add(METRIC_ORDER_BLOCKS, 0, err == OK);
        solo->last_time_ms = result->header.time_ms;
    }
    if (err != OK) {
        log_event(LOG_ERROR, "order.failed", "err=%s", err_name(err));
        set_state(solo, ORDER_FAILED, 0);
        return err == ERR_REFUSED ? ERR_IO : err;
    }
    return OK;
}

static void *solo_run(void *context)
{
    struct solo *solo = context;
    size_t count;
    while (take_block(solo, &count)) {
        struct block_result result;
        enum err err = make_block(solo, count, &result);
        answer_all(solo, count, &result, err);
    }
    return NULL;
}

static void solo_free(struct solo *solo)
{
    pthread_mutex_destroy(&solo->lock);
    pthread_cond_destroy(&solo->wake);
    free(solo->queue);
    free(solo->block);
    free(solo->submissions);
    free(solo);
}

/* Its thread asks no verifier. */
static void solo_halt(struct order *order)
{
    (void)order;
}

static void solo_stop(struct order *order)
{
    struct solo *solo = (struct solo *)order;
    pthread_mutex_lock(&solo->lock);
    solo->stopping = true;
    pthread_cond_signal(&solo->wake);
    pthread_mutex_unlock(&solo->lock);
    pthread_join(solo->thread, NULL);
    solo_free(solo);
}

static void set_defaults(struct solo_options *options)
{
    options->queue_count_max =
        options->queue_count_max ? options->queue_count_max : ORDER_QUEUE_COUNT;
    options->queue_len_max = options->queue_len_max ? options->queue_len_max : ORDER_QUEUE_LEN;
    options->block_count_max =
        options->block_count_max ? options->block_count_max : DEFAULT_BLOCK_COUNT;
    options->clock_step_ms =
        options->clock_step_ms ? options->clock_step_ms : DEFAULT_CLOCK_STEP_MS;
    options->wall_ms = options->wall_ms ? options->wall_ms : clock_wall_ms;
    options->mono_ns = options->mono_ns ? options->mono_ns : clock_mono_ns;
}

/* At start the last block's time is all there is to hold the wall clock against. */
static void check_start(struct solo *solo)
{
    uint64_t wall_ms = solo->options.wall_ms();
    anchor_clock(solo, wall_ms, solo->options.mono_ns());
    if (wall_ms + solo->options.clock_step_ms < solo->last_time_ms) {
        int64_t step_ms = -(int64_t)(solo->last_time_ms - wall_ms);
        log_event(LOG_ERROR, "clock.step", "step_ms=%lld at=start", (long long)step_ms);
        set_state(solo, ORDER_CLOCK_STEPPED, step_ms);
    }
}

/* Naps are measured by the monotonic clock. */
static void init_wake(pthread_cond_t *wake)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum err solo_start(struct order **out, const struct order_app *app,
                    const struct solo_options *options)
{
    struct solo *solo = mem_zalloc(sizeof *solo);
    solo->order = (struct order){solo_submit,       solo_wake, solo_status,
                                 solo_accept_clock, solo_halt, solo_stop};
    solo->app = *app;
    solo->options = *options;
    set_defaults(&solo->options);
    solo->last_time_ms = options->last_time_ms;
    solo->block = mem_alloc(solo->options.block_count_max * sizeof *solo->block);
    solo->submissions = mem_alloc(solo->options.block_count_max * sizeof(struct submission *));
    pthread_mutex_init(&solo->lock, NULL);
    init_wake(&solo->wake);
    check_start(solo);
    if (pthread_create(&solo->thread, NULL, solo_run, solo) != 0) {
        solo_free(solo);
        *out = NULL;
        return ERR_IO;
    }
    *out = &solo->order;
    return OK;
}
