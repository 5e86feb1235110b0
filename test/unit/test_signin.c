/* When a session statement counts, under a clock of the test's own. */
#include "check.h"

#include "http/access_internal.h"
#include "http/signin.h"

#define START_MS 1000000u

static enum err check(uint64_t iat_ms, uint64_t expiry_ms, uint64_t now_ms)
{
    struct session_statement statement = {.iat_ms = iat_ms, .expiry_ms = expiry_ms};
    struct why why = {0};
    enum err err = sign_in_time_check(&statement, START_MS, now_ms, &why);
    CHECK(err == OK || (why.field[0] && why.problem[0] && why.remedy[0]));
    return err;
}

static void a_statement_counts_from_when_it_was_signed_to_its_expiry(void **state)
{
    (void)state;
    uint64_t iat = START_MS + 10000;
    CHECK_OK(check(iat, iat + 300000, iat));
    CHECK_OK(check(iat, iat + 300000, iat + 300000));
    CHECK_ERR(check(iat, iat + 300000, iat + 300001), ERR_EXPIRED);
}

static void a_clock_may_be_a_little_ahead(void **state)
{
    (void)state;
    uint64_t now = START_MS + 10000;
    CHECK_OK(check(now + SIGN_IN_AHEAD_MS, now + 60000, now));
    CHECK_ERR(check(now + SIGN_IN_AHEAD_MS + 1, now + 60000, now), ERR_EXPIRED);
}

/* Whatever a node may have taken before it started anew, it does not take again. */
static void what_may_have_been_used_before_the_start_does_not_count(void **state)
{
    (void)state;
    uint64_t last = START_MS + SIGN_IN_AHEAD_MS;
    CHECK_ERR(check(START_MS - 1, START_MS + 200000, START_MS + 100), ERR_BUSY);
    CHECK_ERR(check(last, last + 60000, last), ERR_BUSY);
    CHECK_ERR(check(last, last + 60000, last + 1), ERR_EXPIRED);
    CHECK_OK(check(last + 1, last + 60000, last + 1));
    CHECK_OK(check(last + 1, last + 60000, last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_counts_from_when_it_was_signed_to_its_expiry),
        cmocka_unit_test(a_clock_may_be_a_little_ahead),
        cmocka_unit_test(what_may_have_been_used_before_the_start_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
