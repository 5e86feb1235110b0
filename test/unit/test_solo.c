#include "check.h"
#include "order/solo.h"

#include <pthread.h>
#include <stdatomic.h>

/* An application that accepts everything and counts; its clocks are the test's. */
struct fake {
    struct order_app app;
    atomic_uint blocks;
    atomic_uint committed;
    atomic_uint answered;
    atomic_uint refused;
    atomic_uint biggest;
    enum err fail_commit;
    atomic_uint_fast64_t timer_due_ms; /* UINT64_MAX: none */
    atomic_uint timers;                /* that fired */
    unsigned bare;                     /* blocks without statements */
    struct statement_result results[64];
    uint64_t times[1024];
    pthread_mutex_t hold; /* while the test holds it, no block is executed */
};

static atomic_uint_fast64_t wall;
static atomic_uint_fast64_t mono;

static uint64_t fake_wall(void)
{
    return atomic_load(&wall);
}

static uint64_t fake_mono(void)
{
    return atomic_load(&mono);
}

static enum err fake_execute(void *context, const struct block_input *input,
                             struct block_result *out)
{
    struct fake *fake = context;
    pthread_mutex_lock(&fake->hold);
    pthread_mutex_unlock(&fake->hold);
    unsigned block = atomic_fetch_add(&fake->blocks, 1);
    if (input->count > atomic_load(&fake->biggest)) {
        atomic_store(&fake->biggest, (unsigned)input->count);
    }
    fake->times[block % 1024] = input->time_ms;
    fake->bare += input->count == 0;
    if (input->time_ms >= atomic_load(&fake->timer_due_ms)) {
        atomic_store(&fake->timer_due_ms, UINT64_MAX);
        atomic_fetch_add(&fake->timers, 1);
    }
    *out = (struct block_result){.changed = true,
                                 .header = {.time_ms = input->time_ms},
                                 .results = fake->results,
                                 .count = input->count};
    return OK;
}

static enum err fake_commit(void *context, const struct block_input *input,
                            const struct block_result *result)
{
    (void)result;
    struct fake *fake = context;
    atomic_fetch_add(&fake->committed, (unsigned)input->count);
    return fake->fail_commit;
}

static uint64_t fake_timer_due(void *context)
{
    struct fake *fake = context;
    return atomic_load(&fake->timer_due_ms);
}

static void answer(void *context, struct submission *submission, const struct order_result *result)
{
    struct fake *fake = context;
    atomic_fetch_add(result->err == OK ? &fake->answered : &fake->refused, 1);
    free(submission);
}

static struct order *start(struct fake *fake, size_t queue_max)
{
    *fake = (struct fake){.app = {.context = fake,
                                  .timer_due = fake_timer_due,
                                  .execute = fake_execute,
                                  .commit = fake_commit},
                          .timer_due_ms = UINT64_MAX};
    pthread_mutex_init(&fake->hold, NULL);
    atomic_store(&wall, 1700000000000u);
    atomic_store(&mono, 5000000000u);
    struct solo_options options = {.last_time_ms = 1700000000000u,
                                   .queue_count_max = queue_max,
                                   .block_count_max = 64,
                                   .wall_ms = fake_wall,
                                   .mono_ns = fake_mono};
    struct order *order;
    CHECK_OK(solo_start(&order, &fake->app, &options));
    return order;
}

static enum err submit(struct order *order, struct fake *fake)
{
    struct submission *submission = mem_zalloc(sizeof *submission);
    enum err err = order->submit(order, submission, answer, fake);
    if (err != OK) {
        free(submission);
    }
    order->wake(order);
    return err;
}

static void await(atomic_uint *counter, unsigned want)
{
    while (atomic_load(counter) < want) {
        sched_yield();
    }
}

static void everything_submitted_is_committed_and_answered_once(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    for (unsigned i = 0; i < 1000; i++) {
        CHECK_OK(submit(order, &fake));
    }
    order->stop(order); /* commits what was taken */
    CHECK_UINT(fake.answered, 1000);
    CHECK_UINT(fake.committed, 1000);
    CHECK(fake.biggest <= 64);
}

static void statements_gather_while_a_block_is_made_and_a_full_queue_says_so(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 10);
    pthread_mutex_lock(&fake.hold);
    CHECK_OK(submit(order, &fake));
    struct order_status status;
    do { /* until the orderer has taken it and waits for us */
        order->status(order, &status);
    } while (status.queued_count > 0);
    for (unsigned i = 0; i < 10; i++) {
        CHECK_OK(submit(order, &fake));
    }
    CHECK_ERR(submit(order, &fake), ERR_BUSY);
    order->status(order, &status);
    CHECK_UINT(status.queued_count, 10);
    pthread_mutex_unlock(&fake.hold);
    order->stop(order);
    CHECK_UINT(fake.answered, 11);
    CHECK_UINT(fake.blocks, 2);
}

static void a_clock_step_stops_writing_until_it_is_accepted(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    CHECK_ERR(order->accept_clock(order), ERR_REFUSED);
    atomic_fetch_add(&mono, 3600000000000u); /* an idle hour, seen by both clocks: no step */
    atomic_fetch_add(&wall, 3600000u);
    CHECK_OK(submit(order, &fake));
    await(&fake.answered, 1);
    atomic_fetch_add(&wall, 60001u);
    CHECK_OK(submit(order, &fake));
    await(&fake.refused, 1);
    struct order_status status;
    order->status(order, &status);
    CHECK_UINT(status.state, ORDER_CLOCK_STEPPED);
    CHECK_UINT(status.clock_step_ms, 60001);
    CHECK_OK(order->accept_clock(order));
    CHECK_OK(submit(order, &fake));
    await(&fake.answered, 2);
    CHECK_UINT(fake.times[1], 1700003660001u);
    order->stop(order);
}

static void time_never_runs_backwards(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    atomic_fetch_sub(&wall, 30000u); /* within the limit */
    CHECK_OK(submit(order, &fake));
    await(&fake.answered, 1);
    CHECK_UINT(fake.times[0], 1700000000000u);
    order->stop(order);
}

static void a_wall_clock_before_the_last_block_stops_a_start(void **state)
{
    (void)state;
    struct fake fake;
    struct order *running = start(&fake, 0);
    running->stop(running);
    struct solo_options options = {
        .last_time_ms = 1700000060001u, .wall_ms = fake_wall, .mono_ns = fake_mono};
    struct order *order;
    CHECK_OK(solo_start(&order, &fake.app, &options));
    CHECK_OK(submit(order, &fake));
    await(&fake.refused, 1);
    order->stop(order);
    CHECK_UINT(fake.blocks, 0);
}

static void a_failed_commit_stops_the_writer_for_good(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    fake.fail_commit = ERR_IO;
    CHECK_OK(submit(order, &fake));
    await(&fake.refused, 1);
    fake.fail_commit = OK;
    CHECK_ERR(submit(order, &fake), ERR_CLOSED);
    order->stop(order);
    CHECK_UINT(fake.answered, 0);
}

static void wait_briefly(void)
{
    struct timespec moment = {.tv_nsec = 5000000};
    nanosleep(&moment, NULL);
}

static void an_idle_ledger_makes_a_block_when_a_timer_is_due(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    atomic_store(&fake.timer_due_ms, 1700000000500u);
    order->wake(order);
    wait_briefly();
    CHECK_UINT(fake.blocks, 0);
    atomic_fetch_add(&wall, 500u);
    atomic_fetch_add(&mono, 500000000u);
    order->wake(order);
    await(&fake.timers, 1);
    CHECK_UINT(fake.times[0], 1700000000500u);
    order->stop(order);
    CHECK_UINT(fake.blocks, 1);
    CHECK_UINT(fake.bare, 1);
}

static void a_timer_is_looked_for_again_without_being_woken(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    atomic_store(&fake.timer_due_ms, 1700000000020u); /* in 20 ms, as it is thought */
    CHECK_OK(submit(order, &fake));                   /* whoever makes a block looks at it */
    await(&fake.answered, 1);
    atomic_fetch_add(&wall, 20u);
    atomic_fetch_add(&mono, 20000000u);
    await(&fake.timers, 1);
    order->stop(order);
}

static void a_block_of_statements_fires_what_is_due(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    atomic_store(&fake.timer_due_ms, 1700000000000u);
    CHECK_OK(submit(order, &fake));
    await(&fake.timers, 1);
    order->stop(order);
    CHECK_UINT(fake.answered, 1);
    CHECK(fake.blocks <= 2);
}

static void no_timer_fires_while_a_clock_step_stands(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    atomic_fetch_add(&wall, 60001u);
    atomic_store(&fake.timer_due_ms, 1700000000000u);
    order->wake(order);
    struct order_status status;
    do {
        order->status(order, &status);
    } while (status.state != ORDER_CLOCK_STEPPED);
    order->wake(order);
    wait_briefly();
    CHECK_UINT(fake.blocks, 0);
    CHECK_OK(order->accept_clock(order));
    await(&fake.timers, 1);
    order->stop(order);
}

static void a_stopping_orderer_leaves_timers_to_the_next(void **state)
{
    (void)state;
    struct fake fake;
    struct order *order = start(&fake, 0);
    atomic_store(&fake.timer_due_ms, 1700000099000u);
    order->wake(order);
    order->stop(order);
    CHECK_UINT(fake.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_submitted_is_committed_and_answered_once),
        cmocka_unit_test(statements_gather_while_a_block_is_made_and_a_full_queue_says_so),
        cmocka_unit_test(a_clock_step_stops_writing_until_it_is_accepted),
        cmocka_unit_test(time_never_runs_backwards),
        cmocka_unit_test(a_wall_clock_before_the_last_block_stops_a_start),
        cmocka_unit_test(a_failed_commit_stops_the_writer_for_good),
        cmocka_unit_test(an_idle_ledger_makes_a_block_when_a_timer_is_due),
        cmocka_unit_test(a_timer_is_looked_for_again_without_being_woken),
        cmocka_unit_test(a_block_of_statements_fires_what_is_due),
        cmocka_unit_test(no_timer_fires_while_a_clock_step_stands),
        cmocka_unit_test(a_stopping_orderer_leaves_timers_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
