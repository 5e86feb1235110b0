#include "ledger/genesis.h"

#include "crypto/signer.h"
#include "ledger/rules.h"
#include "seeded.h"

typedef enum err parse_fn(struct bytes in);

/* Nothing but the whole is read: not a part, not one byte more. */
static void check_strict(parse_fn *parse, struct bytes whole)
{
    CHECK_OK(parse(whole));
    uint8_t *copy = mem_alloc(whole.len + 1);
    memcpy(copy, whole.at, whole.len);
    copy[whole.len] = 0;
    CHECK_ERR(parse((struct bytes){copy, whole.len + 1}), ERR_TRAILING);
    free(copy);
    for (size_t len = 0; len < whole.len; len++) {
        copy = mem_alloc(len);
        memcpy(copy, whole.at, len);
        CHECK_ERR(parse((struct bytes){copy, len}), ERR_TRUNCATED);
        free(copy);
    }
}

static enum err parse_member(struct bytes in)
{
    struct member_record record;
    return member_record_parse(&record, in);
}

static enum err parse_mandate(struct bytes in)
{
    struct mandate_record record;
    return mandate_record_parse(&record, in);
}

static enum err parse_name(struct bytes in)
{
    struct hash kid;
    return name_record_parse(&kid, in);
}

static enum err parse_genesis(struct bytes in)
{
    struct genesis genesis;
    return genesis_parse(&genesis, in, NULL);
}

static void a_member_record_has_one_encoding(void **state)
{
    (void)state;
    struct buf out = {0};
    struct member_record record = {.kind = MEMBER_PERSON,
                                   .institution = bytes_text("court"),
                                   .role_count = 2,
                                   .roles = {bytes_text("clerk"), bytes_text("auditor")},
                                   .key_count = 1,
                                   .from = 7};
    struct member_record back;
    memset(record.keys[0].at, 0xab, 32);
    member_record_write(&out, &record);
    CHECK_BYTES(buf_bytes(&out),
                hex("87010265636f757274"
                    "8265636c65726b6761756469746f72"
                    "815820abababababababababababababababababababababababababababababababab"
                    "07f6"));
    check_strict(parse_member, buf_bytes(&out));
    CHECK_OK(member_record_parse(&back, buf_bytes(&out)));
    CHECK_UINT(back.kind, MEMBER_PERSON);
    CHECK_BYTES(back.institution, bytes_text("court"));
    CHECK_UINT(back.role_count, 2);
    CHECK_BYTES(back.roles[1], bytes_text("auditor"));
    CHECK(hash_equal(&back.keys[0], &record.keys[0]));
    CHECK_UINT(back.from, 7);
    CHECK(!back.has_until);
    record.has_until = true;
    record.until = 9;
    record.institution = BYTES_NONE;
    record.key_count = 0;
    out.len = 0;
    member_record_write(&out, &record);
    check_strict(parse_member, buf_bytes(&out));
    CHECK_OK(member_record_parse(&back, buf_bytes(&out)));
    CHECK(back.has_until && back.until == 9 && back.institution.len == 0 && back.key_count == 0);
    buf_clear(&out);
}

static void a_member_record_out_of_range_is_refused(void **state)
{
    (void)state;
    CHECK_ERR(parse_member(hex("870102f681616180"
                               "00f6")),
              OK);
    CHECK_ERR(parse_member(hex("870202f681616180"
                               "00f6")),
              ERR_VERSION);
    CHECK_ERR(parse_member(hex("870100f681616180"
                               "00f6")),
              ERR_RANGE);
    CHECK_ERR(parse_member(hex("870105f681616180"
                               "00f6")),
              ERR_RANGE);
    CHECK_ERR(parse_member(hex("870102f680"
                               "80"
                               "00f6")),
              ERR_RANGE);
    CHECK_ERR(parse_member(hex("87010260"
                               "81616180"
                               "00f6")),
              ERR_RANGE);
    CHECK_ERR(parse_member(hex("870102f681616180"
                               "00"
                               "20")),
              ERR_TYPE);
}

static void a_mandate_record_has_one_encoding(void **state)
{
    (void)state;
    struct buf out = {0};
    struct mandate_record record = {.principal = bytes_text("a"),
                                    .agent = bytes_text("b"),
                                    .action_count = 1,
                                    .actions = {bytes_text("evidence.*")},
                                    .until_ms = 300};
    struct mandate_record back;
    mandate_record_write(&out, &record);
    CHECK_BYTES(buf_bytes(&out), hex("860161616162816a65766964656e63652e2a19012cf6"));
    check_strict(parse_mandate, buf_bytes(&out));
    record.ended = true;
    record.ended_index = 5;
    out.len = 0;
    mandate_record_write(&out, &record);
    check_strict(parse_mandate, buf_bytes(&out));
    CHECK_OK(mandate_record_parse(&back, buf_bytes(&out)));
    CHECK(back.ended && back.ended_index == 5 && back.until_ms == 300);
    CHECK_BYTES(back.actions[0], bytes_text("evidence.*"));
    buf_clear(&out);
}

static void state_keys_are_as_the_header_says(void **state)
{
    (void)state;
    struct buf out = {0};
    struct hash one;
    struct hash two;
    memset(one.at, 1, 32);
    memset(two.at, 2, 32);
    member_state_key(&out, bytes_text("a"));
    CHECK_BYTES(buf_bytes(&out), hex("82666d656d6265726161"));
    out.len = 0;
    mandate_state_key(&out, &one);
    CHECK_BYTES(buf_bytes(&out),
                hex("82676d616e646174655820"
                    "0101010101010101010101010101010101010101010101010101010101010101"));
    out.len = 0;
    void_state_key(&out, &one, &two);
    CHECK_BYTES(buf_bytes(&out),
                hex("8364766f69645820"
                    "0101010101010101010101010101010101010101010101010101010101010101"
                    "5820"
                    "0202020202020202020202020202020202020202020202020202020202020202"));
    out.len = 0;
    name_state_key(&out, hex("0102"));
    CHECK_BYTES(buf_bytes(&out), hex("82646e616d65420102"));
    out.len = 0;
    foreign_state_key(&out, &two);
    CHECK_BYTES(buf_bytes(&out),
                hex("8267666f726569676e5820"
                    "0202020202020202020202020202020202020202020202020202020202020202"));
    out.len = 0;
    name_record_write(&out, &one);
    CHECK_BYTES(buf_bytes(&out),
                hex("82015820"
                    "0101010101010101010101010101010101010101010101010101010101010101"));
    check_strict(parse_name, buf_bytes(&out));
    buf_clear(&out);
}

static bool matches(const char *pattern, const char *module, const char *action)
{
    return action_matches(bytes_text(pattern), bytes_text(module), bytes_text(action));
}

static void patterns_cover_one_action_or_all_of_a_module(void **state)
{
    (void)state;
    CHECK(matches("evidence.deposit", "evidence", "deposit"));
    CHECK(matches("evidence.*", "evidence", "deposit"));
    CHECK(!matches("evidence.depos", "evidence", "deposit"));
    CHECK(!matches("evidence.deposits", "evidence", "deposit"));
    CHECK(!matches("evidence.", "evidence", "deposit"));
    CHECK(!matches("evidence", "evidence", "deposit"));
    CHECK(!matches("evidence.**", "evidence", "deposit"));
    CHECK(!matches("*", "evidence", "deposit"));
    CHECK(!matches("*.*", "evidence", "deposit"));
    CHECK(!matches("evidences*", "evidence", "deposit"));
    CHECK(!matches("member.*", "evidence", "deposit"));
}

static const char *const clerk[] = {"evidence.deposit", NULL};
static const char *const boss[] = {"member.*", "evidence.*", NULL};
static const struct role roles[] = {{"clerk", clerk}, {"boss", boss}, {NULL, NULL}};
static const struct action actions[] = {{.name = "deposit"}, {.name = "withdraw"}};
static const struct module evidence = {"evidence", actions, 2};
static const struct module *const modules[] = {&evidence, NULL};
static const struct rules rules = {modules, NULL, roles};

static bool may(const char *role, const char *module, const char *action)
{
    struct member_record record = {.role_count = 2,
                                   .roles = {bytes_text("unknown"), bytes_text(role)}};
    return member_may(&record, &rules, bytes_text(module), bytes_text(action));
}

static void roles_allow_what_their_table_says(void **state)
{
    (void)state;
    CHECK(may("clerk", "evidence", "deposit"));
    CHECK(!may("clerk", "evidence", "withdraw"));
    CHECK(!may("clerk", "member", "add"));
    CHECK(may("boss", "member", "add"));
    CHECK(may("boss", "evidence", "withdraw"));
    CHECK(!may("nobody", "evidence", "deposit"));
    struct member_record none = {0};
    CHECK(!member_may(&none, &rules, bytes_text("evidence"), bytes_text("deposit")));
}

static enum err find(const char *type, const struct action **out, struct why *why)
{
    struct statement statement = {.content_type = bytes_text(type)};
    return rules_find(&rules, &statement, out, why);
}

static void rules_are_found_by_content_type(void **state)
{
    (void)state;
    const struct action *found;
    struct why why = {0};
    CHECK_OK(find("application/vnd.cairn.evidence.withdraw+cbor", &found, &why));
    CHECK(found == &actions[1]);
    static const char *const unknown[] = {"application/vnd.cairn.evidence.delete+cbor",
                                          "application/vnd.cairn.member.deposit+cbor",
                                          "application/vnd.cairn.evidence+cbor", "text/plain"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_ERR(find(unknown[i], &found, &why), ERR_UNSUPPORTED);
        assert_string_equal(why.value, unknown[i]);
    }
    struct statement foreign = {.foreign = true};
    CHECK_ERR(rules_find(&rules, &foreign, &found, &why), ERR_UNSUPPORTED);
    struct rules with_foreign = {modules, &actions[0], roles};
    CHECK_OK(rules_find(&with_foreign, &foreign, &found, &why));
    CHECK(found == &actions[0]);
}

/* Genesis documents. */

static struct signer *signers[4];

static int make_signers(void **state)
{
    (void)state;
    static const enum alg algs[] = {ALG_ED25519, ALG_ES256, ALG_SM2, ALG_ED25519};
    for (unsigned i = 0; i < 4; i++) {
        struct buf pem = {0};
        CHECK_OK(key_generate(&pem, algs[i], NULL));
        CHECK_OK(signer_parse(&signers[i], buf_bytes(&pem), NULL));
        buf_clear(&pem);
    }
    return 0;
}

static int free_signers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        signer_free(signers[i]);
    }
    return 0;
}

static struct genesis_key key_of(unsigned number, enum purpose purpose)
{
    return (struct genesis_key){pubkey_spki(signer_pubkey(signers[number])),
                                signer_alg(signers[number]), purpose};
}

static struct genesis two_members(void)
{
    struct genesis out = {.name = bytes_text("A court"), .suite = 1, .member_count = 2};
    memset(out.random32, 5, 32);
    out.members[0] =
        (struct genesis_member){.id = bytes_text("court"),
                                .kind = MEMBER_INSTITUTION,
                                .role_count = 1,
                                .roles = {bytes_text("operator")},
                                .key_count = 2,
                                .keys = {key_of(0, PURPOSE_MEMBER), key_of(1, PURPOSE_FOREIGN)}};
    out.members[1] = (struct genesis_member){.id = bytes_text("node-1"),
                                             .kind = MEMBER_NODE,
                                             .institution = bytes_text("court"),
                                             .role_count = 1,
                                             .roles = {bytes_text("node")},
                                             .key_count = 1,
                                             .keys = {key_of(2, PURPOSE_RECEIPT)}};
    return out;
}

static enum err parsed(const struct genesis *genesis, struct why *why)
{
    struct buf out = {0};
    struct genesis back;
    genesis_write(&out, genesis);
    enum err err = genesis_parse(&back, buf_bytes(&out), why);
    buf_clear(&out);
    return err;
}

static void a_genesis_document_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct genesis genesis = two_members();
    struct genesis back;
    struct buf out = {0};
    struct buf again = {0};
    genesis_write(&out, &genesis);
    check_strict(parse_genesis, buf_bytes(&out));
    CHECK_OK(genesis_parse(&back, buf_bytes(&out), NULL));
    CHECK_UINT(back.member_count, 2);
    CHECK_BYTES(back.name, bytes_text("A court"));
    CHECK_BYTES(back.members[1].institution, bytes_text("court"));
    CHECK_UINT(back.members[1].kind, MEMBER_NODE);
    CHECK_UINT(back.members[0].keys[1].purpose, PURPOSE_FOREIGN);
    CHECK(back.members[0].keys[1].alg == ALG_ES256);
    genesis_write(&again, &back);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&out));
    buf_clear(&out);
    buf_clear(&again);
}

static void a_genesis_document_names_what_is_wrong_with_it(void **state)
{
    (void)state;
    struct why why = {0};
    struct genesis genesis = two_members();
    genesis.suite = 2;
    CHECK_ERR(parsed(&genesis, &why), ERR_UNSUPPORTED);
    genesis = two_members();
    genesis.members[1].id = bytes_text("court");
    CHECK_ERR(parsed(&genesis, &why), ERR_EXISTS);
    assert_string_equal(why.field, "genesis member");
    genesis = two_members();
    genesis.members[1].keys[0] = genesis.members[0].keys[0];
    CHECK_ERR(parsed(&genesis, &why), ERR_EXISTS);
    assert_string_equal(why.field, "genesis key");
    genesis = two_members();
    genesis.members[1].institution = bytes_text("bank");
    CHECK_ERR(parsed(&genesis, &why), ERR_NOT_FOUND);
    genesis = two_members();
    genesis.members[0].keys[0].alg = ALG_ES256;
    CHECK_ERR(parsed(&genesis, &why), ERR_KEY);
    genesis.members[0].keys[0].spki = bytes_text("no key");
    CHECK_ERR(parsed(&genesis, &why), ERR_KEY);
    genesis = two_members();
    genesis.members[0].keys[1].alg = ALG_WEBAUTHN;
    CHECK_ERR(parsed(&genesis, &why), ERR_KEY);
    genesis = two_members();
    genesis.members[0].keys[0].alg = (enum alg) - 37;
    CHECK_ERR(parsed(&genesis, &why), ERR_UNSUPPORTED);
    genesis = two_members();
    genesis.members[0].keys[0].purpose = (enum purpose)7;
    CHECK_ERR(parsed(&genesis, &why), ERR_RANGE);
    genesis = two_members();
    genesis.members[0].kind = (enum member_kind)0;
    CHECK_ERR(parsed(&genesis, &why), ERR_RANGE);
    genesis = two_members();
    genesis.members[1].key_count = 0;
    CHECK_ERR(parsed(&genesis, &why), ERR_RANGE);
    genesis = two_members();
    genesis.member_count = 0;
    CHECK_ERR(parsed(&genesis, &why), ERR_RANGE);
    struct buf large = {0};
    buf_grow(&large, GENESIS_MAX + 1);
    CHECK_ERR(genesis_parse(&genesis, buf_bytes(&large), &why), ERR_RANGE);
    buf_clear(&large);
    struct buf newer = {0};
    genesis = two_members();
    genesis_write(&newer, &genesis);
    newer.at[1] = 2;
    CHECK_ERR(parse_genesis(buf_bytes(&newer)), ERR_VERSION);
    buf_clear(&newer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_record_has_one_encoding),
        cmocka_unit_test(a_member_record_out_of_range_is_refused),
        cmocka_unit_test(a_mandate_record_has_one_encoding),
        cmocka_unit_test(state_keys_are_as_the_header_says),
        cmocka_unit_test(patterns_cover_one_action_or_all_of_a_module),
        cmocka_unit_test(roles_allow_what_their_table_says),
        cmocka_unit_test(rules_are_found_by_content_type),
        cmocka_unit_test(a_genesis_document_comes_back_as_it_was_written),
        cmocka_unit_test(a_genesis_document_names_what_is_wrong_with_it),
    };
    return cmocka_run_group_tests(tests, make_signers, free_signers);
}
