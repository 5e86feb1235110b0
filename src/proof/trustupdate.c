#include "proof/trustupdate.h"

#include <stdlib.h>

#define STEP_MEMBERS 8

static void logged_read(struct cbor_reader *reader, struct logged *out)
{
    out->entry = cbor_bytes(reader, 1, ENTRY_MAX);
    out->index = cbor_uint_max(reader, UINT64_MAX - 1);
    path_read(reader, &out->path);
}

static void stated_read(struct cbor_reader *reader, struct stated *out)
{
    out->record = cbor_bytes(reader, 1, SIZE_MAX);
    siblings_read(reader, &out->siblings);
}

/* `left` is how many keys the whole update may still hold: a key takes far more memory than its
 * bytes in the file. */
static void keys_read(struct cbor_reader *reader, struct trust_step *out, struct arena *arena,
                      size_t *left)
{
    out->key_count = cbor_array(reader, 0, *left < STEP_KEYS_MAX ? *left : STEP_KEYS_MAX);
    *left -= out->key_count;
    out->keys = arena_array(arena, out->key_count + 1, sizeof *out->keys);
    for (size_t i = 0; i < out->key_count; i++) {
        cbor_array(reader, 3, 3);
        stated_read(reader, &out->keys[i].key);
        if (!cbor_null(reader)) {
            cbor_array(reader, 3, 3);
            logged_read(reader, &out->keys[i].ending);
        }
    }
}

static void step_read(struct cbor_reader *reader, struct trust_step *out, struct arena *arena,
                      size_t *keys_left)
{
    cbor_array(reader, STEP_MEMBERS, STEP_MEMBERS);
    out->header_bytes = cbor_bytes(reader, 1, HEADER_MAX);
    path_read(reader, &out->history);
    path_read(reader, &out->consistency);
    out->receipt_count = cbor_array(reader, 0, PROOF_RECEIPTS_MAX);
    for (size_t i = 0; i < out->receipt_count; i++) {
        out->receipts[i] = cbor_bytes(reader, 0, SIZE_MAX);
    }
    if (!cbor_null(reader)) {
        out->commit = cbor_item(reader);
    }
    out->has_next = !cbor_null(reader);
    if (out->has_next) {
        validators_read(reader, &out->next, arena, true);
    }
    keys_read(reader, out, arena, keys_left);
    if (!cbor_null(reader)) {
        cbor_array(reader, 5, 5);
        logged_read(reader, &out->restart.entry);
        stated_read(reader, &out->restart.signer);
    }
    if (reader->err == OK) {
        cbor_fail(reader, header_parse(&out->header, out->header_bytes));
    }
    if (reader->err == OK && out->commit.len > 0) {
        cbor_fail(reader, commit_parse(&out->commit_decoded, out->commit, arena));
    }
}

enum err trust_update_parse(struct trust_update **out, struct bytes in, struct why *why)
{
    struct cbor_reader reader;
    size_t keys_left = UPDATE_KEYS_MAX;
    *out = NULL;
    if (in.len > TRUST_UPDATE_MAX) {
        return why_say(why, ERR_RANGE, "trust update", NULL, "has more than 4 MiB", NULL);
    }
    struct trust_update *update = mem_zalloc(sizeof *update);
    cbor_init(&reader, arena_copy(&update->arena, in));
    cbor_array(&reader, 4, 4);
    cbor_version(&reader, 1);
    update->name = cbor_text(&reader, 1, LEDGER_NAME_MAX);
    update->chain = cbor_hash(&reader);
    update->step_count = cbor_array(&reader, 1, UPDATE_STEPS_MAX);
    update->steps = arena_array(&update->arena, update->step_count + 1, sizeof *update->steps);
    for (size_t i = 0; i < update->step_count && reader.err == OK; i++) {
        step_read(&reader, &update->steps[i], &update->arena, &keys_left);
    }
    enum err err = cbor_end(&reader);
    if (err != OK) {
        trust_update_free(update);
        return why_say(why, err, "trust update", NULL, NULL, NULL);
    }
    *out = update;
    return OK;
}

void trust_update_free(struct trust_update *update)
{
    if (update) {
        arena_clear(&update->arena);
        free(update);
    }
}

static void logged_write(struct buf *out, const struct logged *logged)
{
    cbor_put_bytes(out, logged->entry);
    cbor_put_uint(out, logged->index);
    path_write(out, &logged->path);
}

static void keys_write(struct buf *out, const struct trust_step *step)
{
    cbor_put_array(out, step->key_count);
    for (size_t i = 0; i < step->key_count; i++) {
        const struct trust_key *key = &step->keys[i];
        cbor_put_array(out, 3);
        cbor_put_bytes(out, key->key.record);
        siblings_write(out, &key->key.siblings);
        if (key->ending.entry.len > 0) {
            cbor_put_array(out, 3);
            logged_write(out, &key->ending);
        } else {
            cbor_put_null(out);
        }
    }
}

static void step_write(struct buf *out, const struct trust_step *step)
{
    cbor_put_array(out, STEP_MEMBERS);
    cbor_put_bytes(out, step->header_bytes);
    path_write(out, &step->history);
    path_write(out, &step->consistency);
    cbor_put_array(out, step->receipt_count);
    for (size_t i = 0; i < step->receipt_count; i++) {
        cbor_put_bytes(out, step->receipts[i]);
    }
    if (step->commit.len > 0) {
        buf_put(out, step->commit);
    } else {
        cbor_put_null(out);
    }
    if (step->has_next) {
        validators_write(out, &step->next);
    } else {
        cbor_put_null(out);
    }
    keys_write(out, step);
    if (step->restart.entry.entry.len > 0) {
        cbor_put_array(out, 5);
        logged_write(out, &step->restart.entry);
        cbor_put_bytes(out, step->restart.signer.record);
        siblings_write(out, &step->restart.signer.siblings);
    } else {
        cbor_put_null(out);
    }
}

void trust_update_write(struct buf *out, const struct trust_update *update)
{
    cbor_put_array(out, 4);
    cbor_put_uint(out, 1);
    cbor_put_text(out, update->name);
    cbor_put_hash(out, &update->chain);
    cbor_put_array(out, update->step_count);
    for (size_t i = 0; i < update->step_count; i++) {
        step_write(out, &update->steps[i]);
    }
}
