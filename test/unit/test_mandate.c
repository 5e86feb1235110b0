#include "member_world.h"

static bool is_void(struct rule_context *world, const struct person *signer, const struct hash *id)
{
    struct buf key = {0};
    struct buf value = {0};
    void_state_key(&key, &signer->kid, id);
    bool found = fake_get(world, "member", buf_bytes(&key), &value) == OK;
    CHECK(!found || bytes_equal(buf_bytes(&value), hex("8101")));
    buf_clear(&key);
    buf_clear(&value);
    return found;
}

static void a_void_counts_for_the_key_that_signed_it(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct hash id = {{7}};
    CHECK_OK(send_reference(&world, &lawyer, MEMBER_TYPE("void"), &id, NULL));
    CHECK(is_void(&world, &lawyer, &id));
    CHECK(!is_void(&world, &teller, &id));
    CHECK_REFUSED(send_reference(&world, &lawyer, MEMBER_TYPE("void"), &id, &why), ERR_EXISTS,
                  "statement", why);
    CHECK_OK(send_reference(&world, &teller, MEMBER_TYPE("void"), &id, NULL));
    fake_clear(&world);
}

static struct hash give_mandate(struct rule_context *world, const struct person *principal,
                                const struct member_mandate *body, enum err want, const char *field)
{
    struct buf bytes = {0};
    struct why why = {0};
    member_mandate_write(&bytes, body);
    struct submission submission =
        fake_submission(world, principal, MEMBER_TYPE("mandate"), buf_bytes(&bytes));
    struct hash id = submission.id;
    CHECK_REFUSED(fake_apply(world, &submission, &why), want, field, why);
    buf_clear(&submission.entry);
    buf_clear(&bytes);
    return id;
}

static struct mandate_record mandate_of(struct rule_context *world, const struct hash *id)
{
    struct buf key = {0};
    struct buf value = {0};
    struct mandate_record record;
    mandate_state_key(&key, id);
    CHECK_OK(fake_get(world, "member", buf_bytes(&key), &value));
    CHECK_OK(mandate_record_parse(&record, arena_copy(&arena, buf_bytes(&value))));
    buf_clear(&key);
    buf_clear(&value);
    return record;
}

static void a_mandate_is_given_and_ended_by_its_principal(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_mandate body = {
        .agent = bytes_text("lawyer"),
        .action_count = 2,
        .actions = {bytes_text("evidence.deposit"), bytes_text("evidence.*")},
        .until_ms = world.time_ms + 1};
    struct hash id = give_mandate(&world, &teller, &body, OK, "");
    struct mandate_record record = mandate_of(&world, &id);
    CHECK_BYTES(record.principal, bytes_text("teller"));
    CHECK_BYTES(record.agent, bytes_text("lawyer"));
    CHECK_UINT(record.action_count, 2);
    CHECK_UINT(record.until_ms, world.time_ms + 1);
    CHECK(!record.ended);
    const char *end = MEMBER_TYPE("end_mandate");
    CHECK_REFUSED(send_reference(&world, &lawyer, end, &id, &why), ERR_REFUSED, "mandate", why);
    CHECK_REFUSED(send_reference(&world, &boss, end, &id, &why), ERR_REFUSED, "mandate", why);
    CHECK_OK(send_reference(&world, &teller, end, &id, NULL));
    record = mandate_of(&world, &id);
    CHECK(record.ended);
    CHECK_UINT(record.ended_index, 12);
    CHECK_REFUSED(send_reference(&world, &teller, end, &id, &why), ERR_EXISTS, "mandate", why);
    id.at[0] ^= 1;
    CHECK_REFUSED(send_reference(&world, &teller, end, &id, &why), ERR_NOT_FOUND, "mandate", why);
    fake_clear(&world);
}

static void a_mandate_that_could_not_be_used_is_refused(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct member_mandate good = {.agent = bytes_text("lawyer"),
                                  .action_count = 1,
                                  .actions = {bytes_text("evidence.deposit")},
                                  .until_ms = world.time_ms + 1};
    struct member_mandate body = good;
    body.agent = bytes_text("nobody");
    give_mandate(&world, &teller, &body, ERR_NOT_FOUND, "agent");
    body.agent = bytes_text("teller");
    give_mandate(&world, &teller, &body, ERR_REFUSED, "agent");
    body = good;
    body.until_ms = world.time_ms;
    give_mandate(&world, &teller, &body, ERR_EXPIRED, "until");
    static const struct {
        const char *action;
        enum err err;
    } cases[] = {
        {"evidence", ERR_FORMAT},
        {".deposit", ERR_FORMAT},
        {"evidence.", ERR_FORMAT},
        {"evidence.deposit.x", ERR_FORMAT},
        {"member.rotate", ERR_REFUSED},
        {"member.*", ERR_REFUSED},
        {"governance.*", ERR_REFUSED},
        {"evidence.depositt", ERR_NOT_FOUND},
        {"evidence.depos", ERR_NOT_FOUND},
        {"evidencE.*", ERR_NOT_FOUND},
        {"*.*", ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        body = good;
        body.actions[0] = bytes_text(cases[i].action);
        give_mandate(&world, &teller, &body, cases[i].err, "actions");
    }
    body = good;
    body.actions[body.action_count++] = body.actions[0];
    give_mandate(&world, &teller, &body, ERR_EXISTS, "body");
    fake_clear(&world);
}

static void nothing_here_is_done_under_a_mandate(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    static const char *const types[] = {MEMBER_TYPE("register"), MEMBER_TYPE("add_key"),
                                        MEMBER_TYPE("rotate"),   MEMBER_TYPE("revoke"),
                                        MEMBER_TYPE("roles"),    MEMBER_TYPE("void"),
                                        MEMBER_TYPE("mandate"),  MEMBER_TYPE("end_mandate")};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct why why = {0};
        struct submission submission = fake_submission(&world, &boss, types[i], bytes_text("\x80"));
        CHECK_REFUSED(fake_apply(&world, &submission, &why), ERR_RANGE, "body", why);
        submission.statement.has_mandate = true;
        CHECK_REFUSED(fake_apply(&world, &submission, &why), ERR_REFUSED, "mandate", why);
        submission.statement.has_mandate = false;
        submission.statement.sub = bytes_text("4111111111111111");
        CHECK_REFUSED(fake_apply(&world, &submission, &why), ERR_REFUSED, "sub", why);
        buf_clear(&submission.entry);
    }
    fake_clear(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_void_counts_for_the_key_that_signed_it),
        cmocka_unit_test(a_mandate_is_given_and_ended_by_its_principal),
        cmocka_unit_test(a_mandate_that_could_not_be_used_is_refused),
        cmocka_unit_test(nothing_here_is_done_under_a_mandate),
    };
    return cmocka_run_group_tests_name("mandate", tests, make_cast, free_cast);
}
