/* Decodes what a proof file holds. */
#include "proof/prooffile.h"
#include "proof/receipt.h"

#include <stdlib.h>

static enum err entry_parse(struct proof *proof, struct why *why)
{
    struct buf entry = {0};
    sign1_write(&entry, &proof->file.entry);
    if (entry.len > ENTRY_MAX) {
        buf_clear(&entry);
        return why_say(why, ERR_RANGE, "entry", NULL, "has more than 32 KiB", NULL);
    }
    struct bytes kept = arena_copy(&proof->arena, buf_bytes(&entry));
    buf_clear(&entry);
    leaf_hash(&proof->leaf, kept);
    return statement_parse(&proof->statement, kept, why);
}

/* Every body of ours is an array that begins with its version, and 1 is the only one there is. */
static enum err body_version_check(struct bytes payload)
{
    struct cbor_reader reader;
    cbor_init(&reader, payload);
    size_t members = cbor_array(&reader, 1, SIZE_MAX);
    cbor_version(&reader, 1);
    for (size_t i = 1; i < members && reader.err == OK; i++) {
        cbor_item(&reader);
    }
    return cbor_end(&reader);
}

static enum err body_parse(struct proof *proof, struct why *why)
{
    const struct statement *statement = &proof->statement;
    enum err err = OK;
    proof->is_deposit =
        !statement->foreign && bytes_equal(statement->content_type, bytes_text(DEPOSIT_TYPE));
    if (proof->is_deposit) {
        err = deposit_parse(&proof->deposit, statement->sign1.payload);
    } else if (!statement->foreign) {
        err = body_version_check(statement->sign1.payload);
    }
    return err == OK ? OK : why_say(why, err, "body", NULL, NULL, NULL);
}

/* Two receipts of one key are refused; a malformed one is left to the check of its name. */
static enum err receipts_check(const struct proof_file *file, struct why *why)
{
    struct hash kids[PROOF_RECEIPTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < file->receipt_count; i++) {
        struct receipt receipt;
        if (receipt_parse(&receipt, file->receipts[i]) != OK) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            if (hash_equal(&kids[k], &receipt.kid)) {
                return why_say(why, ERR_FORMAT, "receipts", NULL, "has two of one key", NULL);
            }
        }
        kids[count++] = receipt.kid;
    }
    return OK;
}

static enum err item_part_parse(struct proof *proof, struct why *why)
{
    const struct proof_file *file = &proof->file;
    proof->has_item = file->item.len > 0;
    if (proof->has_item) {
        enum err err = item_parse(&proof->item, file->item);
        if (err != OK) {
            return why_say(why, err, "item", NULL, NULL, NULL);
        }
    }
    if (file->salt.len > 0 && !(proof->has_item && proof->item.form == ITEM_BLINDED)) {
        return why_say(why, ERR_FORMAT, "salt", NULL, "stands beside no blinded item", NULL);
    }
    return OK;
}

static enum err header_part_parse(struct header *out, struct bytes in, const char *name,
                                  struct why *why)
{
    enum err err = header_parse(out, in);
    return err == OK ? OK : why_say(why, err, name, NULL, NULL, NULL);
}

static enum err headers_parse(struct proof *proof, struct why *why)
{
    const struct proof_file *file = &proof->file;
    TRY(header_part_parse(&proof->head, file->head, "head", why));
    proof->has_block = file->block.len > 0;
    proof->has_anchor = file->anchor.len > 0;
    proof->block = proof->head;
    if (proof->has_block) {
        TRY(header_part_parse(&proof->block, file->block, "block", why));
    }
    if (proof->has_anchor) {
        TRY(header_part_parse(&proof->anchor, file->anchor, "anchor", why));
    }
    return OK;
}

static enum err commits_parse(struct proof *proof, struct why *why)
{
    const struct proof_file *file = &proof->file;
    enum err err = OK;
    proof->has_commit = file->commit.len > 0;
    proof->has_clock = file->clock.len > 0;
    if (proof->has_commit) {
        err = commit_parse(&proof->commit, file->commit, &proof->arena);
    }
    if (err == OK && proof->has_clock) {
        err = commit_parse(&proof->clock, file->clock, &proof->arena);
    }
    return err == OK ? OK : why_say(why, err, "commit", NULL, NULL, NULL);
}

static enum err parts_parse(struct proof *proof, struct why *why)
{
    TRY(entry_parse(proof, why));
    TRY(body_parse(proof, why));
    TRY(receipts_check(&proof->file, why));
    TRY(item_part_parse(proof, why));
    TRY(headers_parse(proof, why));
    TRY(commits_parse(proof, why));
    enum err err = key_record_parse(&proof->record, &proof->key, proof->file.record);
    return err == OK ? OK : why_say(why, err, "key record", NULL, NULL, NULL);
}

enum err proof_parse(struct proof **out, struct bytes in, struct why *why)
{
    *out = NULL;
    if (in.len > PROOF_MAX) {
        return why_say(why, ERR_RANGE, "proof file", NULL, "has more than 1 MiB", NULL);
    }
    struct proof *proof = mem_zalloc(sizeof *proof);
    enum err err = proof_file_read(&proof->file, arena_copy(&proof->arena, in));
    if (err != OK) {
        why_say(why, err, "proof file", NULL, NULL, NULL);
    } else {
        err = parts_parse(proof, why);
    }
    if (err != OK) {
        proof_free(proof);
        return err;
    }
    *out = proof;
    return OK;
}

void proof_free(struct proof *proof)
{
    if (proof == NULL) {
        return;
    }
    pubkey_free(proof->key);
    arena_clear(&proof->arena);
    free(proof);
}
