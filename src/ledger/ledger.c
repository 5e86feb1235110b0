/* Execution and commit of blocks.
 *
 * 1. `head` is what the store holds; nothing but a successful commit changes it.
 * 2. `block` and the trees' uncommitted parts hold the executed block, and ledger_discard leaves no
 *    trace of it.
 * 3. Everything that a commit writes follows from the blocks alone, the deletions of expired ids
 *    too.
 * 4. A block may fire timers and accept no statement: then the log's tree stays as it is. */
#include "ledger/ledger.h"

#include "ledger/apply.h"
#include "ledger/ledger_internal.h"
#include "ledger/ledger_keys.h"

#include <stdlib.h>

/* How many expired ids a block forgets: more than it adds, so that they can't gather. */
#define EXPIRE_MIN 256

/* What counts toward BLOCK_LEN_MAX follows from the statement alone, not from how it is stored. */
static size_t submission_len(const struct submission *submission)
{
    const struct items *items = submission->items;
    return submission->entry.len + (items != NULL ? (size_t)items->total_len : 0);
}

static void block_begin(struct ledger *ledger, const struct block_input *input)
{
    struct rule_context *context = &ledger->context;
    context->height = ledger->head.header.height + 1;
    context->time_ms = input->time_ms;
    context->previous = &ledger->head.header;
    context->previous_hash = ledger->head.header_hash;
    context->accepted = 0;
    context->index = ledger->head.header.tree_size;
    context->next_epoch = false;
    context->fault = OK;
    ledger->block.len = 0;
    ledger->block.fired = 0;
    ledger->block.failed = 0;
    known_trim(context->known);
    if (ledger->results_cap < input->count) {
        ledger->results_cap = input->count;
        ledger->results = mem_realloc(ledger->results, input->count * sizeof ledger->results[0]);
    }
    if (ledger->block.accepted_cap < input->count) {
        ledger->block.accepted_cap = input->count;
        ledger->block.accepted =
            mem_realloc(ledger->block.accepted, input->count * sizeof ledger->block.accepted[0]);
    }
}

static enum err execute_one(struct ledger *ledger, struct submission *submission,
                            struct statement_result *result)
{
    struct rule_context *context = &ledger->context;
    uint64_t accepted = context->accepted;
    size_t len = submission_len(submission);
    if (accepted > 0 && ledger->block.len + len > BLOCK_LEN_MAX) {
        *result = (struct statement_result){.id = submission->id};
        result->err = why_say(&result->why, ERR_BUSY, "block", NULL, "is full", "Send it again.");
        return OK;
    }
    TRY(apply_statement(context, submission, result));
    if (context->accepted == accepted) {
        return OK;
    }
    ledger->block.len += len + context->put_len;
    ledger->block.accepted[accepted] =
        (struct accepted){submission, submission->id, submission->statement.foreign};
    tiletree_append(ledger->head.log, &submission->leaf);
    if (!submission->statement.foreign) {
        recent_add(ledger->recent, &submission->id, result->index);
    }
    return OK;
}

/* Makes the header of what was accepted. */
static void block_seal(struct ledger *ledger, const struct block_input *input)
{
    const struct rule_context *context = &ledger->context;
    const struct header *previous = &ledger->head.header;
    struct executed *block = &ledger->block;
    struct header *header = &block->header;
    *header = (struct header){.suite = previous->suite,
                              .chain = previous->chain,
                              .epoch = previous->epoch + (context->next_epoch ? 1 : 0),
                              .height = context->height,
                              .time_ms = context->time_ms,
                              .previous = ledger->head.header_hash,
                              .previous_time_ms = previous->time_ms,
                              .first_index = previous->tree_size,
                              .tree_size = context->index};
    tiletree_root(ledger->head.log, &header->tree_root);
    tiletree_root(ledger->head.history, &header->history_root);
    block->state = state_advance(ledger->head.state, context->overlay);
    statetree_root(block->state, &header->state_root);
    header_hash(&block->header_hash, header);
    struct hash leaf;
    leaf_hash(&leaf, hash_bytes(&block->header_hash));
    tiletree_append(ledger->head.history, &leaf);
    block->engine_height = input->engine_height;
    block->standing = true;
}

enum err ledger_execute(struct ledger *ledger, const struct block_input *input,
                        struct block_result *out)
{
    ledger_discard(ledger);
    if (ledger->failed) {
        return ERR_IO;
    }
    if (input->time_ms < ledger->head.header.time_ms) {
        return ERR_RANGE;
    }
    block_begin(ledger, input);
    enum err err = timers_fire(ledger);
    for (size_t i = 0; i < input->count && err == OK; i++) {
        err = execute_one(ledger, input->submissions[i], &ledger->results[i]);
    }
    bool changed = ledger->context.accepted > 0 || ledger->block.fired > 0;
    if (changed && err == OK) {
        err = timers_seal(ledger);
    }
    if (err != OK) {
        ledger_discard(ledger);
        return err;
    }
    if (changed) {
        block_seal(ledger, input);
    }
    *out = (struct block_result){.changed = changed,
                                 .header = changed ? ledger->block.header : ledger->head.header,
                                 .header_hash =
                                     changed ? ledger->block.header_hash : ledger->head.header_hash,
                                 .results = ledger->results,
                                 .count = input->count,
                                 .timers_fired = ledger->block.fired,
                                 .timers_failed = ledger->block.failed};
    return OK;
}

void ledger_discard(struct ledger *ledger)
{
    struct executed *block = &ledger->block;
    for (uint64_t i = 0; i < ledger->context.accepted; i++) {
        const struct accepted *accepted = &block->accepted[i];
        if (!accepted->foreign) {
            recent_remove(ledger->recent, &accepted->id, ledger->head.header.tree_size + i);
        }
    }
    ledger->context.accepted = 0;
    context_clear(&ledger->context);
    tiletree_discard(ledger->head.log);
    tiletree_discard(ledger->head.history);
    statetree_release(block->state);
    block->state = NULL;
    block->standing = false;
}

static void put_items(struct batch *batch, uint64_t index, const struct items *items)
{
    for (uint32_t i = 0; i < items->chunk_count; i++) {
        struct disk_key key = items_key(index, i);
        batch_put(batch, FAMILY_ITEMS, disk_key_bytes(&key), buf_bytes(&items->chunks[i]));
    }
    if (items->chunk_count > 1) {
        struct disk_key key = items_key(index, CHUNK_ROOTS);
        batch_put(batch, FAMILY_ITEMS, disk_key_bytes(&key),
                  (struct bytes){items->chunk_roots[0].at,
                                 items->chunk_count * sizeof items->chunk_roots[0]});
    }
}

static void put_accepted(struct ledger *ledger, const struct submission *submission, uint64_t index)
{
    struct batch *batch = ledger->batch;
    batch_put_entry(batch, index, ledger->block.header.height, buf_bytes(&submission->entry));
    if (submission->items != NULL) {
        put_items(batch, index, submission->items);
    }
    if (!submission->statement.foreign) {
        uint64_t valid_until = submission->statement.valid_until;
        struct disk_key key = recent_key(valid_until, &submission->id);
        uint8_t value[8];
        put_u64(value, index);
        batch_put(batch, FAMILY_RECENT, disk_key_bytes(&key), BYTES_OF(value));
        if (valid_until < ledger->expiry_ms) {
            ledger->expiry_ms = valid_until;
        }
    }
}

/* Deletes ids whose valid-until lies before the block, in the order of their keys, and notes them
 * in `expired`. How many follows from the block alone. */
static enum err put_expired(struct ledger *ledger)
{
    ledger->expired.len = 0;
    uint64_t time_ms = ledger->block.header.time_ms;
    if (time_ms <= ledger->expiry_ms) {
        return OK;
    }
    uint64_t most = EXPIRE_MIN + 2 * ledger->context.accepted;
    struct disk_key from = number_key(ledger->expiry_ms);
    struct cursor *cursor = cursor_open(ledger->store, NULL, FAMILY_RECENT);
    bool there = cursor_seek(cursor, disk_key_bytes(&from));
    uint64_t next_ms = UINT64_MAX;
    for (uint64_t i = 0; there; there = cursor_next(cursor), i++) {
        struct bytes key = cursor_key(cursor);
        struct bytes value = cursor_value(cursor);
        if (key.len != RECENT_KEY_LEN || value.len != 8) {
            cursor_close(cursor);
            return ERR_CORRUPT;
        }
        if (i == most || get_u64(key.at) >= time_ms) {
            next_ms = get_u64(key.at);
            break;
        }
        batch_delete(ledger->batch, FAMILY_RECENT, key);
        buf_put(&ledger->expired, key);
        buf_put(&ledger->expired, value);
    }
    enum err err = cursor_err(cursor);
    cursor_close(cursor);
    ledger->expiry_ms = next_ms;
    return err;
}

static void forget_expired(struct ledger *ledger)
{
    for (size_t at = 0; at < ledger->expired.len; at += RECENT_KEY_LEN + 8) {
        struct hash id;
        memcpy(id.at, ledger->expired.at + at + 8, sizeof id.at);
        recent_remove(ledger->recent, &id, get_u64(ledger->expired.at + at + RECENT_KEY_LEN));
    }
}

static enum err write_block(struct ledger *ledger)
{
    const struct executed *block = &ledger->block;
    TRY(put_expired(ledger));
    for (uint64_t i = 0; i < ledger->context.accepted; i++) {
        put_accepted(ledger, block->accepted[i].submission, block->header.first_index + i);
    }
    batch_put_block(ledger->batch,
                    &(struct block_part){&block->header, &block->header_hash,
                                         ledger->context.overlay, ledger->head.log,
                                         ledger->head.history, block->engine_height});
    return store_commit(ledger->store, ledger->batch);
}

static void note_engine(struct ledger *ledger, uint64_t engine_height)
{
    if (engine_height > 0) {
        ledger->engine_height = engine_height;
    }
}

enum err ledger_commit(struct ledger *ledger)
{
    struct executed *block = &ledger->block;
    if (ledger->failed) {
        return ERR_IO;
    }
    if (!block->standing) {
        return OK;
    }
    enum err err = write_block(ledger);
    if (err != OK) {
        ledger->failed = true;
        return err;
    }
    forget_expired(ledger);
    tiletree_commit(ledger->head.log);
    tiletree_commit(ledger->head.history);
    statetree_release(ledger->head.state);
    ledger->head.state = block->state;
    ledger->head.header = block->header;
    ledger->head.header_hash = block->header_hash;
    ledger->timer_due_ms = block->timer_due_ms;
    block->state = NULL;
    block->standing = false;
    ledger->context.accepted = 0;
    overlay_clear(ledger->context.overlay, NULL, NULL);
    note_engine(ledger, block->engine_height);
    views_publish(ledger->views, ledger);
    return OK;
}

enum err ledger_passed(struct ledger *ledger, uint64_t engine_height)
{
    if (ledger->failed) {
        return ERR_IO;
    }
    if (engine_height < ledger->engine_height + ENGINE_NOTE_EVERY) {
        return OK;
    }
    batch_put_engine(ledger->batch, engine_height);
    enum err err = store_commit(ledger->store, ledger->batch);
    if (err != OK) {
        ledger->failed = true;
        return err;
    }
    ledger->engine_height = engine_height;
    return OK;
}

uint64_t ledger_engine_height(const struct ledger *ledger)
{
    return ledger->engine_height;
}

struct view *ledger_view(struct ledger *ledger)
{
    return views_current(ledger->views);
}
