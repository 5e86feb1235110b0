/* A chunk from a damaged disk: every reader comes to the same end, each item alone is the same as
 * among the others, and what was read can be packed again. */
#include "fuzz.h"
#include "ledger/chunk.h"
#include "merkle/tree.h"

/* Packs the items of a chunk again: the same items come out. */
static void check_packed_again(struct bytes packed, struct bytes all)
{
    struct chunk_reader reader;
    struct chunk_words words = {0};
    struct buf again = {0}, out = {0};
    struct item item;
    BUG_ON(chunk_open(&reader, packed) != OK);
    while (chunk_next(&reader, &item) == OK) {
        BUG_ON(!lies_inside(item.media_type, packed) || !lies_inside(item.phase, packed));
        BUG_ON(!lies_inside(item.ref, packed));
        chunk_pack(&again, &words, &item);
    }
    if (again.len > 0) {
        BUG_ON(chunk_items(&out, buf_bytes(&again)) != OK);
        BUG_ON(!bytes_equal(buf_bytes(&out), all));
    }
    buf_clear(&again);
    buf_clear(&out);
}

static void check_items(struct bytes packed, struct bytes all, const struct hash *leaves,
                        uint32_t count)
{
    struct buf one = {0};
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct hash leaf;
        one.len = 0;
        BUG_ON(chunk_item(&one, packed, i) != OK || at + one.len > all.len);
        BUG_ON(memcmp(all.at + at, one.at, one.len) != 0);
        leaf_hash(&leaf, buf_bytes(&one));
        BUG_ON(!hash_equal(&leaf, &leaves[i]));
        at += one.len;
    }
    BUG_ON(at != all.len || chunk_item(&one, packed, count) != ERR_NOT_FOUND);
    buf_clear(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes packed = {data, size};
    struct hash leaves[CHUNK_ITEMS];
    struct item_prefixes prefixes[CHUNK_ITEMS];
    uint32_t leaf_count, prefix_count;
    struct buf all = {0};
    enum err err = chunk_items(&all, packed);
    enum err leaves_err = chunk_leaves(leaves, &leaf_count, packed);
    enum err prefixes_err = chunk_prefixes(prefixes, &prefix_count, packed);
    BUG_ON(err != OK && err != ERR_CORRUPT);
    BUG_ON(leaves_err != prefixes_err || (err != OK && leaves_err == OK));
    if (leaves_err == OK) {
        BUG_ON(leaf_count != prefix_count);
        check_items(packed, buf_bytes(&all), leaves, leaf_count);
        check_packed_again(packed, buf_bytes(&all));
    }
    buf_clear(&all);
    return 0;
}
