#include "proofs.h"

#include "base/file.h"
#include "cli/bundle.h"
#include "crypto/digest.h"
#include "ledger/members.h"
#include "modules/evidence/evidence.h"
#include "proof/batchproof.h"
#include "proof/receipt.h"
#include "proof/stateproof.h"
#include "proof/trustupdate.h"
#include "proof/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The proof of the entry at `index`, whose signer is `kid`; item 0 of a deposit where there is one.
 * What it borrows from is never freed: the program ends soon. */
static struct proof_file *prove(struct view *view, uint64_t index, const struct hash *kid,
                                const struct signer *receipt)
{
    static struct buf kept[5];
    struct proof_file *file = mem_zalloc(sizeof *file);
    struct statement statement;
    struct state_answer record = {0};
    struct buf key = {0};
    uint64_t height;
    const struct header *head = view_header(view);
    must(view_entry(view, index, &kept[0], &height), "the entry");
    must(statement_parse(&statement, buf_bytes(&kept[0]), NULL), "the entry");
    file->entry = statement.sign1;
    file->index = index;
    file->head = view_header_bytes(view);
    must(view_log_path(view, index, head->tree_size, &file->log_path), "the path");
    must(view_block(view, height, &kept[1]), "the block");
    file->block = buf_bytes(&kept[1]);
    must(view_history_path(view, height, head->height, &file->block_path), "the history");
    key_record_state_key(&key, kid);
    must(view_state(view, bytes_text("member"), buf_bytes(&key), &record), "the record");
    kept[2] = record.value;
    file->record = buf_bytes(&kept[2]);
    file->record_path.count = record.siblings.len / sizeof(struct hash);
    memcpy(file->record_path.at, record.siblings.at, record.siblings.len);
    must(view_item(view, index, 2, 0, &kept[3], &file->item_path), "the item");
    file->item = buf_bytes(&kept[3]);
    must(receipt_sign(&kept[4], head, bytes_text("node-1"), receipt), "the receipt");
    file->receipts[0] = buf_bytes(&kept[4]);
    file->receipt_count = 1;
    buf_clear(&record.siblings);
    buf_clear(&key);
    return file;
}

/* Block 0 as a head, and the keys that sign. */
static void trust_make(struct buf *out, const struct world *world, struct receipt_key *keys,
                       size_t key_count)
{
    struct view *view = ledger_view(world->ledger);
    struct buf bytes = {0};
    struct header first;
    must(view_block(view, 0, &bytes), "block 0");
    must(header_parse(&first, buf_bytes(&bytes)), "block 0");
    struct head head = {
        .place = header_place(&first), .size = first.tree_size, .root = first.tree_root};
    header_hash(&head.hash, &first);
    struct trust_regime regime = {.key_count = key_count, .keys = keys};
    struct trust trust = {.name = bytes_text("example"),
                          .chain = world->chain,
                          .regime_count = 1,
                          .regimes = &regime,
                          .head_count = 1,
                          .heads = &head};
    trust_write(out, &trust);
    view_release(view);
    buf_clear(&bytes);
}

/* What is printed must hold. */
static void check(struct bytes proof_bytes, struct bytes trust_bytes)
{
    struct proof *proof;
    struct trust *trust;
    struct subject subject;
    struct verdict verdict = {0};
    must(proof_parse(&proof, proof_bytes, NULL), "the proof");
    must(trust_parse(&trust, trust_bytes, NULL), "the trust file");
    struct subject_digest *digest = subject_begin(proof);
    subject_update(digest, bytes_text(CONTENTS));
    subject_end(digest, &subject);
    proof_verify(&verdict, proof, trust, &subject);
    must(verdict.status == VERDICT_PASS ? OK : ERR_MISMATCH, verdict.summary);
    verdict_clear(&verdict);
    proof_free(proof);
    trust_free(trust);
}

static void siblings_take(struct siblings *out, const struct buf *siblings)
{
    out->count = siblings->len / sizeof(struct hash);
    memcpy(out->at, siblings->at, siblings->len);
}

static void show_proof(const struct proof_file *file, struct bytes trust)
{
    struct buf proof = {0};
    emit("header", "header", file->head);
    emit("key-record", "key-record", file->record);
    emit("receipt", "receipt", file->receipts[0]);
    proof_file_write(&proof, file);
    check(buf_bytes(&proof), trust);
    emit_buf("proof", "proof-file", &proof);
    must(proof_file_export(&proof, file), "the export");
    check(buf_bytes(&proof), trust);
    struct proof_file exported;
    must(proof_file_read(&exported, buf_bytes(&proof)), "the export");
    emit("receipt-with-path", "receipt", exported.receipts[0]);
    emit_buf("proof-exported", "proof-file", &proof);
}

/* ---- state proofs */

static void state_check(struct bytes bytes, const struct trust *trust)
{
    struct state_proof *proof;
    struct verdict verdict = {0};
    must(state_proof_parse(&proof, bytes, NULL), "the state proof");
    state_proof_verify(&verdict, proof, trust);
    must(verdict.status == VERDICT_PASS ? OK : ERR_MISMATCH, verdict.summary);
    verdict_clear(&verdict);
    state_proof_free(proof);
}

/* Prints what the state holds under a key; `key` is cleared. */
static void show_state(const char *name, struct view *view, const char *module, struct buf *key,
                       struct bytes receipt, const struct trust *trust)
{
    struct buf out = {0};
    struct state_answer answer = {0};
    struct state_proof *proof = mem_zalloc(sizeof *proof);
    enum err err = view_state(view, bytes_text(module), buf_bytes(key), &answer);
    must(err == ERR_NOT_FOUND ? OK : err, name);
    proof->module = bytes_text(module);
    proof->key = buf_bytes(key);
    proof->present = err == OK;
    proof->value = buf_bytes(&answer.value);
    proof->has_other = answer.has_other;
    proof->other_key = answer.other_key_hash;
    proof->other_value = answer.other_value_hash;
    siblings_take(&proof->siblings, &answer.siblings);
    proof->head = view_header_bytes(view);
    proof->receipts[0] = receipt;
    proof->receipt_count = 1;
    state_proof_write(&out, proof);
    state_check(buf_bytes(&out), trust);
    emit_buf(name, "state-proof", &out);
    state_answer_clear(&answer);
    free(proof);
    buf_clear(key);
}

static void show_states(struct view *view, struct bytes receipt, const struct trust *trust)
{
    struct buf key = {0};
    member_state_key(&key, bytes_text("notary"));
    show_state("state-presence", view, "member", &key, receipt, trust);
    member_state_key(&key, bytes_text("nobody"));
    show_state("state-absence", view, "member", &key, receipt, trust);
    member_state_key(&key, bytes_text("neither"));
    show_state("state-absence-2", view, "member", &key, receipt, trust);
}

/* ---- batch proofs */

static void show_batch(struct view *view, const struct proof_file *file)
{
    struct buf out = {0};
    struct buf items[2] = {0};
    struct batch_proofs *batch;
    struct proof_file shared = *file;
    struct hash salt = label_hash("cairn example: salt");
    shared.item = BYTES_NONE;
    batch_proofs_begin(&out, &shared, 2);
    for (uint32_t i = 0; i < 2; i++) {
        must(view_item(view, file->index, 2, i, &items[i], NULL), "the item");
        struct batch_item item = {.item = buf_bytes(&items[i]),
                                  .salt = i == 0 ? BYTES_NONE : hash_bytes(&salt),
                                  .name = bytes_text(i == 0 ? "minutes.txt" : "amount.txt")};
        batch_proofs_item(&out, &item);
        buf_clear(&items[i]);
    }
    must(batch_proofs_parse(&batch, buf_bytes(&out), NULL), "the batch proofs");
    batch_proofs_free(batch);
    emit_buf("batch-proofs", "batch-proofs", &out);
}

static void show_salts(const struct world *world, const struct proof_file *file)
{
    char path[96];
    struct buf bytes = {0};
    struct statement statement = {.sign1 = file->entry};
    struct hash id;
    struct hash salt = label_hash("cairn example: salt");
    struct file_digest files[2] = {{.path = "minutes.txt"},
                                   {.path = "amount.txt", .blinded = true}};
    struct bundle batch = {.files = files, .count = 2};
    sha256(&files[0].bare, bytes_text(CONTENTS));
    sha256(&files[1].bare, bytes_text(SECRET));
    memcpy(files[1].salt, salt.at, sizeof files[1].salt);
    statement_id(&id, &statement, NULL);
    snprintf(path, sizeof path, "%s/batch.salts", world->dir);
    must(salts_append(path, &id, &batch, NULL), "the salts");
    must(file_read(&bytes, path, SALTS_MAX, NULL), "the salts");
    emit_buf("batch-salts", "batch-salts", &bytes);
}

/* ---- trust updates */

/* The newest head, from block `known` on. */
static void step_make(struct trust_step *out, struct view *view, const struct head *known,
                      struct buf *receipt, const struct signer *signer)
{
    const struct header *head = view_header(view);
    out->header_bytes = view_header_bytes(view);
    must(view_history_path(view, known->place.height, head->height, &out->history), "the history");
    must(view_log_consistency(view, known->size, head->tree_size, &out->consistency), "the log");
    must(receipt_sign(receipt, head, bytes_text("node-1"), signer), "the receipt");
    out->receipts[0] = buf_bytes(receipt);
    out->receipt_count = 1;
}

/* Prints the update of one step and the trust file that it makes, which the caller frees. */
static struct trust *update_show(const char *names[2], const struct trust *trust,
                                 struct trust_step *step, const struct hash *accept)
{
    struct buf bytes = {0};
    struct why why = {0};
    struct trust *updated;
    struct trust_update *read;
    struct trust_update update = {
        .name = trust->name, .chain = trust->chain, .step_count = 1, .steps = step};
    trust_update_write(&bytes, &update);
    must(trust_update_parse(&read, buf_bytes(&bytes), &why), "the trust update");
    must(trust_update_apply(&updated, trust, read, accept, &why), why.problem);
    trust_update_free(read);
    emit_buf(names[0], "trust-update", &bytes);
    trust_write(&bytes, updated);
    emit_buf(names[1], "trust", &bytes);
    return updated;
}

struct trust *show_proofs(struct world *world, const struct person *signer,
                          const struct signer *receipt)
{
    struct buf bytes = {0};
    struct buf signed_head = {0};
    struct trust *trust;
    struct view *view = ledger_view(world->ledger);
    struct proof_file *file = prove(view, 3, pubkey_kid(signer_pubkey(signer->signer)), receipt);
    struct receipt_key key = {.spki = pubkey_spki(signer_pubkey(receipt)),
                              .node = bytes_text("node-1")};
    trust_make(&bytes, world, &key, 1);
    must(trust_parse(&trust, buf_bytes(&bytes), NULL), "the trust file");
    show_proof(file, buf_bytes(&bytes));
    show_states(view, file->receipts[0], trust);
    show_batch(view, file);
    show_salts(world, file);
    emit_buf("trust", "trust", &bytes);
    struct trust_step *step = mem_zalloc(sizeof *step);
    step_make(step, view, &trust->heads[0], &signed_head, receipt);
    struct trust *updated =
        update_show((const char *[]){"trust-update", "trust-updated"}, trust, step, NULL);
    buf_clear(&signed_head);
    trust_free(trust);
    free(step);
    free(file);
    view_release(view);
    return updated;
}

static void record_state(struct stated *out, struct view *view, const struct signer *signer)
{
    struct buf key = {0};
    struct state_answer answer = {0};
    key_record_state_key(&key, pubkey_kid(signer_pubkey(signer)));
    must(view_state(view, bytes_text("member"), buf_bytes(&key), &answer), "the record");
    out->record = buf_bytes(&answer.value);
    siblings_take(&out->siblings, &answer.siblings);
    buf_clear(&answer.siblings);
    buf_clear(&key);
}

void show_restart(struct world *world, const struct trust *trust, const struct person *chief,
                  const struct signer *receipt)
{
    struct buf signed_head = {0};
    struct buf entry = {0};
    uint64_t height;
    struct view *view = ledger_view(world->ledger);
    const struct header *head = view_header(view);
    struct trust_step *step = mem_zalloc(sizeof *step);
    struct trust_key *added = mem_zalloc(sizeof *added);
    step_make(step, view, trust_newest(trust), &signed_head, receipt);
    record_state(&added->key, view, receipt);
    step->keys = added;
    step->key_count = 1;
    struct logged *logged = &step->restart.entry;
    logged->index = head->first_index;
    must(view_entry(view, logged->index, &entry, &height), "the restart");
    must(view_log_path(view, logged->index, head->tree_size, &logged->path), "the restart");
    logged->entry = buf_bytes(&entry);
    record_state(&step->restart.signer, view, chief->signer);
    trust_free(update_show((const char *[]){"trust-update-restart", "trust-after-restart"}, trust,
                           step, view_header_hash(view)));
    free((void *)(uintptr_t)added->key.record.at);
    free((void *)(uintptr_t)step->restart.signer.record.at);
    free(added);
    free(step);
    buf_clear(&entry);
    buf_clear(&signed_head);
    view_release(view);
}
