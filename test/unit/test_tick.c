#include "check.h"
#include "order/comet/tick.h"

#define DUE 1800000000000u

static const struct tick_head head = {.height = 7, .due_ms = DUE};
static const struct tick_head none = {.height = 7, .due_ms = UINT64_MAX};

static void a_tick_is_current_for_one_head_and_timer_once_it_is_due(void **state)
{
    (void)state;
    CHECK(tick_is_current(&head, 7, DUE, DUE));
    CHECK(tick_is_current(&head, 7, DUE, DUE + 100000));
    CHECK(!tick_is_current(&head, 7, DUE, DUE - 1));
    CHECK(!tick_is_current(&head, 6, DUE, DUE));
    CHECK(!tick_is_current(&head, 8, DUE, DUE));
    CHECK(!tick_is_current(&head, 7, DUE - 1, DUE));
    CHECK(!tick_is_current(&none, 7, UINT64_MAX, UINT64_MAX));
}

static void a_block_fires_what_is_due_at_its_time(void **state)
{
    (void)state;
    CHECK(tick_fires(&head, DUE));
    CHECK(!tick_fires(&head, DUE - 1));
    CHECK(!tick_fires(&none, UINT64_MAX));
}

static void every_validator_goes_first_at_some_height_and_no_two_together(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 7; count++) {
        for (uint64_t height = 0; height < 20; height++) {
            unsigned seen = 0;
            for (size_t position = 0; position < count; position++) {
                size_t turn = tick_turn(position, count, height);
                CHECK(turn < count);
                CHECK((seen & (1u << turn)) == 0);
                seen |= 1u << turn;
            }
            CHECK_UINT(tick_turn((size_t)(height % count), count, height), 0);
            CHECK_UINT(tick_turn(count, count, height), count);
        }
    }
    CHECK_UINT(tick_turn(0, 0, 5), 0);
}

static void a_node_sends_at_its_turn_and_once(void **state)
{
    (void)state;
    struct ticker ticker = {0};
    uint64_t wait_ms;
    CHECK(!ticker_sends(&ticker, &head, 2, DUE - 1000, &wait_ms));
    CHECK_UINT(wait_ms, 1000 + 2 * TICK_TURN_MS);
    CHECK(!ticker_sends(&ticker, &head, 2, DUE + 2 * TICK_TURN_MS - 1, &wait_ms));
    CHECK_UINT(wait_ms, 1);
    CHECK(ticker_sends(&ticker, &head, 2, DUE + 2 * TICK_TURN_MS, &wait_ms));
    CHECK(!ticker_sends(&ticker, &head, 2, DUE + 2 * TICK_TURN_MS, &wait_ms));
    CHECK_UINT(wait_ms, TICK_AGAIN_MS);
    CHECK(ticker_sends(&ticker, &head, 2, DUE + 2 * TICK_TURN_MS + TICK_AGAIN_MS, &wait_ms));
}

static void another_head_or_timer_is_another_tick(void **state)
{
    (void)state;
    struct ticker ticker = {0};
    uint64_t wait_ms;
    struct tick_head next = {.height = 8, .due_ms = DUE};
    struct tick_head later = {.height = 8, .due_ms = DUE + 5};
    CHECK(ticker_sends(&ticker, &head, 0, DUE, &wait_ms));
    CHECK(ticker_sends(&ticker, &next, 0, DUE, &wait_ms));
    CHECK(!ticker_sends(&ticker, &later, 0, DUE, &wait_ms));
    CHECK_UINT(wait_ms, 5);
    CHECK(ticker_sends(&ticker, &later, 0, DUE + 5, &wait_ms));
}

static void without_a_timer_there_is_nothing_to_wait_for(void **state)
{
    (void)state;
    struct ticker ticker = {0};
    uint64_t wait_ms;
    CHECK(!ticker_sends(&ticker, &none, 0, UINT64_MAX, &wait_ms));
    CHECK_UINT(wait_ms, UINT64_MAX);
    struct tick_head far = {.height = 1, .due_ms = UINT64_MAX - 1};
    CHECK(!ticker_sends(&ticker, &far, 3, DUE, &wait_ms));
    CHECK_UINT(wait_ms, UINT64_MAX - DUE);
}

static void late_turns_share_a_delay_and_a_clock_set_back_does_not_silence(void **state)
{
    (void)state;
    struct ticker ticker = {0};
    uint64_t wait_ms;
    CHECK(!ticker_sends(&ticker, &head, 200, DUE, &wait_ms));
    CHECK_UINT(wait_ms, TICK_TURNS * TICK_TURN_MS);
    CHECK(ticker_sends(&ticker, &head, 0, DUE + 3600000, &wait_ms));
    CHECK(ticker_sends(&ticker, &head, 0, DUE + 5, &wait_ms));
    CHECK(!ticker_sends(&ticker, &head, 0, DUE + 6, &wait_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_is_current_for_one_head_and_timer_once_it_is_due),
        cmocka_unit_test(a_block_fires_what_is_due_at_its_time),
        cmocka_unit_test(every_validator_goes_first_at_some_height_and_no_two_together),
        cmocka_unit_test(a_node_sends_at_its_turn_and_once),
        cmocka_unit_test(another_head_or_timer_is_another_tick),
        cmocka_unit_test(without_a_timer_there_is_nothing_to_wait_for),
        cmocka_unit_test(late_turns_share_a_delay_and_a_clock_set_back_does_not_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
