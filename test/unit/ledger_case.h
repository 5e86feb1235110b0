/* For tests that need a fresh small ledger in each case. */
#ifndef CAIRN_TEST_LEDGER_CASE_H
#define CAIRN_TEST_LEDGER_CASE_H

#include "ledger_maker.h"
#include "merkle/statemap.h"

static struct maker maker;

static inline int setup(void **state)
{
    (void)state;
    seeded_start("ledger");
    maker_keys_init(&maker.keys);
    maker_create(&maker);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    maker_destroy(&maker);
    maker_keys_clear(&maker.keys);
    return 0;
}

/* Bodies of one operation, in static memory of a few slots. */
static inline struct bytes body(enum maker_op op, struct bytes key, struct bytes value)
{
    static struct buf slots[8];
    static unsigned next;
    struct buf *out = &slots[next++ % 8];
    out->len = 0;
    cbor_put_array(out, 2);
    cbor_put_uint(out, 1);
    cbor_put_array(out, 1);
    cbor_put_array(out, 3);
    cbor_put_uint(out, op);
    cbor_put_bytes(out, key);
    cbor_put_bytes(out, value);
    return buf_bytes(out);
}

static inline struct bytes nothing(void)
{
    static const uint8_t bytes[] = {0x82, 0x01, 0x80};
    return (struct bytes){bytes, sizeof bytes};
}

static inline struct bytes key_a(void)
{
    static const uint8_t bytes[] = {0x61, 'a'};
    return (struct bytes){bytes, sizeof bytes};
}

static inline struct submission *say(unsigned member, unsigned key, const char *type,
                                     struct bytes bytes)
{
    struct maker_statement what = {
        .member = member, .key = key, .type = type, .body = bytes, .time_ms = MAKER_TIME};
    return maker_submission(&maker, &what);
}

/* Executes a block of one at the time of the genesis, checks its outcome and frees it. */
static inline struct statement_result one(struct submission *submission, enum err want)
{
    struct block_result result = maker_execute(&maker, &submission, 1, MAKER_TIME);
    struct statement_result out = result.results[0];
    CHECK_ERR(out.err, want);
    if (want != OK) {
        CHECK(!result.changed);
        CHECK(out.why.field[0] != '\0');
    }
    CHECK_OK(ledger_commit(maker.ledger));
    submission_free(submission);
    return out;
}

static inline void reopen(void)
{
    maker_close(&maker);
    maker_open(&maker);
}

static inline struct header head(void)
{
    struct view *view = ledger_view(maker.ledger);
    struct header header = *view_header(view);
    view_release(view);
    return header;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
