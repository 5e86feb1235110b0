#include "cli/deposit_batch.h"

#include "base/file.h"
#include "cli/check.h"
#include "cli/names.h"
#include "cli/output.h"
#include "codec/text.h"
#include "proof/prooffile.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_ITEMS   (-65801)
#define SAMPLES       3 /* items of a shared proof that are verified */
#define MODE_SECRET   0600
#define MODE_ORDINARY 0644

/* One deposit under way. */
struct sending {
    const struct bundle *batch;
    struct buf statement;
    struct hash id;
    json_t *answer;
    struct buf shared; /* proof file without an item */
    char *proofs_path; /* BATCH.proofs, or NULL */
};

static enum err sign_batch(struct sending *sending, const struct depositing *run, struct why *why)
{
    struct deposit deposit = {
        .items_root = sending->batch->root,
        .count = sending->batch->count,
        .category = bytes_text(run->category),
    };
    struct buf body = {0};
    deposit_write(&body, &deposit);
    struct matter matter = {DEPOSIT_TYPE, run->subject, buf_bytes(&body)};
    enum err err = signing_sign(&run->signing, &matter, &sending->statement, &sending->id, why);
    buf_clear(&body);
    return err;
}

/* The base of the names of what a run keeps: DIR/BATCH. */
static char *batch_base(const struct depositing *run)
{
    return path_join(run->dir ? run->dir : ".", "BATCH");
}

static enum err salts_keep(struct depositing *run, const struct sending *sending, struct why *why)
{
    if (!bundle_blinded(sending->batch)) {
        return OK;
    }
    if (!run->salts_path) {
        char *base = batch_base(run);
        enum err err = fresh_write(&run->salts_path, base, "salts", BYTES_NONE, MODE_SECRET, why);
        free(base);
        TRY(err);
        run->salts_own = true;
    }
    return salts_append(run->salts_path, &sending->id, sending->batch, why);
}

/* Keeps a statement that nobody answered, with its items, as 'cairn statement send' takes it. */
static enum err keep_unanswered(const struct depositing *run, const struct sending *sending,
                                struct why *why)
{
    struct sign1 sign1;
    struct buf unprotected = {0};
    struct buf whole = {0};
    char *path = NULL;
    char *base = batch_base(run);
    BUG_ON(sign1_parse(&sign1, buf_bytes(&sending->statement)) != OK);
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, LABEL_ITEMS);
    cbor_put_bytes(&unprotected, buf_bytes(&sending->batch->items));
    sign1.unprotected = buf_bytes(&unprotected);
    sign1_write(&whole, &sign1);
    struct why inner = {0};
    enum err err = fresh_write(&path, base, "statement", buf_bytes(&whole), MODE_ORDINARY, &inner);
    if (err == OK && why) {
        snprintf(why->remedy, sizeof why->remedy,
                 "Within ten minutes: cairn statement send %s. It is safe to send it twice.", path);
    }
    free(path);
    free(base);
    buf_clear(&unprotected);
    buf_clear(&whole);
    return err == OK ? ERR_UNREACHABLE : err;
}

static enum err send_batch(struct sending *sending, const struct depositing *run, struct why *why)
{
    struct buf body = {0};
    buf_put(&body, buf_bytes(&sending->statement));
    buf_put(&body, buf_bytes(&sending->batch->items));
    enum err err = statement_post(run->signing.client, "/v1/batches", "application/cbor-seq",
                                  buf_bytes(&body), &sending->answer, why);
    buf_clear(&body);
    return err == ERR_UNREACHABLE ? keep_unanswered(run, sending, why) : err;
}

static enum err shared_get(struct sending *sending, const struct depositing *run, struct why *why)
{
    char id[65];
    char path[16 + sizeof id];
    hex_write(id, hash_bytes(&sending->id));
    snprintf(path, sizeof path, "/v1/proofs/%s", id);
    return client_get(run->signing.client, path, PROOF_MAX, &sending->shared, why);
}

static const uint8_t *salt_of(const struct file_digest *file)
{
    return file->blinded ? file->salt : NULL;
}

/* Makes the proof of one item and, where there is a trust file, verifies it. */
static enum err prove(struct buf *out, const struct sending *sending, const struct depositing *run,
                      uint32_t number, struct why *why)
{
    const struct file_digest *file = &sending->batch->files[number];
    enum err err =
        bundle_proof(out, sending->batch, buf_bytes(&sending->shared), number, salt_of(file));
    if (err != OK) {
        return why_say(why, err, "proof from the ledger", NULL, NULL, NULL);
    }
    return run->signing.trust ? proof_check(buf_bytes(out), run->signing.trust, file, why) : OK;
}

static json_t *file_json(const struct sending *sending, uint32_t number)
{
    const struct file_digest *file = &sending->batch->files[number];
    char evidence[EVIDENCE_ID_LEN + 1];
    evidence_id_write(evidence, &sending->id, (uint16_t)number);
    json_t *json = json_object();
    json_object_set_new(json, "file", json_string_nocheck(file->path));
    json_object_set_new(json, "evidence", json_string(evidence));
    json_object_set_new(json, "statement", json_hex(hash_bytes(&sending->id)));
    json_object_set_new(json, "number", json_integer((json_int_t)number));
    json_object_set_new(json, "form", json_string(file->blinded ? "blinded" : "plain"));
    json_object_set_new(json, "sha256", json_hex(hash_bytes(&file->sha256)));
    json_object_set_new(json, "sm3", json_hex(hash_bytes(&file->sm3)));
    return json;
}

/* Writes FILE.proof of every file; all of them even if one does not hold. */
static enum err prove_each(struct sending *sending, struct depositing *run, struct why *why)
{
    enum err worst = OK;
    for (uint32_t i = 0; i < sending->batch->count; i++) {
        const struct file_digest *file = &sending->batch->files[i];
        struct buf proof = {0};
        struct why inner = {0};
        enum err err = prove(&proof, sending, run, i, &inner);
        if (err != OK && worst == OK) {
            worst = err;
            *why = inner;
        }
        char *base = beside(run->dir, file->path);
        char *path = NULL;
        enum err written = proof.len ? fresh_write(&path, base, "proof", buf_bytes(&proof),
                                                   file->blinded ? MODE_SECRET : MODE_ORDINARY, why)
                                     : err;
        if (written == OK) {
            json_object_set_new(json_array_get(run->files, run->stored + i), "proof",
                                json_string_nocheck(path));
        }
        free(base);
        free(path);
        buf_clear(&proof);
        TRY(written);
        progress_add(&run->progress, 1);
    }
    return worst;
}

/* Writes BATCH.proofs after trying a few of its items. */
static enum err prove_shared(struct sending *sending, struct depositing *run, struct why *why)
{
    enum err worst = OK;
    uint32_t last = sending->batch->count - 1;
    for (uint32_t i = 0; i < SAMPLES && worst == OK; i++) {
        struct buf proof = {0};
        worst = prove(&proof, sending, run, (uint32_t)((uint64_t)last * i / (SAMPLES - 1)), why);
        buf_clear(&proof);
    }
    struct buf file = {0};
    char *base = batch_base(run);
    enum err err = bundle_proofs(&file, sending->batch, buf_bytes(&sending->shared));
    if (err == OK) {
        err =
            fresh_write(&sending->proofs_path, base, "proofs", buf_bytes(&file), MODE_SECRET, why);
    }
    free(base);
    buf_clear(&file);
    progress_add(&run->progress, sending->batch->count);
    return err != OK ? err : worst;
}

static void note_stored(struct sending *sending, struct depositing *run)
{
    for (uint32_t i = 0; i < sending->batch->count; i++) {
        json_array_append_new(run->files, file_json(sending, i));
    }
    json_array_append(run->batches, sending->answer);
}

static enum err prove_batch(struct sending *sending, struct depositing *run, struct why *why)
{
    switch (run->proofs) {
    case PROOFS_EACH:
        TRY(shared_get(sending, run, why));
        return prove_each(sending, run, why);
    case PROOFS_ONE:
        TRY(shared_get(sending, run, why));
        return prove_shared(sending, run, why);
    case PROOFS_NONE:
        progress_add(&run->progress, sending->batch->count);
        break;
    }
    return OK;
}

static enum err deposit_one(struct sending *sending, struct depositing *run, struct why *why)
{
    TRY(sign_batch(sending, run, why));
    TRY(salts_keep(run, sending, why));
    TRY(send_batch(sending, run, why));
    note_stored(sending, run);
    enum err err = prove_batch(sending, run, why);
    run->stored += sending->batch->count;
    if (sending->proofs_path) {
        json_object_set_new(sending->answer, "proofs", json_string_nocheck(sending->proofs_path));
    }
    return err;
}

enum err deposit_batch(struct depositing *run, const struct bundle *batch, struct why *why)
{
    struct sending sending = {.batch = batch};
    enum err err = deposit_one(&sending, run, why);
    json_decref(sending.answer);
    buf_clear(&sending.statement);
    buf_clear(&sending.shared);
    free(sending.proofs_path);
    return err;
}
