#include "merkle/tree.h"

#include "merkle/pair.h"

/* Paths of larger trees could be longer than PATH_MAX_LEN. */
#define SIZE_MAX_TREE ((uint64_t)1 << PATH_MAX_LEN)

void leaf_hash(struct hash *out, struct bytes data)
{
    static const uint8_t prefix = 0x00;
    const struct bytes parts[] = {{&prefix, 1}, data};
    sha256_parts(out, parts, 2);
}

void node_hash(struct hash *out, const struct hash *left, const struct hash *right)
{
    pair_hash(out, 0x01, left, right);
}

void empty_root(struct hash *out)
{
    sha256(out, BYTES_NONE);
}

static unsigned bit_width(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

static unsigned bit_count(uint64_t value)
{
    return (unsigned)__builtin_popcountll(value);
}

static unsigned trailing_zeros(uint64_t value)
{
    return (unsigned)__builtin_ctzll(value);
}

void frontier_append(struct frontier *frontier, const struct hash *leaf)
{
    BUG_ON(frontier->size == UINT64_MAX);
    unsigned count = bit_count(frontier->size);
    struct hash root = *leaf;
    for (uint64_t left = frontier->size; left & 1; left >>= 1) {
        node_hash(&root, &frontier->at[--count], &root);
    }
    frontier->at[count] = root;
    frontier->size++;
}

void frontier_root(const struct frontier *frontier, struct hash *out)
{
    unsigned count = bit_count(frontier->size);
    if (count == 0) {
        empty_root(out);
        return;
    }
    *out = frontier->at[--count];
    while (count > 0) {
        node_hash(out, &frontier->at[--count], out);
    }
}

/* A path climbs in two stretches. In the `inner` one the sibling stands left or right as the
 * index's bits say; it ends where the leaf's subtree reaches the right edge of the tree. On the
 * `border` above it every sibling stands left, one for each bit that is set there. */
struct climb {
    unsigned inner;
    unsigned border;
};

static struct climb climb_of(uint64_t index, uint64_t size)
{
    unsigned inner = bit_width(index ^ (size - 1));
    return (struct climb){inner, inner == 64 ? 0 : bit_count(index >> inner)};
}

enum err path_root(struct hash *out, const struct hash *leaf, uint64_t index, uint64_t size,
                   const struct hash *path, size_t count)
{
    if (index >= size || size > SIZE_MAX_TREE) {
        return ERR_RANGE;
    }
    struct climb climb = climb_of(index, size);
    if (count != climb.inner + climb.border) {
        return ERR_MISMATCH;
    }
    struct hash root = *leaf;
    for (size_t i = 0; i < count; i++) {
        if (i >= climb.inner || (index >> i) & 1) {
            node_hash(&root, &path[i], &root);
        } else {
            node_hash(&root, &root, &path[i]);
        }
    }
    *out = root;
    return OK;
}

/* Climbs from one subtree, `*old`, to the roots of both trees at once: siblings on the left belong
 * to both, those on the right only to the new one. */
static void climb_both(struct hash *old, struct hash *new, uint64_t index, unsigned inner,
                       const struct hash *path, size_t count)
{
    *new = *old;
    for (size_t i = 0; i < count; i++) {
        if (i >= inner || (index >> i) & 1) {
            node_hash(old, &path[i], old);
            node_hash(new, &path[i], new);
        } else {
            node_hash(new, new, &path[i]);
        }
    }
}

enum err consistency_check(uint64_t size1, const struct hash *root1, uint64_t size2,
                           const struct hash *root2, const struct hash *path, size_t count)
{
    if (size1 == 0 || size2 > SIZE_MAX_TREE) {
        return ERR_RANGE;
    }
    if (size1 >= size2) {
        bool same = size1 == size2 && count == 0 && hash_equal(root1, root2);
        return same ? OK : ERR_MISMATCH;
    }
    /* In units of the last complete subtree of the old tree, it is number `index` of the new. */
    unsigned level = trailing_zeros(size1);
    uint64_t index = (size1 - 1) >> level;
    struct climb climb = climb_of(index, ((size2 - 1) >> level) + 1);
    struct hash old = *root1;
    if (index != 0) { /* the old tree is more than that subtree, so the path begins with it */
        if (count == 0) {
            return ERR_MISMATCH;
        }
        old = *path++;
        count--;
    }
    if (count != climb.inner + climb.border) {
        return ERR_MISMATCH;
    }
    struct hash new;
    climb_both(&old, &new, index, climb.inner, path, count);
    return hash_equal(&old, root1) && hash_equal(&new, root2) ? OK : ERR_MISMATCH;
}

/* Root of the right edge: the complete subtrees of a tree of `size` leaves whose sizes are the
 * bits of `rest`, its lowest ones. `rest` is not 0. */
static enum err edge_root(struct hash *out, uint64_t size, uint64_t rest, node_fn *get,
                          void *context)
{
    unsigned level = trailing_zeros(rest);
    struct hash root;
    TRY(get(context, &root, level, (size >> level) - 1));
    for (rest &= rest - 1; rest != 0; rest &= rest - 1) {
        struct hash left;
        level = trailing_zeros(rest);
        TRY(get(context, &left, level, (size >> level) - 1));
        node_hash(&root, &left, &root);
    }
    *out = root;
    return OK;
}

enum err tree_root(struct hash *out, uint64_t size, node_fn *get, void *context)
{
    if (size == 0) {
        empty_root(out);
        return OK;
    }
    return edge_root(out, size, size, get, context);
}

/* Appends the path of the complete subtree `index` at `level` in a tree of `size` leaves. */
static enum err climb_build(struct path *out, unsigned level, uint64_t index, uint64_t size,
                            node_fn *get, void *context)
{
    for (; (size - 1) >> level > 0; level++, index >>= 1) {
        uint64_t sibling = index ^ 1;
        if (sibling > (size - 1) >> level) {
            continue; /* the edge of the tree: the node moves up as it is */
        }
        if (out->count == PATH_MAX_LEN) {
            return ERR_RANGE;
        }
        struct hash *at = &out->at[out->count++];
        if (sibling < size >> level) {
            TRY(get(context, at, level, sibling));
        } else {
            TRY(edge_root(at, size, size & (((uint64_t)1 << level) - 1), get, context));
        }
    }
    return OK;
}

enum err path_build(struct path *out, uint64_t index, uint64_t size, node_fn *get, void *context)
{
    if (index >= size || size > SIZE_MAX_TREE) {
        return ERR_RANGE;
    }
    out->count = 0;
    return climb_build(out, 0, index, size, get, context);
}

enum err consistency_build(struct path *out, uint64_t size1, uint64_t size2, node_fn *get,
                           void *context)
{
    if (size1 == 0 || size1 > size2 || size2 > SIZE_MAX_TREE) {
        return ERR_RANGE;
    }
    out->count = 0;
    if (size1 == size2) {
        return OK;
    }
    unsigned level = trailing_zeros(size1);
    uint64_t index = (size1 - 1) >> level;
    if (index != 0) {
        TRY(get(context, &out->at[out->count++], level, index));
    }
    return climb_build(out, level, index, size2, get, context);
}
