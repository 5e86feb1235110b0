#include "base/file.h"
#include "cli/check.h"
#include "cli/evidence.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "proof/prooffile.h"

#include <stdlib.h>
#include <string.h>

/* ---- from BATCH.proofs, without a ledger */

struct wanted {
    bool by_file;
    struct hash bare;
    uint32_t number;
    struct kept found;
    bool has;
};

static bool want(void *context, const struct kept *kept)
{
    struct wanted *wanted = context;
    bool same =
        wanted->by_file ? hash_equal(&kept->bare, &wanted->bare) : kept->number == wanted->number;
    if (same) {
        wanted->found = *kept;
        wanted->has = true;
    }
    return same;
}

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

static enum err statement_of(struct hash *id, struct bytes shared)
{
    struct proof *proof;
    TRY(proof_parse(&proof, shared, NULL));
    statement_id(id, &proof->statement, pubkey_kid(proof->key));
    proof_free(proof);
    return OK;
}

static enum err wanted_read(struct wanted *wanted, const struct bundle_file *file, const char *text,
                            struct why *why)
{
    if (evidence_id_is(text)) {
        struct hash id;
        enum err err = statement_of(&id, file->shared);
        if (err != OK || !id_matches(text, &id, &wanted->number)) {
            return why_say(why, ERR_MISMATCH, "evidence", text, "is of another deposit",
                           "Give its own BATCH.proofs with --from.");
        }
        return OK;
    }
    struct file_digest digest = {.path = text};
    TRY(file_digest_fill(&digest, BLIND_NONE, why));
    wanted->by_file = true;
    wanted->bare = digest.bare;
    return OK;
}

static enum err from_kept(struct buf *out, const char *path, const char *text,
                          const struct buf *bytes, struct why *why)
{
    struct bundle_file file;
    struct wanted wanted = {0};
    enum err err = bundle_file_parse(&file, buf_bytes(bytes));
    if (err != OK) {
        return why_say(why, err, "--from", path, NULL, "Give a BATCH.proofs of 'cairn deposit'.");
    }
    TRY(wanted_read(&wanted, &file, text, why));
    TRY(bundle_file_each(&file, want, &wanted));
    if (!wanted.has) {
        return why_say(why, ERR_REFUSED, "file", text, "is not in that batch",
                       "Check that the file is as it was when it was deposited.");
    }
    struct bundle bundle;
    err = bundle_parse(&bundle, file.items);
    if (err == OK && wanted.found.number >= bundle.count) {
        err = ERR_FORMAT;
    }
    if (err == OK) {
        err = bundle_proof(out, &bundle, file.shared, wanted.found.number,
                           wanted.found.has_salt ? wanted.found.salt : NULL);
    }
    bundle_clear(&bundle);
    return err == OK ? OK : why_say(why, err, "--from", path, NULL, NULL);
}

static enum err from_file(struct buf *out, const char *path, const char *text, struct why *why)
{
    struct buf bytes = {0};
    TRY(file_read(&bytes, path, PROOFS_MAX, why));
    enum err err = from_kept(out, path, text, &bytes, why);
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
