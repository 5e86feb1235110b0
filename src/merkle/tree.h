/* RFC 9162 Merkle trees over SHA-256 (section 2.1): hashing, append, paths and their checks. */
#ifndef CAIRN_MERKLE_TREE_H
#define CAIRN_MERKLE_TREE_H

#include "base/bytes.h"

/* The longest path that any format carries; a tree has at most 2^63 leaves. */
#define PATH_MAX_LEN 63

struct path {
    size_t count;
    struct hash at[PATH_MAX_LEN];
};

/* In all three `out` may be an input. */
void leaf_hash(struct hash *out, struct bytes data); /* 0x00 || data */
void node_hash(struct hash *out, const struct hash *left,
               const struct hash *right); /* 0x01 || l || r */
void empty_root(struct hash *out);        /* SHA-256("") */

/* The right edge of a growing tree: the roots of its complete subtrees, largest first. Zeroed is
 * the empty tree. May be copied. */
struct frontier {
    uint64_t size;
    struct hash at[64];
};
void frontier_append(struct frontier *frontier, const struct hash *leaf);
void frontier_root(const struct frontier *frontier, struct hash *out);

/* Computes the root that `path` leads to from a leaf. ERR_RANGE if index >= size or size > 2^63,
 * ERR_MISMATCH unless the path has exactly the length that RFC 9162 gives (index, size). */
must_use enum err path_root(struct hash *out, const struct hash *leaf, uint64_t index,
                            uint64_t size, const struct hash *path, size_t count);

/* Checks RFC 9162 2.1.4.2: `root1` of `size1` leaves is a prefix of `root2` of `size2`.
 * Equal sizes need equal roots and no path. ERR_RANGE if size1 = 0 or size2 > 2^63; ERR_MISMATCH
 * for anything else that does not hold, size1 > size2 too. */
must_use enum err consistency_check(uint64_t size1, const struct hash *root1, uint64_t size2,
                                    const struct hash *root2, const struct hash *path,
                                    size_t count);

/* Gives the root of the complete subtree of 2^level leaves that starts at leaf index << level. */
typedef enum err node_fn(void *context, struct hash *out, unsigned level, uint64_t index);

/* These build what the checks above accept, asking only for complete subtrees inside `size`.
 * Errors are those of `get`, or ERR_RANGE where the check gives it or the path would be longer than
 * PATH_MAX_LEN; *out is then unspecified. */
must_use enum err tree_root(struct hash *out, uint64_t size, node_fn *get, void *context);
must_use enum err path_build(struct path *out, uint64_t index, uint64_t size, node_fn *get,
                             void *context);
must_use enum err consistency_build(struct path *out, uint64_t size1, uint64_t size2, node_fn *get,
                                    void *context);

#endif
