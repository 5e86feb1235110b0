#include "check.h"
#include "order/comet/tx.h"

#include <string.h>

static void expect_round_trip(struct bytes bytes, const struct tx *want)
{
    struct tx tx;
    CHECK_OK(tx_parse(&tx, bytes));
    CHECK(tx.kind == want->kind);
    CHECK_UINT(tx.time_ms, want->time_ms);
    CHECK_UINT(tx.height, want->height);
    CHECK_UINT(tx.attempt, want->attempt);
    CHECK_BYTES(tx.statements, want->statements);
    for (size_t len = 0; len < bytes.len; len++) {
        CHECK(tx_parse(&tx, (struct bytes){bytes.at, len}) != OK);
    }
    struct buf longer = {0};
    buf_put(&longer, bytes);
    buf_put_byte(&longer, 0);
    CHECK(tx_parse(&tx, buf_bytes(&longer)) != OK);
    buf_clear(&longer);
}

static void a_time_and_a_tick_come_back_and_nothing_shorter_or_longer_does(void **state)
{
    (void)state;
    struct buf bytes = {0};
    tx_time_write(&bytes, 1800000000123u);
    CHECK_BYTES(buf_bytes(&bytes), hex("8301001b000001a3185c507b"));
    expect_round_trip(buf_bytes(&bytes), &(struct tx){.kind = TX_TIME, .time_ms = 1800000000123u});
    CHECK(!tx_is_statements(buf_bytes(&bytes)));
    bytes.len = 0;
    tx_tick_write(&bytes, 7, 1800000000123u);
    CHECK_BYTES(buf_bytes(&bytes), hex("840102071b000001a3185c507b"));
    expect_round_trip(buf_bytes(&bytes),
                      &(struct tx){.kind = TX_TICK, .time_ms = 1800000000123u, .height = 7});
    CHECK(!tx_is_statements(buf_bytes(&bytes)));
    buf_clear(&bytes);
}

static void statements_come_back_and_each_attempt_has_other_bytes(void **state)
{
    (void)state;
    struct tx_draft draft = {0};
    tx_draft_begin(&draft);
    buf_put(&draft.buf, bytes_text("statement"));
    struct bytes first = tx_draft_close(&draft, 0);
    struct tx want = {.kind = TX_STATEMENTS, .statements = bytes_text("statement")};
    expect_round_trip(first, &want);
    CHECK(tx_is_statements(first));
    struct buf kept = {0};
    buf_put(&kept, first);
    for (uint64_t attempt = 1; attempt <= 300; attempt += 299) {
        struct bytes again = tx_draft_close(&draft, attempt);
        want.attempt = attempt;
        expect_round_trip(again, &want);
        CHECK(tx_is_statements(again));
        CHECK(!bytes_equal(again, buf_bytes(&kept)));
    }
    CHECK_BYTES(tx_draft_close(&draft, 0), buf_bytes(&kept));
    buf_clear(&kept);
    tx_draft_clear(&draft);
}

static void what_is_no_transaction_is_refused(void **state)
{
    (void)state;
    struct tx tx;
    CHECK_ERR(tx_parse(&tx, hex("83020001")), ERR_VERSION);
    CHECK_ERR(tx_parse(&tx, hex("83010301")), ERR_FORMAT);
    CHECK_ERR(tx_parse(&tx, hex("8301001b0000e677d21fdc00")), ERR_RANGE); /* year 10000 */
    CHECK_ERR(tx_parse(&tx, hex("84010141a000")), ERR_RANGE);             /* attempt 0 */
    CHECK(tx_parse(&tx, hex("83010140")) != OK);                          /* no statements */
    CHECK(tx_parse(&tx, hex("820100")) != OK);
    CHECK(tx_parse(&tx, hex("8401000101")) != OK);
    CHECK(tx_parse(&tx, BYTES_NONE) != OK);
}

static void the_largest_transaction_is_taken_and_one_byte_more_is_not(void **state)
{
    (void)state;
    struct tx tx;
    struct tx_draft draft = {0};
    tx_draft_begin(&draft);
    memset(buf_grow(&draft.buf, TX_SEQUENCE_MAX), 0xa0, TX_SEQUENCE_MAX);
    struct bytes bytes = tx_draft_close(&draft, TX_ATTEMPT_MAX);
    CHECK(bytes.len <= TX_MAX);
    CHECK_OK(tx_parse(&tx, bytes));
    CHECK_UINT(tx.statements.len, TX_SEQUENCE_MAX);
    tx_draft_clear(&draft);
    struct buf large = {0};
    buf_put(&large, hex("8301015a000b0001")); /* TX_SEQUENCE_MAX + 1 */
    memset(buf_grow(&large, TX_SEQUENCE_MAX + 1), 0xa0, TX_SEQUENCE_MAX + 1);
    CHECK_ERR(tx_parse(&tx, buf_bytes(&large)), ERR_RANGE);
    buf_clear(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_and_a_tick_come_back_and_nothing_shorter_or_longer_does),
        cmocka_unit_test(statements_come_back_and_each_attempt_has_other_bytes),
        cmocka_unit_test(what_is_no_transaction_is_refused),
        cmocka_unit_test(the_largest_transaction_is_taken_and_one_byte_more_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
