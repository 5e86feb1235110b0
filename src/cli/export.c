#include "base/file.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "merkle/tree.h"
#include "proof/prooffile.h"
#include "proof/trustupdate.h"

#define HTTP_CONFLICT 409

static enum err usage(struct why *why, const char *option, const char *problem)
{
    return why_say(why, ERR_FORMAT, option, NULL, problem, "See cairn export --help.");
}

/* ---- receipts */

static enum err receipts(const struct args *args, struct why *why)
{
    struct buf bytes = {0};
    struct buf exported = {0};
    struct proof_file file;
    const char *out = args_text(args, "out");
    if (args->operand_count != 1 || !out) {
        return usage(why, "--receipts", "takes one proof file and --out");
    }
    enum err err = file_read(&bytes, args->operands[0], PROOF_MAX, why);
    if (err == OK) {
        err = proof_file_read(&file, buf_bytes(&bytes));
        err = err == OK ? proof_file_export(&exported, &file) : err;
        if (err != OK) {
            why_say(why, err, "proof", args->operands[0], NULL, NULL);
        }
    }
    if (err == OK) {
        err = file_write(out, buf_bytes(&exported), file.salt.len ? 0600 : 0644, why);
    }
    if (err == OK) {
        printf("%s: a transparent statement of RFC 9943 with %zu receipt%s\n", out,
               file.receipt_count, file.receipt_count == 1 ? "" : "s");
    }
    buf_clear(&bytes);
    buf_clear(&exported);
    return err;
}

/* ---- refresh */

/* Whether `head` lies under the later header by this path. */
static bool lies_under(const struct header *head, const struct trust_step *step)
{
    struct hash hash;
    struct hash leaf;
    struct hash root;
    header_hash(&hash, head);
    leaf_hash(&leaf, hash_bytes(&hash));
    return path_root(&root, &leaf, head->height, step->header.height, step->history.at,
                     step->history.count) == OK &&
           hash_equal(&root, &step->header.history_root);
}

static enum err later_get(struct client *client, const struct header *head, struct buf *out,
                          struct why *why)
{
    char path[160];
    snprintf(path, sizeof path, "/v1/trust-update?epoch=%llu&height=%llu&size=%llu",
             (unsigned long long)head->epoch, (unsigned long long)head->height,
             (unsigned long long)head->tree_size);
    return client_get(client, path, TRUST_UPDATE_MAX, out, why);
}

/* Writes the proof with the step's header as its anchor. */
static enum err anchor_put(const char *path, struct proof_file *file, const struct trust_step *step,
                           struct why *why)
{
    struct buf bytes = {0};
    file->anchor = step->header_bytes;
    file->anchor_path = step->history;
    proof_file_write(&bytes, file);
    enum err err = file_write(path, buf_bytes(&bytes), file->salt.len ? 0600 : 0644, why);
    buf_clear(&bytes);
    if (err == OK) {
        printf("%s: anchored in block %llu of epoch %llu\n", path,
               (unsigned long long)step->header.height, (unsigned long long)step->header.epoch);
    }
    return err;
}

/* Takes the first later header that the ledger vouches for; heads that a trust file learns on its
 * way are the same ones. `update` is NULL where there is no later one. */
static enum err anchor(const char *path, struct proof *proof, const struct trust_update *update,
                       struct why *why)
{
    if (!update || update->step_count == 0 ||
        (proof->has_anchor && proof->anchor.height >= update->steps[0].header.height)) {
        printf("%s: there is no later head\n", path);
        return OK;
    }
    if (!hash_equal(&update->chain, &proof->head.chain)) {
        return why_say(why, ERR_MISMATCH, "proof", path, "is of another ledger", "Check --server.");
    }
    if (proof->file.has_anchor_token) {
        printf("%s: left as it is, its anchor has a time-stamp\n", path);
        return OK;
    }
    if (!lies_under(&proof->head, &update->steps[0])) {
        return why_say(why, ERR_MISMATCH, "history", path, "does not lead to the later head",
                       "Keep the proof: it is evidence against the ledger's operator.");
    }
    return anchor_put(path, &proof->file, &update->steps[0], why);
}

static enum err refresh_one(struct client *client, const char *path, struct why *why)
{
    struct buf bytes = {0};
    struct buf later = {0};
    struct proof *proof = NULL;
    struct trust_update *update = NULL;
    enum err err = file_read(&bytes, path, PROOF_MAX, why);
    if (err == OK) {
        err = proof_parse(&proof, buf_bytes(&bytes), why);
    }
    if (err == OK) {
        err = later_get(client, &proof->head, &later, why);
        bool newest = client_status(client) == HTTP_CONFLICT;
        err = newest ? OK : err == OK ? trust_update_parse(&update, buf_bytes(&later), why) : err;
    }
    if (err == OK) {
        err = anchor(path, proof, update, why);
    }
    trust_update_free(update);
    proof_free(proof);
    buf_clear(&bytes);
    buf_clear(&later);
    return err;
}

static enum err refresh(const struct args *args, struct why *why)
{
    struct client *client;
    if (args_text(args, "out")) {
        return usage(why, "--out", "goes with --receipts");
    }
    TRY(client_new(&client, args, why));
    enum err err = OK;
    for (size_t i = 0; err == OK && i < args->operand_count; i++) {
        err = refresh_one(client, args->operands[i], why);
    }
    client_free(client);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    enum err err;
    if (args_flag(args, "receipts") == args_flag(args, "refresh")) {
        err = usage(&why, "--receipts", "or --refresh, exactly one of them, is needed");
    } else if (args_flag(args, "receipts")) {
        err = receipts(args, &why);
    } else {
        err = refresh(args, &why);
    }
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"receipts", NULL, "write --out as a transparent statement of RFC 9943", NULL, false, false},
    {"refresh", NULL, "add to each proof the path to a later head", NULL, false, false},
    {"out", "FILE", "where --receipts writes", NULL, false, false},
    ARG_SERVER,
    {0},
};

const struct verb verb_export = {
    .name = "export",
    .operands = "FILE.proof...",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .summary = "make proofs fit for other tools, or anchor them in a later head",
    .text =
        "With --receipts each receipt gets its inclusion path, so that tools for COSE receipts\n"
        "(RFC 9942) read it. With --refresh a proof stays good even if the key that signed its\n"
        "head is stolen later: whoever knows the later head can rely on it.",
    .example = "cairn export --receipts contract.pdf.proof --out contract.pdf.cose\n"
               "cairn export --refresh *.proof",
    .args = options,
    .run = run,
};
