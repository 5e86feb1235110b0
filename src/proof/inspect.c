#include "proof/inspect.h"

#include "proof/fork.h"
#include "proof/note.h"
#include "proof/protected.h"
#include "proof/show.h"

#include "crypto/digest.h"

#include <inttypes.h>
#include <stdlib.h>

#define UNVERIFIED "UNVERIFIED: this shows what the file says; nothing has been checked.\n"

static void show_receipts(struct show *show, const struct bytes *receipts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        show_receipt(show, receipts[i]);
    }
}

static void show_path(struct show *show, const char *name, const struct path *path)
{
    show_format(show, name, "%zu hashes", path->count);
}

static void show_anchor(struct show *show, struct bytes header, const struct path *path,
                        struct bytes token)
{
    if (header.len > 0) {
        show_header_bytes(show, "anchor: a later head", header);
        show_path(show, "anchor history path", path);
        if (token.len > 0) {
            show_hex(show, "anchor time-stamp token", token);
        }
    }
}

static void show_optional_parts(struct show *show, const struct proof_file *file)
{
    if (file->commit.len > 0) {
        show_commit(show, "commit", file->commit);
    }
    for (size_t i = 0; i < file->note_count; i++) {
        show_text(show, "note", file->notes[i]);
    }
    if (file->salt.len > 0) {
        show_hex(show, "salt (as confidential as the file)", file->salt);
    }
    if (file->clock.len > 0) {
        show_commit(show, "clock", file->clock);
    }
    show_anchor(show, file->anchor, &file->anchor_path, file->anchor_token);
    if (file->mandate.len > 0) {
        show_title(show, "mandate, entry %" PRIu64 " of the log", file->mandate_index);
        show->depth++;
        show_statement(show, file->mandate);
        show_path(show, "log path", &file->mandate_path);
        show->depth--;
    }
}

static void show_proof_file(struct show *show, const struct proof_file *file)
{
    struct buf entry = {0};
    sign1_write(&entry, &file->entry);
    show_statement(show, buf_bytes(&entry));
    buf_clear(&entry);
    if (file->item.len > 0) {
        show_number(show, "item number", file->number);
        show_item(show, file->item);
        show_path(show, "item path", &file->item_path);
    }
    show_number(show, "log index", file->index);
    show_path(show, "log path", &file->log_path);
    show_header_bytes(show, "head", file->head);
    if (file->block.len > 0) {
        show_header_bytes(show, "block of the entry", file->block);
        show_path(show, "history path", &file->block_path);
    }
    show_record(show, file->record);
    show_format(show, "state path", "%zu siblings", file->record_path.count);
    show_receipts(show, file->receipts, file->receipt_count);
    if (file->has_token) {
        show_hex(show, "time-stamp token", file->token);
    }
    show_optional_parts(show, file);
}

static enum err inspect_proof(struct show *show, struct bytes in)
{
    struct proof_file *file = mem_alloc(sizeof *file);
    enum err err = proof_file_read(file, in);
    if (err == OK) {
        show_title(show, "proof file");
        show->depth++;
        show_proof_file(show, file);
    }
    free(file);
    return err;
}

static bool protected_holds(const struct sign1 *sign1, const char *typ)
{
    struct bytes text = bytes_text(typ);
    for (size_t i = 0; i + text.len <= sign1->protected.len; i++) {
        if (bytes_equal((struct bytes){sign1->protected.at + i, text.len}, text)) {
            return true;
        }
    }
    return false;
}

static enum err inspect_sign1(struct show *show, struct bytes in)
{
    struct sign1 sign1;
    TRY(sign1_parse_foreign(&sign1, in));
    if (protected_holds(&sign1, RECEIPT_TYP)) {
        show_receipt(show, in);
    } else if (protected_holds(&sign1, POSSESSION_TYP)) {
        show_request(show, in);
    } else if (protected_holds(&sign1, JOIN_TYP)) {
        show_join(show, in);
    } else if (sign1.unprotected.len > 1) {
        return inspect_proof(show, in);
    } else {
        show_statement(show, in);
    }
    return OK;
}

static void show_state_proof(struct show *show, const struct state_proof *proof)
{
    show_title(show, proof->present ? "state proof of presence" : "state proof of absence");
    show->depth++;
    show_text(show, "module", proof->module);
    show_cbor(show, "key", proof->key);
    if (proof->present) {
        show_cbor(show, "value", proof->value);
    } else if (proof->has_other) {
        show_hash(show, "key hash in its place", &proof->other_key);
    }
    show_format(show, "state path", "%zu siblings", proof->siblings.count);
    show_header(show, "head", &proof->head_header);
    show_receipts(show, proof->receipts, proof->receipt_count);
    if (proof->commit.len > 0) {
        show_commit(show, "commit", proof->commit);
    }
    show_anchor(show, proof->anchor, &proof->anchor_path, proof->anchor_token);
}

static enum err inspect_state_proof(struct show *show, struct bytes in, struct why *why)
{
    struct state_proof *proof;
    TRY(state_proof_parse(&proof, in, why));
    show_state_proof(show, proof);
    state_proof_free(proof);
    return OK;
}

static enum err inspect_batch(struct show *show, struct bytes in, struct why *why)
{
    struct batch_proofs *batch;
    TRY(batch_proofs_parse(&batch, in, why));
    show_title(show, "batch proofs of %u items", batch->count);
    show->depth++;
    show_title(show, "what they share");
    show->depth++;
    show_proof_file(show, &batch->shared);
    show->depth--;
    for (uint32_t i = 0; i < batch->count; i++) {
        show_title(show, "number %u", i);
        show->depth++;
        show_text(show, "name", batch->items[i].name);
        show_item(show, batch->items[i].item);
        show->depth--;
    }
    batch_proofs_free(batch);
    return OK;
}

static enum err inspect_trust(struct show *show, struct bytes in, struct why *why)
{
    struct trust *trust;
    struct hash hash;
    TRY(trust_parse(&trust, in, why));
    sha256(&hash, in);
    show_title(show, "trust file");
    show->depth++;
    show_hash(show, "sha-256 of this file, to be compared out of band", &hash);
    show_trust(show, trust);
    trust_free(trust);
    return OK;
}

static enum err inspect_update(struct show *show, struct bytes in, struct why *why)
{
    struct trust_update *update;
    TRY(trust_update_parse(&update, in, why));
    show_title(show, "trust update of %zu steps", update->step_count);
    show->depth++;
    show_text(show, "name", update->name);
    show_hash(show, "chain id", &update->chain);
    for (size_t i = 0; i < update->step_count; i++) {
        const struct trust_step *step = &update->steps[i];
        show_header(show, step->restart.entry.entry.len > 0 ? "step: a restart" : "step",
                    &step->header);
        show->depth++;
        for (size_t k = 0; k < step->key_count; k++) {
            show_record(show, step->keys[k].key.record);
        }
        if (step->restart.entry.entry.len > 0) {
            show_statement(show, step->restart.entry.entry);
        }
        show_receipts(show, step->receipts, step->receipt_count);
        if (step->commit.len > 0) {
            show_commit(show, "commit", step->commit);
        }
        show->depth--;
    }
    trust_update_free(update);
    return OK;
}

static void show_note(struct show *show, struct bytes note)
{
    show_title(show, "checkpoint");
    show->depth++;
    while (note.len > 0) {
        show_text(show, "line", note_next(&note));
    }
    show->depth--;
}

static enum err inspect_fork(struct show *show, struct bytes in, struct why *why)
{
    struct fork_evidence *evidence;
    TRY(fork_evidence_parse(&evidence, in, why));
    show_title(show, "fork evidence: two %s", evidence->checkpoints ? "checkpoints" : "heads");
    show->depth++;
    for (size_t i = 0; i < 2; i++) {
        const struct fork_side *side = &evidence->sides[i];
        if (evidence->checkpoints) {
            show_note(show, side->note);
        } else {
            show_header(show, "head", &evidence->headers[i]);
            show_receipt(show, side->receipt);
        }
        if (side->has_token) {
            show_hex(show, "time-stamp token", side->token);
        }
    }
    if (evidence->checkpoints) {
        show_state_proof(show, evidence->key_proof);
    }
    fork_evidence_free(evidence);
    return OK;
}

/* Arrays of nine: an item's second member is its form, a record's the public key. */
static enum err inspect_nine(struct show *show, struct bytes in)
{
    struct item item;
    if (item_parse(&item, in) == OK) {
        show_item(show, in);
    } else {
        show_record(show, in);
    }
    return OK;
}

static enum err inspect_any(struct show *show, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    cbor_item(&reader);
    TRY(cbor_end(&reader));
    show_cbor(show, "CBOR", in);
    return OK;
}

static enum err kind_inspect(struct show *show, struct bytes in, struct why *why)
{
    switch (in.len > 1 ? in.at[0] : 0) {
    case 0xd2:
        return inspect_sign1(show, in);
    case 0x83:
        if (in.at[1] == 0x8f) {
            show_commit(show, "commit", in);
            return OK;
        }
        return inspect_batch(show, in, why);
    case 0x84:
        return inspect_update(show, in, why);
    case 0x85:
    case 0x86:
        return inspect_fork(show, in, why);
    case 0x87:
        return inspect_trust(show, in, why);
    case 0x88:
        return inspect_state_proof(show, in, why);
    case 0x89:
        return inspect_nine(show, in);
    case 0x8d:
        show_header_bytes(show, "header", in);
        return OK;
    default:
        return ERR_FORMAT;
    }
}

enum err inspect(struct buf *out, struct bytes in, struct why *why)
{
    size_t start = out->len;
    buf_put(out, bytes_text(UNVERIFIED));
    struct show show = {.out = out};
    size_t head = out->len;
    if (kind_inspect(&show, in, why) == OK) {
        return OK;
    }
    out->len = head;
    show.depth = 0;
    enum err err = inspect_any(&show, in);
    if (err != OK) {
        out->len = start;
        return why_say(why, err, "file", NULL, "is none of Cairn's", NULL);
    }
    return OK;
}
