/* Proof files are put together on request, under the newest head or the newest that witnesses
 * cosigned: one receipt serves all of them under it. */
#include "node/internal.h"

#include "base/metrics.h"
#include "proof/note.h"
#include "proof/prooffile.h"
#include "proof/stateproof.h"

#include <stdlib.h>
#include <string.h>

/* Places in the label of METRIC_NODE_PROOFS. */
enum { PROOF_ENTRY, PROOF_STATE };

/* What a proof borrows from while it is written. */
struct work {
    struct node *node;
    struct view *view;
    struct proof_file file;
    struct statement statement;
    struct buf entry;
    struct buf block;
    struct buf item;
    struct buf receipt;
    struct buf notes;
    struct buf mandate;
    struct state_answer record;
};

/* Takes over the view. */
static struct work *work_new(struct node *node, struct view *view)
{
    struct work *work = mem_zalloc(sizeof *work);
    work->node = node;
    work->view = view;
    return work;
}

static void work_free(struct work *work)
{
    view_release(work->view);
    buf_clear(&work->entry);
    buf_clear(&work->block);
    buf_clear(&work->item);
    buf_clear(&work->receipt);
    buf_clear(&work->notes);
    buf_clear(&work->mandate);
    state_answer_clear(&work->record);
    free(work);
}

static enum err add_entry(struct work *work, uint64_t index)
{
    uint64_t height;
    const struct header *head = view_header(work->view);
    TRY(view_entry(work->view, index, &work->entry, &height));
    TRY(statement_parse(&work->statement, buf_bytes(&work->entry), NULL));
    work->file.entry = work->statement.sign1;
    work->file.index = index;
    work->file.head = view_header_bytes(work->view);
    TRY(view_log_path(work->view, index, head->tree_size, &work->file.log_path));
    if (height == head->height) {
        return OK;
    }
    TRY(view_block(work->view, height, &work->block));
    work->file.block = buf_bytes(&work->block);
    return view_history_path(work->view, height, head->height, &work->file.block_path);
}

void node_take_siblings(struct siblings *out, const struct buf *siblings)
{
    out->count = siblings->len / sizeof(struct hash);
    BUG_ON(out->count > SIBLINGS_MAX);
    if (out->count > 0) {
        memcpy(out->at, siblings->at, siblings->len);
    }
}

static enum err add_record(struct work *work)
{
    struct hash kid;
    TRY(node_record_kid(work->node, &work->statement, &kid));
    struct buf key = {0};
    key_record_state_key(&key, &kid);
    enum err err =
        view_state(work->view, bytes_text(MEMBER_MODULE), buf_bytes(&key), &work->record);
    buf_clear(&key);
    if (err == OK) {
        work->file.record = buf_bytes(&work->record.value);
        node_take_siblings(&work->file.record_path, &work->record.siblings);
    }
    return err;
}

static enum err add_item(struct work *work, uint16_t number)
{
    struct deposit deposit;
    TRY(deposit_parse(&deposit, work->statement.sign1.payload));
    if (number >= deposit.count) {
        return ERR_NOT_FOUND;
    }
    TRY(view_item(work->view, work->file.index, deposit.count, number, &work->item,
                  &work->file.item_path));
    work->file.item = buf_bytes(&work->item);
    work->file.number = number;
    return OK;
}

static bool take_mandate(void *context, struct node_found *found)
{
    struct work *work = context;
    work->mandate = found->entry;
    found->entry = (struct buf){0};
    work->file.mandate_index = found->index;
    return false;
}

static enum err add_mandate(struct work *work)
{
    if (!work->statement.has_mandate) {
        return OK;
    }
    TRY(node_find(work->node, NODE_BY_STATEMENT, hash_bytes(&work->statement.mandate), 0,
                  take_mandate, work));
    work->file.mandate = buf_bytes(&work->mandate);
    return view_log_path(work->view, work->file.mandate_index, view_header(work->view)->tree_size,
                         &work->file.mandate_path);
}

static enum err add_receipt(struct work *work, struct why *why)
{
    TRY(node_receipt(work->node, work->view, &work->receipt, why));
    work->file.receipts[0] = buf_bytes(&work->receipt);
    work->file.receipt_count = 1;
    return OK;
}

static enum err add_notes(struct work *work, struct why *why)
{
    enum err err = node_notes(work->node, work->view, &work->notes);
    struct bytes lines = buf_bytes(&work->notes);
    while (err == OK && lines.len > 0) {
        work->file.notes[work->file.note_count++] = note_next(&lines);
    }
    return err == OK ? OK : why_say(why, err, "notes", NULL, NULL, "Check the disk.");
}

static enum err assemble(struct work *work, uint64_t index, uint16_t number, bool with_item)
{
    TRY(add_entry(work, index));
    TRY(add_record(work));
    if (with_item) {
        TRY(add_item(work, number));
    }
    return add_mandate(work);
}

enum err node_prove(struct node *node, uint64_t index, uint16_t number, bool with_item,
                    struct buf *out, struct why *why)
{
    struct work *work = work_new(node, node_proof_view(node, index));
    enum err err = assemble(work, index, number, with_item);
    if (err != OK) {
        why_sayf(why, err, "evidence", NULL, "Check the number against the deposit's count.",
                 "index %llu, item %u", (unsigned long long)index, number);
    } else {
        err = add_receipt(work, why);
        err = err == OK ? add_notes(work, why) : err;
    }
    if (err == OK) {
        proof_file_write(out, &work->file);
        metric_add(METRIC_NODE_PROOFS, PROOF_ENTRY, 1);
    }
    work_free(work);
    return err;
}

/* ---- state proofs */

static void take_answer(struct state_proof *proof, const struct state_answer *answer, bool present)
{
    proof->present = present;
    proof->value = buf_bytes(&answer->value);
    proof->has_other = answer->has_other;
    proof->other_key = answer->other_key_hash;
    proof->other_value = answer->other_value_hash;
    node_take_siblings(&proof->siblings, &answer->siblings);
}

static enum err check_state_key(struct bytes module, struct bytes key, struct why *why)
{
    struct cbor_reader reader;
    cbor_init(&reader, key);
    cbor_item(&reader);
    enum err err = cbor_end(&reader);
    if (err != OK || key.len > STATE_KEY_MAX) {
        return why_say(why, err != OK ? err : ERR_RANGE, "key", NULL,
                       "is not one encoded CBOR item of at most 256 bytes",
                       "See the state keys in docs/protocol.md.");
    }
    return module.len >= 1 && module.len <= STATE_MODULE_MAX && bytes_is_utf8(module)
               ? OK
               : why_say(why, ERR_RANGE, "module", NULL, "is not a module's name",
                         "Give member, evidence or governance.");
}

enum err node_prove_state(struct node *node, struct bytes module, struct bytes key, struct buf *out,
                          struct why *why)
{
    TRY(check_state_key(module, key, why));
    struct work *work = work_new(node, node_view(node));
    struct state_proof *proof = mem_zalloc(sizeof *proof);
    proof->module = module;
    proof->key = key;
    proof->head = view_header_bytes(work->view);
    enum err err = view_state(work->view, module, key, &work->record);
    bool present = err == OK;
    if (err == OK || err == ERR_NOT_FOUND) {
        take_answer(proof, &work->record, present);
        err = node_receipt(node, work->view, &work->receipt, why);
    } else {
        why_say(why, err, "state", NULL, NULL, "Try again; if it stays, ask the operator.");
    }
    if (err == OK) {
        proof->receipts[0] = buf_bytes(&work->receipt);
        proof->receipt_count = 1;
        state_proof_write(out, proof);
        metric_add(METRIC_NODE_PROOFS, PROOF_STATE, 1);
    }
    free(proof);
    work_free(work);
    return err;
}
