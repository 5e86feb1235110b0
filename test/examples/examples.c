/* Prints every example of docs/protocol.md, one a line: name, rule of docs/cairn.cddl (or "bytes",
 * "text"), hex (or the text). tools/examples.py compares them with what the project holds. */
#include "forks.h"
#include "notes.h"
#include "proofs.h"

#include "crypto/digest.h"
#include "ledger/timer.h"
#include "modules/evidence/evidence.h"
#include "modules/governance/governance.h"
#include "modules/member/member.h"
#include "proof/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "They agreed on 1,000.00.\n"

/* ---- who takes part */

struct cast {
    struct person chief;
    struct person bank;
    struct person notary;
    struct signer *receipt;
    struct signer *checkpoint;
    struct signer *receipt_later; /* of the epoch after the restart */
    struct signer *tool;          /* the bank's foreign key */
    struct signer *notary_second;
    struct signer *notary_third;
};

/* Ids of what was said. */
struct said {
    struct hash deposit;
    struct hash foreign;
    struct hash mandate;
};

static void cast_make(struct cast *cast)
{
    *cast = (struct cast){
        .chief = {"operator", label_signer("cairn example: operator")},
        .bank = {"bank", label_signer("cairn example: bank")},
        .notary = {"notary", label_signer("cairn example: notary")},
        .receipt = label_signer("cairn example: receipt"),
        .checkpoint = label_signer("cairn example: checkpoint"),
        .receipt_later = label_signer("cairn example: receipt of epoch 1"),
        .tool = label_signer("cairn example: tool"),
        .notary_second = label_signer("cairn example: notary, second"),
        .notary_third = label_signer("cairn example: notary, third"),
    };
}

static void cast_clear(struct cast *cast)
{
    struct signer *const all[] = {cast->chief.signer, cast->bank.signer,   cast->notary.signer,
                                  cast->receipt,      cast->checkpoint,    cast->receipt_later,
                                  cast->tool,         cast->notary_second, cast->notary_third};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        signer_free(all[i]);
    }
}

static struct genesis_key founding_key(const struct signer *signer, enum purpose purpose)
{
    return (struct genesis_key){pubkey_spki(signer_pubkey(signer)), signer_alg(signer), purpose};
}

static void genesis_make(struct buf *out, const struct cast *cast)
{
    struct genesis *genesis = mem_zalloc(sizeof *genesis);
    struct hash random = label_hash("cairn example: genesis");
    memcpy(genesis->random32, random.at, sizeof genesis->random32);
    genesis->name = bytes_text("example");
    genesis->suite = SUITE_1;
    genesis->member_count = 2;
    genesis->members[0] = (struct genesis_member){
        .id = bytes_text("operator"),
        .kind = MEMBER_INSTITUTION,
        .role_count = 1,
        .roles = {bytes_text("operator")},
        .key_count = 1,
        .keys = {founding_key(cast->chief.signer, PURPOSE_MEMBER)},
    };
    genesis->members[1] = (struct genesis_member){
        .id = bytes_text("node-1"),
        .kind = MEMBER_NODE,
        .institution = bytes_text("operator"),
        .role_count = 1,
        .roles = {bytes_text("node")},
        .key_count = 2,
        .keys = {founding_key(cast->receipt, PURPOSE_RECEIPT),
                 founding_key(cast->checkpoint, PURPOSE_CHECKPOINT)},
    };
    genesis_write(out, genesis);
    free(genesis);
}

/* ---- members and keys */

/* The request stays in `request` for as long as the key is used. */
static struct new_key key_request(struct buf *request, const struct world *world,
                                  const char *member, enum purpose purpose,
                                  const struct signer *signer)
{
    must(possession_sign(request, &world->chain, bytes_text(member), purpose, signer), member);
    return (struct new_key){.possession = buf_bytes(request)};
}

/* Says it, prints the body under `name` (may be NULL) and returns the statement's id. */
static struct hash say(struct world *world, const struct person *person, const char *type,
                       const char *name, struct buf *body)
{
    char label[64];
    snprintf(label, sizeof label, "cairn example: %s %llu", type,
             (unsigned long long)(world->time_ms + world->count));
    struct hash id =
        world_say(world, person, &(struct saying){label, type, buf_bytes(body), NULL, NULL})->id;
    if (name) {
        emit_buf(name, name + strlen("body-"), body);
    }
    buf_clear(body);
    return id;
}

/* The bank signs in. */
static void print_session(const struct world *world, const struct cast *cast)
{
    struct buf out = {0};
    struct hash nonce = label_hash("cairn example: session");
    struct session_draft draft = {.chain = world->chain,
                                  .origin = bytes_text("https://ledger.example"),
                                  .nonce16 = nonce.at,
                                  .iat_ms = world->time_ms,
                                  .expiry_ms = world->time_ms + 60000};
    must(session_statement_sign(&out, &draft, cast->bank.signer), "session");
    emit_buf("session", "session-statement", &out);
    buf_clear(&out);
}

static void register_all(struct world *world, const struct cast *cast)
{
    struct buf requests[3] = {0};
    struct buf body = {0};
    struct member_register bank = {
        .member = bytes_text("bank"),
        .kind = MEMBER_INSTITUTION,
        .role_count = 1,
        .roles = {bytes_text("bank")},
        .key_count = 2,
        .keys = {key_request(&requests[0], world, "bank", PURPOSE_MEMBER, cast->bank.signer),
                 key_request(&requests[1], world, "bank", PURPOSE_FOREIGN, cast->tool)}};
    bank.keys[1].name_count = 1;
    bank.keys[1].names[0] = bytes_text("tool-1");
    emit("key-request", "key-request", buf_bytes(&requests[0]));
    member_register_write(&body, &bank);
    say(world, &cast->chief, "member.register", "body-register", &body);
    struct member_register notary = {
        .member = bytes_text("notary"),
        .kind = MEMBER_PERSON,
        .role_count = 1,
        .roles = {bytes_text("notary")},
        .key_count = 1,
        .keys = {key_request(&requests[2], world, "notary", PURPOSE_MEMBER, cast->notary.signer)}};
    member_register_write(&body, &notary);
    say(world, &cast->chief, "member.register", NULL, &body);
    world_commit(world);
    for (size_t i = 0; i < 3; i++) {
        buf_clear(&requests[i]);
    }
}

static void change_notary(struct world *world, const struct cast *cast)
{
    struct buf body = {0};
    struct buf request = {0};
    struct member_add_key add = {
        .member = bytes_text("notary"),
        .key = key_request(&request, world, "notary", PURPOSE_MEMBER, cast->notary_second)};
    member_add_key_write(&body, &add);
    say(world, &cast->chief, "member.add_key", "body-add-key", &body);
    buf_clear(&request);
    struct member_rotate rotate = {
        .kid = *pubkey_kid(signer_pubkey(cast->notary_second)),
        .key = key_request(&request, world, "notary", PURPOSE_MEMBER, cast->notary_third)};
    member_rotate_write(&body, &rotate);
    say(world, &cast->notary, "member.rotate", "body-rotate", &body);
    buf_clear(&request);
    struct member_revoke revoke = {.member = bytes_text("notary"),
                                   .has_kid = true,
                                   .kid = *pubkey_kid(signer_pubkey(cast->notary_third)),
                                   .reason = bytes_text("The token was lost.")};
    member_revoke_write(&body, &revoke);
    say(world, &cast->notary, "member.revoke", "body-revoke", &body);
    struct member_roles roles = {.member = bytes_text("notary"),
                                 .role_count = 2,
                                 .roles = {bytes_text("notary"), bytes_text("witness")}};
    member_roles_write(&body, &roles);
    say(world, &cast->chief, "member.roles", "body-change-roles", &body);
    world_commit(world);
}

/* ---- evidence */

static struct hash salted(enum item_form form, const char *contents, bool is_sm3)
{
    struct buf bytes = {0};
    struct hash digest;
    if (form == ITEM_BLINDED) {
        struct hash salt = label_hash("cairn example: salt");
        buf_put(&bytes, hash_bytes(&salt));
    }
    buf_put(&bytes, bytes_text(contents));
    if (is_sm3) {
        sm3(&digest, buf_bytes(&bytes));
    } else {
        sha256(&digest, buf_bytes(&bytes));
    }
    buf_clear(&bytes);
    return digest;
}

static void plain_item(struct buf *out)
{
    uint8_t ref[REF_LEN];
    struct hash key = label_hash("cairn example: reference key");
    ref_write(ref, NULL, hash_bytes(&key), bytes_text("HT-2026-0001"));
    emit("ref", "bytes", BYTES_OF(ref));
    struct item item = {.form = ITEM_PLAIN,
                        .sha256 = salted(ITEM_PLAIN, CONTENTS, false),
                        .sm3 = salted(ITEM_PLAIN, CONTENTS, true),
                        .has_size = true,
                        .size = strlen(CONTENTS),
                        .media_type = bytes_text("text/plain"),
                        .ref = BYTES_OF(ref),
                        .phase = bytes_text("filing")};
    item_write(out, &item);
    emit("item-plain", "item", buf_bytes(out));
}

static void blinded_item(struct buf *out)
{
    struct buf value = {0};
    struct hash salt = label_hash("cairn example: commitment");
    struct item item = {.form = ITEM_BLINDED,
                        .sha256 = salted(ITEM_BLINDED, SECRET, false),
                        .sm3 = salted(ITEM_BLINDED, SECRET, true),
                        .has_commitment = true};
    cbor_put_uint(&value, 100000);
    commitment_write(&item.commitment, bytes_text("amount"), &salt, buf_bytes(&value));
    emit("commitment", "bytes", hash_bytes(&item.commitment));
    item_write(out, &item);
    emit("item-blinded", "item", buf_bytes(out));
    buf_clear(&value);
}

/* The statement as it travels, its items in -65801. */
static void emit_with_items(const struct submission *submission, struct bytes items)
{
    struct buf unprotected = {0};
    struct buf out = {0};
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, -65801);
    cbor_put_bytes(&unprotected, items);
    struct sign1 sign1 = submission->statement.sign1;
    sign1.unprotected = buf_bytes(&unprotected);
    sign1_write(&out, &sign1);
    emit_buf("deposit-with-items", "deposit-with-items", &out);
    buf_clear(&unprotected);
}

/* Deposits what lies in `items`, in two parts. */
static struct hash deposit(struct world *world, const struct cast *cast, const struct buf items[2])
{
    struct buf body = {0};
    struct buf sequence = {0};
    struct frontier tree = {0};
    struct deposit deposit = {.count = 2, .category = bytes_text("contract")};
    for (size_t i = 0; i < 2; i++) {
        struct hash leaf;
        leaf_hash(&leaf, buf_bytes(&items[i]));
        frontier_append(&tree, &leaf);
        buf_put(&sequence, buf_bytes(&items[i]));
    }
    frontier_root(&tree, &deposit.items_root);
    deposit_write(&body, &deposit);
    struct items *taken = items_new(2);
    must(items_feed(taken, buf_bytes(&sequence), NULL), "the items");
    must(items_finish(taken, &deposit.items_root, NULL), "the items");
    const struct submission *submission =
        world_say(world, &cast->bank,
                  &(struct saying){"cairn example: deposit", "evidence.deposit", buf_bytes(&body),
                                   NULL, taken});
    emit("statement", "statement", buf_bytes(&submission->entry));
    emit("statement-id", "bytes", hash_bytes(&submission->id));
    emit_buf("deposit", "deposit", &body);
    emit_with_items(submission, buf_bytes(&sequence));
    buf_clear(&sequence);
    return submission->id;
}

/* Its keys stand in no order, and its kid is a name. */
static struct hash foreign(struct world *world, const struct cast *cast)
{
    struct buf protected = {0};
    struct buf message = {0};
    struct buf entry = {0};
    uint8_t signature[64];
    struct hash id;
    cbor_put_map(&protected, 4);
    cbor_put_int(&protected, 15);
    cbor_put_map(&protected, 2);
    cbor_put_int(&protected, 2);
    cbor_put_literal(&protected, "release-1");
    cbor_put_int(&protected, 1);
    cbor_put_literal(&protected, "https://tool.example");
    cbor_put_int(&protected, 4);
    cbor_put_bytes(&protected, bytes_text("tool-1"));
    cbor_put_int(&protected, 3);
    cbor_put_literal(&protected, "text/plain");
    cbor_put_int(&protected, 1);
    cbor_put_int(&protected, ALG_ED25519);
    sig_structure_write(&message, buf_bytes(&protected), bytes_text("built\n"));
    must(signer_sign(cast->tool, signature, buf_bytes(&message)), "the tool");
    struct sign1 sign1 = {.protected = buf_bytes(&protected),
                          .payload = bytes_text("built\n"),
                          .signature = BYTES_OF(signature)};
    sign1_write(&entry, &sign1);
    const struct submission *submission = world_take(world, buf_bytes(&entry), NULL);
    statement_id(&id, &submission->statement, pubkey_kid(signer_pubkey(cast->tool)));
    emit_buf("foreign-statement", "foreign-statement", &entry);
    emit("foreign-id", "bytes", hash_bytes(&id));
    buf_clear(&protected);
    buf_clear(&message);
    return id;
}

/* Returns the id of the mandate. */
static struct hash speak_about(struct world *world, const struct cast *cast, const struct hash *id)
{
    struct buf body = {0};
    struct member_mandate mandate = {.agent = bytes_text("notary"),
                                     .action_count = 1,
                                     .actions = {bytes_text("evidence.*")},
                                     .until_ms = world->time_ms + 86400000};
    member_mandate_write(&body, &mandate);
    struct hash given = say(world, &cast->bank, "member.mandate", "body-mandate", &body);
    struct evidence_withdraw withdraw = {{*id, 1}, bytes_text("Deposited in error.")};
    evidence_withdraw_write(&body, &withdraw);
    world_say(world, &cast->notary,
              &(struct saying){"cairn example: withdraw", "evidence.withdraw", buf_bytes(&body),
                               &given, NULL});
    emit_buf("body-withdraw", "withdraw", &body);
    struct evidence_countersign countersign = {{*id, 0}, bytes_text("witness")};
    evidence_countersign_write(&body, &countersign);
    say(world, &cast->notary, "evidence.countersign", "body-countersign", &body);
    struct evidence_supersede supersede = {{*id, 1}, {*id, 0}, bytes_text("A better scan.")};
    evidence_supersede_write(&body, &supersede);
    say(world, &cast->bank, "evidence.supersede", "body-supersede", &body);
    struct member_reference unsent = {label_hash("cairn example: a statement that was refused")};
    member_reference_write(&body, &unsent);
    say(world, &cast->bank, "member.void", "body-void", &body);
    struct member_reference ended = {given};
    member_reference_write(&body, &ended);
    say(world, &cast->bank, "member.end_mandate", "body-end-mandate", &body);
    world_commit(world);
    return given;
}

/* ---- state */

/* Prints a whole state key and its value; `key` is cleared. */
static void show_value(struct view *view, const char *name, const char *rule, const char *module,
                       struct buf *key)
{
    char label[64];
    struct state_answer answer = {0};
    struct buf whole = {0};
    must(view_state(view, bytes_text(module), buf_bytes(key), &answer), name);
    cbor_put_array(&whole, 2);
    cbor_put_literal(&whole, module);
    buf_put(&whole, buf_bytes(key));
    snprintf(label, sizeof label, "key-of-%s", name);
    emit_buf(label, "state-key", &whole);
    snprintf(label, sizeof label, "value-of-%s", name);
    emit(label, rule, buf_bytes(&answer.value));
    state_answer_clear(&answer);
    buf_clear(key);
}

static void show_member_values(struct view *view, const struct cast *cast, const struct said *said)
{
    struct buf key = {0};
    struct hash unsent = label_hash("cairn example: a statement that was refused");
    member_state_key(&key, bytes_text("notary"));
    show_value(view, "member", "member-record", "member", &key);
    name_state_key(&key, bytes_text("tool-1"));
    show_value(view, "name", "name-record", "member", &key);
    mandate_state_key(&key, &said->mandate);
    show_value(view, "mandate", "mandate-record", "member", &key);
    void_state_key(&key, pubkey_kid(signer_pubkey(cast->bank.signer)), &unsent);
    show_value(view, "void", "void-record", "member", &key);
}

static void show_values(struct world *world, const struct cast *cast, const struct said *said)
{
    struct buf key = {0};
    struct view *view = ledger_view(world->ledger);
    const struct evidence_place first = {said->deposit, 0};
    const struct evidence_place second = {said->deposit, 1};
    const struct evidence_countersign countersign = {first, bytes_text("witness")};
    show_member_values(view, cast, said);
    withdrawn_state_key(&key, &second, bytes_text("bank"));
    show_value(view, "withdrawn", "withdrawn-record", "evidence", &key);
    superseded_state_key(&key, &second, bytes_text("bank"));
    show_value(view, "superseded", "superseded-record", "evidence", &key);
    countersigned_state_key(&key, &countersign, bytes_text("notary"));
    show_value(view, "countersigned", "countersigned-record", "evidence", &key);
    foreign_state_key(&key, &said->foreign);
    show_value(view, "foreign", "foreign-record", "evidence", &key);
    quota_state_key(&key, pubkey_kid(signer_pubkey(cast->tool)));
    show_value(view, "quota", "quota-record", "evidence", &key);
    view_release(view);
}

static void show_timer(const struct world *world)
{
    struct buf key = {0};
    struct timer timer = {.due_ms = world->time_ms + 86400000,
                          .module = bytes_text("lease"),
                          .id = bytes_text("rent")};
    timer_key_write(&key, &timer);
    emit_buf("timer-key", "timer-key", &key);
    timer_value_write(&key);
    emit_buf("timer-value", "timer-record", &key);
}

/* ---- restart */

static void restart(struct world *world, const struct cast *cast)
{
    struct buf body = {0};
    struct buf request = {0};
    struct view *view = ledger_view(world->ledger);
    struct restart body_of = {.height = view_header(view)->height,
                              .header_hash = *view_header_hash(view),
                              .ended_count = 1,
                              .ended = {*pubkey_kid(signer_pubkey(cast->receipt))},
                              .reason = bytes_text("The disk was lost.")};
    view_release(view);
    restart_write(&body, &body_of);
    emit("restart", "restart", buf_bytes(&body));
    say(world, &cast->chief, "governance.restart", NULL, &body);
    struct member_add_key add = {
        .member = bytes_text("node-1"),
        .key = key_request(&request, world, "node-1", PURPOSE_RECEIPT, cast->receipt_later)};
    member_add_key_write(&body, &add);
    say(world, &cast->chief, "member.add_key", NULL, &body);
    world_commit(world);
    buf_clear(&request);
}

int main(void)
{
    struct cast cast;
    struct world world;
    struct buf genesis = {0};
    struct buf items[2] = {0};
    crypto_self_test();
    cast_make(&cast);
    genesis_make(&genesis, &cast);
    world_open(&world, buf_bytes(&genesis));
    emit_buf("genesis", "genesis", &genesis);
    register_all(&world, &cast);
    print_session(&world, &cast);
    plain_item(&items[0]);
    blinded_item(&items[1]);
    struct said said;
    said.deposit = deposit(&world, &cast, items);
    said.foreign = foreign(&world, &cast);
    world_commit(&world);
    said.mandate = speak_about(&world, &cast, &said.deposit);
    change_notary(&world, &cast);
    char evidence[EVIDENCE_ID_LEN + 1];
    evidence_id_write(evidence, &said.deposit, 1);
    printf("evidence-id text %s\n", evidence);
    show_values(&world, &cast, &said);
    show_timer(&world);
    struct trust *trust = show_proofs(&world, &cast.bank, cast.receipt);
    show_notes(&world, cast.checkpoint);
    show_forks(&world, trust, cast.receipt, cast.checkpoint);
    restart(&world, &cast);
    show_restart(&world, trust, &cast.chief, cast.receipt_later);
    trust_free(trust);
    world_close(&world);
    cast_clear(&cast);
    buf_clear(&items[0]);
    buf_clear(&items[1]);
    return 0;
}
