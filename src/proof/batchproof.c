#include "proof/batchproof.h"

#include <stdlib.h>

static void head_read(struct batch_proofs *out, struct cbor_reader *reader, struct bytes *shared)
{
    cbor_array(reader, 3, 3);
    cbor_version(reader, 1);
    *shared = cbor_bytes(reader, 1, PROOF_MAX);
    out->count = (uint32_t)cbor_uint_max(reader, DEPOSIT_ITEMS_MAX);
    if (out->count == 0) {
        cbor_fail(reader, ERR_RANGE);
    }
}

static enum err item_read(struct batch_item *out, struct bytes in, struct bytes *rest)
{
    struct item item;
    struct cbor_reader reader;
    *out = (struct batch_item){0};
    cbor_init(&reader, in);
    cbor_array(&reader, 3, 3);
    out->item = cbor_bytes(&reader, 1, ITEM_MAX);
    if (!cbor_null(&reader)) {
        out->salt = cbor_bytes(&reader, 32, 32);
    }
    if (!cbor_null(&reader)) {
        out->name = cbor_text(&reader, 1, BATCH_NAME_MAX);
    }
    TRY(cbor_end_sequence(&reader, rest));
    TRY(item_parse(&item, out->item));
    return out->salt.len > 0 && item.form != ITEM_BLINDED ? ERR_FORMAT : OK;
}

static enum err items_read(struct batch_proofs *out, struct bytes in, struct why *why)
{
    /* Each item takes several bytes, so that the count is known to be honest before it is used. */
    if (out->count > in.len) {
        return why_say(why, ERR_TRUNCATED, "items", NULL, NULL, NULL);
    }
    out->items = arena_array(&out->arena, out->count, sizeof *out->items);
    for (uint32_t i = 0; i < out->count; i++) {
        struct bytes rest;
        enum err err = item_read(&out->items[i], in, &rest);
        if (err != OK) {
            return why_sayf(why, err, "item", NULL, NULL, "%u", i);
        }
        in = rest;
    }
    return in.len == 0 ? OK : why_say(why, ERR_TRAILING, "items", NULL, NULL, NULL);
}

/* Root of the complete subtree of 2^level items from index << level. */
static enum err subtree(void *context, struct hash *out, unsigned level, uint64_t index)
{
    const struct batch_proofs *batch = context;
    struct frontier frontier = {0};
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        struct hash leaf;
        leaf_hash(&leaf, batch->items[i].item);
        frontier_append(&frontier, &leaf);
    }
    frontier_root(&frontier, out);
    return OK;
}

/* The items are those of the deposit. */
static enum err items_check(struct batch_proofs *batch, struct why *why)
{
    struct deposit deposit;
    struct frontier frontier = {0};
    struct hash root;
    enum err err = deposit_parse(&deposit, batch->shared.entry.payload);
    if (err != OK) {
        return why_say(why, err, "deposit", NULL, NULL, NULL);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        struct hash leaf;
        leaf_hash(&leaf, batch->items[i].item);
        frontier_append(&frontier, &leaf);
    }
    frontier_root(&frontier, &root);
    if (deposit.count != batch->count || !hash_equal(&root, &deposit.items_root)) {
        return why_say(why, ERR_MISMATCH, "items", NULL,
                       "are not those that the statement deposits", NULL);
    }
    return OK;
}

static enum err parts_parse(struct batch_proofs *batch, struct bytes in, struct why *why)
{
    struct cbor_reader reader;
    struct bytes shared;
    struct bytes rest;
    cbor_init(&reader, in);
    head_read(batch, &reader, &shared);
    enum err err = cbor_end_sequence(&reader, &rest);
    err = err == OK ? proof_file_read(&batch->shared, shared) : err;
    if (err == OK && (batch->shared.item.len > 0 || batch->shared.salt.len > 0)) {
        err = ERR_FORMAT;
    }
    if (err != OK) {
        return why_say(why, err, "batch proofs", NULL, NULL, NULL);
    }
    TRY(items_read(batch, rest, why));
    return items_check(batch, why);
}

enum err batch_proofs_parse(struct batch_proofs **out, struct bytes in, struct why *why)
{
    struct batch_proofs *batch = mem_zalloc(sizeof *batch);
    enum err err = parts_parse(batch, in, why);
    *out = batch;
    if (err != OK) {
        batch_proofs_free(batch);
        *out = NULL;
    }
    return err;
}

void batch_proofs_free(struct batch_proofs *batch)
{
    if (batch) {
        arena_clear(&batch->arena);
        free(batch);
    }
}

void batch_proofs_begin(struct buf *out, const struct proof_file *shared, uint32_t count)
{
    struct buf proof = {0};
    BUG_ON(shared->item.len > 0 || shared->salt.len > 0);
    proof_file_write(&proof, shared);
    cbor_put_array(out, 3);
    cbor_put_uint(out, 1);
    cbor_put_bytes(out, buf_bytes(&proof));
    cbor_put_uint(out, count);
    buf_clear(&proof);
}

void batch_proofs_item(struct buf *out, const struct batch_item *item)
{
    cbor_put_array(out, 3);
    cbor_put_bytes(out, item->item);
    if (item->salt.len > 0) {
        cbor_put_bytes(out, item->salt);
    } else {
        cbor_put_null(out);
    }
    if (item->name.len > 0) {
        cbor_put_text(out, item->name);
    } else {
        cbor_put_null(out);
    }
}

enum err batch_proofs_find(const struct batch_proofs *batch, const struct hash *sha256,
                           const char *name, uint32_t *number)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct item item;
        if (item_parse(&item, batch->items[i].item) == OK && item.form == ITEM_PLAIN &&
            hash_equal(&item.sha256, sha256)) {
            *number = i;
            return OK;
        }
    }
    for (uint32_t i = 0; name && i < batch->count; i++) {
        if (bytes_equal(batch->items[i].name, bytes_text(name))) {
            *number = i;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

enum err batch_proofs_extract(struct buf *out, const struct batch_proofs *batch, uint32_t number)
{
    if (number >= batch->count) {
        return ERR_RANGE;
    }
    /* path_build hands the context back as it was given, and `subtree` only reads it. */
    union {
        const struct batch_proofs *read_only;
        void *context;
    } cast = {.read_only = batch};
    struct proof_file single = batch->shared;
    TRY(path_build(&single.item_path, number, batch->count, subtree, cast.context));
    single.number = (uint16_t)number;
    single.item = batch->items[number].item;
    single.salt = batch->items[number].salt;
    proof_file_write(out, &single);
    return OK;
}
