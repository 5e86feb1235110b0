/* Items under a view, and what the indexes hold of a block. */
#include "ledger/items.h"

#include "ledger/ledger_view.h"

#include <stdlib.h>

/* The nodes that a path inside one chunk, or above the chunks, is built from. */
struct level_zero {
    const struct hash *nodes;
};

/* The root of a complete subtree of them; path_build asks for none that is not. */
static enum err node_get(void *context, struct hash *out, unsigned level, uint64_t index)
{
    const struct level_zero *zero = context;
    struct frontier frontier = {0};
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        frontier_append(&frontier, &zero->nodes[i]);
    }
    frontier_root(&frontier, out);
    return OK;
}

static enum err append_path(struct path *path, const struct hash *nodes, uint64_t index,
                            uint64_t size)
{
    struct path part;
    struct level_zero zero = {nodes};
    TRY(path_build(&part, index, size, node_get, &zero));
    memcpy(path->at + path->count, part.at, part.count * sizeof part.at[0]);
    path->count += part.count;
    return OK;
}

static enum err chunk_path(struct path *path, struct bytes packed, uint32_t count, uint32_t number)
{
    struct hash leaves[CHUNK_ITEMS];
    uint32_t found;
    uint32_t first = number - number % CHUNK_ITEMS;
    TRY(chunk_leaves(leaves, &found, packed));
    if (found != (count - first < CHUNK_ITEMS ? count - first : CHUNK_ITEMS)) {
        return ERR_CORRUPT;
    }
    path->count = 0;
    return append_path(path, leaves, number - first, found);
}

static uint32_t chunks_of(uint32_t count)
{
    return (count + CHUNK_ITEMS - 1) / CHUNK_ITEMS;
}

/* A deposit of several chunks is a tree of their roots, because a chunk holds a power of two. */
static enum err roots_path(const struct view *view, uint64_t index, uint32_t count, uint32_t number,
                           struct path *path)
{
    uint32_t chunks = chunks_of(count);
    if (chunks == 1) {
        return OK;
    }
    struct buf value = {0};
    struct hash *roots = mem_alloc(chunks * sizeof *roots);
    enum err err = view_get_known(view, FAMILY_ITEMS, items_key(index, CHUNK_ROOTS), &value);
    if (err == OK && value.len != chunks * sizeof *roots) {
        err = ERR_CORRUPT;
    }
    if (err == OK) {
        memcpy(roots, value.at, value.len);
        err = append_path(path, roots, number / CHUNK_ITEMS, chunks);
    }
    buf_clear(&value);
    free(roots);
    return err;
}

enum err view_item(const struct view *view, uint64_t index, uint32_t count, uint32_t number,
                   struct buf *item, struct path *path)
{
    if (index >= view->header.tree_size || number >= count || count > DEPOSIT_ITEMS_MAX) {
        return ERR_RANGE;
    }
    struct buf packed = {0};
    size_t start = item->len;
    enum err err = view_get(view, FAMILY_ITEMS, items_key(index, number / CHUNK_ITEMS), &packed);
    if (err == OK && path != NULL) {
        err = chunk_path(path, buf_bytes(&packed), count, number);
        if (err == OK) {
            err = roots_path(view, index, count, number, path);
        }
    }
    if (err == OK) {
        err = chunk_item(item, buf_bytes(&packed), number % CHUNK_ITEMS);
        err = err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    }
    if (err != OK) {
        item->len = start;
    }
    buf_clear(&packed);
    return err;
}

enum err view_items(const struct view *view, uint64_t index, uint32_t count, struct buf *items)
{
    if (index >= view->header.tree_size || count == 0 || count > DEPOSIT_ITEMS_MAX) {
        return ERR_RANGE;
    }
    struct buf packed = {0};
    size_t start = items->len;
    enum err err = OK;
    for (uint32_t i = 0; i < chunks_of(count) && err == OK; i++) {
        packed.len = 0;
        err = view_get(view, FAMILY_ITEMS, items_key(index, i), &packed);
        if (err == OK) {
            err = chunk_items(items, buf_bytes(&packed));
        }
    }
    if (err != OK) {
        items->len = start;
    }
    buf_clear(&packed);
    return err;
}
