/* Invariants, for an edge of `size` leaves:
 * 1. node[level] is the root of the last complete subtree of 2^level leaves wherever `size` has
 *    that bit; elsewhere it is left over from before.
 * 2. tile[L] begins with the (size >> 8L) % 256 hashes of the partial tile of level L; what follows
 *    them is left over from before.
 * 3. Tiles below the partial one of each level are full. They have been given out, and come back
 *    from the source once their block is committed. */
#include "ledger/tiletree.h"

#include "base/arena.h"

#include <stdatomic.h> /* allowed: readers share views; a count of references is no state */
#include <stdlib.h>
#include <string.h>

#define TILE_BITS     8
#define NODE_LEVELS   64
#define TREE_SIZE_MAX ((uint64_t)1 << 62) /* every path, consistency paths too, has 63 at most */

struct edge {
    uint64_t size;
    struct hash node[NODE_LEVELS];
    struct hash tile[TILE_LEVELS][TILE_HASHES];
};

struct filled {
    struct filled *next;
    unsigned level;
    uint64_t index;
    struct hash at[TILE_HASHES];
};

struct tiletree {
    struct tile_source source;
    struct edge committed;
    struct edge now;
    struct arena arena; /* holds what has filled since the commit */
    struct filled *first;
    struct filled **last;
};

struct tileview {
    atomic_uint refs;
    struct tile_source source;
    uint64_t size;
    struct hash node[NODE_LEVELS];
    size_t start[TILE_LEVELS]; /* of each level's partial tile in `at` */
    struct hash at[];
};

/* Hashes in a tree's tile entries at a level, and in the last, partial tile there. */
static uint64_t entry_count(uint64_t size, unsigned tile_level)
{
    return size >> (TILE_BITS * tile_level);
}

static unsigned partial_count(uint64_t size, unsigned tile_level)
{
    return (unsigned)(entry_count(size, tile_level) % TILE_HASHES);
}

/* Root over `count` hashes, a power of two up to a full tile. */
static void fold(struct hash *out, const struct hash *at, size_t count)
{
    struct hash row[TILE_HASHES / 2];
    if (count == 1) {
        *out = *at;
        return;
    }
    for (count /= 2; count > 0; count /= 2, at = row) {
        for (size_t i = 0; i < count; i++) {
            node_hash(&row[i], &at[2 * i], &at[2 * i + 1]);
        }
    }
    *out = row[0];
}

static void edge_copy(struct edge *out, const struct edge *in)
{
    out->size = in->size;
    memcpy(out->node, in->node, sizeof out->node);
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        memcpy(out->tile[level], in->tile[level],
               partial_count(in->size, level) * sizeof(struct hash));
    }
}

/* A node_fn that is asked only for roots that the edge has. */
static enum err edge_node(void *context, struct hash *out, unsigned level, uint64_t index)
{
    const struct hash *node = context;
    (void)index;
    *out = node[level];
    return OK;
}

static void edge_root(const struct hash node[NODE_LEVELS], uint64_t size, struct hash *out)
{
    struct hash copy[NODE_LEVELS];
    memcpy(copy, node, sizeof copy);
    enum err err = tree_root(out, size, edge_node, copy);
    BUG_ON(err != OK);
}

static void forget_filled(struct tiletree *tree)
{
    arena_reset(&tree->arena);
    tree->first = NULL;
    tree->last = &tree->first;
}

/* Reads one hash of a level's tiles: a leaf, or the root of the full tile below it. */
static enum err read_entry(struct hash *out, const struct tile_source *source, unsigned tile_level,
                           uint64_t entry)
{
    if (tile_level == 0) {
        return source->leaf(source->context, entry, out);
    }
    struct hash tile[TILE_HASHES];
    TRY(source->get(source->context, tile_level - 1, entry, tile));
    fold(out, tile, TILE_HASHES);
    return OK;
}

/* Reads the partial tiles of a tree of edge->size leaves. */
static enum err read_tiles(struct edge *edge, const struct tile_source *source)
{
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        unsigned count = partial_count(edge->size, level);
        uint64_t first = entry_count(edge->size, level) - count;
        for (unsigned i = 0; i < count; i++) {
            TRY(read_entry(&edge->tile[level][i], source, level, first + i));
        }
    }
    return OK;
}

/* Makes the nodes of an edge from its partial tiles. */
static void make_nodes(struct edge *edge)
{
    for (unsigned level = 0; level < NODE_LEVELS; level++) {
        if ((edge->size >> level) & 1) {
            size_t count = (size_t)1 << level % TILE_BITS;
            unsigned tile_level = level / TILE_BITS;
            /* The subtree ends where the bits below this one begin. */
            size_t end = partial_count(edge->size, tile_level) & ~(count - 1);
            fold(&edge->node[level], &edge->tile[tile_level][end - count], count);
        }
    }
}

enum err tiletree_open(struct tiletree **out, uint64_t size, const struct tile_source *source)
{
    *out = NULL;
    if (size > TREE_SIZE_MAX) {
        return ERR_RANGE;
    }
    struct tiletree *tree = mem_zalloc(sizeof *tree);
    tree->source = *source;
    tree->now.size = size;
    enum err err = read_tiles(&tree->now, source);
    if (err != OK) {
        tiletree_free(tree);
        return err;
    }
    make_nodes(&tree->now);
    tiletree_commit(tree);
    *out = tree;
    return OK;
}

void tiletree_free(struct tiletree *tree)
{
    if (tree != NULL) {
        arena_clear(&tree->arena);
        free(tree);
    }
}

/* Puts an entry into its level's tile, and keeps a copy if that fills it. */
static void place(struct tiletree *tree, unsigned tile_level, uint64_t entry,
                  const struct hash *hash)
{
    struct hash *tile = tree->now.tile[tile_level];
    tile[entry % TILE_HASHES] = *hash;
    if (entry % TILE_HASHES != TILE_HASHES - 1) {
        return;
    }
    struct filled *filled = arena_alloc(&tree->arena, sizeof *filled);
    filled->level = tile_level;
    filled->index = entry / TILE_HASHES;
    memcpy(filled->at, tile, sizeof filled->at);
    *tree->last = filled;
    tree->last = &filled->next;
}

void tiletree_append(struct tiletree *tree, const struct hash *leaf)
{
    struct edge *edge = &tree->now;
    BUG_ON(edge->size >= TREE_SIZE_MAX);
    struct hash root = *leaf;
    for (unsigned level = 0;; level++) {
        if (level % TILE_BITS == 0) {
            place(tree, level / TILE_BITS, edge->size >> level, &root);
        }
        if (((edge->size >> level) & 1) == 0) {
            edge->node[level] = root;
            break;
        }
        node_hash(&root, &edge->node[level], &root);
    }
    edge->size++;
}

uint64_t tiletree_size(const struct tiletree *tree)
{
    return tree->now.size;
}

void tiletree_root(const struct tiletree *tree, struct hash *out)
{
    edge_root(tree->now.node, tree->now.size, out);
}

void tiletree_filled(const struct tiletree *tree, tile_put_fn *put, void *context)
{
    for (const struct filled *filled = tree->first; filled != NULL; filled = filled->next) {
        put(context, filled->level, filled->index, filled->at);
    }
}

void tiletree_commit(struct tiletree *tree)
{
    edge_copy(&tree->committed, &tree->now);
    forget_filled(tree);
}

void tiletree_discard(struct tiletree *tree)
{
    edge_copy(&tree->now, &tree->committed);
    forget_filled(tree);
}

struct tileview *tiletree_view(const struct tiletree *tree)
{
    const struct edge *edge = &tree->committed;
    size_t count = 0;
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        count += partial_count(edge->size, level);
    }
    struct tileview *view = mem_alloc(sizeof *view + count * sizeof(struct hash));
    atomic_init(&view->refs, 1);
    view->source = tree->source;
    view->size = edge->size;
    memcpy(view->node, edge->node, sizeof view->node);
    count = 0;
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        view->start[level] = count;
        unsigned partial = partial_count(edge->size, level);
        memcpy(view->at + count, edge->tile[level], partial * sizeof(struct hash));
        count += partial;
    }
    return view;
}

struct tileview *tileview_retain(struct tileview *view)
{
    unsigned before = atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    BUG_ON(before == 0 || before > UINT32_MAX / 2);
    return view;
}

void tileview_release(struct tileview *view)
{
    if (view != NULL && atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) == 1) {
        free(view);
    }
}

uint64_t tileview_size(const struct tileview *view)
{
    return view->size;
}

void tileview_root(const struct tileview *view, struct hash *out)
{
    edge_root(view->node, view->size, out);
}

enum err tileview_tile(const struct tileview *view, struct hash out[TILE_HASHES], unsigned level,
                       uint64_t number, unsigned width)
{
    if (level >= TILE_LEVELS || width == 0 || width > TILE_HASHES) {
        return ERR_RANGE;
    }
    uint64_t full = entry_count(view->size, level) / TILE_HASHES;
    if (number < full) {
        return view->source.get(view->source.context, level, number, out);
    }
    if (number > full || width > partial_count(view->size, level)) {
        return ERR_RANGE;
    }
    memcpy(out, view->at + view->start[level], width * sizeof *out);
    return OK;
}

/* A view and the full tile that was read last: a path asks for all it needs of one tile in a row.
 */
struct reader {
    const struct tileview *view;
    bool has_tile;
    unsigned tile_level;
    uint64_t tile;
    struct hash at[TILE_HASHES];
};

static enum err read_full(struct reader *reader, unsigned tile_level, uint64_t tile)
{
    if (reader->has_tile && reader->tile_level == tile_level && reader->tile == tile) {
        return OK;
    }
    const struct tile_source *source = &reader->view->source;
    reader->has_tile = false;
    TRY(source->get(source->context, tile_level, tile, reader->at));
    reader->has_tile = true;
    reader->tile_level = tile_level;
    reader->tile = tile;
    return OK;
}

/* A node_fn; the node lies within the view. */
static enum err reader_node(void *context, struct hash *out, unsigned level, uint64_t index)
{
    struct reader *reader = context;
    const struct tileview *view = reader->view;
    uint64_t last = view->size >> level; /* one more than the last complete subtree's number */
    BUG_ON(index >= last);
    if (index == last - 1 && last % 2 == 1) {
        *out = view->node[level];
        return OK;
    }
    unsigned tile_level = level / TILE_BITS;
    size_t count = (size_t)1 << level % TILE_BITS;
    uint64_t entry = index * count;
    uint64_t tile = entry / TILE_HASHES;
    const struct hash *at = view->at + view->start[tile_level];
    if (tile < entry_count(view->size, tile_level) / TILE_HASHES) {
        TRY(read_full(reader, tile_level, tile));
        at = reader->at;
    }
    fold(out, at + entry % TILE_HASHES, count);
    return OK;
}

enum err tileview_node(const struct tileview *view, struct hash *out, unsigned level,
                       uint64_t index)
{
    if (level >= NODE_LEVELS || index >= view->size >> level) {
        return ERR_RANGE;
    }
    struct reader reader = {.view = view, .has_tile = false};
    return reader_node(&reader, out, level, index);
}

enum err tileview_root_at(const struct tileview *view, struct hash *out, uint64_t size)
{
    if (size > view->size) {
        return ERR_RANGE;
    }
    struct reader reader = {.view = view, .has_tile = false};
    return tree_root(out, size, reader_node, &reader);
}

enum err tileview_path(const struct tileview *view, struct path *out, uint64_t index, uint64_t size)
{
    if (size > view->size) {
        return ERR_RANGE;
    }
    struct reader reader = {.view = view, .has_tile = false};
    return path_build(out, index, size, reader_node, &reader);
}

enum err tileview_consistency(const struct tileview *view, struct path *out, uint64_t size1,
                              uint64_t size2)
{
    if (size2 > view->size) {
        return ERR_RANGE;
    }
    struct reader reader = {.view = view, .has_tile = false};
    return consistency_build(out, size1, size2, reader_node, &reader);
}
