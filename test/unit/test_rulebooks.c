/* The rule books on the real ledger: what only both together decide. */
#include "check.h"
#include "crypto/digest.h"
#include "ledger/ledger.h"
#include "modules/evidence/evidence.h"
#include "modules/governance/governance.h"
#include "modules/member/member.h"
#include "modules/modules.h"

#include <ftw.h>
#include <unistd.h>

#define START_MS  1764021429000u
#define BLOCK_MAX 8

struct person {
    const char *id;
    struct signer *signer;
    struct hash kid;
};

static struct person boss, node, bank, lawyer, spare[3];
static char dir[64];
static struct store *store;
static struct ledger *ledger;
static struct hash chain;

/* The block that is being made, and what became of it. */
static struct submission *block[BLOCK_MAX];
static size_t block_count;
static uint64_t now_ms;
static struct block_result result;

static struct person person_new(const char *id)
{
    struct person person = {.id = id};
    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
    CHECK_OK(signer_parse(&person.signer, buf_bytes(&pem), NULL));
    person.kid = *pubkey_kid(signer_pubkey(person.signer));
    buf_clear(&pem);
    return person;
}

static struct genesis_member founder(const struct person *person, enum member_kind kind,
                                     const char *role, enum purpose purpose)
{
    return (struct genesis_member){
        .id = bytes_text(person->id),
        .kind = kind,
        .role_count = 1,
        .roles = {bytes_text(role)},
        .key_count = 1,
        .keys = {{pubkey_spki(signer_pubkey(person->signer)), ALG_ED25519, purpose}}};
}

static int make_ledger(void **state)
{
    (void)state;
    static const struct store_options options = {.cache_len = 1 << 20, .create = true};
    struct buf bytes = {0};
    struct hash head;
    boss = person_new("op");
    node = person_new("node-1");
    bank = person_new("bank");
    lawyer = person_new("lawyer");
    spare[0] = person_new("teller");
    spare[1] = person_new("teller");
    spare[2] = person_new("teller");
    struct genesis genesis = {
        .name = bytes_text("test"),
        .suite = SUITE_1,
        .member_count = 4,
        .members = {founder(&boss, MEMBER_INSTITUTION, "operator", PURPOSE_MEMBER),
                    founder(&node, MEMBER_NODE, "node", PURPOSE_RECEIPT),
                    founder(&bank, MEMBER_INSTITUTION, "bank", PURPOSE_MEMBER),
                    founder(&lawyer, MEMBER_PERSON, "lawyer", PURPOSE_MEMBER)}};
    genesis_write(&bytes, &genesis);
    sha256(&chain, buf_bytes(&bytes));
    snprintf(dir, sizeof dir, "/tmp/cairn-rules-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    CHECK_OK(store_open(&store, dir, &options, NULL));
    CHECK_OK(ledger_create(store, buf_bytes(&bytes), START_MS, &head, NULL));
    CHECK_OK(ledger_open(&ledger, store, &modules_rules, NULL));
    now_ms = START_MS;
    buf_clear(&bytes);
    return 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static void block_clear(void)
{
    for (size_t i = 0; i < block_count; i++) {
        submission_free(block[i]);
    }
    block_count = 0;
}

static int remove_ledger(void **state)
{
    (void)state;
    struct person *const people[] = {&boss, &node, &bank, &lawyer, &spare[0], &spare[1], &spare[2]};
    block_clear();
    ledger_close(ledger);
    store_close(store);
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        signer_free(people[i]->signer);
    }
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void submission_finish(struct submission *submission)
{
    CHECK_OK(statement_parse(&submission->statement, buf_bytes(&submission->entry), NULL));
    CHECK_OK(rules_find(&modules_rules, &submission->statement, &submission->action, NULL));
    if (!submission->statement.foreign) {
        statement_id(&submission->id, &submission->statement, NULL);
    }
    leaf_hash(&submission->leaf, buf_bytes(&submission->entry));
}

/* Adds a statement to the block and returns its id. `payload` is cleared. */
static struct hash say(const struct person *signer, const char *type, struct buf *payload,
                       const struct hash *mandate)
{
    static uint64_t counter;
    uint8_t nonce[16] = {0};
    struct submission *submission = mem_zalloc(sizeof *submission);
    put_u64(nonce, ++counter);
    struct draft draft = {.content_type = type,
                          .iss = bytes_text(signer->id),
                          .sub = bytes_text("test"),
                          .iat = now_ms / 1000,
                          .chain = chain,
                          .valid_until = now_ms + 60000,
                          .nonce16 = nonce,
                          .mandate = mandate,
                          .payload = buf_bytes(payload)};
    CHECK_OK(statement_sign(&submission->entry, &draft, signer->signer));
    submission_finish(submission);
    CHECK(block_count < BLOCK_MAX);
    block[block_count++] = submission;
    buf_clear(payload);
    return submission->id;
}

/* Runs check as admit does, then executes and commits the block; the next one is empty. */
static void seal(void)
{
    struct block_input input = {++now_ms, block, block_count};
    for (size_t i = 0; i < block_count; i++) {
        struct why why = {0};
        enum err err = block[i]->action->check(block[i], &why);
        if (err != OK) {
            fail_msg("statement %zu: %s %s", i, why.field, why.problem);
        }
    }
    CHECK_OK(ledger_execute(ledger, &input, &result));
    CHECK_OK(ledger_commit(ledger));
    block_clear();
}

#define CHECK_TAKEN(number)                                                              \
    do {                                                                                 \
        if (result.results[number].err != OK) {                                          \
            fail_msg("%s:%d: refused: %s '%s' %s", __FILE__, __LINE__,                   \
                     result.results[number].why.field, result.results[number].why.value, \
                     result.results[number].why.problem);                                \
        }                                                                                \
    } while (0)

#define CHECK_REFUSED(number, want, want_field)                           \
    do {                                                                  \
        CHECK_ERR(result.results[number].err, want);                      \
        CHECK(strcmp(result.results[number].why.field, want_field) == 0); \
    } while (0)

static struct hash say_deposit(const struct person *signer, const struct hash *mandate)
{
    struct buf bytes = {0};
    struct buf payload = {0};
    struct item item = {.form = ITEM_PLAIN, .has_size = true, .size = 1};
    struct deposit body = {.count = 1, .category = bytes_text("contract")};
    struct items *items = items_new(1);
    item_write(&bytes, &item);
    leaf_hash(&body.items_root, buf_bytes(&bytes));
    CHECK_OK(items_feed(items, buf_bytes(&bytes), NULL));
    CHECK_OK(items_finish(items, &body.items_root, NULL));
    deposit_write(&payload, &body);
    struct hash id = say(signer, DEPOSIT_TYPE, &payload, mandate);
    block[block_count - 1]->items = items;
    buf_clear(&bytes);
    return id;
}

/* A key request in a buffer that the caller clears after the body was written. */
static struct new_key request(struct buf *out, const char *member, enum purpose purpose,
                              const struct person *key)
{
    CHECK_OK(possession_sign(out, &chain, bytes_text(member), purpose, key->signer));
    return (struct new_key){.possession = buf_bytes(out)};
}

static void say_register_teller(void)
{
    struct buf key = {0};
    struct buf payload = {0};
    struct member_register body = {.member = bytes_text("teller"),
                                   .kind = MEMBER_PERSON,
                                   .institution = bytes_text("bank"),
                                   .role_count = 1,
                                   .roles = {bytes_text("depositor")},
                                   .key_count = 1};
    body.keys[0] = request(&key, "teller", PURPOSE_MEMBER, &spare[0]);
    member_register_write(&payload, &body);
    say(&bank, MEMBER_TYPE("register"), &payload, NULL);
    buf_clear(&key);
}

static void say_revoke(const struct person *signer, const char *member, const struct hash *kid)
{
    struct buf payload = {0};
    struct member_revoke body = {.member = bytes_text(member), .reason = bytes_text("left")};
    if (kid) {
        body.has_kid = true;
        body.kid = *kid;
    }
    member_revoke_write(&payload, &body);
    say(signer, MEMBER_TYPE("revoke"), &payload, NULL);
}

static void say_rotate(const struct person *signer, const struct person *old,
                       const struct person *new)
{
    struct buf key = {0};
    struct buf payload = {0};
    struct member_rotate body = {old->kid, request(&key, "teller", PURPOSE_MEMBER, new)};
    member_rotate_write(&payload, &body);
    say(signer, MEMBER_TYPE("rotate"), &payload, NULL);
    buf_clear(&key);
}

static struct hash say_reference(const struct person *signer, const char *type,
                                 const struct hash *id)
{
    struct buf payload = {0};
    struct member_reference body = {*id};
    member_reference_write(&payload, &body);
    return say(signer, type, &payload, NULL);
}

static void a_new_member_deposits_in_the_block_that_registers_it(void **state)
{
    (void)state;
    say_deposit(&spare[0], NULL);
    say_register_teller();
    say_deposit(&spare[0], NULL);
    seal();
    CHECK_REFUSED(0, ERR_KEY, "kid");
    CHECK_TAKEN(1);
    CHECK_TAKEN(2);
    CHECK_UINT(result.results[2].index, 2);
    say_deposit(&spare[0], NULL);
    say_deposit(&boss, NULL);
    seal();
    CHECK_TAKEN(0);
    CHECK_REFUSED(1, ERR_REFUSED, "role");
}

static void a_revoked_member_says_nothing_more_in_the_same_block(void **state)
{
    (void)state;
    say_register_teller();
    seal();
    say_deposit(&spare[0], NULL);
    say_revoke(&bank, "teller", NULL);
    say_deposit(&spare[0], NULL);
    seal();
    CHECK_TAKEN(0);
    CHECK_TAKEN(1);
    CHECK_REFUSED(2, ERR_KEY, "index");
    say_deposit(&spare[0], NULL);
    seal();
    CHECK_REFUSED(0, ERR_KEY, "index");
}

static void a_rotated_key_and_its_successor_share_a_block(void **state)
{
    (void)state;
    say_register_teller();
    say_rotate(&spare[0], &spare[0], &spare[1]);
    say_deposit(&spare[0], NULL);
    say_deposit(&spare[1], NULL);
    say_rotate(&spare[1], &spare[0], &spare[2]);
    seal();
    CHECK_TAKEN(0);
    CHECK_TAKEN(1);
    CHECK_REFUSED(2, ERR_KEY, "index");
    CHECK_TAKEN(3);
    CHECK_REFUSED(4, ERR_EXISTS, "kid");
    /* The old key is not registered anew, and its record says for ever when it was good. */
    say_rotate(&spare[1], &spare[1], &spare[0]);
    seal();
    CHECK_REFUSED(0, ERR_EXISTS, "key request");
}

static void a_refused_registration_leaves_nothing_behind(void **state)
{
    (void)state;
    struct buf keys[2] = {{0}};
    struct buf payload = {0};
    struct member_register body = {.member = bytes_text("teller"),
                                   .kind = MEMBER_PERSON,
                                   .institution = bytes_text("bank"),
                                   .role_count = 1,
                                   .roles = {bytes_text("depositor")},
                                   .key_count = 2};
    body.keys[0] = request(&keys[0], "teller", PURPOSE_MEMBER, &spare[0]);
    body.keys[1] = request(&keys[1], "teller", PURPOSE_MEMBER, &lawyer);
    member_register_write(&payload, &body);
    say(&bank, MEMBER_TYPE("register"), &payload, NULL);
    say_register_teller();
    seal();
    CHECK_REFUSED(0, ERR_EXISTS, "key request");
    CHECK_TAKEN(1);
    buf_clear(&keys[0]);
    buf_clear(&keys[1]);
}

static void only_its_own_key_voids_a_statement(void **state)
{
    (void)state;
    struct hash first = say_deposit(&bank, NULL);
    struct submission *kept = block[--block_count];
    say_reference(&lawyer, MEMBER_TYPE("void"), &first);
    seal();
    CHECK_TAKEN(0);
    block[block_count++] = kept;
    struct hash second = say_deposit(&bank, NULL);
    kept = block[--block_count];
    seal();
    CHECK_TAKEN(0);
    say_reference(&bank, MEMBER_TYPE("void"), &second);
    block[block_count++] = kept;
    seal();
    CHECK_TAKEN(0);
    CHECK_REFUSED(1, ERR_REFUSED, "statement");
}

static struct hash say_mandate(const struct person *principal, const char *action)
{
    struct buf payload = {0};
    struct member_mandate body = {.agent = bytes_text("lawyer"),
                                  .action_count = 1,
                                  .actions = {bytes_text(action)},
                                  .until_ms = now_ms + 1000};
    member_mandate_write(&payload, &body);
    return say(principal, MEMBER_TYPE("mandate"), &payload, NULL);
}

static void say_withdraw(const struct person *signer, const struct hash *statement,
                         const struct hash *mandate)
{
    struct buf payload = {0};
    struct evidence_withdraw body = {{*statement, 0}, bytes_text("wrong file")};
    evidence_withdraw_write(&payload, &body);
    say(signer, EVIDENCE_TYPE("withdraw"), &payload, mandate);
}

static void an_agent_acts_for_its_principal_while_the_mandate_lasts(void **state)
{
    (void)state;
    struct buf key = {0};
    struct state_answer answer = {0};
    struct hash mandate = say_mandate(&bank, "evidence.withdraw");
    struct hash deposit = say_deposit(&bank, NULL);
    say_withdraw(&lawyer, &deposit, &mandate);
    say_deposit(&lawyer, &mandate);
    say_withdraw(&boss, &deposit, &mandate);
    seal();
    CHECK_TAKEN(0);
    CHECK_TAKEN(1);
    CHECK_TAKEN(2);
    CHECK_REFUSED(3, ERR_REFUSED, "mandate");
    CHECK_REFUSED(4, ERR_REFUSED, "mandate");
    /* It is the bank that withdrew, whoever signed. */
    struct view *view = ledger_view(ledger);
    withdrawn_state_key(&key, &(struct evidence_place){deposit, 0}, bytes_text("bank"));
    CHECK_OK(view_state(view, bytes_text("evidence"), buf_bytes(&key), &answer));
    CHECK_BYTES(buf_bytes(&answer.value), hex("820103"));
    state_answer_clear(&answer);
    view_release(view);
    buf_clear(&key);

    say_withdraw(&lawyer, &deposit, &mandate);
    say_reference(&bank, MEMBER_TYPE("end_mandate"), &mandate);
    say_withdraw(&lawyer, &mandate, &mandate);
    seal();
    CHECK_REFUSED(0, ERR_EXISTS, "statement");
    CHECK_TAKEN(1);
    CHECK_REFUSED(2, ERR_REFUSED, "mandate");
    mandate = say_mandate(&bank, "evidence.*");
    seal();
    CHECK_TAKEN(0);
    now_ms += 1000;
    say_withdraw(&lawyer, &mandate, &mandate);
    seal();
    CHECK_REFUSED(0, ERR_EXPIRED, "mandate");
}

/* A statement of another tool, which names its key as it likes. */
static void say_foreign(const struct person *key, struct bytes name, const char *payload)
{
    struct buf protected = {0};
    struct buf message = {0};
    uint8_t signature[64];
    struct submission *submission = mem_zalloc(sizeof *submission);
    cbor_put_map(&protected, 3);
    cbor_put_int(&protected, 1);
    cbor_put_int(&protected, ALG_ED25519);
    cbor_put_int(&protected, 4);
    cbor_put_bytes(&protected, name);
    cbor_put_int(&protected, 15);
    cbor_put_map(&protected, 2);
    cbor_put_int(&protected, 1);
    cbor_put_literal(&protected, "https://issuer.example");
    cbor_put_int(&protected, 2);
    cbor_put_literal(&protected, "subject");
    struct sign1 sign1 = {.protected = buf_bytes(&protected), .payload = bytes_text(payload)};
    sig_structure_write(&message, sign1.protected, sign1.payload);
    CHECK_OK(signer_sign(key->signer, signature, buf_bytes(&message)));
    sign1.signature = BYTES_OF(signature);
    sign1_write(&submission->entry, &sign1);
    submission_finish(submission);
    CHECK(submission->statement.foreign);
    block[block_count++] = submission;
    buf_clear(&protected);
    buf_clear(&message);
}

static void say_add_key(const char *member, enum purpose purpose, const struct person *person,
                        const char *name)
{
    struct buf key = {0};
    struct buf payload = {0};
    struct member_add_key body = {bytes_text(member), request(&key, member, purpose, person)};
    if (name) {
        body.key.name_count = 1;
        body.key.names[0] = bytes_text(name);
    }
    member_add_key_write(&payload, &body);
    say(&boss, MEMBER_TYPE("add_key"), &payload, NULL);
    buf_clear(&key);
}

static void a_foreign_statement_is_found_by_the_name_of_its_key(void **state)
{
    (void)state;
    say_foreign(&spare[0], bytes_text("release-key"), "early");
    say_add_key("bank", PURPOSE_FOREIGN, &spare[0], "release-key");
    say_foreign(&spare[0], bytes_text("release-key"), "payload");
    say_foreign(&spare[0], bytes_text("another-key"), "payload");
    say_foreign(&spare[0], hash_bytes(&spare[0].kid), "payload 2");
    say_foreign(&bank, hash_bytes(&bank.kid), "a member key signs nothing foreign");
    seal();
    CHECK_REFUSED(0, ERR_KEY, "kid");
    CHECK_TAKEN(1);
    CHECK_TAKEN(2);
    CHECK_REFUSED(3, ERR_KEY, "kid");
    CHECK_TAKEN(4);
    CHECK_REFUSED(5, ERR_KEY, "kid");
    uint64_t index = result.results[2].index;
    say_foreign(&spare[0], bytes_text("release-key"), "payload");
    seal();
    CHECK_TAKEN(0);
    CHECK(result.results[0].seen);
    CHECK_UINT(result.results[0].index, index);
    say_revoke(&boss, "bank", &spare[0].kid);
    say_foreign(&spare[0], bytes_text("release-key"), "too late");
    seal();
    CHECK_TAKEN(0);
    CHECK_REFUSED(1, ERR_KEY, "index");
}

static void say_restart(const struct person *signer)
{
    struct buf payload = {0};
    struct view *view = ledger_view(ledger);
    struct restart body = {.height = view_header(view)->height,
                           .header_hash = *view_header_hash(view),
                           .ended_count = 1,
                           .ended = {node.kid},
                           .reason = bytes_text("restored from a backup")};
    restart_write(&payload, &body);
    say(signer, RESTART_TYPE, &payload, NULL);
    view_release(view);
}

static void a_restart_begins_an_epoch_with_new_receipt_keys(void **state)
{
    (void)state;
    say_deposit(&bank, NULL);
    say_restart(&boss);
    seal();
    CHECK_TAKEN(0);
    CHECK_REFUSED(1, ERR_REFUSED, "statement");
    CHECK_UINT(result.header.epoch, 0);
    say_restart(&bank);
    say_restart(&boss);
    say_add_key("node-1", PURPOSE_RECEIPT, &spare[0], NULL);
    say_deposit(&bank, NULL);
    seal();
    CHECK_REFUSED(0, ERR_REFUSED, "role");
    CHECK_TAKEN(1);
    CHECK_TAKEN(2);
    CHECK_TAKEN(3);
    CHECK_UINT(result.header.epoch, 1);
    say_restart(&boss);
    say_deposit(&bank, NULL);
    seal();
    CHECK_REFUSED(0, ERR_EXISTS, "ended");
    CHECK_TAKEN(1);
    CHECK_UINT(result.header.epoch, 1);
}

static void what_was_decided_stands_after_opening_again(void **state)
{
    (void)state;
    say_register_teller();
    say_rotate(&spare[0], &spare[0], &spare[1]);
    seal();
    ledger_close(ledger);
    CHECK_OK(ledger_open(&ledger, store, &modules_rules, NULL));
    say_deposit(&spare[0], NULL);
    say_deposit(&spare[1], NULL);
    seal();
    CHECK_REFUSED(0, ERR_KEY, "index");
    CHECK_TAKEN(1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_member_deposits_in_the_block_that_registers_it),
        CASE(a_revoked_member_says_nothing_more_in_the_same_block),
        CASE(a_rotated_key_and_its_successor_share_a_block),
        CASE(a_refused_registration_leaves_nothing_behind),
        CASE(only_its_own_key_voids_a_statement),
        CASE(an_agent_acts_for_its_principal_while_the_mandate_lasts),
        CASE(a_foreign_statement_is_found_by_the_name_of_its_key),
        CASE(a_restart_begins_an_epoch_with_new_receipt_keys),
        CASE(what_was_decided_stands_after_opening_again),
    };
    return cmocka_run_group_tests_name("rule books", tests, NULL, NULL);
}
