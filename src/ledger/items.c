#include "ledger/items.h"

#include "crypto/digest.h"
#include "ledger/chunk.h"

#include <stdlib.h>
#include <string.h>

static uint32_t chunks_for(uint32_t count)
{
    return (count + CHUNK_ITEMS - 1) / CHUNK_ITEMS;
}

struct items *items_new(uint32_t expected)
{
    BUG_ON(expected == 0 || expected > DEPOSIT_ITEMS_MAX);
    struct items *items = mem_zalloc(sizeof *items);
    items->expected = expected;
    items->chunks = mem_zalloc(chunks_for(expected) * sizeof *items->chunks);
    items->chunk_roots = mem_zalloc(chunks_for(expected) * sizeof *items->chunk_roots);
    items->prefixes = mem_zalloc(expected * sizeof *items->prefixes);
    /* Most deposits hold one item: they must not pay for a whole chunk. */
    size_t leaves = expected < CHUNK_ITEMS ? expected : CHUNK_ITEMS;
    items->leaves = mem_zalloc(leaves * sizeof *items->leaves);
    return items;
}

void items_free(struct items *items)
{
    if (items == NULL) {
        return;
    }
    for (uint32_t i = 0; i < items->chunk_count; i++) {
        buf_clear(&items->chunks[i]);
    }
    free(items->chunks);
    free(items->chunk_roots);
    free(items->prefixes);
    free(items->leaves);
    buf_clear(&items->partial);
    free(items);
}

/* The RFC 9162 root of `count` neighbours, which it overwrites: a node without a partner moves up
 * as it is. */
static void reduce(struct hash *out, struct hash *nodes, size_t count)
{
    while (count > 1) {
        size_t pairs = count / 2;
        for (size_t i = 0; i < pairs; i++) {
            node_hash(&nodes[i], &nodes[2 * i], &nodes[2 * i + 1]);
        }
        if (count % 2 != 0) {
            nodes[pairs] = nodes[count - 1];
        }
        count = pairs + count % 2;
    }
    *out = nodes[0];
}

static void leaf_of(struct hash *out, struct bytes encoded)
{
    uint8_t message[1 + ITEM_MAX];
    message[0] = 0;
    memcpy(message + 1, encoded.at, encoded.len);
    sha256(out, (struct bytes){message, 1 + encoded.len});
}

static void end_chunk(struct items *items)
{
    uint32_t chunk = items->chunk_count - 1;
    size_t count = items->count - (size_t)chunk * CHUNK_ITEMS;
    reduce(&items->chunk_roots[chunk], items->leaves, count);
}

static void take_item(struct items *items, const struct item *item, struct bytes encoded)
{
    uint32_t place = items->count % CHUNK_ITEMS;
    if (place == 0) {
        items->chunk_count++;
        items->words.count = 0;
    }
    leaf_of(&items->leaves[place], encoded);
    chunk_pack(&items->chunks[items->chunk_count - 1], &items->words, item);
    item_prefixes(&items->prefixes[items->count], item);
    items->count++;
    items->total_len += encoded.len;
    if (items->count == items->expected || place == CHUNK_ITEMS - 1) {
        end_chunk(items);
    }
}

static enum err item_fault(const struct items *items, enum err err, struct why *why)
{
    return why_sayf(why, err, "item", NULL, NULL, "%u", (unsigned)items->count);
}

/* Reads one item. Sets *taken to its length, or to 0 where its end has not come yet. */
static enum err feed_one(struct items *items, struct bytes in, size_t *taken, struct why *why)
{
    struct item item;
    struct bytes rest;
    *taken = 0;
    if (items->count == items->expected) {
        return why_sayf(why, ERR_RANGE, "items", "is followed by more items than were signed", NULL,
                        "%u", (unsigned)items->expected);
    }
    enum err err = item_parse_first(&item, in, &rest);
    if (err == ERR_TRUNCATED) {
        return in.len < ITEM_MAX ? OK : item_fault(items, ERR_RANGE, why);
    }
    if (err != OK) {
        return item_fault(items, err, why);
    }
    *taken = in.len - rest.len;
    take_item(items, &item, (struct bytes){in.at, *taken});
    return OK;
}

/* Ends the item whose start came with an earlier part. Advances *part over what it took. */
static enum err feed_partial(struct items *items, struct bytes *part, struct why *why)
{
    size_t before = items->partial.len;
    size_t more = ITEM_MAX - before < part->len ? ITEM_MAX - before : part->len;
    size_t taken;
    buf_put(&items->partial, (struct bytes){part->at, more});
    TRY(feed_one(items, buf_bytes(&items->partial), &taken, why));
    if (taken > 0) {
        items->partial.len = 0;
        more = taken - before;
    }
    part->at += more;
    part->len -= more;
    return OK;
}

enum err items_feed(struct items *items, struct bytes part, struct why *why)
{
    if (part.len > BATCH_BYTES_MAX - items->total_len - items->partial.len) {
        return why_sayf(why, ERR_RANGE, "items", "takes more bytes than a batch may have",
                        "Split the batch.", "%u", (unsigned)items->expected);
    }
    if (items->partial.len > 0 && part.len > 0) {
        TRY(feed_partial(items, &part, why));
    }
    while (part.len > 0) {
        size_t taken;
        TRY(feed_one(items, part, &taken, why));
        if (taken == 0) {
            buf_put(&items->partial, part);
            return OK;
        }
        part.at += taken;
        part.len -= taken;
    }
    return OK;
}

enum err items_finish(struct items *items, const struct hash *root, struct why *why)
{
    if (items->count < items->expected || items->partial.len > 0) {
        return why_sayf(why, ERR_TRUNCATED, "items", NULL, NULL, "%u of %u", (unsigned)items->count,
                        (unsigned)items->expected);
    }
    struct hash *nodes = mem_alloc(items->chunk_count * sizeof *nodes);
    memcpy(nodes, items->chunk_roots, items->chunk_count * sizeof *nodes);
    reduce(&items->root, nodes, items->chunk_count);
    free(nodes);
    if (!hash_equal(&items->root, root)) {
        return why_say(why, ERR_MISMATCH, "items root", NULL,
                       "is not the root of the items that came", NULL);
    }
    return OK;
}
