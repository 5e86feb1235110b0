/* Items on their way in: however their bytes are cut, the outcome is the same; what was taken comes
 * back byte for byte, with the leaves, the prefixes and the root that it must have. The first two
 * bytes are the signed count, then come how many cuts there are and where, then the items. */
#include "fuzz.h"
#include "ledger/chunk.h"
#include "merkle/tree.h"

#define CUTS_MAX 15

/* Feeds what lies before each cut, then the rest. */
static enum err feed(struct items *items, struct bytes input, const uint8_t *cuts, size_t count)
{
    struct why why = {0};
    for (size_t i = 0; i < count; i++) {
        size_t len = cuts[i] < input.len ? cuts[i] : input.len;
        uint8_t *part = mem_alloc(len);
        if (len > 0) {
            memcpy(part, input.at, len);
        }
        enum err err = items_feed(items, (struct bytes){part, len}, &why);
        free(part);
        TRY(err);
        input = (struct bytes){input.at + len, input.len - len};
    }
    return items_feed(items, input, &why);
}

/* The same by the simplest means: one item after another. */
static enum err model(struct bytes input, uint32_t expected, struct hash *root, uint32_t *count)
{
    struct frontier frontier = {0};
    for (*count = 0; input.len > 0; (*count)++) {
        struct item item;
        struct bytes rest;
        struct hash leaf;
        if (*count == expected) {
            return ERR_RANGE;
        }
        TRY(item_parse_first(&item, input, &rest));
        leaf_hash(&leaf, (struct bytes){input.at, input.len - rest.len});
        frontier_append(&frontier, &leaf);
        input = rest;
    }
    frontier_root(&frontier, root);
    return *count == expected ? OK : ERR_TRUNCATED;
}

static void check_chunk(const struct items *items, uint32_t chunk, struct buf *all)
{
    struct hash leaves[CHUNK_ITEMS];
    struct item_prefixes prefixes[CHUNK_ITEMS];
    uint32_t count, prefix_count;
    struct bytes packed = buf_bytes(&items->chunks[chunk]);
    struct frontier frontier = {0};
    struct hash root;
    BUG_ON(chunk_items(all, packed) != OK);
    BUG_ON(chunk_leaves(leaves, &count, packed) != OK);
    BUG_ON(chunk_prefixes(prefixes, &prefix_count, packed) != OK || prefix_count != count);
    for (uint32_t i = 0; i < count; i++) {
        const struct item_prefixes *kept = &items->prefixes[chunk * CHUNK_ITEMS + i];
        BUG_ON(kept->sha256 != prefixes[i].sha256 || kept->sm3 != prefixes[i].sm3);
        BUG_ON(kept->has_ref != prefixes[i].has_ref || kept->ref != prefixes[i].ref);
        frontier_append(&frontier, &leaves[i]);
    }
    frontier_root(&frontier, &root);
    BUG_ON(!hash_equal(&root, &items->chunk_roots[chunk]));
}

static void check_taken(const struct items *items, struct bytes input)
{
    struct buf all = {0};
    for (uint32_t i = 0; i < items->chunk_count; i++) {
        check_chunk(items, i, &all);
    }
    BUG_ON(!bytes_equal(buf_bytes(&all), input) || items->total_len != input.len);
    buf_clear(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    uint32_t expected = 1 + (uint32_t)(take_byte(&input) << 8 | take_byte(&input)) % 1024;
    uint8_t cuts[CUTS_MAX];
    size_t cut_count = take_byte(&input) % (CUTS_MAX + 1);
    for (size_t i = 0; i < cut_count; i++) {
        cuts[i] = take_byte(&input);
    }
    struct items *whole = items_new(expected);
    struct items *cut = items_new(expected);
    struct hash root = {{0}};
    uint32_t count;
    enum err want = model(input, expected, &root, &count);
    enum err got = feed(whole, input, NULL, 0);
    BUG_ON(feed(cut, input, cuts, cut_count) != got);
    BUG_ON(whole->count != cut->count);
    if (got == OK) {
        got = items_finish(whole, &root, NULL);
        BUG_ON(items_finish(cut, &root, NULL) != got);
    }
    BUG_ON((want == OK) != (got == OK));
    if (got == OK) {
        BUG_ON(whole->count != count);
        check_taken(whole, input);
        check_taken(cut, input);
    }
    items_free(whole);
    items_free(cut);
    return 0;
}
