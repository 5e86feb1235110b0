#include "fake_rules.h"
#include "modules/governance/governance.h"
#include "modules/roles.h"

static struct person boss, node, checkpoint;

static int make_cast(void **state)
{
    (void)state;
    boss = person_new("op", ALG_ED25519);
    node = person_new("node-1", ALG_ED25519);
    checkpoint = person_new("node-1", ALG_ED25519);
    return 0;
}

static int free_cast(void **state)
{
    (void)state;
    person_free(&boss);
    person_free(&node);
    person_free(&checkpoint);
    return 0;
}

static void put_head_key(struct rule_context *world, const struct person *key, enum purpose purpose)
{
    struct key_record record = {.spki = pubkey_spki(signer_pubkey(key->signer)),
                                .alg = ALG_ED25519,
                                .purpose = purpose,
                                .member = bytes_text("node-1")};
    fake_put_key(world, &record);
}

/* An operator and a node with a receipt key and a checkpoint key. */
static struct rule_context small_world(void)
{
    struct rule_context world = fake_ledger();
    struct member_record record = {.kind = MEMBER_NODE,
                                   .role_count = 1,
                                   .roles = {bytes_text("node")},
                                   .key_count = 2,
                                   .keys = {node.kid, checkpoint.kid}};
    fake_member(&world, &boss, MEMBER_INSTITUTION, NULL, "operator");
    fake_put_member(&world, bytes_text("node-1"), &record);
    put_head_key(&world, &node, PURPOSE_RECEIPT);
    put_head_key(&world, &checkpoint, PURPOSE_CHECKPOINT);
    return world;
}

static struct restart good_restart(const struct rule_context *world)
{
    return (struct restart){.height = 41,
                            .header_hash = world->previous_hash,
                            .ended_count = 2,
                            .ended = {node.kid, checkpoint.kid},
                            .reason = bytes_text("disk lost, restored from Tuesday")};
}

static enum err restart_send(struct rule_context *world, const struct person *signer,
                             const struct restart *body, struct why *why)
{
    struct buf bytes = {0};
    restart_write(&bytes, body);
    enum err err = fake_send(world, signer, RESTART_TYPE, buf_bytes(&bytes), why);
    buf_clear(&bytes);
    return err;
}

static void a_restart_ends_keys_and_begins_an_epoch(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct restart body = good_restart(&world);
    struct buf bytes = {0};
    struct key_record key;
    struct member_record member;
    CHECK_OK(restart_send(&world, &boss, &body, NULL));
    CHECK_UINT(world.epochs, 1);
    CHECK_OK(rule_key_record(&world, &node.kid, &bytes));
    CHECK_OK(key_record_parse(&key, NULL, buf_bytes(&bytes)));
    CHECK(key.has_until);
    CHECK_UINT(key.until, 11);
    bytes.len = 0;
    CHECK_OK(rule_member_record(&world, bytes_text("node-1"), &bytes));
    CHECK_OK(member_record_parse(&member, buf_bytes(&bytes)));
    CHECK_UINT(member.key_count, 0);
    CHECK(!member.has_until);
    buf_clear(&bytes);
    fake_clear(&world);
}

static void a_restart_is_the_first_of_its_block_and_names_the_last_head(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct restart body = good_restart(&world);
    world.accepted = 1;
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_REFUSED, "statement", why);
    world.accepted = 0;
    body.height = 40;
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_MISMATCH, "height", why);
    body.height = UINT64_MAX;
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_MISMATCH, "height", why);
    body.height = 41;
    body.header_hash.at[31] ^= 1;
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_MISMATCH, "header hash", why);
    CHECK_UINT(world.epochs, 0);
    fake_clear(&world);
}

static void a_restart_ends_only_keys_that_sign_heads(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct restart body = good_restart(&world);
    body.ended[1] = boss.kid;
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_REFUSED, "ended", why);
    body.ended[1].at[0] ^= 1;
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_NOT_FOUND, "ended", why);
    body.ended[1] = node.kid;
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_EXISTS, "body", why);
    body = good_restart(&world);
    body.ended_count = 1;
    CHECK_OK(restart_send(&world, &boss, &body, NULL));
    world.accepted = 0;
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_EXISTS, "ended", why);
    fake_clear(&world);
}

static void only_an_operator_restarts(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct person court = person_new("court", ALG_ED25519);
    struct why why;
    struct restart body = good_restart(&world);
    fake_member(&world, &court, MEMBER_INSTITUTION, NULL, "court");
    CHECK_REFUSED(restart_send(&world, &court, &body, &why), ERR_REFUSED, "role", why);
    body.reason = bytes_text("ask 13800138000");
    CHECK_REFUSED(restart_send(&world, &boss, &body, &why), ERR_REFUSED, "reason", why);
    struct submission submission = fake_submission(&world, &boss, RESTART_TYPE, bytes_text("\x80"));
    CHECK_REFUSED(fake_apply(&world, &submission, &why), ERR_RANGE, "body", why);
    submission.statement.sub = bytes_text("4111111111111111");
    CHECK_REFUSED(fake_apply(&world, &submission, &why), ERR_REFUSED, "sub", why);
    submission.statement.has_mandate = true;
    CHECK_REFUSED(fake_apply(&world, &submission, &why), ERR_REFUSED, "mandate", why);
    buf_clear(&submission.entry);
    person_free(&court);
    fake_clear(&world);
}

static void a_restart_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct restart body = {.height = 1,
                           .header_hash = {{0xaa}},
                           .ended_count = 1,
                           .ended = {{{0xbb}}},
                           .reason = bytes_text("x")};
    struct restart parsed;
    struct buf out = {0};
    struct buf again = {0};
    restart_write(&out, &body);
    CHECK_BYTES(buf_bytes(&out),
                hex("8501015820aa00000000000000000000000000000000000000000000000000000000000000"
                    "815820bb000000000000000000000000000000000000000000000000000000000000006178"));
    CHECK_WHOLE(restart_parse, &parsed, buf_bytes(&out));
    CHECK_OK(restart_parse(&parsed, buf_bytes(&out)));
    restart_write(&again, &parsed);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&out));
    out.at[1] = 2;
    CHECK_ERR(restart_parse(&parsed, buf_bytes(&out)), ERR_VERSION);
    buf_clear(&out);
    buf_clear(&again);
}

static bool rules_have(struct bytes pattern)
{
    for (const struct module *const *module = modules_rules.modules; *module; module++) {
        for (size_t i = 0; i < (*module)->action_count; i++) {
            if (action_matches(pattern, bytes_text((*module)->name),
                               bytes_text((*module)->actions[i].name))) {
                return true;
            }
        }
    }
    return action_matches(pattern, bytes_text(FOREIGN_MODULE),
                          bytes_text(modules_rules.foreign->name));
}

/* A slip in the table would take a right from somebody without a word. */
static void every_role_names_actions_that_exist(void **state)
{
    (void)state;
    for (const struct role *role = modules_roles; role->name; role++) {
        CHECK(strlen(role->name) <= ROLE_MAX);
        for (const struct role *before = modules_roles; before < role; before++) {
            CHECK(strcmp(before->name, role->name) != 0);
        }
        for (const char *const *action = role->actions; *action; action++) {
            CHECK(rules_have(bytes_text(*action)));
        }
    }
}

static bool role_may(const char *role, const char *module, const char *action)
{
    struct member_record record = {.role_count = 1, .roles = {bytes_text(role)}};
    return member_may(&record, &modules_rules, bytes_text(module), bytes_text(action));
}

static void only_operators_register_and_govern(void **state)
{
    (void)state;
    for (const struct role *role = modules_roles; role->name; role++) {
        bool is_operator = strcmp(role->name, "operator") == 0;
        CHECK(role_may(role->name, "member", "register") == is_operator);
        CHECK(role_may(role->name, "governance", "restart") == is_operator);
    }
    CHECK(role_may("bank", "evidence", "deposit"));
    CHECK(role_may("depositor", "evidence", "foreign"));
    CHECK(role_may("witness", "evidence", "countersign"));
    CHECK(!role_may("witness", "evidence", "deposit"));
    CHECK(!role_may("auditor", "evidence", "countersign"));
    CHECK(!role_may("node", "evidence", "deposit"));
    CHECK(!role_may("operator", "evidence", "deposit"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_ends_keys_and_begins_an_epoch),
        cmocka_unit_test(a_restart_is_the_first_of_its_block_and_names_the_last_head),
        cmocka_unit_test(a_restart_ends_only_keys_that_sign_heads),
        cmocka_unit_test(only_an_operator_restarts),
        cmocka_unit_test(a_restart_is_read_whole_or_not_at_all),
        cmocka_unit_test(every_role_names_actions_that_exist),
        cmocka_unit_test(only_operators_register_and_govern),
    };
    return cmocka_run_group_tests_name("governance", tests, make_cast, free_cast);
}
