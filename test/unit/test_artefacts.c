/* State proofs, batch proofs and exported proof files, made over a ledger of a few blocks, and what
 * inspection shows of them. */
#include "interop.h"
#include "mini_ledger.h"

#include "codec/text.h"
#include "proof/batchproof.h"
#include "proof/cairn_verify.h"
#include "proof/inspect.h"
#include "proof/stateproof.h"

#define ITEMS 5

/* A ledger with a deposit of five items in block 1, under the head of block 2. */
struct scene {
    struct mini mini;
    struct signer *member;
    struct signer *node;
    struct trust *trust;
    struct buf items[ITEMS];
    struct hash item_leaves[ITEMS];
    struct buf head;
    struct buf block;
    struct buf receipt;
};

static const uint8_t salt[32] = {9};

static void contents_write(char out[16], unsigned number)
{
    snprintf(out, 16, "contents %u", number);
}

/* Odd numbers are blinded. */
static void item_make(struct scene *scene, unsigned number)
{
    char contents[16];
    struct buf digested = {0};
    bool blinded = number % 2 == 1;
    contents_write(contents, number);
    buf_put(&digested, (struct bytes){salt, blinded ? sizeof salt : 0});
    buf_put(&digested, bytes_text(contents));
    struct item item = {.form = blinded ? ITEM_BLINDED : ITEM_PLAIN,
                        .has_size = !blinded,
                        .size = strlen(contents)};
    sha256(&item.sha256, buf_bytes(&digested));
    sm3(&item.sm3, buf_bytes(&digested));
    item_write(&scene->items[number], &item);
    leaf_hash(&scene->item_leaves[number], buf_bytes(&scene->items[number]));
    buf_clear(&digested);
}

static void trust_make(struct scene *scene)
{
    struct receipt_key key = {.spki = pubkey_spki(signer_pubkey(scene->node)),
                              .node = bytes_text("node-1")};
    struct trust_regime regime = {.key_count = 1, .keys = &key};
    struct trust trust = {.name = bytes_text("Test"),
                          .chain = scene->mini.chain,
                          .regime_count = 1,
                          .regimes = &regime};
    struct buf bytes = {0};
    trust_write(&bytes, &trust);
    CHECK_OK(trust_parse(&scene->trust, buf_bytes(&bytes), NULL));
    buf_clear(&bytes);
}

static void scene_begin(struct scene *scene)
{
    struct mini *mini = &scene->mini;
    struct buf body = {0};
    struct deposit deposit = {.count = ITEMS, .category = bytes_text("test")};
    *scene =
        (struct scene){.mini = {.chain = {{5}}}, .member = mini_signer(), .node = mini_signer()};
    for (unsigned i = 0; i < ITEMS; i++) {
        item_make(scene, i);
    }
    deposit.items_root = mini_tree_root(scene->item_leaves, ITEMS);
    deposit_write(&body, &deposit);
    mini_entry(mini, bytes_text("genesis"));
    mini_put_key(mini, scene->member, "ana", PURPOSE_MEMBER, 0, 0);
    mini_put_key(mini, scene->node, "node-1", PURPOSE_RECEIPT, 0, 0);
    mini_block(mini, 0);
    mini_statement(mini, scene->member, "ana", DEPOSIT_TYPE, buf_bytes(&body));
    header_write(&scene->block, mini_block(mini, 0));
    mini_entry(mini, bytes_text("something else"));
    const struct header *head = mini_block(mini, 0);
    header_write(&scene->head, head);
    CHECK_OK(receipt_sign(&scene->receipt, head, bytes_text("node-1"), scene->node));
    trust_make(scene);
    buf_clear(&body);
}

static void scene_end(struct scene *scene)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        buf_clear(&scene->items[i]);
    }
    buf_clear(&scene->head);
    buf_clear(&scene->block);
    buf_clear(&scene->receipt);
    mini_clear(&scene->mini);
    signer_free(scene->member);
    signer_free(scene->node);
    trust_free(scene->trust);
}

/* The proof of the deposit, without item and salt. Borrows from the scene. */
static void shared_make(struct proof_file *out, struct scene *scene)
{
    struct mini *mini = &scene->mini;
    *out = (struct proof_file){0};
    CHECK_OK(sign1_parse(&out->entry, buf_bytes(&mini->entries[1])));
    out->receipts[out->receipt_count++] = buf_bytes(&scene->receipt);
    out->index = 1;
    out->log_path = mini_path(mini->leaves, 1, mini->size);
    out->head = buf_bytes(&scene->head);
    out->block = buf_bytes(&scene->block);
    out->block_path = mini_path(mini->history, 1, 2);
    out->record = mini_record(mini, scene->member, &out->record_path);
}

static void batch_make(struct buf *out, struct scene *scene)
{
    static struct proof_file shared;
    shared_make(&shared, scene);
    batch_proofs_begin(out, &shared, ITEMS);
    for (unsigned i = 0; i < ITEMS; i++) {
        char name[16];
        snprintf(name, sizeof name, "file-%u", i);
        struct batch_item item = {.item = buf_bytes(&scene->items[i]),
                                  .salt = {salt, i % 2 == 1 ? sizeof salt : 0},
                                  .name = bytes_text(name)};
        batch_proofs_item(out, &item);
    }
}

/* The proof of one item and its contents verify. */
static void check_single(const struct scene *scene, struct bytes single, unsigned number)
{
    char contents[16];
    struct proof *proof;
    struct subject subject;
    struct verdict verdict = {0};
    contents_write(contents, number);
    CHECK_OK(proof_parse(&proof, single, NULL));
    struct subject_digest *digest = subject_begin(proof);
    subject_update(digest, bytes_text(contents));
    subject_end(digest, &subject);
    proof_verify(&verdict, proof, scene->trust, &subject);
    if (verdict.status != VERDICT_PASS) {
        verdict_print(&verdict);
    }
    CHECK_UINT(verdict.status, VERDICT_PASS);
    verdict_clear(&verdict);
    proof_free(proof);
}

static bool shares_bits(const struct hash *a, const struct hash *b, size_t count)
{
    for (unsigned depth = 0; depth < count; depth++) {
        if (state_bit(a, depth) != state_bit(b, depth)) {
            return false;
        }
    }
    return true;
}

/* State proof of the key ["key", kid]. */
static void state_make(struct state_proof *out, struct scene *scene, const struct hash *kid,
                       struct buf *key)
{
    struct hash hash;
    struct mini *mini = &scene->mini;
    *out = (struct state_proof){.module = bytes_text("member")};
    key_record_state_key(key, kid);
    state_key_hash(&hash, out->module, buf_bytes(key));
    mini_state_root(mini, &hash, &out->siblings);
    out->key = buf_bytes(key);
    for (size_t i = 0; i < mini->pair_count; i++) {
        if (hash_equal(&mini->pairs[i].key, &hash)) {
            out->present = true;
            out->value = buf_bytes(&mini->pairs[i].value);
        } else if (!out->present && shares_bits(&mini->pairs[i].key, &hash, out->siblings.count)) {
            out->has_other = true;
            out->other_key = mini->pairs[i].key;
            state_value_hash(&out->other_value, buf_bytes(&mini->pairs[i].value));
        }
    }
    out->head = buf_bytes(&scene->head);
    out->receipts[out->receipt_count++] = buf_bytes(&scene->receipt);
}

/* Batch proofs, state proofs, a key request and the trust file of one scene. */
static void golden_scene(struct scene *scene, struct bytes batch)
{
    static struct state_proof proof;
    struct hash nobody = {{1}};
    struct buf bytes = {0};
    struct buf key = {0};
    golden_write("batch.proofs", batch);
    trust_write(&bytes, scene->trust);
    golden_write("state.trust", buf_bytes(&bytes));
    bytes.len = 0;
    state_make(&proof, scene, pubkey_kid(signer_pubkey(scene->member)), &key);
    state_proof_write(&bytes, &proof);
    golden_write("state.proof", buf_bytes(&bytes));
    bytes.len = 0;
    key.len = 0;
    state_make(&proof, scene, &nobody, &key);
    state_proof_write(&bytes, &proof);
    golden_write("absent.proof", buf_bytes(&bytes));
    bytes.len = 0;
    CHECK_OK(possession_sign(&bytes, &scene->mini.chain, bytes_text("ana"), PURPOSE_MEMBER,
                             scene->member));
    golden_write("key.req", buf_bytes(&bytes));
    buf_clear(&bytes);
    buf_clear(&key);
}

static void golden_state(const struct trust *trust, const char *name)
{
    struct buf bytes = {0};
    struct verdict verdict = {0};
    struct state_proof *proof;
    golden_read(&bytes, name);
    CHECK_OK(state_proof_parse(&proof, buf_bytes(&bytes), NULL));
    state_proof_verify(&verdict, proof, trust);
    CHECK_UINT(verdict.status, VERDICT_PASS);
    state_proof_free(proof);
    verdict_clear(&verdict);
    buf_clear(&bytes);
}

static void artefacts_of_every_version_are_taken(void **state)
{
    (void)state;
    struct scene golden = {0};
    struct buf bytes = {0};
    struct buf single = {0};
    struct batch_proofs *batch;
    struct possession request;
    golden_read(&bytes, "state.trust");
    CHECK_OK(trust_parse(&golden.trust, buf_bytes(&bytes), NULL));
    bytes.len = 0;
    golden_read(&bytes, "batch.proofs");
    CHECK_OK(batch_proofs_parse(&batch, buf_bytes(&bytes), NULL));
    CHECK_OK(batch_proofs_extract(&single, batch, 3));
    check_single(&golden, buf_bytes(&single), 3);
    batch_proofs_free(batch);
    golden_state(golden.trust, "state.proof");
    golden_state(golden.trust, "absent.proof");
    bytes.len = 0;
    golden_read(&bytes, "key.req");
    CHECK_OK(possession_parse(&request, buf_bytes(&bytes), NULL));
    trust_free(golden.trust);
    buf_clear(&bytes);
    buf_clear(&single);
}

static void each_item_of_a_batch_has_its_proof(void **state)
{
    (void)state;
    struct scene scene;
    struct buf bytes = {0};
    struct batch_proofs *batch;
    scene_begin(&scene);
    batch_make(&bytes, &scene);
    golden_scene(&scene, buf_bytes(&bytes));
    CHECK_OK(batch_proofs_parse(&batch, buf_bytes(&bytes), NULL));
    for (unsigned i = 0; i < ITEMS; i++) {
        struct buf single = {0};
        CHECK_OK(batch_proofs_extract(&single, batch, i));
        check_single(&scene, buf_bytes(&single), i);
        buf_clear(&single);
    }
    struct buf none = {0};
    CHECK_ERR(batch_proofs_extract(&none, batch, ITEMS), ERR_RANGE);
    batch_proofs_free(batch);
    buf_clear(&bytes);
    scene_end(&scene);
}

static void an_item_is_found_by_digest_or_name(void **state)
{
    (void)state;
    struct scene scene;
    struct buf bytes = {0};
    struct batch_proofs *batch;
    struct hash digest;
    uint32_t number;
    scene_begin(&scene);
    batch_make(&bytes, &scene);
    CHECK_OK(batch_proofs_parse(&batch, buf_bytes(&bytes), NULL));
    sha256(&digest, bytes_text("contents 4"));
    CHECK_OK(batch_proofs_find(batch, &digest, NULL, &number));
    CHECK_UINT(number, 4);
    sha256(&digest, bytes_text("contents 3"));
    CHECK_ERR(batch_proofs_find(batch, &digest, NULL, &number), ERR_NOT_FOUND);
    CHECK_OK(batch_proofs_find(batch, &digest, "file-3", &number));
    CHECK_UINT(number, 3);
    batch_proofs_free(batch);
    buf_clear(&bytes);
    scene_end(&scene);
}

static enum err batch_ok(struct bytes in)
{
    struct batch_proofs *batch;
    enum err err = batch_proofs_parse(&batch, in, NULL);
    batch_proofs_free(batch);
    return err;
}

static void a_batch_of_other_items_or_cut_short_is_refused(void **state)
{
    (void)state;
    struct scene scene;
    struct buf bytes = {0};
    scene_begin(&scene);
    batch_make(&bytes, &scene);
    CHECK_OK(batch_ok(buf_bytes(&bytes)));
    for (size_t len = 0; len < bytes.len; len++) {
        CHECK(batch_ok((struct bytes){bytes.at, len}) != OK);
    }
    buf_put_byte(&bytes, 0);
    CHECK_ERR(batch_ok(buf_bytes(&bytes)), ERR_TRAILING);
    bytes.len = 0;
    scene.items[0].at[5] ^= 1;
    batch_make(&bytes, &scene);
    CHECK_ERR(batch_ok(buf_bytes(&bytes)), ERR_MISMATCH);
    buf_clear(&bytes);
    scene_end(&scene);
}

static void state_judge(struct verdict *out, const struct scene *scene,
                        const struct state_proof *made)
{
    struct buf bytes = {0};
    struct buf again = {0};
    struct state_proof *proof;
    state_proof_write(&bytes, made);
    CHECK(state_proof_is(buf_bytes(&bytes)));
    CHECK_OK(state_proof_parse(&proof, buf_bytes(&bytes), NULL));
    state_proof_write(&again, proof);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&bytes));
    state_proof_verify(out, proof, scene->trust);
    state_proof_free(proof);
    buf_clear(&bytes);
    buf_clear(&again);
}

static void what_the_state_holds_is_proved_as_of_a_head(void **state)
{
    (void)state;
    struct scene scene;
    struct buf key = {0};
    struct verdict verdict = {0};
    static struct state_proof proof;
    scene_begin(&scene);
    state_make(&proof, &scene, pubkey_kid(signer_pubkey(scene.member)), &key);
    CHECK(proof.present);
    state_judge(&verdict, &scene, &proof);
    CHECK_UINT(verdict.status, VERDICT_PASS);
    CHECK(strstr(verdict.lines[1].text, "As of height 2, 2023-11-14T22:13:22.000Z") != NULL);
    verdict_clear(&verdict);
    proof.siblings.at[0].at[0] ^= 1;
    state_judge(&verdict, &scene, &proof);
    CHECK_UINT(verdict.status, VERDICT_FAIL);
    CHECK(verdict_fails(&verdict, CHECK_STATE));
    verdict_clear(&verdict);
    proof.siblings.at[0].at[0] ^= 1;
    proof.receipt_count = 0;
    state_judge(&verdict, &scene, &proof);
    CHECK(verdict_fails(&verdict, CHECK_RECEIPT) && !verdict_fails(&verdict, CHECK_STATE));
    verdict_clear(&verdict);
    buf_clear(&key);
    scene_end(&scene);
}

/* Of many keys that aren't there, each is proved absent: some by an empty place, most by a leaf. */
static void what_the_state_lacks_is_proved_absent(void **state)
{
    (void)state;
    struct scene scene;
    static struct state_proof proof;
    scene_begin(&scene);
    for (uint8_t i = 0; i < 32; i++) {
        struct hash kid = {{i}};
        struct buf key = {0};
        struct verdict verdict = {0};
        state_make(&proof, &scene, &kid, &key);
        CHECK(!proof.present);
        state_judge(&verdict, &scene, &proof);
        CHECK_UINT(verdict.status, VERDICT_PASS);
        CHECK(strstr(verdict.lines[1].text, "holds nothing") != NULL);
        verdict_clear(&verdict);
        buf_clear(&key);
    }
    scene_end(&scene);
}

static void a_later_known_head_is_said(void **state)
{
    (void)state;
    struct scene scene;
    struct buf key = {0};
    struct verdict verdict = {0};
    static struct state_proof proof;
    scene_begin(&scene);
    struct head later = {.place = {0, 9}, .size = 99};
    scene.trust->heads = &later;
    scene.trust->head_count = 1;
    state_make(&proof, &scene, pubkey_kid(signer_pubkey(scene.member)), &key);
    state_judge(&verdict, &scene, &proof);
    CHECK_UINT(verdict.status, VERDICT_PASS);
    bool said = false;
    for (size_t i = 0; i < verdict.count; i++) {
        said = said || strstr(verdict.lines[i].text, "You know a later head, of height 9");
    }
    CHECK(said);
    verdict_clear(&verdict);
    buf_clear(&key);
    scene_end(&scene);
}

/* No flipped bit or dropped byte of a state proof lets anything new pass. */
static void no_changed_byte_of_a_state_proof_goes_unnoticed(void **state)
{
    (void)state;
    struct scene scene;
    struct buf key = {0};
    struct buf bytes = {0};
    static struct state_proof made;
    scene_begin(&scene);
    state_make(&made, &scene, pubkey_kid(signer_pubkey(scene.member)), &key);
    state_proof_write(&bytes, &made);
    for (size_t at = 0; at < 8 * bytes.len; at++) {
        struct state_proof *proof;
        struct verdict verdict = {0};
        bytes.at[at / 8] ^= (uint8_t)(1u << at % 8);
        if (state_proof_parse(&proof, buf_bytes(&bytes), NULL) == OK) {
            state_proof_verify(&verdict, proof, scene.trust);
            CHECK(verdict.status != VERDICT_PASS);
            state_proof_free(proof);
        }
        verdict_clear(&verdict);
        bytes.at[at / 8] ^= (uint8_t)(1u << at % 8);
    }
    for (size_t len = 0; len < bytes.len; len++) {
        struct state_proof *proof;
        CHECK(state_proof_parse(&proof, (struct bytes){bytes.at, len}, NULL) != OK);
    }
    buf_clear(&bytes);
    buf_clear(&key);
    scene_end(&scene);
}

static void an_exported_proof_is_a_transparent_statement_and_still_verifies(void **state)
{
    (void)state;
    struct scene scene;
    struct buf out = {0};
    struct receipt receipt;
    static struct proof_file file;
    scene_begin(&scene);
    shared_make(&file, &scene);
    file.item = buf_bytes(&scene.items[2]);
    file.number = 2;
    file.item_path = mini_path(scene.item_leaves, 2, ITEMS);
    CHECK_OK(proof_file_export(&out, &file));
    check_single(&scene, buf_bytes(&out), 2);
    CHECK_OK(proof_file_read(&file, buf_bytes(&out)));
    CHECK_OK(receipt_parse(&receipt, file.receipts[0]));
    CHECK(receipt.has_path && receipt.index == 1 && receipt.size == 3);
    buf_clear(&out);
    scene_end(&scene);
}

/* A vkey "witness.example+HASH+BASE64" of C2SP for an Ed25519 signer. */
static void vkey_write(struct buf *out, const struct signer *signer, uint8_t key_hash[4])
{
    struct buf material = {0};
    struct buf named = {0};
    struct hash hash;
    struct bytes spki = pubkey_spki(signer_pubkey(signer));
    buf_put_byte(&material, 4);
    buf_put(&material, (struct bytes){spki.at + spki.len - 32, 32});
    buf_put(&named, bytes_text("witness.example\n"));
    buf_put(&named, buf_bytes(&material));
    sha256(&hash, buf_bytes(&named));
    memcpy(key_hash, hash.at, 4);
    buf_put(out, bytes_text("witness.example+"));
    hex_put(out, (struct bytes){key_hash, 4});
    buf_put_byte(out, '+');
    base64_put(out, buf_bytes(&material));
    buf_clear(&material);
    buf_clear(&named);
}

/* The line by which a witness cosigns the scene's head at 1700000003 (C2SP tlog-cosignature). */
static void cosign(struct buf *out, const struct scene *scene, const struct signer *signer,
                   const uint8_t key_hash[4])
{
    struct buf message = {0};
    struct buf line = {0};
    uint8_t signature[64];
    uint8_t seconds[8];
    buf_put(&message, bytes_text("cosignature/v1\ntime 1700000003\nTest/0500000000000000/0\n3\n"));
    base64_put(&message, hash_bytes(&scene->mini.headers[2].tree_root));
    buf_put_byte(&message, '\n');
    CHECK_OK(signer_sign(signer, signature, buf_bytes(&message)));
    put_u64(seconds, 1700000003);
    buf_put(&line, (struct bytes){key_hash, 4});
    buf_put(&line, (struct bytes){seconds, 8});
    buf_put(&line, (struct bytes){signature, 64});
    buf_put(out, bytes_text("\xe2\x80\x94 witness.example "));
    base64_put(out, buf_bytes(&line));
    buf_clear(&message);
    buf_clear(&line);
}

/* What the verdict says of the receipts of a proof that carries one note. */
static enum outcome note_outcome(struct scene *scene, struct bytes note)
{
    static struct proof_file file;
    struct buf bytes = {0};
    struct proof *proof;
    struct verdict verdict = {0};
    struct subject none = {.kind = SUBJECT_NONE};
    shared_make(&file, scene);
    file.item = buf_bytes(&scene->items[0]);
    file.item_path = mini_path(scene->item_leaves, 0, ITEMS);
    file.notes[file.note_count++] = note;
    proof_file_write(&bytes, &file);
    CHECK_OK(proof_parse(&proof, buf_bytes(&bytes), NULL));
    proof_verify(&verdict, proof, scene->trust, &none);
    enum outcome outcome = OUTCOME_PASS;
    for (size_t i = 0; i < verdict.count; i++) {
        if (verdict.lines[i].check == CHECK_RECEIPT && verdict.lines[i].outcome != OUTCOME_PASS) {
            outcome = verdict.lines[i].outcome;
        }
    }
    proof_free(proof);
    verdict_clear(&verdict);
    buf_clear(&bytes);
    return outcome;
}

static void a_witness_counts_if_it_is_listed_and_its_cosignature_is_true(void **state)
{
    (void)state;
    struct scene scene;
    struct buf vkey = {0};
    struct buf note = {0};
    uint8_t key_hash[4];
    struct signer *witness = mini_signer();
    scene_begin(&scene);
    vkey_write(&vkey, witness, key_hash);
    cosign(&note, &scene, witness, key_hash);
    CHECK(note_outcome(&scene, buf_bytes(&note)) == OUTCOME_NOT_COUNTED);
    struct bytes listed[1] = {buf_bytes(&vkey)};
    scene.trust->witnesses = listed;
    scene.trust->witness_count = 1;
    CHECK(note_outcome(&scene, buf_bytes(&note)) == OUTCOME_PASS);
    CHECK(note_outcome(&scene, (struct bytes){note.at, note.len - 4}) == OUTCOME_FAIL);
    CHECK(note_outcome(&scene, bytes_text("no line of a note")) == OUTCOME_FAIL);
    note.len = 0;
    cosign(&note, &scene, scene.node, key_hash);
    CHECK(note_outcome(&scene, buf_bytes(&note)) == OUTCOME_FAIL);
    signer_free(witness);
    buf_clear(&vkey);
    buf_clear(&note);
    scene_end(&scene);
}

/* What inspection shows of `in`, or "" where it refuses. */
static void check_shows(struct bytes in, const char *words)
{
    struct buf out = {0};
    CHECK_OK(inspect(&out, in, NULL));
    buf_put_byte(&out, 0);
    CHECK(strncmp((const char *)out.at, "UNVERIFIED", 10) == 0);
    if (strstr((const char *)out.at, words) == NULL) {
        fail_msg("'%s' is not in: %s", words, (const char *)out.at);
    }
    buf_clear(&out);
}

static void inspection_knows_every_artefact(void **state)
{
    (void)state;
    struct scene scene;
    struct buf out = {0};
    struct buf key = {0};
    static struct state_proof proof;
    scene_begin(&scene);
    batch_make(&out, &scene);
    check_shows(buf_bytes(&out), "batch proofs of 5 items");
    check_shows(buf_bytes(&scene.receipt), "node: node-1");
    check_shows(buf_bytes(&scene.head), "header hash");
    check_shows(buf_bytes(&scene.items[1]), "item, blinded");
    check_shows(buf_bytes(&scene.mini.entries[1]), "iss: ana");
    check_shows(buf_bytes(&scene.mini.pairs[0].value), "key record");
    out.len = 0;
    CHECK_OK(
        possession_sign(&out, &scene.mini.chain, bytes_text("ana"), PURPOSE_MEMBER, scene.member));
    check_shows(buf_bytes(&out), "key request");
    out.len = 0;
    trust_write(&out, scene.trust);
    check_shows(buf_bytes(&out), "trust file");
    out.len = 0;
    state_make(&proof, &scene, pubkey_kid(signer_pubkey(scene.node)), &key);
    state_proof_write(&out, &proof);
    check_shows(buf_bytes(&out), "state proof of presence");
    check_shows(hex("a2016161026162"), "{1: \"a\", 2: \"b\"}");
    out.len = 0;
    CHECK_ERR(inspect(&out, bytes_text("plain text"), NULL), ERR_TRUNCATED);
    CHECK_UINT(out.len, 0);
    buf_clear(&out);
    buf_clear(&key);
    scene_end(&scene);
}

static void a_key_request_proves_possession(void **state)
{
    (void)state;
    struct buf out = {0};
    struct possession request;
    struct hash chain = {{3}};
    struct signer *signer = mini_signer();
    CHECK_OK(possession_sign(&out, &chain, bytes_text("ana"), PURPOSE_FOREIGN, signer));
    CHECK_OK(possession_parse(&request, buf_bytes(&out), NULL));
    CHECK_BYTES(request.member, bytes_text("ana"));
    CHECK_BYTES(request.spki, pubkey_spki(signer_pubkey(signer)));
    CHECK(request.purpose == PURPOSE_FOREIGN && hash_equal(&request.chain, &chain));
    CHECK_ERR(possession_parse_webauthn(&request, buf_bytes(&out), BYTES_NONE, NULL, 0, NULL),
              ERR_UNSUPPORTED);
    for (size_t at = 0; at < out.len; at++) {
        out.at[at] ^= 1;
        CHECK(possession_parse(&request, buf_bytes(&out), NULL) != OK);
        out.at[at] ^= 1;
    }
    signer_free(signer);
    buf_clear(&out);
}

static void the_public_interface_takes_state_proofs(void **state)
{
    (void)state;
    struct scene scene;
    struct buf key = {0};
    struct buf out = {0};
    struct buf trust_bytes = {0};
    char id[CAIRN_EVIDENCE_ID_SIZE];
    static struct state_proof made;
    scene_begin(&scene);
    state_make(&made, &scene, pubkey_kid(signer_pubkey(scene.member)), &key);
    state_proof_write(&out, &made);
    trust_write(&trust_bytes, scene.trust);
    struct cairn_proof *proof = cairn_proof_new(out.at, out.len, NULL, 0);
    struct cairn_trust *trust = cairn_trust_new(trust_bytes.at, trust_bytes.len, NULL, 0);
    struct cairn_digest *digest = cairn_digest_new(proof);
    cairn_digest_update(digest, "x", 1);
    struct cairn_verdict *verdict = cairn_verify(proof, trust, digest);
    CHECK(cairn_proof_is_state(proof) == 1 && cairn_proof_evidence_id(proof, id) == 0);
    CHECK_UINT(cairn_proof_time_ms(proof), 1700000002000);
    CHECK(cairn_verdict_status(verdict) == CAIRN_HOLDS);
    cairn_verdict_free(verdict);
    cairn_digest_free(digest);
    cairn_proof_free(proof);
    cairn_trust_free(trust);
    buf_clear(&key);
    buf_clear(&out);
    buf_clear(&trust_bytes);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(artefacts_of_every_version_are_taken),
        cmocka_unit_test(each_item_of_a_batch_has_its_proof),
        cmocka_unit_test(an_item_is_found_by_digest_or_name),
        cmocka_unit_test(a_batch_of_other_items_or_cut_short_is_refused),
        cmocka_unit_test(what_the_state_holds_is_proved_as_of_a_head),
        cmocka_unit_test(what_the_state_lacks_is_proved_absent),
        cmocka_unit_test(a_later_known_head_is_said),
        cmocka_unit_test(no_changed_byte_of_a_state_proof_goes_unnoticed),
        cmocka_unit_test(an_exported_proof_is_a_transparent_statement_and_still_verifies),
        cmocka_unit_test(a_witness_counts_if_it_is_listed_and_its_cosignature_is_true),
        cmocka_unit_test(inspection_knows_every_artefact),
        cmocka_unit_test(a_key_request_proves_possession),
        cmocka_unit_test(the_public_interface_takes_state_proofs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
