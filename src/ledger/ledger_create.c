/* Block 0: the genesis document as entry 0, its members and their keys as the first state, and who
 * orders if its members do. */
#include "crypto/digest.h"
#include "ledger/ledger_internal.h"
#include "ledger/ledger_keys.h"
#include "ledger/regime.h"

#include <stdlib.h>

static void put_record(struct overlay *overlay, struct buf *key, struct buf *value)
{
    overlay_put(overlay, buf_bytes(key), buf_bytes(value));
    key->len = 0;
    value->len = 0;
}

static void put_key(struct overlay *overlay, const struct genesis_member *member,
                    const struct genesis_key *genesis_key, const struct hash *kid)
{
    struct buf key = {0};
    struct buf value = {0};
    struct key_record record = {.spki = genesis_key->spki,
                                .alg = genesis_key->alg,
                                .purpose = genesis_key->purpose,
                                .member = member->id};
    state_key_write(&key, bytes_text(MEMBER_MODULE), BYTES_NONE);
    key_record_state_key(&key, kid);
    key_record_write(&value, &record);
    put_record(overlay, &key, &value);
    buf_clear(&key);
    buf_clear(&value);
}

static void put_member(struct overlay *overlay, const struct genesis_member *member)
{
    struct buf key = {0};
    struct buf value = {0};
    struct member_record record = {.kind = member->kind,
                                   .institution = member->institution,
                                   .role_count = member->role_count,
                                   .key_count = member->key_count};
    memcpy(record.roles, member->roles, sizeof record.roles);
    for (size_t i = 0; i < member->key_count; i++) {
        sha256(&record.keys[i], member->keys[i].spki);
        put_key(overlay, member, &member->keys[i], &record.keys[i]);
    }
    state_key_write(&key, bytes_text(MEMBER_MODULE), BYTES_NONE);
    member_state_key(&key, member->id);
    member_record_write(&value, &record);
    put_record(overlay, &key, &value);
    buf_clear(&key);
    buf_clear(&value);
}

/* A solo ledger has no such record. */
static void put_regime(struct overlay *overlay, const struct genesis *genesis,
                       const struct hash *chain)
{
    struct buf key = {0};
    struct buf value = {0};
    struct buf text = {0};
    struct regime *regime = mem_alloc(sizeof *regime);
    if (regime_of_genesis(regime, genesis, chain, &text)) {
        state_key_write(&key, bytes_text(REGIME_MODULE), BYTES_NONE);
        regime_state_key(&key);
        regime_write(&value, regime);
        put_record(overlay, &key, &value);
    }
    free(regime);
    buf_clear(&text);
    buf_clear(&key);
    buf_clear(&value);
}

/* The header of block 0 and what stands under it. */
struct beginning {
    struct header header;
    struct hash header_hash;
    struct overlay *overlay;
    struct tiletree *log;
    struct tiletree *history;
    struct batch *batch;
};

static void seal(struct beginning *at, struct bytes document, uint64_t time_ms)
{
    struct hash leaf;
    at->header = (struct header){.suite = SUITE_1, .time_ms = time_ms, .tree_size = 1};
    sha256(&at->header.chain, document);
    leaf_hash(&leaf, document);
    tiletree_append(at->log, &leaf);
    tiletree_root(at->log, &at->header.tree_root);
    tiletree_root(at->history, &at->header.history_root);
    struct statetree *empty = statetree_empty();
    struct statetree *state = state_advance(empty, at->overlay);
    statetree_root(state, &at->header.state_root);
    statetree_release(state);
    statetree_release(empty);
    header_hash(&at->header_hash, &at->header);
    leaf_hash(&leaf, hash_bytes(&at->header_hash));
    tiletree_append(at->history, &leaf);
}

static void fill_batch(struct beginning *at, struct bytes document)
{
    uint8_t format[8];
    put_u64(format, LEDGER_FORMAT);
    batch_put(at->batch, FAMILY_META, bytes_text(META_FORMAT_KEY), BYTES_OF(format));
    batch_put(at->batch, FAMILY_META, bytes_text(META_CHAIN_KEY), hash_bytes(&at->header.chain));
    batch_put_entry(at->batch, 0, 0, document);
    batch_put_block(at->batch, &(struct block_part){&at->header, &at->header_hash, at->overlay,
                                                    at->log, at->history});
}

/* An empty tree asks nothing of its source. */
static enum err open_empty(struct tiletree **out)
{
    return tiletree_open(out, 0, &(struct tile_source){0});
}

static enum err begin(struct store *store, struct bytes document, const struct genesis *genesis,
                      uint64_t time_ms, struct hash *header_hash)
{
    struct beginning at = {.overlay = overlay_new(), .batch = batch_new()};
    enum err err = open_empty(&at.log);
    if (err == OK) {
        err = open_empty(&at.history);
    }
    if (err == OK) {
        for (size_t i = 0; i < genesis->member_count; i++) {
            put_member(at.overlay, &genesis->members[i]);
        }
        struct hash chain;
        sha256(&chain, document);
        put_regime(at.overlay, genesis, &chain);
        seal(&at, document, time_ms);
        fill_batch(&at, document);
        *header_hash = at.header_hash;
        err = store_commit(store, at.batch);
    }
    tiletree_free(at.log);
    tiletree_free(at.history);
    overlay_free(at.overlay);
    batch_free(at.batch);
    return err;
}

enum err ledger_create(struct store *store, struct bytes document, uint64_t time_ms,
                       struct hash *header_hash, struct why *why)
{
    struct mark_head head;
    enum err err = store_head(store, &head);
    if (err == OK) {
        return why_say(why, ERR_EXISTS, "ledger", NULL, "stands in this directory already",
                       "Choose another directory.");
    }
    if (err != ERR_NOT_FOUND) {
        return err;
    }
    struct genesis *genesis = mem_alloc(sizeof *genesis);
    err = genesis_parse(genesis, document, why);
    if (err == OK) {
        err = begin(store, document, genesis, time_ms, header_hash);
    }
    free(genesis);
    return err;
}
