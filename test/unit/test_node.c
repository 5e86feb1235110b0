/* A node as a whole: made, opened, written to, asked, closed, opened again. */
#include "check.h"

#include "base/clock.h"
#include "base/file.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "modules/evidence/evidence.h"
#include "modules/member/member.h"
#include "node/node.h"
#include "proof/note.h"
#include "proof/prooffile.h"
#include "proof/receipt.h"
#include "proof/trust.h"
#include "proof/verify.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct bench {
    char dir[64];
    struct node *node;
    struct signer *operator_key;
    struct signer *alice;
    struct hash chain;
};

/* ---- waiting for an answer */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct node_answers *answers;
};

static void answered(void *context, struct node_answers *answers)
{
    struct waiting *waiting = context;
    pthread_mutex_lock(&waiting->lock);
    waiting->answers = answers;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

static struct node_answers *wait_answer(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->lock);
    while (!waiting->answers) {
        pthread_cond_wait(&waiting->changed, &waiting->lock);
    }
    pthread_mutex_unlock(&waiting->lock);
    return waiting->answers;
}

static struct node_answers *send(struct node *node, struct buf *body)
{
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
    struct why why = {0};
    CHECK_OK(node_submit(node, buf_bytes(body), true, answered, &waiting, &why));
    struct node_answers *answers = wait_answer(&waiting);
    buf_clear(body);
    return answers;
}

/* ---- making statements */

static void sign(struct buf *out, struct bench *bench, const struct signer *signer,
                 const char *member, const char *type, struct bytes payload)
{
    uint8_t nonce[16];
    random_bytes(nonce, sizeof nonce);
    uint64_t now = clock_wall_ms();
    struct draft draft = {.content_type = type,
                          .iss = bytes_text(member),
                          .sub = bytes_text("test"),
                          .iat = now / 1000,
                          .chain = bench->chain,
                          .valid_until = now + 60000,
                          .nonce16 = nonce,
                          .payload = payload};
    CHECK_OK(statement_sign(out, &draft, signer));
}

static void put_item(struct buf *items, const char *content)
{
    struct item item = {
        .has_size = true, .size = strlen(content), .media_type = bytes_text("text/plain")};
    sha256(&item.sha256, bytes_text(content));
    sm3(&item.sm3, bytes_text(content));
    item_write(items, &item);
}

/* Appends a deposit of one item, which travels inside the statement. */
static void put_deposit(struct buf *out, struct bench *bench, const char *content)
{
    struct buf item = {0};
    struct buf payload = {0};
    struct buf entry = {0};
    put_item(&item, content);
    struct deposit deposit = {.count = 1, .category = bytes_text("note")};
    leaf_hash(&deposit.items_root, buf_bytes(&item));
    deposit_write(&payload, &deposit);
    sign(&entry, bench, bench->alice, "alice", DEPOSIT_TYPE, buf_bytes(&payload));
    struct sign1 sign1;
    CHECK_OK(sign1_parse(&sign1, buf_bytes(&entry)));
    struct buf unprotected = {0};
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, LABEL_ITEMS);
    cbor_put_bytes(&unprotected, buf_bytes(&item));
    sign1.unprotected = buf_bytes(&unprotected);
    sign1_write(out, &sign1);
    buf_clear(&unprotected);
    buf_clear(&entry);
    buf_clear(&payload);
    buf_clear(&item);
}

static void register_member(struct bench *bench, const char *id, enum purpose purpose,
                            const struct signer *signer)
{
    struct buf request = {0};
    struct buf payload = {0};
    struct buf body = {0};
    CHECK_OK(possession_sign(&request, &bench->chain, bytes_text(id), purpose, signer));
    struct member_register member = {.member = bytes_text(id),
                                     .kind = MEMBER_PERSON,
                                     .institution = bytes_text("operator"),
                                     .role_count = 1,
                                     .roles = {bytes_text("depositor")},
                                     .key_count = 1,
                                     .keys = {{.possession = buf_bytes(&request)}}};
    member_register_write(&payload, &member);
    sign(&body, bench, bench->operator_key, "operator", MEMBER_TYPE("register"),
         buf_bytes(&payload));
    struct node_answers *answers = send(bench->node, &body);
    if (answers->at[0].err != OK) {
        fail_msg("register: %s %s", answers->at[0].why.field, answers->at[0].why.problem);
    }
    free(answers);
    buf_clear(&request);
    buf_clear(&payload);
}

static void open_node(struct bench *bench)
{
    struct why why = {0};
    struct node_options options = {
        .dir = bench->dir, .cache_len = 8 << 20, .delta_pairs = 4096, .verifiers = 2};
    if (node_open(&bench->node, &options, &why) != OK) {
        fail_msg("node_open: %s %s %s", why.field, why.value, why.problem);
    }
    bench->chain = *node_chain(bench->node);
}

static int setup(void **state)
{
    struct bench *bench = mem_zalloc(sizeof *bench);
    struct why why = {0};
    snprintf(bench->dir, sizeof bench->dir, "/tmp/cairn-node-XXXXXX");
    CHECK(mkdtemp(bench->dir) != NULL);
    if (node_create(bench->dir, "court", NULL, &why) != OK) {
        fail_msg("node_create: %s %s %s", why.field, why.value, why.problem);
    }
    char *path = path_join(bench->dir, NODE_OPERATOR_KEY);
    CHECK_OK(signer_open(&bench->operator_key, path, NULL, NULL, &why));
    free(path);
    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
    CHECK_OK(signer_parse(&bench->alice, buf_bytes(&pem), NULL));
    buf_clear(&pem);
    open_node(bench);
    register_member(bench, "alice", PURPOSE_MEMBER, bench->alice);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    node_close(bench->node);
    signer_free(bench->operator_key);
    signer_free(bench->alice);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", bench->dir);
    CHECK(system(command) == 0);
    free(bench);
    return 0;
}

/* ---- what is seen from outside */

struct seen {
    size_t count;
    struct hash id;
    uint64_t index;
};

static bool note(void *context, struct node_found *found)
{
    struct seen *seen = context;
    seen->count++;
    seen->id = found->id;
    seen->index = found->index;
    return true;
}

static void check_found(struct bench *bench, const char *content, size_t want)
{
    struct hash digest;
    struct seen seen = {0};
    sha256(&digest, bytes_text(content));
    CHECK_ERR(node_find(bench->node, NODE_BY_SHA256, hash_bytes(&digest), 0, note, &seen),
              want ? OK : ERR_NOT_FOUND);
    CHECK_UINT(seen.count, want);
    sm3(&digest, bytes_text(content));
    seen = (struct seen){0};
    CHECK_ERR(node_find(bench->node, NODE_BY_SM3, hash_bytes(&digest), 0, note, &seen),
              want ? OK : ERR_NOT_FOUND);
    CHECK_UINT(seen.count, want);
}

static bool node_is_deposit(struct bench *bench, uint64_t index)
{
    struct buf entry = {0};
    struct statement statement;
    uint64_t height;
    struct view *view = node_view(bench->node);
    CHECK_OK(view_entry(view, index, &entry, &height));
    CHECK_OK(statement_parse(&statement, buf_bytes(&entry), NULL));
    view_release(view);
    bool is = !statement.foreign;
    buf_clear(&entry);
    return is;
}

static void check_proof(struct bench *bench, uint64_t index, const char *content)
{
    struct buf bytes = {0};
    struct why why = {0};
    bool with_item = node_is_deposit(bench, index);
    if (node_prove(bench->node, index, 0, with_item, &bytes, &why) != OK) {
        fail_msg("node_prove: %s %s", why.field, why.problem);
    }
    struct proof *proof;
    struct trust *trust;
    CHECK_OK(proof_parse(&proof, buf_bytes(&bytes), &why));
    CHECK_OK(trust_parse(&trust, node_trust_file(bench->node), &why));
    struct subject subject = {.kind = SUBJECT_FILE, .size = strlen(content)};
    sha256(&subject.sha256, bytes_text(content));
    sm3(&subject.sm3, bytes_text(content));
    struct verdict verdict = {0};
    proof_verify(&verdict, proof, trust, &subject);
    if (verdict.status != VERDICT_PASS) {
        fail_msg("proof_verify: %s", verdict.summary);
    }
    verdict_clear(&verdict);
    proof_free(proof);
    trust_free(trust);
    buf_clear(&bytes);
}

static void a_deposit_is_stored_found_and_proved(void **state)
{
    struct bench *bench = *state;
    struct buf body = {0};
    put_deposit(&body, bench, "a contract");
    struct node_answers *answers = send(bench->node, &body);
    CHECK_OK(answers->at[0].err);
    CHECK_UINT(answers->at[0].items, 1);
    check_found(bench, "a contract", 1);
    check_found(bench, "another contract", 0);
    check_proof(bench, answers->at[0].index, "a contract");
    free(answers);
}

static void many_statements_of_one_request_each_get_their_answer(void **state)
{
    struct bench *bench = *state;
    struct buf body = {0};
    char content[32];
    for (unsigned i = 0; i < 300; i++) {
        snprintf(content, sizeof content, "item %u", i);
        put_deposit(&body, bench, content);
    }
    struct node_answers *answers = send(bench->node, &body);
    CHECK_UINT(answers->count, 300);
    for (unsigned i = 0; i < 300; i++) {
        CHECK_OK(answers->at[i].err);
        snprintf(content, sizeof content, "item %u", i);
        check_found(bench, content, 1);
        check_proof(bench, answers->at[i].index, content);
    }
    free(answers);
}

static void sending_again_is_answered_with_the_first_place(void **state)
{
    struct bench *bench = *state;
    struct buf body = {0};
    put_deposit(&body, bench, "once");
    struct buf again = {0};
    buf_put(&again, buf_bytes(&body));
    struct node_answers *first = send(bench->node, &body);
    struct node_answers *second = send(bench->node, &again);
    CHECK_OK(second->at[0].err);
    CHECK(!first->at[0].seen && second->at[0].seen);
    CHECK_UINT(second->at[0].index, first->at[0].index);
    check_found(bench, "once", 1);
    free(first);
    free(second);
}

static void what_is_refused_names_its_reason_and_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct buf body = {0};
    put_deposit(&body, bench, "flipped");
    body.at[body.len - 1] ^= 1; /* in the signature */
    struct view *view = node_view(bench->node);
    uint64_t size = view_header(view)->tree_size;
    view_release(view);
    struct node_answers *answers = send(bench->node, &body);
    CHECK_ERR(answers->at[0].err, ERR_SIGNATURE);
    CHECK(answers->at[0].why.field[0] != '\0');
    free(answers);
    view = node_view(bench->node);
    CHECK_UINT(view_header(view)->tree_size, size);
    view_release(view);
    check_found(bench, "flipped", 0);
}

static void everything_is_there_after_a_restart(void **state)
{
    struct bench *bench = *state;
    struct buf body = {0};
    put_deposit(&body, bench, "kept");
    struct node_answers *answers = send(bench->node, &body);
    uint64_t index = answers->at[0].index;
    free(answers);
    node_close(bench->node);
    open_node(bench);
    check_found(bench, "kept", 1);
    check_proof(bench, index, "kept");
    body = (struct buf){0};
    put_deposit(&body, bench, "later");
    answers = send(bench->node, &body);
    CHECK_OK(answers->at[0].err);
    free(answers);
}

static void a_batch_comes_as_a_stream(void **state)
{
    struct bench *bench = *state;
    struct buf sequence = {0};
    struct frontier frontier = {0};
    struct deposit deposit = {.count = 1000, .category = bytes_text("night")};
    struct items *items = items_new(deposit.count);
    struct why why = {0};
    for (unsigned i = 0; i < deposit.count; i++) {
        char content[32];
        size_t before = sequence.len;
        snprintf(content, sizeof content, "row %u", i);
        put_item(&sequence, content);
        struct hash leaf;
        leaf_hash(&leaf, (struct bytes){sequence.at + before, sequence.len - before});
        frontier_append(&frontier, &leaf);
    }
    frontier_root(&frontier, &deposit.items_root);
    for (size_t at = 0; at < sequence.len; at += 777) {
        size_t len = sequence.len - at < 777 ? sequence.len - at : 777;
        CHECK_OK(items_feed(items, (struct bytes){sequence.at + at, len}, &why));
    }
    struct buf payload = {0};
    struct buf statement = {0};
    deposit_write(&payload, &deposit);
    sign(&statement, bench, bench->alice, "alice", DEPOSIT_TYPE, buf_bytes(&payload));
    struct deposit head;
    CHECK_OK(node_batch_head(bench->node, buf_bytes(&statement), &head, &why));
    CHECK_UINT(head.count, 1000);
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
    CHECK_OK(node_submit_batch(bench->node, &statement, items, answered, &waiting, &why));
    struct node_answers *answers = wait_answer(&waiting);
    CHECK_OK(answers->at[0].err);
    CHECK_UINT(answers->at[0].items, 1000);
    check_found(bench, "row 0", 1);
    check_found(bench, "row 999", 1);
    free(answers);
    buf_clear(&payload);
    buf_clear(&sequence);
}

static void what_was_said_about_evidence_is_found_by_its_statement(void **state)
{
    struct bench *bench = *state;
    struct buf body = {0};
    put_deposit(&body, bench, "disputed");
    struct node_answers *answers = send(bench->node, &body);
    struct evidence_withdraw withdraw = {.place = {answers->at[0].id, 0},
                                         .reason = bytes_text("wrong scan")};
    free(answers);
    struct buf payload = {0};
    body = (struct buf){0};
    evidence_withdraw_write(&payload, &withdraw);
    sign(&body, bench, bench->alice, "alice", EVIDENCE_TYPE("withdraw"), buf_bytes(&payload));
    answers = send(bench->node, &body);
    CHECK_OK(answers->at[0].err);
    struct seen seen = {0};
    CHECK_OK(node_find(bench->node, NODE_BY_TARGET, hash_bytes(&withdraw.place.statement), 0, note,
                       &seen));
    CHECK_UINT(seen.count, 1);
    CHECK_UINT(seen.index, answers->at[0].index);
    free(answers);
    buf_clear(&payload);
}

/* A statement as a tool of RFC 9943 makes it: no vnd.cairn type, only alg, kid and CWT claims. */
static void put_foreign(struct buf *out, const struct signer *signer, const char *content)
{
    struct buf protected = {0};
    struct buf message = {0};
    uint8_t signature[64];
    cbor_put_map(&protected, 3);
    cbor_put_int(&protected, 1);
    cbor_put_int(&protected, ALG_ED25519);
    cbor_put_int(&protected, 4);
    cbor_put_hash(&protected, pubkey_kid(signer_pubkey(signer)));
    cbor_put_int(&protected, 15);
    cbor_put_map(&protected, 2);
    cbor_put_int(&protected, 1);
    cbor_put_literal(&protected, "issuer");
    cbor_put_int(&protected, 2);
    cbor_put_literal(&protected, "subject");
    sig_structure_write(&message, buf_bytes(&protected), bytes_text(content));
    CHECK_OK(signer_sign(signer, signature, buf_bytes(&message)));
    struct sign1 sign1 = {.protected = buf_bytes(&protected),
                          .payload = bytes_text(content),
                          .signature = BYTES_OF(signature)};
    sign1_write(out, &sign1);
    buf_clear(&message);
    buf_clear(&protected);
}

static void a_foreign_statement_is_found_by_its_payload_also_after_a_restart(void **state)
{
    struct bench *bench = *state;
    struct buf pem = {0};
    struct buf body = {0};
    struct signer *signer;
    CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    register_member(bench, "scitt", PURPOSE_FOREIGN, signer);
    put_foreign(&body, signer, "a claim of others");
    struct node_answers *answers = send(bench->node, &body);
    CHECK_OK(answers->at[0].err);
    check_found(bench, "a claim of others", 1);
    check_proof(bench, answers->at[0].index, "a claim of others");
    node_close(bench->node);
    open_node(bench);
    check_found(bench, "a claim of others", 1);
    free(answers);
    buf_clear(&pem);
    signer_free(signer);
}

/* ---- receipts by themselves */

struct shown_keys {
    size_t count;
    struct hash kid;
    struct buf spki;
};

static void note_key(void *context, const struct hash *kid, const struct key_record *record)
{
    struct shown_keys *shown = context;
    CHECK_UINT(record->purpose, PURPOSE_RECEIPT);
    shown->count++;
    shown->kid = *kid;
    shown->spki.len = 0;
    buf_put(&shown->spki, record->spki);
}

static void an_entry_has_a_receipt_that_a_listed_key_signed(void **state)
{
    struct bench *bench = *state;
    struct buf body = {0};
    struct buf bytes = {0};
    struct buf entry = {0};
    struct why why = {0};
    struct shown_keys shown = {0};
    put_deposit(&body, bench, "with a receipt");
    struct node_answers *answers = send(bench->node, &body);
    CHECK_OK(node_entry_receipt(bench->node, answers->at[0].index, &bytes, &why));
    struct receipt receipt;
    CHECK_OK(receipt_parse(&receipt, buf_bytes(&bytes)));
    CHECK_OK(node_receipt_keys(bench->node, note_key, &shown));
    CHECK_UINT(shown.count, 1);
    CHECK(hash_equal(&shown.kid, &receipt.kid));
    CHECK_OK(node_receipt_key(bench->node, &receipt.kid, note_key, &shown));
    struct pubkey *key;
    struct hash leaf;
    uint64_t height;
    struct view *view = node_view(bench->node);
    CHECK_OK(pubkey_parse(&key, buf_bytes(&shown.spki)));
    CHECK_OK(view_entry(view, answers->at[0].index, &entry, &height));
    leaf_hash(&leaf, buf_bytes(&entry));
    CHECK_OK(receipt_check(&receipt, view_header(view), key, &leaf, &why));
    CHECK_ERR(node_entry_receipt(bench->node, view_header(view)->tree_size, &bytes, &why),
              ERR_RANGE);
    CHECK(why.field[0] != '\0');
    view_release(view);
    pubkey_free(key);
    free(answers);
    buf_clear(&shown.spki);
    buf_clear(&entry);
    buf_clear(&bytes);
}

static void a_transparent_statement_is_the_entry_with_its_receipt(void **state)
{
    struct bench *bench = *state;
    struct buf entry = {0};
    struct buf receipt = {0};
    struct buf whole = {0};
    struct why why = {0};
    struct sign1 bare;
    struct sign1 carrying;
    uint64_t height;
    struct view *view = node_view(bench->node);
    CHECK_OK(view_entry(view, 1, &entry, &height));
    view_release(view);
    CHECK_OK(node_entry_receipt(bench->node, 1, &receipt, &why));
    CHECK_OK(node_transparent(bench->node, 1, &whole, &why));
    CHECK_OK(sign1_parse(&bare, buf_bytes(&entry)));
    CHECK_OK(sign1_parse(&carrying, buf_bytes(&whole)));
    CHECK_BYTES(carrying.payload, bare.payload);
    struct cbor_reader reader;
    cbor_init(&reader, carrying.unprotected);
    CHECK_UINT(cbor_map(&reader, 0, 9), 1);
    CHECK(cbor_int(&reader) == 394);
    CHECK_UINT(cbor_array(&reader, 0, 9), 1);
    CHECK_BYTES(cbor_bytes(&reader, 0, RECEIPT_MAX), buf_bytes(&receipt));
    CHECK_OK(cbor_end(&reader));
    buf_clear(&entry);
    buf_clear(&receipt);
    buf_clear(&whole);
}

static void a_key_of_another_purpose_is_no_receipt_key(void **state)
{
    struct bench *bench = *state;
    struct shown_keys shown = {0};
    struct hash absent = {{7}};
    const struct hash *kid = pubkey_kid(signer_pubkey(bench->alice));
    CHECK_ERR(node_receipt_key(bench->node, kid, note_key, &shown), ERR_NOT_FOUND);
    CHECK_ERR(node_receipt_key(bench->node, &absent, note_key, &shown), ERR_NOT_FOUND);
    CHECK_UINT(shown.count, 0);
}

static void one_statement_alone_may_be_in_another_tools_encoding(void **state)
{
    struct bench *bench = *state;
    struct buf pem = {0};
    struct buf body = {0};
    struct buf longer = {0};
    struct signer *signer;
    CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    register_member(bench, "other-tool", PURPOSE_FOREIGN, signer);
    put_foreign(&body, signer, "in a longer encoding");
    /* Tag 18 in two bytes instead of one. */
    CHECK_UINT(body.at[0], 0xd2);
    buf_put(&longer, hex("d812"));
    buf_put(&longer, (struct bytes){body.at + 1, body.len - 1});
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
    struct why why = {0};
    CHECK_OK(node_submit_one(bench->node, &longer, true, answered, &waiting, &why));
    struct node_answers *answers = wait_answer(&waiting);
    CHECK_OK(answers->at[0].err);
    CHECK_UINT(longer.len, 0);
    check_found(bench, "in a longer encoding", 1);
    free(answers);
    buf_clear(&body);
    buf_clear(&pem);
    signer_free(signer);
}

static void count_up(void *context)
{
    atomic_fetch_add((atomic_uint *)context, 1);
}

static void who_watches_is_told_of_each_commit(void **state)
{
    struct bench *bench = *state;
    struct buf body = {0};
    atomic_uint commits = 0;
    node_watch(bench->node, count_up, &commits);
    put_deposit(&body, bench, "watched");
    free(send(bench->node, &body));
    CHECK_UINT(atomic_load(&commits), 1);
    node_unwatch(bench->node, &commits);
    put_deposit(&body, bench, "not watched any more");
    free(send(bench->node, &body));
    CHECK_UINT(atomic_load(&commits), 1);
}

/* ---- checkpoints and cosignatures */

/* Appends the line of witness `name` over the checkpoint of the view's head. */
static void cosign(struct buf *out, struct bench *bench, struct view *view, const char *name,
                   uint64_t seconds)
{
    char head[64];
    struct buf message = {0};
    struct note_key key;
    uint8_t blob[4 + 8 + 64];
    CHECK_OK(note_key_of(&key, bytes_text(name), NOTE_COSIGNATURE, signer_pubkey(bench->alice)));
    snprintf(head, sizeof head, "cosignature/v1\ntime %llu\n", (unsigned long long)seconds);
    buf_put(&message, bytes_text(head));
    checkpoint_write(&message, node_ledger_name(bench->node), view_header(view));
    memcpy(blob, key.id, 4);
    put_u64(blob + 4, seconds);
    CHECK_OK(signer_sign(bench->alice, blob + 12, buf_bytes(&message)));
    buf_put(out, bytes_text("\xe2\x80\x94 "));
    buf_put(out, key.name);
    buf_put_byte(out, ' ');
    base64_put(out, BYTES_OF(blob));
    buf_put_byte(out, '\n');
    buf_clear(&message);
}

static uint64_t deposit_one(struct bench *bench, const char *content)
{
    struct buf body = {0};
    put_deposit(&body, bench, content);
    struct node_answers *answers = send(bench->node, &body);
    CHECK_OK(answers->at[0].err);
    uint64_t index = answers->at[0].index;
    free(answers);
    return index;
}

/* The proof of an entry has this head, and so many notes of which the first is this. */
static void check_notes(struct bench *bench, uint64_t index, struct view *head, size_t count,
                        struct bytes first)
{
    struct buf bytes = {0};
    struct why why = {0};
    struct proof *proof;
    CHECK_OK(node_prove(bench->node, index, 0, true, &bytes, &why));
    CHECK_OK(proof_parse(&proof, buf_bytes(&bytes), &why));
    CHECK_BYTES(proof->file.head, view_header_bytes(head));
    CHECK_UINT(proof->file.note_count, count);
    if (count > 0) {
        CHECK_BYTES(proof->file.notes[0], ((struct bytes){first.at, first.len - 1}));
    }
    proof_free(proof);
    buf_clear(&bytes);
}

static void entries_are_proved_under_the_newest_head_that_witnesses_cosigned(void **state)
{
    struct bench *bench = *state;
    struct why why = {0};
    struct buf lines = {0};
    struct buf second = {0};
    struct buf known = {0};
    uint64_t older = deposit_one(bench, "older");
    struct view *view = node_view(bench->node);
    uint64_t height = view_header(view)->height;
    check_notes(bench, older, view, 0, BYTES_NONE);
    CHECK_ERR(node_block_notes(bench->node, height, &known), ERR_NOT_FOUND);
    cosign(&lines, bench, view, "one.example", 1700000000);
    CHECK_OK(node_add_notes(bench->node, view, buf_bytes(&lines), &why));
    uint64_t newer = deposit_one(bench, "newer");
    struct view *newest = node_view(bench->node);
    check_notes(bench, older, view, 1, buf_bytes(&lines));
    check_notes(bench, newer, newest, 0, BYTES_NONE);
    check_proof(bench, older, "older");
    check_proof(bench, newer, "newer");
    /* One line of each key; a second witness comes behind the first. */
    cosign(&second, bench, view, "one.example", 1700000001);
    cosign(&second, bench, view, "two.example", 1700000001);
    CHECK_OK(node_add_notes(bench->node, view, buf_bytes(&second), &why));
    check_notes(bench, older, view, 2, buf_bytes(&lines));
    CHECK_OK(node_block_notes(bench->node, height, &known));
    CHECK(memcmp(known.at, lines.at, lines.len) == 0);
    known.len = 0;
    /* They are on the disk; which head to prefer is forgotten. */
    view_release(view);
    view_release(newest);
    node_close(bench->node);
    open_node(bench);
    CHECK_OK(node_block_notes(bench->node, height, &known));
    CHECK_UINT(known.len, 2 * lines.len);
    CHECK_ERR(node_block_notes(bench->node, height + 2, &known), ERR_RANGE);
    newest = node_view(bench->node);
    check_notes(bench, older, newest, 0, BYTES_NONE);
    view_release(newest);
    buf_clear(&lines);
    buf_clear(&second);
    buf_clear(&known);
}

static void a_checkpoint_is_signed_once_and_carries_its_cosignatures(void **state)
{
    struct bench *bench = *state;
    struct why why = {0};
    struct buf vkey = {0};
    struct buf note = {0};
    struct buf again = {0};
    struct buf text = {0};
    struct buf lines = {0};
    struct note_key key;
    struct note_line line;
    struct view *view = node_view(bench->node);
    CHECK_OK(node_checkpoint_key(bench->node, &vkey, &why));
    CHECK_OK(note_key_parse(&key, buf_bytes(&vkey)));
    CHECK_UINT(key.type, NOTE_ED25519);
    CHECK_OK(node_checkpoint(bench->node, view, &note, &why));
    checkpoint_write(&text, bytes_text("court"), view_header(view));
    CHECK(note.len > text.len + 1 && memcmp(note.at, text.at, text.len) == 0);
    CHECK_UINT(note.at[text.len], '\n');
    size_t signed_len = text.len + 1;
    CHECK_OK(note_line_parse(&line, (struct bytes){note.at + signed_len, note.len - signed_len}));
    CHECK(note_line_is_by(&line, &key));
    CHECK_OK(note_verify(&line, &key, buf_bytes(&text)));
    buf_clear(&line.decoded);
    cosign(&lines, bench, view, "one.example", 1700000000);
    CHECK_OK(node_add_notes(bench->node, view, buf_bytes(&lines), &why));
    CHECK_OK(node_checkpoint(bench->node, view, &again, &why));
    CHECK_UINT(again.len, note.len + lines.len);
    CHECK(memcmp(again.at, note.at, note.len) == 0);
    CHECK(memcmp(again.at + note.len, lines.at, lines.len) == 0);
    view_release(view);
    buf_clear(&vkey);
    buf_clear(&note);
    buf_clear(&again);
    buf_clear(&text);
    buf_clear(&lines);
}

static void lines_that_are_none_and_lines_beyond_64_are_not_stored(void **state)
{
    struct bench *bench = *state;
    struct why why = {0};
    struct buf lines = {0};
    struct buf known = {0};
    uint64_t index = deposit_one(bench, "often cosigned");
    struct view *view = node_view(bench->node);
    CHECK_ERR(node_add_notes(bench->node, view, bytes_text("no line\n"), &why), ERR_FORMAT);
    CHECK_ERR(node_add_notes(bench->node, view, bytes_text("\xe2\x80\x94 a AAA=\n"), &why),
              ERR_FORMAT);
    CHECK_OK(node_add_notes(bench->node, view, BYTES_NONE, &why));
    for (unsigned i = 0; i < PROOF_NOTES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%02u.example", i);
        cosign(&lines, bench, view, name, 1700000000);
    }
    CHECK_OK(node_add_notes(bench->node, view, buf_bytes(&lines), &why));
    check_notes(bench, index, view, PROOF_NOTES_MAX,
                (struct bytes){lines.at, lines.len / PROOF_NOTES_MAX});
    struct buf one = {0};
    cosign(&one, bench, view, "late.example", 1700000000);
    CHECK_ERR(node_add_notes(bench->node, view, buf_bytes(&one), &why), ERR_RANGE);
    CHECK_OK(node_block_notes(bench->node, view_header(view)->height, &known));
    CHECK_BYTES(buf_bytes(&known), buf_bytes(&lines));
    view_release(view);
    buf_clear(&lines);
    buf_clear(&known);
    buf_clear(&one);
}

static void a_folder_is_opened_by_one_process_at_a_time(void **state)
{
    struct bench *bench = *state;
    struct node *second;
    struct why why = {0};
    struct node_options options = {.dir = bench->dir};
    CHECK_ERR(node_open(&second, &options, &why), ERR_BUSY);
    CHECK(second == NULL);
}

static void a_ledger_is_never_made_over_another(void **state)
{
    struct bench *bench = *state;
    struct why why = {0};
    CHECK_ERR(node_create(bench->dir, "other", NULL, &why), ERR_EXISTS);
    CHECK_ERR(node_create("/tmp/cairn-never", "Bad Name", NULL, &why), ERR_FORMAT);
    CHECK(!file_exists("/tmp/cairn-never"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deposit_is_stored_found_and_proved),
        cmocka_unit_test(many_statements_of_one_request_each_get_their_answer),
        cmocka_unit_test(sending_again_is_answered_with_the_first_place),
        cmocka_unit_test(what_is_refused_names_its_reason_and_changes_nothing),
        cmocka_unit_test(everything_is_there_after_a_restart),
        cmocka_unit_test(a_batch_comes_as_a_stream),
        cmocka_unit_test(what_was_said_about_evidence_is_found_by_its_statement),
        cmocka_unit_test(a_foreign_statement_is_found_by_its_payload_also_after_a_restart),
        cmocka_unit_test(an_entry_has_a_receipt_that_a_listed_key_signed),
        cmocka_unit_test(a_transparent_statement_is_the_entry_with_its_receipt),
        cmocka_unit_test(a_key_of_another_purpose_is_no_receipt_key),
        cmocka_unit_test(one_statement_alone_may_be_in_another_tools_encoding),
        cmocka_unit_test(who_watches_is_told_of_each_commit),
        cmocka_unit_test(entries_are_proved_under_the_newest_head_that_witnesses_cosigned),
        cmocka_unit_test(a_checkpoint_is_signed_once_and_carries_its_cosignatures),
        cmocka_unit_test(lines_that_are_none_and_lines_beyond_64_are_not_stored),
        cmocka_unit_test(a_folder_is_opened_by_one_process_at_a_time),
        cmocka_unit_test(a_ledger_is_never_made_over_another),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
