#include "member_world.h"

static void an_operator_registers_anybody(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct member_register body = newcomer(&world, "notary-7", MEMBER_INSTITUTION, NULL, "notary");
    CHECK_OK(SEND(&world, &boss, register, &body, NULL));
    struct member_record member = member_of(&world, "notary-7");
    CHECK_UINT(member.kind, MEMBER_INSTITUTION);
    CHECK_UINT(member.institution.len, 0);
    CHECK_UINT(member.from, 10);
    CHECK(!member.has_until);
    CHECK_UINT(member.key_count, 1);
    CHECK(hash_equal(&member.keys[0], &spare[0].kid));
    CHECK_BYTES(member.roles[0], bytes_text("notary"));
    struct key_record key = key_of(&world, &spare[0]);
    CHECK_UINT(key.from, 10);
    CHECK(!key.has_until);
    CHECK_UINT(key.purpose, PURPOSE_MEMBER);
    CHECK_BYTES(key.member, bytes_text("notary-7"));

    body = newcomer(&world, "node-2", MEMBER_NODE, "court", "node");
    body.key_count = 3;
    body.keys[0] = request(&world, "node-2", PURPOSE_RECEIPT, &spare[1]);
    body.keys[1] = request(&world, "node-2", PURPOSE_CHECKPOINT, &spare[2]);
    body.keys[2] = request(&world, "node-2", PURPOSE_MEMBER, &spare[3]);
    CHECK_OK(SEND(&world, &boss, register, &body, NULL));
    CHECK_UINT(member_of(&world, "node-2").key_count, 3);
    CHECK_UINT(key_of(&world, &spare[1]).purpose, PURPOSE_RECEIPT);
    CHECK_UINT(key_of(&world, &spare[1]).from, 11);
    fake_clear(&world);
}

static void an_institution_registers_its_own_people_and_applications(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct member_register body = newcomer(&world, "clerk", MEMBER_PERSON, "bank", "depositor");
    CHECK_OK(SEND(&world, &bank, register, &body, NULL));
    body = newcomer(&world, "app.1", MEMBER_APPLICATION, "bank", "bank");
    body.keys[0] = request(&world, "app.1", PURPOSE_FOREIGN, &spare[1]);
    body.keys[0].name_count = 2;
    body.keys[0].names[0] = bytes_text("signing-key");
    body.keys[0].names[1] = hash_bytes(&spare[1].kid);
    CHECK_OK(SEND(&world, &bank, register, &body, NULL));
    struct buf key = {0};
    struct buf value = {0};
    struct hash kid;
    name_state_key(&key, bytes_text("signing-key"));
    CHECK_OK(fake_get(&world, "member", buf_bytes(&key), &value));
    CHECK_OK(name_record_parse(&kid, buf_bytes(&value)));
    CHECK(hash_equal(&kid, &spare[1].kid));
    buf_clear(&key);
    buf_clear(&value);
    fake_clear(&world);
}

static void others_register_nobody(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_register body = newcomer(&world, "x", MEMBER_PERSON, NULL, "depositor");
    CHECK_REFUSED(SEND(&world, &bank, register, &body, &why), ERR_REFUSED, "iss", why);
    body = newcomer(&world, "x", MEMBER_PERSON, "court", "depositor");
    CHECK_REFUSED(SEND(&world, &bank, register, &body, &why), ERR_REFUSED, "iss", why);
    CHECK_REFUSED(SEND(&world, &lawyer, register, &body, &why), ERR_REFUSED, "iss", why);
    body = newcomer(&world, "x", MEMBER_NODE, "bank", "depositor");
    CHECK_REFUSED(SEND(&world, &bank, register, &body, &why), ERR_REFUSED, "iss", why);
    body = newcomer(&world, "x", MEMBER_INSTITUTION, NULL, "bank");
    CHECK_REFUSED(SEND(&world, &bank, register, &body, &why), ERR_REFUSED, "iss", why);
    body = newcomer(&world, "x", MEMBER_PERSON, "bank", "court");
    CHECK_REFUSED(SEND(&world, &bank, register, &body, &why), ERR_REFUSED, "roles", why);
    body = newcomer(&world, "x", MEMBER_PERSON, "bank", "operator");
    CHECK_REFUSED(SEND(&world, &bank, register, &body, &why), ERR_REFUSED, "iss", why);
    /* A person of the bank is not the bank. */
    body = newcomer(&world, "x", MEMBER_PERSON, "teller", "bank");
    CHECK_REFUSED(SEND(&world, &teller, register, &body, &why), ERR_REFUSED, "iss", why);
    fake_clear(&world);
}

static void a_registration_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_register body = newcomer(&world, "x", MEMBER_PERSON, NULL, "sorcerer");
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_NOT_FOUND, "roles", why);
    body = newcomer(&world, "x", MEMBER_PERSON, "nobody", "lawyer");
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_NOT_FOUND, "institution", why);
    body = newcomer(&world, "x", MEMBER_PERSON, "lawyer", "lawyer");
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_REFUSED, "institution", why);
    body = newcomer(&world, "x", MEMBER_INSTITUTION, "bank", "bank");
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_FORMAT, "institution", why);
    body = newcomer(&world, "bank", MEMBER_INSTITUTION, NULL, "bank");
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_EXISTS, "member", why);
    static const char *const ids[] = {"-a", "a b", "a/b", "\xe6\xb3\x95", "a\x01", ".", "a\"b"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        body = newcomer(&world, ids[i], MEMBER_PERSON, NULL, "lawyer");
        CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_FORMAT, "member", why);
    }
    body = newcomer(&world, "13800138000", MEMBER_PERSON, NULL, "lawyer");
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_REFUSED, "member", why);
    body = newcomer(&world, "x", MEMBER_PERSON, NULL, "lawyer");
    body.roles[body.role_count++] = bytes_text("lawyer");
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_EXISTS, "body", why);
    fake_clear(&world);
}

static void a_key_begins_only_for_whom_and_what_its_request_says(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct rule_context other = fake_ledger();
    struct why why;
    struct member_register body = newcomer(&world, "x", MEMBER_PERSON, NULL, "lawyer");
    other.previous.chain.at[0] ^= 1;
    body.keys[0] = request(&other, "x", PURPOSE_MEMBER, &spare[0]);
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_MISMATCH, "key request", why);
    body.keys[0] = request(&world, "y", PURPOSE_MEMBER, &spare[0]);
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_MISMATCH, "key request", why);
    static const struct {
        enum purpose purpose;
        enum err err;
    } cases[] = {{PURPOSE_RECEIPT, ERR_REFUSED},
                 {PURPOSE_CHECKPOINT, ERR_REFUSED},
                 {PURPOSE_CONSENSUS, ERR_REFUSED},
                 {PURPOSE_TRANSPORT, ERR_REFUSED}};
    for (size_t i = 0; i < 4; i++) {
        body.keys[0] = request(&world, "x", cases[i].purpose, &spare[0]);
        CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), cases[i].err, "purpose", why);
    }
    body.keys[0] = request(&world, "x", PURPOSE_MEMBER, &spare[0]);
    body.keys[0].name_count = 1;
    body.keys[0].names[0] = bytes_text("n");
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_FORMAT, "names", why);
    body.keys[0] = request(&world, "x", PURPOSE_MEMBER, &bank);
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_EXISTS, "key request", why);
    body.keys[0] = request(&world, "x", PURPOSE_MEMBER, &spare[0]);
    body.keys[1] = body.keys[0];
    body.key_count = 2;
    CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_EXISTS, "key request", why);
    fake_clear(&world);
}

static void keys_for_ordering_are_nodes_and_ed25519(void **state)
{
    (void)state;
    static const enum purpose purposes[] = {PURPOSE_CONSENSUS, PURPOSE_TRANSPORT};
    struct why why;
    for (size_t i = 0; i < 2; i++) {
        struct rule_context world = small_world();
        struct member_register body = newcomer(&world, "x-node", MEMBER_NODE, NULL, "node");
        body.keys[0] = request(&world, "x-node", purposes[i], &spare[1]);
        CHECK_REFUSED(SEND(&world, &boss, register, &body, &why), ERR_REFUSED, "alg", why);
        body.keys[0] = request(&world, "x-node", purposes[i], &spare[0]);
        CHECK_OK(SEND(&world, &boss, register, &body, &why));
        fake_clear(&world);
    }
}

static void every_byte_of_a_key_request_counts(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct member_register body = newcomer(&world, "x", MEMBER_PERSON, NULL, "lawyer");
    uint8_t *bytes = arena_alloc(&arena, body.keys[0].possession.len);
    for (size_t i = 0; i < body.keys[0].possession.len; i++) {
        struct member_register changed = body;
        memcpy(bytes, body.keys[0].possession.at, body.keys[0].possession.len);
        bytes[i] ^= 1;
        changed.keys[0].possession.at = bytes;
        CHECK(SEND(&world, &boss, register, &changed, NULL) != OK);
    }
    CHECK_OK(SEND(&world, &boss, register, &body, NULL));
    fake_clear(&world);
}

static void a_name_stands_for_one_key_for_ever(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_add_key body = {bytes_text("bank"),
                                  request(&world, "bank", PURPOSE_FOREIGN, &spare[0])};
    body.key.name_count = 1;
    body.key.names[0] = bytes_text("k1");
    CHECK_OK(SEND(&world, &boss, add_key, &body, NULL));
    struct member_revoke end = {
        .member = bytes_text("bank"), true, spare[0].kid, bytes_text("worn out")};
    CHECK_OK(SEND(&world, &boss, revoke, &end, NULL));
    body.key.possession = request(&world, "bank", PURPOSE_FOREIGN, &spare[1]).possession;
    CHECK_REFUSED(SEND(&world, &boss, add_key, &body, &why), ERR_EXISTS, "names", why);
    body.key.names[0] = hash_bytes(&court.kid);
    CHECK_REFUSED(SEND(&world, &boss, add_key, &body, &why), ERR_EXISTS, "names", why);
    body.key.names[0] = body.key.names[1] = bytes_text("k2");
    body.key.name_count = 2;
    CHECK_REFUSED(SEND(&world, &boss, add_key, &body, &why), ERR_EXISTS, "names", why);
    fake_clear(&world);
}

static void keys_are_added_by_institution_and_operator_alone(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_add_key body = {bytes_text("teller"),
                                  request(&world, "teller", PURPOSE_MEMBER, &spare[0])};
    CHECK_REFUSED(SEND(&world, &teller, add_key, &body, &why), ERR_REFUSED, "member", why);
    CHECK_REFUSED(SEND(&world, &court, add_key, &body, &why), ERR_REFUSED, "member", why);
    CHECK_OK(SEND(&world, &bank, add_key, &body, NULL));
    CHECK_UINT(member_of(&world, "teller").key_count, 2);
    body.key = request(&world, "teller", PURPOSE_MEMBER, &spare[1]);
    CHECK_OK(SEND(&world, &boss, add_key, &body, NULL));
    CHECK_UINT(member_of(&world, "teller").key_count, 3);
    body.member = bytes_text("nobody");
    CHECK_REFUSED(SEND(&world, &boss, add_key, &body, &why), ERR_NOT_FOUND, "member", why);
    body = (struct member_add_key){bytes_text("node-1"),
                                   request(&world, "node-1", PURPOSE_RECEIPT, &spare[2])};
    CHECK_REFUSED(SEND(&world, &court, add_key, &body, &why), ERR_REFUSED, "member", why);
    CHECK_OK(SEND(&world, &boss, add_key, &body, NULL));
    fake_clear(&world);
}

static void a_member_has_so_many_keys_and_no_more(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_record record = member_of(&world, "teller");
    while (record.key_count < MEMBER_KEYS_MAX) {
        record.keys[record.key_count] = teller.kid;
        put_u64(record.keys[record.key_count].at, record.key_count);
        record.key_count++;
    }
    fake_put_member(&world, bytes_text("teller"), &record);
    struct member_add_key body = {bytes_text("teller"),
                                  request(&world, "teller", PURPOSE_MEMBER, &spare[0])};
    CHECK_REFUSED(SEND(&world, &bank, add_key, &body, &why), ERR_REFUSED, "member", why);
    fake_clear(&world);
}

static void a_rotation_ends_one_key_and_begins_another(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct member_rotate body = {teller.kid, request(&world, "teller", PURPOSE_MEMBER, &spare[0])};
    CHECK_OK(SEND(&world, &teller, rotate, &body, NULL));
    struct key_record old = key_of(&world, &teller);
    CHECK(old.has_until);
    CHECK_UINT(old.until, 11);
    CHECK_UINT(key_of(&world, &spare[0]).from, 10);
    CHECK(!key_of(&world, &spare[0]).has_until);
    CHECK_UINT(member_of(&world, "teller").key_count, 1);
    CHECK(hash_equal(&member_of(&world, "teller").keys[0], &spare[0].kid));
    body =
        (struct member_rotate){spare[0].kid, request(&world, "teller", PURPOSE_MEMBER, &spare[1])};
    CHECK_OK(SEND(&world, &bank, rotate, &body, NULL));
    body =
        (struct member_rotate){spare[1].kid, request(&world, "teller", PURPOSE_MEMBER, &spare[2])};
    CHECK_OK(SEND(&world, &boss, rotate, &body, NULL));
    CHECK(hash_equal(&member_of(&world, "teller").keys[0], &spare[2].kid));
    fake_clear(&world);
}

static void a_rotation_of_the_wrong_key_is_refused(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_rotate body = {spare[5].kid,
                                 request(&world, "teller", PURPOSE_MEMBER, &spare[0])};
    CHECK_REFUSED(SEND(&world, &teller, rotate, &body, &why), ERR_NOT_FOUND, "kid", why);
    body.kid = bank.kid;
    CHECK_REFUSED(SEND(&world, &teller, rotate, &body, &why), ERR_REFUSED, "member", why);
    body.kid = teller.kid;
    CHECK_REFUSED(SEND(&world, &court, rotate, &body, &why), ERR_REFUSED, "member", why);
    body.key = request(&world, "teller", PURPOSE_FOREIGN, &spare[0]);
    CHECK_REFUSED(SEND(&world, &teller, rotate, &body, &why), ERR_MISMATCH, "purpose", why);
    body.key = request(&world, "teller", PURPOSE_MEMBER, &teller);
    CHECK_REFUSED(SEND(&world, &teller, rotate, &body, &why), ERR_EXISTS, "key request", why);
    CHECK(!key_of(&world, &teller).has_until);
    struct member_revoke end = {
        .member = bytes_text("teller"), true, teller.kid, bytes_text("lost")};
    CHECK_OK(SEND(&world, &bank, revoke, &end, NULL));
    body.key = request(&world, "teller", PURPOSE_MEMBER, &spare[0]);
    CHECK_REFUSED(SEND(&world, &bank, rotate, &body, &why), ERR_EXISTS, "kid", why);
    fake_clear(&world);
}

static void a_node_does_not_rotate_its_receipt_key_itself(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_add_key add = {bytes_text("node-1"),
                                 request(&world, "node-1", PURPOSE_RECEIPT, &spare[0])};
    CHECK_OK(SEND(&world, &boss, add_key, &add, NULL));
    struct member_rotate body = {spare[0].kid,
                                 request(&world, "node-1", PURPOSE_RECEIPT, &spare[1])};
    CHECK_REFUSED(SEND(&world, &node, rotate, &body, &why), ERR_REFUSED, "purpose", why);
    CHECK_OK(SEND(&world, &boss, rotate, &body, NULL));
    fake_clear(&world);
}

static void the_end_of_a_member_ends_its_keys(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_add_key add = {bytes_text("teller"),
                                 request(&world, "teller", PURPOSE_MEMBER, &spare[0])};
    CHECK_OK(SEND(&world, &bank, add_key, &add, NULL));
    struct member_revoke body = {.member = bytes_text("teller"), .reason = bytes_text("left")};
    CHECK_REFUSED(SEND(&world, &court, revoke, &body, &why), ERR_REFUSED, "member", why);
    CHECK_OK(SEND(&world, &bank, revoke, &body, NULL));
    struct member_record member = member_of(&world, "teller");
    CHECK(member.has_until);
    CHECK_UINT(member.until, 12);
    CHECK_UINT(member.key_count, 0);
    CHECK_UINT(key_of(&world, &teller).until, 12);
    CHECK_UINT(key_of(&world, &spare[0]).until, 12);
    /* What has ended is never taken up again. */
    CHECK_REFUSED(SEND(&world, &bank, revoke, &body, &why), ERR_REFUSED, "member", why);
    add.key = request(&world, "teller", PURPOSE_MEMBER, &spare[1]);
    CHECK_REFUSED(SEND(&world, &bank, add_key, &add, &why), ERR_REFUSED, "member", why);
    struct member_register again = newcomer(&world, "teller", MEMBER_PERSON, "bank", "bank");
    again.keys[0] = add.key;
    CHECK_REFUSED(SEND(&world, &bank, register, &again, &why), ERR_EXISTS, "member", why);
    struct member_roles roles = {bytes_text("teller"), 1, {bytes_text("bank")}};
    CHECK_REFUSED(SEND(&world, &boss, roles, &roles, &why), ERR_REFUSED, "member", why);
    /* Nor does anybody join an institution that has ended. */
    body = (struct member_revoke){.member = bytes_text("bank"), .reason = bytes_text("closed")};
    CHECK_OK(SEND(&world, &boss, revoke, &body, NULL));
    again = newcomer(&world, "late", MEMBER_PERSON, "bank", "bank");
    CHECK_REFUSED(SEND(&world, &boss, register, &again, &why), ERR_REFUSED, "institution", why);
    CHECK_REFUSED(SEND(&world, &bank, register, &again, &why), ERR_REFUSED, "iss", why);
    fake_clear(&world);
}

static void a_member_revokes_its_own_key(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_revoke body = {
        .member = bytes_text("lawyer"), true, lawyer.kid, bytes_text("stolen")};
    body.kid = teller.kid;
    CHECK_REFUSED(SEND(&world, &lawyer, revoke, &body, &why), ERR_MISMATCH, "kid", why);
    body.kid = spare[0].kid;
    CHECK_REFUSED(SEND(&world, &lawyer, revoke, &body, &why), ERR_NOT_FOUND, "kid", why);
    body.kid = lawyer.kid;
    body.reason = bytes_text("call 13800138000");
    CHECK_REFUSED(SEND(&world, &lawyer, revoke, &body, &why), ERR_REFUSED, "reason", why);
    body.reason = bytes_text("two\nlines");
    CHECK_REFUSED(SEND(&world, &lawyer, revoke, &body, &why), ERR_FORMAT, "reason", why);
    body.reason = bytes_text("stolen");
    CHECK_OK(SEND(&world, &lawyer, revoke, &body, NULL));
    CHECK(!member_of(&world, "lawyer").has_until);
    CHECK_UINT(member_of(&world, "lawyer").key_count, 0);
    CHECK_REFUSED(SEND(&world, &boss, revoke, &body, &why), ERR_EXISTS, "kid", why);
    body.member = bytes_text("nobody");
    CHECK_REFUSED(SEND(&world, &boss, revoke, &body, &why), ERR_NOT_FOUND, "member", why);
    fake_clear(&world);
}

static void a_ledger_always_has_an_operator(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_revoke whole = {.member = bytes_text("op"), .reason = bytes_text("bored")};
    struct member_revoke key = {.member = bytes_text("op"), true, boss.kid, bytes_text("stolen")};
    struct member_roles roles = {bytes_text("op"), 1, {bytes_text("auditor")}};
    CHECK_REFUSED(SEND(&world, &boss, revoke, &whole, &why), ERR_REFUSED, "member", why);
    CHECK_REFUSED(SEND(&world, &boss, revoke, &key, &why), ERR_REFUSED, "member", why);
    CHECK_REFUSED(SEND(&world, &boss, roles, &roles, &why), ERR_REFUSED, "roles", why);
    /* A key for other tools is none to govern with. */
    struct member_add_key add = {bytes_text("op"),
                                 request(&world, "op", PURPOSE_FOREIGN, &spare[0])};
    CHECK_OK(SEND(&world, &boss, add_key, &add, NULL));
    CHECK_REFUSED(SEND(&world, &boss, revoke, &key, &why), ERR_REFUSED, "member", why);
    key.kid = spare[0].kid;
    CHECK_OK(SEND(&world, &boss, revoke, &key, NULL));
    add.key = request(&world, "op", PURPOSE_MEMBER, &spare[1]);
    CHECK_OK(SEND(&world, &boss, add_key, &add, NULL));
    key.kid = boss.kid;
    CHECK_OK(SEND(&world, &boss, revoke, &key, NULL));
    /* Another operator may do it all. */
    struct member_roles second = {bytes_text("court"), 1, {bytes_text("operator")}};
    CHECK_OK(SEND(&world, &boss, roles, &second, NULL));
    CHECK_OK(SEND(&world, &court, roles, &roles, NULL));
    CHECK_OK(SEND(&world, &court, revoke, &whole, NULL));
    CHECK(member_of(&world, "op").has_until);
    fake_clear(&world);
}

/* Who can put a key in place of another has all that the other could do. */
static void an_institution_gets_no_role_through_its_people(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_roles roles = {bytes_text("teller"), 1, {bytes_text("mediator")}};
    CHECK_OK(SEND(&world, &boss, roles, &roles, NULL));
    struct member_rotate rotate = {teller.kid,
                                   request(&world, "teller", PURPOSE_MEMBER, &spare[0])};
    struct member_add_key add = {bytes_text("teller"), rotate.key};
    struct member_revoke end = {.member = bytes_text("teller"), .reason = bytes_text("left")};
    CHECK_REFUSED(SEND(&world, &bank, rotate, &rotate, &why), ERR_REFUSED, "roles", why);
    CHECK_REFUSED(SEND(&world, &bank, add_key, &add, &why), ERR_REFUSED, "roles", why);
    roles.roles[0] = bytes_text("operator");
    CHECK_OK(SEND(&world, &boss, roles, &roles, NULL));
    CHECK_REFUSED(SEND(&world, &bank, rotate, &rotate, &why), ERR_REFUSED, "member", why);
    CHECK_REFUSED(SEND(&world, &bank, add_key, &add, &why), ERR_REFUSED, "member", why);
    CHECK_REFUSED(SEND(&world, &bank, revoke, &end, &why), ERR_REFUSED, "member", why);
    roles.roles[0] = bytes_text("mediator");
    CHECK_OK(SEND(&world, &boss, roles, &roles, NULL));
    CHECK_OK(SEND(&world, &bank, revoke, &end, NULL));
    fake_clear(&world);
}

static void only_the_operator_changes_roles(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_roles body = {
        bytes_text("teller"), 2, {bytes_text("witness"), bytes_text("depositor")}};
    CHECK_REFUSED(SEND(&world, &bank, roles, &body, &why), ERR_REFUSED, "role", why);
    CHECK_OK(SEND(&world, &boss, roles, &body, NULL));
    CHECK_UINT(member_of(&world, "teller").role_count, 2);
    CHECK_BYTES(member_of(&world, "teller").roles[1], bytes_text("depositor"));
    body.roles[0] = bytes_text("king");
    CHECK_REFUSED(SEND(&world, &boss, roles, &body, &why), ERR_NOT_FOUND, "roles", why);
    body.member = bytes_text("nobody");
    CHECK_REFUSED(SEND(&world, &boss, roles, &body, &why), ERR_NOT_FOUND, "member", why);
    fake_clear(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operator_registers_anybody),
        cmocka_unit_test(an_institution_registers_its_own_people_and_applications),
        cmocka_unit_test(others_register_nobody),
        cmocka_unit_test(a_registration_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_key_begins_only_for_whom_and_what_its_request_says),
        cmocka_unit_test(keys_for_ordering_are_nodes_and_ed25519),
        cmocka_unit_test(every_byte_of_a_key_request_counts),
        cmocka_unit_test(a_name_stands_for_one_key_for_ever),
        cmocka_unit_test(keys_are_added_by_institution_and_operator_alone),
        cmocka_unit_test(a_member_has_so_many_keys_and_no_more),
        cmocka_unit_test(a_rotation_ends_one_key_and_begins_another),
        cmocka_unit_test(a_rotation_of_the_wrong_key_is_refused),
        cmocka_unit_test(a_node_does_not_rotate_its_receipt_key_itself),
        cmocka_unit_test(the_end_of_a_member_ends_its_keys),
        cmocka_unit_test(a_member_revokes_its_own_key),
        cmocka_unit_test(a_ledger_always_has_an_operator),
        cmocka_unit_test(an_institution_gets_no_role_through_its_people),
        cmocka_unit_test(only_the_operator_changes_roles),
    };
    return cmocka_run_group_tests_name("member", tests, make_cast, free_cast);
}
