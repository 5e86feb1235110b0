/* The items of one deposit on their way into the ledger: read as they arrive, hashed into the
 * batch tree, packed for the disk, and the digests by which they will be found. */
#ifndef CAIRN_LEDGER_ITEMS_H
#define CAIRN_LEDGER_ITEMS_H

#include "base/why.h"
#include "proof/deposit.h"

#define CHUNK_ITEMS 256

/* What the indexes hold of one item: the first 8 bytes of each digest and of the reference. */
struct item_prefixes {
    uint64_t sha256;
    uint64_t sm3;
    uint64_t ref;
    bool has_ref;
};

/* The media types and phases that a chunk has used so far: where in it each stands. */
#define CHUNK_WORDS 32
struct chunk_words {
    unsigned count;
    uint32_t start[CHUNK_WORDS];
    uint8_t len[CHUNK_WORDS];
};

/* One owner until it is finished, then read-only. */
struct items {
    uint32_t count;    /* read so far */
    uint32_t expected; /* the signed count */
    uint32_t chunk_count;
    struct buf *chunks;             /* packed, CHUNK_ITEMS items each (the last may have fewer) */
    struct hash *chunk_roots;       /* RFC 9162 root of each chunk's items */
    struct item_prefixes *prefixes; /* `count` of them */
    struct hash root;               /* of all items, once finished */
    uint64_t total_len;             /* encoded bytes read so far */
    struct buf partial;             /* the start of an item whose end has not come yet */
    struct hash *leaves;            /* of the chunk being filled */
    struct chunk_words words;       /* of the chunk being filled */
};

/* `expected` is 1 to DEPOSIT_ITEMS_MAX. The caller frees it; NULL may be freed. */
struct items *items_new(uint32_t expected);
void items_free(struct items *items);
/* Takes the next bytes of the CBOR sequence, cut anywhere. ERR_RANGE for more items than expected
 * or more than BATCH_BYTES_MAX bytes, item_parse's errors; `why` names the item's number. Feed
 * nothing more after an error. */
must_use enum err items_feed(struct items *items, struct bytes part, struct why *why);
/* Ends the sequence: ERR_TRUNCATED unless exactly the expected items came, ERR_MISMATCH unless
 * their root is `root`. */
must_use enum err items_finish(struct items *items, const struct hash *root, struct why *why);

/* A packed chunk gives its items back byte for byte: appends the encoding of item `number` (within
 * the chunk), or of all of them in order. ERR_CORRUPT, ERR_NOT_FOUND. */
must_use enum err chunk_item(struct buf *out, struct bytes packed, uint32_t number);
must_use enum err chunk_items(struct buf *out, struct bytes packed);
/* Leaf hashes of the chunk's items, in order; *count is at most CHUNK_ITEMS. ERR_CORRUPT. */
must_use enum err chunk_leaves(struct hash leaves[CHUNK_ITEMS], uint32_t *count,
                               struct bytes packed);
/* What the indexes hold of the chunk's items, in order. ERR_CORRUPT. */
must_use enum err chunk_prefixes(struct item_prefixes prefixes[CHUNK_ITEMS], uint32_t *count,
                                 struct bytes packed);

#endif
