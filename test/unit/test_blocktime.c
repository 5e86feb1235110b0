#include "check.h"
#include "order/comet/blocktime.h"

#define NOW 1800000000000u

static void the_engines_time_is_rounded_up_to_milliseconds(void **state)
{
    (void)state;
    CHECK_UINT(blocktime_engine_ms(&(struct comet_time){1800000000, 0}), NOW);
    CHECK_UINT(blocktime_engine_ms(&(struct comet_time){1800000000, 1}), NOW + 1);
    CHECK_UINT(blocktime_engine_ms(&(struct comet_time){1800000000, 1000000}), NOW + 1);
    CHECK_UINT(blocktime_engine_ms(&(struct comet_time){-62135596800, 0}), 0);
}

static void a_proposal_says_the_latest_of_three(void **state)
{
    (void)state;
    CHECK_UINT(blocktime_propose(NOW, NOW - 5, NOW - 5), NOW);
    CHECK_UINT(blocktime_propose(NOW, NOW + 7, NOW - 5), NOW + 7);
    CHECK_UINT(blocktime_propose(NOW, NOW - 5, NOW + 3), NOW + 4);
    CHECK_UINT(blocktime_propose(NOW, NOW, NOW), NOW + 1);
}

static void time_goes_forward_and_not_before_the_engine(void **state)
{
    (void)state;
    CHECK(blocktime_check(NOW + 1, NOW, NOW) == TIME_GOOD);
    CHECK(blocktime_check(NOW, NOW - 9, NOW) == TIME_NOT_LATER);
    CHECK(blocktime_check(NOW - 1, NOW - 9, NOW) == TIME_NOT_LATER);
    CHECK(blocktime_check(NOW + 1, NOW + 1, NOW) == TIME_GOOD);
    CHECK(blocktime_check(NOW + 1, NOW + 2, NOW) == TIME_BEFORE_ENGINE);
}

static void a_clock_is_two_seconds_ahead_or_sixty_behind_at_most(void **state)
{
    (void)state;
    CHECK(blocktime_judge(NOW + 2000, NOW, false) == TIME_GOOD);
    CHECK(blocktime_judge(NOW + 2001, NOW, false) == TIME_AHEAD);
    CHECK(blocktime_judge(NOW + 2001, NOW, true) == TIME_AHEAD);
    CHECK(blocktime_judge(NOW - 60000, NOW, false) == TIME_GOOD);
    CHECK(blocktime_judge(NOW - 60001, NOW, false) == TIME_BEHIND);
    CHECK(blocktime_judge(NOW - 60001, NOW, true) == TIME_GOOD);
}

static void a_block_that_comes_a_third_time_may_be_old(void **state)
{
    (void)state;
    struct blocktime blocktime = {0};
    struct hash locked = {{1}};
    struct hash other = {{2}};
    CHECK(!blocktime_seen(&blocktime, 5, &locked));
    CHECK(!blocktime_seen(&blocktime, 5, &other));
    CHECK(!blocktime_seen(&blocktime, 5, &locked));
    CHECK(blocktime_seen(&blocktime, 5, &locked));
    CHECK(blocktime_seen(&blocktime, 5, &locked));
    CHECK(!blocktime_seen(&blocktime, 5, &other));
    CHECK(!blocktime_seen(&blocktime, 6, &locked));
}

static void made_up_blocks_do_not_push_out_a_locked_one(void **state)
{
    (void)state;
    struct blocktime blocktime = {0};
    struct hash locked = {{1}};
    bool waived = false;
    for (unsigned round = 0; round < 3; round++) {
        waived = blocktime_seen(&blocktime, 5, &locked);
        for (unsigned i = 0; i + 1 < BLOCKTIME_BLOCKS; i++) {
            struct hash other = {{2, (uint8_t)round, (uint8_t)i}};
            CHECK(!blocktime_seen(&blocktime, 5, &other));
        }
    }
    CHECK(waived);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engines_time_is_rounded_up_to_milliseconds),
        cmocka_unit_test(a_proposal_says_the_latest_of_three),
        cmocka_unit_test(time_goes_forward_and_not_before_the_engine),
        cmocka_unit_test(a_clock_is_two_seconds_ahead_or_sixty_behind_at_most),
        cmocka_unit_test(a_block_that_comes_a_third_time_may_be_old),
        cmocka_unit_test(made_up_blocks_do_not_push_out_a_locked_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
