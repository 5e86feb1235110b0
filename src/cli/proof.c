#include "base/file.h"
#include "cli/check.h"
#include "cli/evidence.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "proof/batchproof.h"

#include <stdlib.h>
#include <string.h>

/* ---- from BATCH.proofs, without a ledger */

/* Whether the number that an id states belongs to this statement. */
static bool id_matches(const char *id, const struct hash *statement, uint32_t *number)
{
    uint8_t prefix[EVIDENCE_PREFIX_LEN];
    uint16_t short_number;
    struct hash hash;
    if (evidence_id_read(prefix, &short_number, bytes_text(id)) == OK) {
        *number = short_number;
        return memcmp(prefix, statement->at, sizeof prefix) == 0;
    }
    *number = strlen(id) > 64 ? (uint32_t)strtoul(id + 65, NULL, 10) : 0;
    return hex_read(hash.at, sizeof hash.at, (struct bytes){(const uint8_t *)id, 64}) == OK &&
           hash_equal(&hash, statement);
}

static enum err find_by_id(uint32_t *number, const struct batch_proofs *batch, const char *id,
                           struct why *why)
{
    struct buf entry = {0};
    struct statement statement;
    struct hash hash;
    sign1_write(&entry, &batch->shared.entry);
    enum err err = statement_parse(&statement, buf_bytes(&entry), why);
    if (err == OK) {
        statement_id(&hash, &statement, NULL);
        err = id_matches(id, &hash, number) && *number < batch->count
                  ? OK
                  : why_say(why, ERR_MISMATCH, "evidence", id, "is not of this batch",
                            "Give its own BATCH.proofs with --from.");
    }
    buf_clear(&entry);
    return err;
}

/* What makes it likely that an item is the file's, so that few are tried. */
enum likeness { LIKE_PATH, LIKE_NAME, LIKE_ANY };

static struct bytes base_name(struct bytes path)
{
    const uint8_t *slash = path.len ? memrchr(path.at, '/', path.len) : NULL;
    size_t skip = slash ? (size_t)(slash - path.at) + 1 : 0;
    return (struct bytes){path.at + skip, path.len - skip};
}

static bool alike(struct bytes name, const char *path, enum likeness likeness)
{
    switch (likeness) {
    case LIKE_PATH:
        return bytes_equal(name, bytes_text(path));
    case LIKE_NAME:
        return bytes_equal(base_name(name), base_name(bytes_text(path)));
    case LIKE_ANY:
        break;
    }
    return true;
}

/* Whether the file is this item, tried with the item's salt if it has one. */
static enum err item_is(bool *is, const struct batch_item *kept, const struct file_digest *file,
                        struct why *why)
{
    struct item item;
    TRY(item_parse(&item, kept->item));
    if (kept->salt.len != SALT_LEN) {
        *is = hash_equal(&item.sha256, &file->bare);
        return OK;
    }
    struct file_digest salted = {.path = file->path};
    memcpy(salted.salt, kept->salt.at, SALT_LEN);
    TRY(file_digest_fill(&salted, BLIND_GIVEN, why));
    *is = hash_equal(&item.sha256, &salted.sha256);
    return OK;
}

/* The first item that is the file, among those whose names are that like its path. */
static enum err find_alike(uint32_t *number, const struct batch_proofs *batch,
                           const struct file_digest *file, enum likeness likeness, struct why *why)
{
    for (*number = 0; *number < batch->count; ++*number) {
        const struct batch_item *item = &batch->items[*number];
        bool is = false;
        if (alike(item->name, file->path, likeness)) {
            TRY(item_is(&is, item, file, why));
        }
        if (is) {
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum err find_by_file(uint32_t *number, const struct batch_proofs *batch, const char *path,
                             struct why *why)
{
    struct file_digest file = {.path = path};
    TRY(file_digest_fill(&file, BLIND_NONE, why));
    for (enum likeness likeness = LIKE_PATH; likeness <= LIKE_ANY; likeness++) {
        enum err err = find_alike(number, batch, &file, likeness, why);
        if (err != ERR_NOT_FOUND) {
            return err;
        }
    }
    return why_say(why, ERR_REFUSED, "file", path, "is not in that batch",
                   "Check that the file is as it was when it was deposited.");
}

static enum err from_file(struct buf *out, const char *path, const char *text, struct why *why)
{
    struct buf bytes = {0};
    struct batch_proofs *batch = NULL;
    uint32_t number;
    enum err err = file_read(&bytes, path, BATCH_PROOFS_MAX, why);
    if (err == OK) {
        err = batch_proofs_parse(&batch, buf_bytes(&bytes), why);
    }
    if (err == OK) {
        err = evidence_id_is(text) ? find_by_id(&number, batch, text, why)
                                   : find_by_file(&number, batch, text, why);
    }
    if (err == OK) {
        err = batch_proofs_extract(out, batch, number);
    }
    batch_proofs_free(batch);
    buf_clear(&bytes);
    return err;
}

/* ---- from the ledger */

/* Puts the salt into a proof file, if it is a blinded item's. */
static enum err salt_put(struct buf *out, struct bytes proof, const struct located *located,
                         struct why *why)
{
    struct proof_file file;
    struct item item;
    enum err err = proof_file_read(&file, proof);
    if (err == OK && file.item.len > 0) {
        err = item_parse(&item, file.item);
    }
    if (err != OK) {
        return why_say(why, err, "proof from the ledger", NULL, NULL, NULL);
    }
    if (file.item.len > 0 && item.form == ITEM_BLINDED) {
        if (located->has_salt) {
            file.salt = (struct bytes){located->salt, SALT_LEN};
        } else {
            fputs("note: the item is blinded and its salt is not known here; without it the "
                  "file can't be compared (--salts FILE).\n",
                  stderr);
        }
    }
    proof_file_write(out, &file);
    return OK;
}

static enum err from_ledger(struct buf *out, const struct args *args, struct why *why)
{
    struct client *client = NULL;
    struct located located;
    struct buf bytes = {0};
    char hex[65];
    char path[96];
    enum err err = client_new(&client, args, why);
    if (err == OK) {
        err = evidence_locate(&located, client, args->operands[0], args_text(args, "salts"), why);
    }
    if (err == OK) {
        hex_write(hex, hash_bytes(&located.place.statement));
        snprintf(path, sizeof path, "/v1/proofs/%s/%u", hex, located.place.number);
        err = client_get(client, path, PROOF_MAX, &bytes, why);
    }
    if (err == OK) {
        err = salt_put(out, buf_bytes(&bytes), &located, why);
    }
    client_free(client);
    buf_clear(&bytes);
    return err;
}

/* ---- the verb */

/* A proof that is there may hold the only copy of a salt: it is replaced by one of the same item
 * that has the salt as well. */
static enum err replace_check(struct bytes proof, const char *path, struct why *why)
{
    struct buf bytes = {0};
    struct proof_file old;
    struct proof_file new;
    if (!file_exists(path)) {
        return OK;
    }
    TRY(file_read(&bytes, path, PROOF_MAX, why));
    bool same = proof_file_read(&old, buf_bytes(&bytes)) == OK &&
                proof_file_read(&new, proof) == OK && bytes_equal(old.item, new.item) &&
                (old.salt.len == 0 || bytes_equal(old.salt, new.salt));
    buf_clear(&bytes);
    return same ? OK
                : why_say(why, ERR_EXISTS, "--out", path, "is there, and of other evidence",
                          "Give another name.");
}

static enum err make(struct buf *proof, const struct args *args, struct why *why)
{
    const char *from = args_text(args, "from");
    const char *trust_path = args_text(args, "trust");
    const char *out = args_text(args, "out");
    TRY(from ? from_file(proof, from, args->operands[0], why) : from_ledger(proof, args, why));
    TRY(replace_check(buf_bytes(proof), out, why));
    if (trust_path) {
        struct trust *trust;
        TRY(trust_read(&trust, trust_path, why));
        enum err err = proof_check(buf_bytes(proof), trust, NULL, why);
        trust_free(trust);
        TRY(err);
    }
    return file_write(out, buf_bytes(proof), 0600, why);
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf proof = {0};
    enum err err = make(&proof, args, &why);
    if (err == OK) {
        printf("%s: %zu bytes%s\n", args_text(args, "out"), proof.len,
               args_text(args, "trust") ? ", verified under the trust file" : "");
    }
    buf_clear(&proof);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"out", "FILE.proof", "where to write the proof", NULL, true, false},
    {"from", "BATCH.proofs", "make it of this file, without the ledger", NULL, false, false},
    ARG_SALTS,
    ARG_TRUST("verify the proof under this trust file"),
    ARGS_READER,
    ARG_SERVER,
    {0},
};

const struct verb verb_proof = {
    .name = "proof",
    .operands = "ID|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "make the proof of evidence, at any time",
    .text = "A FILE is found by its digest; a blinded one by --salts, by --from, or by FILE.proof\n"
            "beside it, whose salt is taken over.",
    .example = "cairn proof contract.pdf --out contract.pdf.proof\n"
               "cairn proof loan-17.pdf --from BATCH.proofs --out loan-17.pdf.proof",
    .args = options,
    .run = run,
};
