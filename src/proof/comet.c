/* CometBFT's own bytes, rebuilt from the fields of a commit (CometBFT 0.38 to 0.40: types/block.go,
 * crypto/merkle, canonical.proto). An embedded message of a non-nullable field is written even if
 * empty. */
#include "proof/commit.h"

#include "codec/protobuf.h"
#include "crypto/digest.h"
#include "merkle/tree.h"

#include <string.h>

#define PRECOMMIT 2

/* google.protobuf.Timestamp; a negative number is its two's complement. */
static void put_time(struct buf *out, const struct comet_time *time)
{
    pb_put_uint(out, 1, (uint64_t)time->seconds);
    pb_put_uint(out, 2, time->nanos);
}

static void put_time_field(struct buf *out, unsigned field, const struct comet_time *time)
{
    struct buf message = {0};
    put_time(&message, time);
    pb_put_message(out, field, buf_bytes(&message));
    buf_clear(&message);
}

/* BlockID or CanonicalBlockID: hash, and the part set's total and hash. */
static void put_block_id(struct buf *out, struct bytes hash, uint64_t total, struct bytes parts)
{
    struct buf set = {0};
    pb_put_uint(&set, 1, total);
    pb_put_bytes(&set, 2, parts);
    pb_put_bytes(out, 1, hash);
    pb_put_message(out, 2, buf_bytes(&set));
    buf_clear(&set);
}

/* Takes the leaf that `item` makes into the tree and empties it. RFC 6962 shape, as RFC 9162. */
static void take_leaf(struct frontier *tree, struct buf *item)
{
    struct hash leaf;
    leaf_hash(&leaf, buf_bytes(item));
    frontier_append(tree, &leaf);
    item->len = 0;
}

static void put_last_block_id(struct buf *out, const struct comet_header *header)
{
    if (header->has_last_block) {
        put_block_id(out, hash_bytes(&header->last_block), header->last_parts_total,
                     hash_bytes(&header->last_parts_hash));
    } else {
        put_block_id(out, BYTES_NONE, 0, BYTES_NONE);
    }
}

void comet_header_hash(struct hash *out, const struct comet_header *header)
{
    struct frontier tree = {0};
    struct buf item = {0};
    pb_put_uint(&item, 1, header->block_version);
    pb_put_uint(&item, 2, header->app_version);
    take_leaf(&tree, &item);
    pb_put_bytes(&item, 1, header->chain);
    take_leaf(&tree, &item);
    pb_put_uint(&item, 1, header->height);
    take_leaf(&tree, &item);
    put_time(&item, &header->time);
    take_leaf(&tree, &item);
    put_last_block_id(&item, header);
    take_leaf(&tree, &item);
    for (size_t i = 0; i < COMET_HEADER_HASHES; i++) {
        pb_put_bytes(&item, 1, header->hashes[i]);
        take_leaf(&tree, &item);
    }
    frontier_root(&tree, out);
    buf_clear(&item);
}

void comet_vote_bytes(struct buf *out, const struct commit *commit, const struct hash *header_hash,
                      size_t vote)
{
    struct buf body = {0};
    struct buf block_id = {0};
    pb_put_uint(&body, 1, PRECOMMIT);
    pb_put_fixed64(&body, 2, commit->header.height);
    pb_put_fixed64(&body, 3, commit->round);
    put_block_id(&block_id, hash_bytes(header_hash), commit->parts_total,
                 hash_bytes(&commit->parts_hash));
    pb_put_message(&body, 4, buf_bytes(&block_id));
    put_time_field(&body, 5, &commit->votes[vote].time);
    pb_put_bytes(&body, 6, commit->header.chain);
    pb_put_varint(out, body.len);
    buf_put(out, buf_bytes(&body));
    buf_clear(&block_id);
    buf_clear(&body);
}

void validators_hash(struct hash *out, const struct validators *set)
{
    struct frontier tree = {0};
    struct buf item = {0};
    for (size_t i = 0; i < set->count; i++) {
        struct buf key = {0};
        pb_put_bytes(&key, 1, hash_bytes(&set->at[i].key));
        pb_put_message(&item, 1, buf_bytes(&key));
        pb_put_uint(&item, 2, set->at[i].power);
        take_leaf(&tree, &item);
        buf_clear(&key);
    }
    frontier_root(&tree, out);
    buf_clear(&item);
}

static bool key_seen(const struct validators *set, size_t count, const struct hash *key)
{
    for (size_t i = 0; i < count; i++) {
        if (hash_equal(&set->at[i].key, key)) {
            return true;
        }
    }
    return false;
}

void validators_read(struct cbor_reader *reader, struct validators *out, struct arena *arena,
                     bool distinct)
{
    uint64_t total = 0;
    out->count = cbor_array(reader, 1, VALIDATORS_MAX);
    out->at = arena_array(arena, out->count + 1, sizeof *out->at);
    for (size_t i = 0; i < out->count; i++) {
        struct validator *validator = &out->at[i];
        cbor_array(reader, 2, 2);
        validator->key = cbor_hash(reader);
        validator->power = cbor_uint_max(reader, COMET_POWER_MAX);
        if (distinct && key_seen(out, i, &validator->key)) {
            cbor_fail(reader, ERR_FORMAT);
        }
        total += validator->power;
        if (total > COMET_POWER_MAX) {
            cbor_fail(reader, ERR_RANGE);
        }
    }
    out->count = reader->err == OK ? out->count : 0;
}

void validators_write(struct buf *out, const struct validators *set)
{
    cbor_put_array(out, set->count);
    for (size_t i = 0; i < set->count; i++) {
        cbor_put_array(out, 2);
        cbor_put_hash(out, &set->at[i].key);
        cbor_put_uint(out, set->at[i].power);
    }
}

bool validators_equal(const struct validators *a, const struct validators *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!hash_equal(&a->at[i].key, &b->at[i].key) || a->at[i].power != b->at[i].power) {
            return false;
        }
    }
    return true;
}
