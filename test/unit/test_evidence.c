#include "fake_rules.h"
#include "modules/evidence/evidence.h"

static struct person bank, court, witness, auditor;

static int make_cast(void **state)
{
    (void)state;
    bank = person_new("bank", ALG_ED25519);
    court = person_new("court", ALG_ED25519);
    witness = person_new("witness", ALG_ED25519);
    auditor = person_new("auditor", ALG_ED25519);
    return 0;
}

static int free_cast(void **state)
{
    (void)state;
    person_free(&bank);
    person_free(&court);
    person_free(&witness);
    person_free(&auditor);
    return 0;
}

static struct rule_context small_world(void)
{
    struct rule_context world = fake_ledger();
    fake_member(&world, &bank, MEMBER_INSTITUTION, NULL, "bank");
    fake_member(&world, &court, MEMBER_INSTITUTION, NULL, "court");
    fake_member(&world, &witness, MEMBER_PERSON, NULL, "witness");
    fake_member(&world, &auditor, MEMBER_PERSON, NULL, "auditor");
    return world;
}

#define SEND(world, signer, name, body, why)                                             \
    ({                                                                                   \
        struct buf send_bytes = {0};                                                     \
        evidence_##name##_write(&send_bytes, body);                                      \
        enum err send_err =                                                              \
            fake_send(world, signer, EVIDENCE_TYPE(#name), buf_bytes(&send_bytes), why); \
        buf_clear(&send_bytes);                                                          \
        send_err;                                                                        \
    })

/* Reads one value of module evidence; the key is cleared. */
static void check_state(struct rule_context *world, struct buf *key, struct bytes want)
{
    struct buf value = {0};
    CHECK_OK(fake_get(world, "evidence", buf_bytes(key), &value));
    CHECK_BYTES(buf_bytes(&value), want);
    buf_clear(&value);
    buf_clear(key);
}

/* A deposit of `count` items, as admit hands it over. */
static struct submission deposit_of(const struct rule_context *world, uint32_t count,
                                    struct deposit *body)
{
    struct buf bytes = {0};
    struct buf payload = {0};
    struct frontier tree = {0};
    struct items *items = items_new(count);
    for (uint32_t i = 0; i < count; i++) {
        struct item item = {.form = ITEM_PLAIN, .has_size = true, .size = i};
        struct hash leaf;
        bytes.len = 0;
        item_write(&bytes, &item);
        leaf_hash(&leaf, buf_bytes(&bytes));
        frontier_append(&tree, &leaf);
        CHECK_OK(items_feed(items, buf_bytes(&bytes), NULL));
    }
    struct hash root;
    frontier_root(&tree, &root);
    CHECK_OK(items_finish(items, &root, NULL));
    if (hash_is_zero(&body->items_root)) {
        body->items_root = root;
    }
    body->count = body->count ? body->count : count;
    deposit_write(&payload, body);
    struct submission submission = fake_submission(world, &bank, DEPOSIT_TYPE, buf_bytes(&payload));
    submission.items = items;
    buf_clear(&payload);
    buf_clear(&bytes);
    return submission;
}

static enum err deposit_send(struct rule_context *world, uint32_t count, struct deposit body,
                             struct why *why)
{
    struct submission submission = deposit_of(world, count, &body);
    *why = (struct why){0};
    enum err err = fake_apply(world, &submission, why);
    items_free(submission.items);
    buf_clear(&submission.entry);
    return err;
}

static void a_deposit_writes_no_state(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct fake_state before = fake_state_copy(&world.state);
    struct why why;
    CHECK_OK(deposit_send(&world, 1, (struct deposit){.category = bytes_text("c")}, &why));
    CHECK_OK(deposit_send(
        &world, 300,
        (struct deposit){.category = bytes_text("\xe5\x90\x88\xe5\x90\x8c"), .has_capture = true},
        &why));
    CHECK(fake_state_equal(&before, &world.state));
    fake_state_clear(&before);
    fake_clear(&world);
}

static void a_deposit_that_does_not_match_its_items_is_refused(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct deposit body = {.category = bytes_text("contract")};
    body.count = 2;
    CHECK_REFUSED(deposit_send(&world, 1, body, &why), ERR_TRUNCATED, "items", why);
    body.count = 0;
    body.items_root.at[0] = 1;
    CHECK_REFUSED(deposit_send(&world, 1, body, &why), ERR_MISMATCH, "items root", why);
    body = (struct deposit){.category = bytes_text("contract"), .flags = 1};
    CHECK_REFUSED(deposit_send(&world, 1, body, &why), ERR_UNSUPPORTED, "flags", why);
    body = (struct deposit){.category = bytes_text("tel13800138000")};
    CHECK_REFUSED(deposit_send(&world, 1, body, &why), ERR_REFUSED, "category", why);
    body = (struct deposit){.category = bytes_text("a\tb")};
    CHECK_REFUSED(deposit_send(&world, 1, body, &why), ERR_FORMAT, "category", why);
    body = (struct deposit){.category = bytes_text("c"), .count = 1};
    memset(body.items_root.at, 1, 32);
    struct buf payload = {0};
    deposit_write(&payload, &body);
    CHECK_REFUSED(fake_send(&world, &bank, DEPOSIT_TYPE, buf_bytes(&payload), &why), ERR_TRUNCATED,
                  "items", why);
    buf_clear(&payload);
    CHECK_REFUSED(fake_send(&world, &bank, DEPOSIT_TYPE, bytes_text("\x80"), &why), ERR_RANGE,
                  "body", why);
    fake_clear(&world);
}

static void who_withdrew_what_is_written_down_once(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct buf key = {0};
    struct evidence_withdraw body = {{{{5}}, 65535}, bytes_text("wrong file")};
    CHECK_OK(SEND(&world, &bank, withdraw, &body, NULL));
    withdrawn_state_key(&key, &body.place, bank.id);
    check_state(&world, &key, hex("82010a"));
    CHECK_REFUSED(SEND(&world, &bank, withdraw, &body, &why), ERR_EXISTS, "statement", why);
    CHECK(strlen(why.remedy) > 0);
    /* Another member may say so too; a reader doesn't count it. */
    CHECK_OK(SEND(&world, &court, withdraw, &body, NULL));
    withdrawn_state_key(&key, &body.place, court.id);
    check_state(&world, &key, hex("82010b"));
    body.place.number = 1;
    CHECK_OK(SEND(&world, &bank, withdraw, &body, NULL));
    fake_clear(&world);
}

static void who_superseded_what_is_written_down_once(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct buf key = {0};
    struct evidence_supersede body = {{{{5}}, 0}, {{{5}}, 1}, bytes_text("page 3 was missing")};
    CHECK_OK(SEND(&world, &bank, supersede, &body, NULL));
    superseded_state_key(&key, &body.old, bank.id);
    check_state(
        &world, &key,
        hex("84010a5820050000000000000000000000000000000000000000000000000000000000000001"));
    CHECK_REFUSED(SEND(&world, &bank, supersede, &body, &why), ERR_EXISTS, "statement", why);
    body.new.number = 2;
    CHECK_REFUSED(SEND(&world, &bank, supersede, &body, &why), ERR_EXISTS, "statement", why);
    CHECK(strlen(why.remedy) > 0);
    body.old.number = 1;
    CHECK_OK(SEND(&world, &bank, supersede, &body, NULL));
    body.old = body.new;
    CHECK_REFUSED(SEND(&world, &bank, supersede, &body, &why), ERR_REFUSED, "new", why);
    fake_clear(&world);
}

static void a_countersignature_stands_once_for_each_role(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct buf key = {0};
    struct evidence_countersign body = {{{{5}}, 3}, bytes_text("witness")};
    CHECK_OK(SEND(&world, &witness, countersign, &body, NULL));
    countersigned_state_key(&key, &body, witness.id);
    check_state(&world, &key, hex("82010a"));
    CHECK_REFUSED(SEND(&world, &witness, countersign, &body, &why), ERR_EXISTS, "statement", why);
    body.role = bytes_text("second officer");
    CHECK_OK(SEND(&world, &witness, countersign, &body, NULL));
    CHECK_OK(SEND(&world, &court, countersign, &body, NULL));
    fake_clear(&world);
}

static void roles_decide_who_may_say_what(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct evidence_withdraw withdraw = {{{{5}}, 0}, bytes_text("wrong file")};
    struct evidence_countersign countersign = {{{{5}}, 3}, bytes_text("witness")};
    CHECK_REFUSED(SEND(&world, &witness, withdraw, &withdraw, &why), ERR_REFUSED, "role", why);
    CHECK_REFUSED(SEND(&world, &auditor, countersign, &countersign, &why), ERR_REFUSED, "role",
                  why);
    fake_clear(&world);
}

static void numbers_of_people_are_kept_out_of_reasons_and_roles(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct evidence_withdraw withdraw = {{{{5}}, 0}, bytes_text("of 11010519491231002X")};
    struct evidence_supersede supersede = {
        {{{5}}, 0}, {{{6}}, 0}, bytes_text("paid by 6200000000000005")};
    struct evidence_countersign countersign = {{{{5}}, 3}, bytes_text("13800138000")};
    CHECK_REFUSED(SEND(&world, &bank, withdraw, &withdraw, &why), ERR_REFUSED, "reason", why);
    CHECK(strstr(why.problem, "resident id") != NULL);
    CHECK_REFUSED(SEND(&world, &bank, supersede, &supersede, &why), ERR_REFUSED, "reason", why);
    CHECK(strstr(why.problem, "bank card") != NULL);
    CHECK_REFUSED(SEND(&world, &witness, countersign, &countersign, &why), ERR_REFUSED, "role",
                  why);
    CHECK(strstr(why.problem, "phone") != NULL);
    static const char *const types[] = {DEPOSIT_TYPE, EVIDENCE_TYPE("supersede"),
                                        EVIDENCE_TYPE("withdraw"), EVIDENCE_TYPE("countersign")};
    for (size_t i = 0; i < 4; i++) {
        struct submission submission = fake_submission(&world, &bank, types[i], bytes_text("\x80"));
        CHECK_REFUSED(fake_apply(&world, &submission, &why), ERR_RANGE, "body", why);
        submission.statement.sub = bytes_text("4111111111111111");
        CHECK_REFUSED(fake_apply(&world, &submission, &why), ERR_REFUSED, "sub", why);
        buf_clear(&submission.entry);
    }
    fake_clear(&world);
}

static void a_statement_about_evidence_names_its_target(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct buf bytes = {0};
    struct hash got;
    struct hash want = {{5}};
    static const char *const types[] = {EVIDENCE_TYPE("supersede"), EVIDENCE_TYPE("withdraw"),
                                        EVIDENCE_TYPE("countersign")};
    for (size_t i = 0; i < 3; i++) {
        bytes.len = 0;
        if (i == 0) {
            evidence_supersede_write(
                &bytes, &(struct evidence_supersede){{{{5}}, 0}, {{{6}}, 0}, bytes_text("r")});
        } else if (i == 1) {
            evidence_withdraw_write(&bytes,
                                    &(struct evidence_withdraw){{{{5}}, 0}, bytes_text("r")});
        } else {
            evidence_countersign_write(&bytes,
                                       &(struct evidence_countersign){{{{5}}, 0}, bytes_text("r")});
        }
        struct submission good = fake_submission(&world, &bank, types[i], buf_bytes(&bytes));
        struct submission bad = fake_submission(&world, &bank, types[i], bytes_text("\x80"));
        CHECK(good.action->target(&good.statement, &got));
        CHECK(hash_equal(&got, &want));
        CHECK(!bad.action->target(&bad.statement, &got));
        buf_clear(&good.entry);
        buf_clear(&bad.entry);
    }
    buf_clear(&bytes);
    fake_clear(&world);
}

/* A foreign statement as the ledger hands it over once it has found the key. */
static enum err foreign_send(struct rule_context *world, uint8_t id, bool envelope,
                             struct bytes payload, struct why *why)
{
    struct submission submission = {
        .action = world->rules->foreign,
        .id = {{id}},
        .verified_kid = bank.kid,
        .statement = {
            .foreign = true, .iss = bank.id, .envelope = envelope, .sign1 = {.payload = payload}}};
    *why = (struct why){0};
    return fake_apply(world, &submission, why);
}

static void a_foreign_statement_is_remembered_for_ever_and_counted(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct hash id = {{1}};
    struct buf key = {0};
    CHECK_OK(foreign_send(&world, 1, false, bytes_text("any payload"), &why));
    foreign_state_key(&key, &id);
    check_state(&world, &key, hex("82010a"));
    CHECK_OK(foreign_send(&world, 2, true, hash_bytes(&id), &why));
    quota_state_key(&key, &bank.kid);
    check_state(&world, &key, hex("820102"));
    CHECK_REFUSED(foreign_send(&world, 1, false, bytes_text("any payload"), &why), ERR_EXISTS,
                  "statement", why);
    quota_state_key(&key, &bank.kid);
    check_state(&world, &key, hex("820102"));
    CHECK_REFUSED(foreign_send(&world, 3, true, bytes_text("no digest"), &why), ERR_RANGE,
                  "payload", why);
    fake_clear(&world);
}

static void a_foreign_key_brings_so_many_statements_and_no_more(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct buf key = {0};
    quota_state_key(&key, &bank.kid);
    fake_put_of(&world, "evidence", buf_bytes(&key), hex("82011a000f423f"));
    CHECK_OK(foreign_send(&world, 1, false, BYTES_NONE, &why));
    check_state(&world, &key, hex("82011a000f4240"));
    CHECK_REFUSED(foreign_send(&world, 2, false, BYTES_NONE, &why), ERR_REFUSED, "kid", why);
    fake_clear(&world);
}

static void bodies_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct buf out = {0};
    struct evidence_supersede supersede = {{{{5}}, 65535}, {{{6}}, 256}, bytes_text("r")};
    struct evidence_withdraw withdraw = {{{{5}}, 24}, bytes_text("r")};
    struct evidence_countersign countersign = {{{{5}}, 0}, bytes_text("r")};

#define ROUND_TRIP(name, body)                                                     \
    do {                                                                           \
        struct evidence_##name parsed;                                             \
        struct buf again = {0};                                                    \
        out.len = 0;                                                               \
        evidence_##name##_write(&out, body);                                       \
        CHECK_WHOLE(evidence_##name##_parse, &parsed, buf_bytes(&out));            \
        CHECK_OK(evidence_##name##_parse(&parsed, buf_bytes(&out)));               \
        evidence_##name##_write(&again, &parsed);                                  \
        CHECK_BYTES(buf_bytes(&again), buf_bytes(&out));                           \
        out.at[1] = 2; /* the version */                                           \
        CHECK_ERR(evidence_##name##_parse(&parsed, buf_bytes(&out)), ERR_VERSION); \
        buf_clear(&again);                                                         \
    } while (0)
    ROUND_TRIP(supersede, &supersede);
    ROUND_TRIP(withdraw, &withdraw);
    ROUND_TRIP(countersign, &countersign);
    buf_clear(&out);
}

/* Examples of every body, as docs/protocol.md and other implementations have them. */
static void bodies_have_these_bytes(void **state)
{
    (void)state;
    struct buf out = {0};
    struct evidence_place place = {{{0xaa}}, 7};
    evidence_withdraw_write(&out, &(struct evidence_withdraw){place, bytes_text("old")});
    CHECK_BYTES(
        buf_bytes(&out),
        hex("84015820aa0000000000000000000000000000000000000000000000000000000000000007636f6c64"));
    out.len = 0;
    evidence_countersign_write(&out, &(struct evidence_countersign){place, bytes_text("w")});
    CHECK_BYTES(
        buf_bytes(&out),
        hex("84015820aa00000000000000000000000000000000000000000000000000000000000000076177"));
    out.len = 0;
    evidence_supersede_write(&out, &(struct evidence_supersede){place, place, bytes_text("x")});
    CHECK_BYTES(buf_bytes(&out),
                hex("86015820aa0000000000000000000000000000000000000000000000000000000000000007"
                    "5820aa00000000000000000000000000000000000000000000000000000000000000076178"));
    /* item number 65,536, an empty reason */
    struct evidence_withdraw body;
    CHECK_ERR(
        evidence_withdraw_parse(
            &body, hex("84015820aa000000000000000000000000000000000000000000000000000000000000"
                       "001a000100006178")),
        ERR_RANGE);
    CHECK_ERR(
        evidence_withdraw_parse(
            &body, hex("84015820aa000000000000000000000000000000000000000000000000000000000000"
                       "000060")),
        ERR_RANGE);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deposit_writes_no_state),
        cmocka_unit_test(a_deposit_that_does_not_match_its_items_is_refused),
        cmocka_unit_test(who_withdrew_what_is_written_down_once),
        cmocka_unit_test(who_superseded_what_is_written_down_once),
        cmocka_unit_test(a_countersignature_stands_once_for_each_role),
        cmocka_unit_test(roles_decide_who_may_say_what),
        cmocka_unit_test(numbers_of_people_are_kept_out_of_reasons_and_roles),
        cmocka_unit_test(a_statement_about_evidence_names_its_target),
        cmocka_unit_test(a_foreign_statement_is_remembered_for_ever_and_counted),
        cmocka_unit_test(a_foreign_key_brings_so_many_statements_and_no_more),
        cmocka_unit_test(bodies_are_read_whole_or_not_at_all),
        cmocka_unit_test(bodies_have_these_bytes),
    };
    return cmocka_run_group_tests_name("evidence", tests, make_cast, free_cast);
}
