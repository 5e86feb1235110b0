#include "ledger/ledger_internal.h"

#include "crypto/digest.h"
#include "ledger/ledger_keys.h"

static void put(struct batch *batch, enum family family, struct disk_key key, struct bytes value)
{
    batch_put(batch, family, disk_key_bytes(&key), value);
}

void batch_put_entry(struct batch *batch, uint64_t index, uint64_t height, struct bytes entry)
{
    struct buf value = {0};
    put_u64(buf_grow(&value, 8), height);
    buf_put(&value, entry);
    put(batch, FAMILY_LOG, number_key(index), buf_bytes(&value));
    buf_clear(&value);
}

static void put_state(struct batch *batch, const struct overlay *overlay)
{
    for (const struct overlay_entry *entry = overlay_first(overlay); entry != NULL;
         entry = overlay_next(entry)) {
        if (entry->change == CHANGE_PUT) {
            batch_put(batch, FAMILY_STATE, entry->key, entry->value);
        } else {
            batch_delete(batch, FAMILY_STATE, entry->key);
        }
    }
}

struct tile_target {
    struct batch *batch;
    enum family family;
};

static void put_tile(void *context, unsigned level, uint64_t index,
                     const struct hash hashes[TILE_HASHES])
{
    const struct tile_target *target = context;
    put(target->batch, target->family, tile_key(level, index),
        (struct bytes){hashes[0].at, TILE_HASHES * sizeof hashes[0]});
}

static void put_engine_place(struct batch *batch, uint64_t height, uint64_t engine_height)
{
    uint8_t value[8];
    put_u64(value, engine_height);
    put(batch, FAMILY_ATTEST, engine_place_key(height), (struct bytes){value, sizeof value});
}

void batch_put_engine(struct batch *batch, uint64_t engine_height)
{
    uint8_t value[8];
    put_u64(value, engine_height);
    batch_put(batch, FAMILY_META, bytes_text(META_ENGINE_KEY), (struct bytes){value, sizeof value});
}

enum err engine_height_load(struct store *store, uint64_t *out)
{
    struct buf value = {0};
    enum err err = store_get(store, NULL, FAMILY_META, bytes_text(META_ENGINE_KEY), &value);
    *out = err == OK && value.len == 8 ? get_u64(value.at) : 0;
    if (err == OK && value.len != 8) {
        err = ERR_CORRUPT;
    }
    buf_clear(&value);
    return err == ERR_NOT_FOUND ? OK : err;
}

void batch_put_block(struct batch *batch, const struct block_part *part)
{
    const struct header *header = part->header;
    struct buf encoded = {0};
    header_write(&encoded, header);
    put(batch, FAMILY_BLOCK, number_key(header->height), buf_bytes(&encoded));
    buf_clear(&encoded);
    put_state(batch, part->overlay);
    tiletree_filled(part->log, put_tile, &(struct tile_target){batch, FAMILY_TILES});
    tiletree_filled(part->history, put_tile, &(struct tile_target){batch, FAMILY_HISTORY});
    struct mark_head head = {header->epoch, header->height, *part->header_hash};
    batch_put_head(batch, &head);
    if (part->engine_height > 0) {
        put_engine_place(batch, header->height, part->engine_height);
        batch_put_engine(batch, part->engine_height);
    }
}

struct statetree *state_advance(struct statetree *state, const struct overlay *overlay)
{
    struct statetree *tree = statetree_retain(state);
    for (const struct overlay_entry *entry = overlay_first(overlay); entry != NULL;
         entry = overlay_next(entry)) {
        struct hash key_hash;
        struct hash value_hash;
        sha256(&key_hash, entry->key);
        if (entry->change == CHANGE_PUT) {
            state_value_hash(&value_hash, entry->value);
            statetree_set(&tree, &key_hash, &value_hash);
        } else {
            statetree_unset(&tree, &key_hash);
        }
    }
    return tree;
}
