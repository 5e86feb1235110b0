/* Fork evidence: whom it accuses, and whom it does not. */
#include "mini_ledger.h"

#include "codec/text.h"
#include "proof/fork.h"
#include "proof/note.h"

#define NODE "bank-node"

/* Two histories of one ledger: they part in block 2. */
struct scene {
    struct mini minis[2];
    struct signer *receipt;
    struct signer *checkpoint;
    struct signer *other;
    struct receipt_key key;
    struct trust_regime regime;
    struct trust trust;
    struct arena arena;
    struct fork_evidence evidence;
};

static struct bytes keep(struct scene *scene, struct buf *buf)
{
    struct bytes kept = arena_copy(&scene->arena, buf_bytes(buf));
    buf_clear(buf);
    return kept;
}

static void history_make(struct scene *scene, struct mini *mini, const char *last)
{
    *mini = (struct mini){.chain = {{7}}};
    mini_entry(mini, bytes_text("genesis"));
    mini_put_key(mini, scene->receipt, NODE, PURPOSE_RECEIPT, 0, 0);
    mini_put_key(mini, scene->checkpoint, NODE, PURPOSE_CHECKPOINT, 0, 0);
    mini_block(mini, 0);
    mini_entry(mini, bytes_text("one"));
    mini_block(mini, 0);
    mini_entry(mini, bytes_text(last));
    mini_block(mini, 0);
}

static void scene_begin(struct scene *scene)
{
    *scene = (struct scene){
        .receipt = mini_signer(), .checkpoint = mini_signer(), .other = mini_signer()};
    history_make(scene, &scene->minis[0], "two");
    history_make(scene, &scene->minis[1], "another");
    scene->key.spki = pubkey_spki(signer_pubkey(scene->receipt));
    CHECK_OK(pubkey_parse(&scene->key.key, scene->key.spki));
    scene->key.node = bytes_text(NODE);
    scene->regime = (struct trust_regime){.key_count = 1, .keys = &scene->key};
    scene->trust = (struct trust){.name = bytes_text("test"),
                                  .chain = scene->minis[0].chain,
                                  .regime_count = 1,
                                  .regimes = &scene->regime};
}

static void scene_end(struct scene *scene)
{
    mini_clear(&scene->minis[0]);
    mini_clear(&scene->minis[1]);
    signer_free(scene->receipt);
    signer_free(scene->checkpoint);
    signer_free(scene->other);
    pubkey_free(scene->key.key);
    arena_clear(&scene->arena);
}

static void side_set(struct scene *scene, size_t side, const struct header *header,
                     const char *node, const struct signer *by)
{
    struct buf bytes = {0};
    header_write(&bytes, header);
    scene->evidence.sides[side].header = keep(scene, &bytes);
    CHECK_OK(receipt_sign(&bytes, header, bytes_text(node), by));
    scene->evidence.sides[side].receipt = keep(scene, &bytes);
}

static void accuse_heads(struct scene *scene)
{
    for (size_t i = 0; i < 2; i++) {
        side_set(scene, i, &scene->minis[i].headers[2], NODE, scene->receipt);
    }
}

/* A state proof of the checkpoint key's record under block `height` of the first history. */
static struct bytes key_proof(struct scene *scene, size_t height, const struct signer *signer)
{
    struct buf key = {0};
    struct buf bytes = {0};
    struct mini *mini = &scene->minis[0];
    struct state_proof *proof = mem_zalloc(sizeof *proof);
    key_record_state_key(&key, pubkey_kid(signer_pubkey(signer)));
    proof->module = bytes_text("member");
    proof->key = buf_bytes(&key);
    proof->present = true;
    proof->value = mini_record(mini, signer, &proof->siblings);
    header_write(&bytes, &mini->headers[height]);
    proof->head = keep(scene, &bytes);
    CHECK_OK(receipt_sign(&bytes, &mini->headers[height], bytes_text(NODE), scene->receipt));
    proof->receipts[0] = keep(scene, &bytes);
    proof->receipt_count = 1;
    state_proof_write(&bytes, proof);
    buf_clear(&key);
    free(proof);
    return keep(scene, &bytes);
}

static struct bytes note_make(struct scene *scene, const struct header *head,
                              const struct signer *by)
{
    struct buf note = {0};
    struct buf text = {0};
    struct buf origin = {0};
    struct note_key key;
    checkpoint_origin(&origin, scene->trust.name, head);
    CHECK_OK(note_key_of(&key, buf_bytes(&origin), NOTE_ED25519, signer_pubkey(by)));
    checkpoint_write(&text, scene->trust.name, head);
    buf_put(&note, buf_bytes(&text));
    buf_put_byte(&note, '\n');
    CHECK_OK(note_sign(&note, &key, by, buf_bytes(&text)));
    buf_clear(&text);
    buf_clear(&origin);
    return keep(scene, &note);
}

static void accuse_notes(struct scene *scene)
{
    scene->evidence.checkpoints = true;
    scene->evidence.key = key_proof(scene, 2, scene->checkpoint);
    for (size_t i = 0; i < 2; i++) {
        scene->evidence.sides[i].note =
            note_make(scene, &scene->minis[i].headers[2], scene->checkpoint);
    }
}

/* Appends a witness's line to a note. */
static void cosign(struct scene *scene, struct bytes *note, const struct note_key *key,
                   const struct signer *witness, uint64_t seconds)
{
    char head[64];
    struct buf message = {0};
    struct buf out = {0};
    uint8_t blob[NOTE_KEY_ID_LEN + 8 + 64];
    const uint8_t *end = memmem(note->at, note->len, "\n\n", 2);
    snprintf(head, sizeof head, "cosignature/v1\ntime %llu\n", (unsigned long long)seconds);
    buf_put(&message, bytes_text(head));
    buf_put(&message, (struct bytes){note->at, (size_t)(end + 1 - note->at)});
    memcpy(blob, key->id, NOTE_KEY_ID_LEN);
    put_u64(blob + NOTE_KEY_ID_LEN, seconds);
    CHECK_OK(signer_sign(witness, blob + NOTE_KEY_ID_LEN + 8, buf_bytes(&message)));
    buf_put(&out, *note);
    buf_put(&out, bytes_text("\xe2\x80\x94 "));
    buf_put(&out, key->name);
    buf_put_byte(&out, ' ');
    base64_put(&out, BYTES_OF(blob));
    buf_put_byte(&out, '\n');
    *note = keep(scene, &out);
    buf_clear(&message);
}

/* Writes the evidence, reads it back and judges it. */
static void judge(const struct scene *scene, const struct trust *trust, struct verdict *out)
{
    struct buf bytes = {0};
    struct buf again = {0};
    struct fork_evidence *evidence;
    fork_evidence_write(&bytes, &scene->evidence);
    CHECK(fork_evidence_is(buf_bytes(&bytes)));
    CHECK_OK(fork_evidence_parse(&evidence, buf_bytes(&bytes), NULL));
    fork_evidence_write(&again, evidence);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&bytes));
    *out = (struct verdict){0};
    fork_evidence_verify(out, evidence, trust);
    fork_evidence_free(evidence);
    buf_clear(&bytes);
    buf_clear(&again);
}

/* The verdict has this status, and a line of this check whose text holds `text`. */
static void check_verdict(const struct scene *scene, const struct trust *trust,
                          enum verdict_status status, enum check check, const char *text)
{
    struct verdict verdict;
    bool found = false;
    judge(scene, trust, &verdict);
    for (size_t i = 0; i < verdict.count; i++) {
        found = found ||
                (verdict.lines[i].check == check && strstr(verdict.lines[i].text, text) != NULL);
    }
    if (!found || verdict.status != status) {
        for (size_t i = 0; i < verdict.count; i++) {
            fprintf(stderr, "%s: %s\n", check_name(verdict.lines[i].check), verdict.lines[i].text);
        }
        fail_msg("status %d, want %d and \"%s\"", (int)verdict.status, (int)status, text);
    }
    verdict_clear(&verdict);
}

static void two_heads_of_one_place_accuse_the_node_that_signed_both(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_heads(&scene);
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_FORK,
                  "Node " NODE " acknowledged two different heads of height 2, epoch 0");
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_KEY, "stayed secret until today");
    struct head head = {.place = {0, 2}};
    header_hash(&head.hash, &scene.minis[1].headers[2]);
    scene.trust.heads = &head;
    scene.trust.head_count = 1;
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_HEAD, "lists the second");
    scene_end(&scene);
}

static void without_a_trust_file_or_under_another_nobody_is_accused(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_heads(&scene);
    check_verdict(&scene, NULL, VERDICT_UNREADABLE, CHECK_LEDGER, "nobody is accused");
    scene.trust.chain.at[0] ^= 1;
    check_verdict(&scene, &scene.trust, VERDICT_UNREADABLE, CHECK_LEDGER, "not a ledger");
    scene.evidence = (struct fork_evidence){0};
    scene.trust.chain.at[0] ^= 1;
    accuse_notes(&scene);
    check_verdict(&scene, NULL, VERDICT_UNREADABLE, CHECK_LEDGER, "nobody is accused");
    scene_end(&scene);
}

static void what_is_no_contradiction_accuses_nobody(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_heads(&scene);
    side_set(&scene, 1, &scene.minis[0].headers[2], NODE, scene.receipt);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "one and the same");
    side_set(&scene, 1, &scene.minis[0].headers[1], NODE, scene.receipt);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "one epoch and height");
    struct header restarted = scene.minis[1].headers[2];
    restarted.epoch = 1;
    side_set(&scene, 1, &restarted, NODE, scene.receipt);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "one epoch and height");
    side_set(&scene, 1, &scene.minis[1].headers[2], NODE, scene.other);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "by two keys");
    side_set(&scene, 0, &scene.minis[0].headers[2], NODE, scene.other);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "does not list");
    scene_end(&scene);
}

static void receipts_that_are_not_the_nodes_accuse_nobody(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_heads(&scene);
    side_set(&scene, 1, &scene.minis[1].headers[2], "port-node", scene.receipt);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "names another node");
    accuse_heads(&scene);
    scene.evidence.sides[1].receipt = scene.evidence.sides[0].receipt;
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "stand against each other");
    struct bytes *receipt = &scene.evidence.sides[1].receipt;
    accuse_heads(&scene);
    uint8_t *copy = arena_alloc(&scene.arena, receipt->len);
    memcpy(copy, receipt->at, receipt->len);
    copy[receipt->len - 1] ^= 1;
    receipt->at = copy;
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "does not verify");
    receipt->len--;
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "malformed");
    scene_end(&scene);
}

static void a_key_that_has_ended_does_not_accuse_undated(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_heads(&scene);
    scene.key.has_to = true;
    scene.key.to = (struct place){0, 5};
    scene.key.has_ended = true;
    scene.key.ended_ms = 1700000100000;
    scene.key.status = KEY_ROTATED;
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_KEY, "has ended (rotated)");
    scene.key.status = KEY_STOLEN;
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_KEY, "has ended (stolen)");
    scene.key.has_to = false;
    scene.key.status = KEY_IN_FORCE;
    scene.key.from = (struct place){0, 3};
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_KEY, "began after");
    scene.key.from = (struct place){0, 0};
    scene.evidence.sides[0].has_token = true;
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_TOKEN, "malformed");
    scene_end(&scene);
}

static void two_roots_of_one_size_accuse_who_signed_the_checkpoints(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_notes(&scene);
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_FORK,
                  "Node " NODE " signed two checkpoints of 3 entries with different roots");
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_KEY, "stayed secret until today");
    scene_end(&scene);
}

static void checkpoints_without_contradiction_accuse_nobody(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_notes(&scene);
    struct bytes *note = &scene.evidence.sides[1].note;
    *note = note_make(&scene, &scene.minis[0].headers[1], scene.checkpoint);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_FORK, "two roots of one size");
    *note = scene.evidence.sides[0].note;
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_FORK, "two roots of one size");
    struct header restarted = scene.minis[1].headers[2];
    restarted.epoch = 1;
    *note = note_make(&scene, &restarted, scene.checkpoint);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_FORK, "one epoch of the ledger");
    *note = note_make(&scene, &scene.minis[1].headers[2], scene.other);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "second checkpoint is not");
    *note = bytes_text("one line\n");
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_FORK, "no signed note");
    scene.trust.name = bytes_text("tess");
    accuse_notes(&scene);
    scene.trust.name = bytes_text("test");
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_FORK, "one epoch of the ledger");
    scene_end(&scene);
}

static void only_the_record_of_a_checkpoint_key_shows_whose_it_is(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_notes(&scene);
    scene.evidence.key = key_proof(&scene, 2, scene.receipt);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_KEY, "not that of a checkpoint key");
    scene.evidence.key = key_proof(&scene, 2, scene.checkpoint);
    mini_put_key(&scene.minis[0], scene.checkpoint, NODE, PURPOSE_CHECKPOINT, 0, 3);
    mini_entry(&scene.minis[0], bytes_text("three"));
    mini_block(&scene.minis[0], 0);
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_KEY, "in force");
    scene.evidence.key = key_proof(&scene, 3, scene.checkpoint);
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_KEY, "had ended");
    scene.key.node = bytes_text("port-node");
    check_verdict(&scene, &scene.trust, VERDICT_FAIL, CHECK_RECEIPT, "names node");
    scene_end(&scene);
}

static void cosignatures_date_checkpoints(void **state)
{
    (void)state;
    struct scene scene;
    struct note_key key;
    struct buf vkey = {0};
    scene_begin(&scene);
    accuse_notes(&scene);
    CHECK_OK(note_key_of(&key, bytes_text("witness.test"), NOTE_COSIGNATURE,
                         signer_pubkey(scene.other)));
    note_key_write(&vkey, &key);
    struct bytes witness = buf_bytes(&vkey);
    scene.trust.witnesses = &witness;
    scene.trust.witness_count = 1;
    cosign(&scene, &scene.evidence.sides[0].note, &key, scene.other, 1700000001);
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_KEY, "stayed secret until today");
    struct bytes undated = scene.evidence.sides[1].note;
    cosign(&scene, &scene.evidence.sides[1].note, &key, scene.other, 1700000003);
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_KEY, "stayed secret until today");
    scene.evidence.sides[1].note = undated;
    cosign(&scene, &scene.evidence.sides[1].note, &key, scene.other, 1700000002);
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_KEY, "both checkpoints are not");
    check_verdict(&scene, &scene.trust, VERDICT_PASS, CHECK_RECEIPT, "Witness witness.test");
    buf_clear(&vkey);
    scene_end(&scene);
}

static void check_truncated(const struct scene *scene)
{
    struct buf bytes = {0};
    struct fork_evidence *evidence;
    struct why why = {0};
    fork_evidence_write(&bytes, &scene->evidence);
    for (size_t len = 0; len < bytes.len; len++) {
        uint8_t *copy = mem_alloc(len);
        memcpy(copy, bytes.at, len);
        CHECK(fork_evidence_parse(&evidence, (struct bytes){copy, len}, &why) != OK);
        CHECK(evidence == NULL && strlen(why.field) > 0);
        free(copy);
    }
    buf_put_byte(&bytes, 0);
    CHECK_ERR(fork_evidence_parse(&evidence, buf_bytes(&bytes), NULL), ERR_TRAILING);
    buf_clear(&bytes);
}

static void evidence_cut_short_or_lengthened_is_unreadable(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    accuse_heads(&scene);
    check_truncated(&scene);
    accuse_notes(&scene);
    check_truncated(&scene);
    scene.evidence.sides[1].has_token = true;
    check_truncated(&scene);
    scene_end(&scene);
}

/* Every bit but those of what nobody signed is covered: whatever still passes accuses of the same.
 */
static void no_flipped_bit_makes_another_accusation(void **state)
{
    (void)state;
    struct scene scene;
    struct buf bytes = {0};
    scene_begin(&scene);
    accuse_heads(&scene);
    fork_evidence_write(&bytes, &scene.evidence);
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        struct fork_evidence *evidence;
        struct verdict verdict = {0};
        bytes.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (fork_evidence_parse(&evidence, buf_bytes(&bytes), NULL) == OK) {
            fork_evidence_verify(&verdict, evidence, &scene.trust);
            CHECK(verdict.status != VERDICT_PASS);
            verdict_clear(&verdict);
        }
        fork_evidence_free(evidence);
        bytes.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    buf_clear(&bytes);
    scene_end(&scene);
}

static void only_one_encoding_of_each_form_is_read(void **state)
{
    (void)state;
    struct scene scene;
    struct buf bytes = {0};
    struct fork_evidence *evidence;
    scene_begin(&scene);
    accuse_heads(&scene);
    fork_evidence_write(&bytes, &scene.evidence);
    bytes.at[1] = 2;
    CHECK_ERR(fork_evidence_parse(&evidence, buf_bytes(&bytes), NULL), ERR_VERSION);
    bytes.at[1] = 1;
    bytes.at[0] = 0x86;
    buf_put(&bytes, (struct bytes){(const uint8_t *)"\x82\xf6\xf6", 3});
    CHECK_ERR(fork_evidence_parse(&evidence, buf_bytes(&bytes), NULL), ERR_FORMAT);
    bytes.len = 0;
    accuse_notes(&scene);
    fork_evidence_write(&bytes, &scene.evidence);
    bytes.at[2] = 1;
    CHECK_ERR(fork_evidence_parse(&evidence, buf_bytes(&bytes), NULL), ERR_VERSION);
    uint8_t *large = mem_zalloc(FORK_MAX + 1);
    CHECK_ERR(fork_evidence_parse(&evidence, (struct bytes){large, FORK_MAX + 1}, NULL), ERR_RANGE);
    CHECK(!fork_evidence_is((struct bytes){large, 2}) && !fork_evidence_is(BYTES_NONE));
    free(large);
    buf_clear(&bytes);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_heads_of_one_place_accuse_the_node_that_signed_both),
        cmocka_unit_test(without_a_trust_file_or_under_another_nobody_is_accused),
        cmocka_unit_test(what_is_no_contradiction_accuses_nobody),
        cmocka_unit_test(receipts_that_are_not_the_nodes_accuse_nobody),
        cmocka_unit_test(a_key_that_has_ended_does_not_accuse_undated),
        cmocka_unit_test(two_roots_of_one_size_accuse_who_signed_the_checkpoints),
        cmocka_unit_test(checkpoints_without_contradiction_accuse_nobody),
        cmocka_unit_test(only_the_record_of_a_checkpoint_key_shows_whose_it_is),
        cmocka_unit_test(cosignatures_date_checkpoints),
        cmocka_unit_test(evidence_cut_short_or_lengthened_is_unreadable),
        cmocka_unit_test(no_flipped_bit_makes_another_accusation),
        cmocka_unit_test(only_one_encoding_of_each_form_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
