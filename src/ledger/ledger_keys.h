/* Keys and framing of the families, as they lie on the disk. Integers are big-endian.
 *
 *   log      index -> height, entry
 *   items    index, chunk (u16) -> packed chunk; index, 0xffff -> roots of all chunks, where the
 *            deposit has more than one
 *   block    height -> header
 *   recent   valid-until, id -> index
 *   state    CBOR [module, key] -> value
 *   tiles, history   level (u8), tile -> 256 hashes
 *   attest   4 (u8), height -> height of the CometBFT block that brought it, of which the other
 *            kinds are the node's
 *   meta     "head" (store.h), "format" -> u64, "chain" -> chain id, "engine" -> height of the last
 *            CometBFT block known to be executed */
#ifndef CAIRN_LEDGER_LEDGER_KEYS_H
#define CAIRN_LEDGER_LEDGER_KEYS_H

#include "base/bytes.h"

#include <string.h>

#define LEDGER_FORMAT   1
#define CHUNK_ROOTS     0xffff
#define RECENT_KEY_LEN  40
#define META_FORMAT_KEY "format"
#define META_CHAIN_KEY  "chain"
#define META_ENGINE_KEY "engine"
#define ATTEST_ENGINE   4

/* A key in the caller's memory. */
struct disk_key {
    uint8_t at[RECENT_KEY_LEN];
    size_t len;
};

static inline struct bytes disk_key_bytes(const struct disk_key *key)
{
    return (struct bytes){key->at, key->len};
}

/* Of `log` and `block`. */
static inline struct disk_key number_key(uint64_t number)
{
    struct disk_key key = {.len = 8};
    put_u64(key.at, number);
    return key;
}

static inline struct disk_key items_key(uint64_t index, uint32_t chunk)
{
    struct disk_key key = {.len = 10};
    put_u64(key.at, index);
    put_u16(key.at + 8, (uint16_t)chunk);
    return key;
}

static inline struct disk_key recent_key(uint64_t valid_until, const struct hash *id)
{
    struct disk_key key = {.len = RECENT_KEY_LEN};
    put_u64(key.at, valid_until);
    memcpy(key.at + 8, id->at, sizeof id->at);
    return key;
}

static inline struct disk_key engine_place_key(uint64_t height)
{
    struct disk_key key = {.len = 9};
    key.at[0] = ATTEST_ENGINE;
    put_u64(key.at + 1, height);
    return key;
}

static inline struct disk_key tile_key(unsigned level, uint64_t tile)
{
    struct disk_key key = {.len = 9};
    key.at[0] = (uint8_t)level;
    put_u64(key.at + 1, tile);
    return key;
}

#endif
