/* An append-only RFC 9162 tree that keeps only its right edge in memory and everything else in
 * tiles of 256 hashes, as C2SP tlog-tiles has them: tile N of level L holds the roots of the
 * complete subtrees of 2^(8L) leaves numbered 256 N to 256 N + 255.
 *
 * The states of a tree: what is committed, and on top of it what has been appended since. The
 * ledger appends a block's leaves, reads root and size, hands the tiles that filled to the block's
 * batch, and then commits or discards; discarding and appending again gives the same bytes. Readers
 * hold views of what was committed.
 *
 * Threads: a tree has one owner. A view may be used by any thread, and so must `get` be. */
#ifndef CAIRN_LEDGER_TILETREE_H
#define CAIRN_LEDGER_TILETREE_H

#include "merkle/tree.h"

#define TILE_HASHES 256
#define TILE_LEVELS 8

/* Where full tiles come from, and, for opening, the leaf hashes that stand in no full tile yet.
 * Each returns OK or the store's error, which the caller of the tree gets. */
struct tile_source {
    void *context;
    enum err (*get)(void *context, unsigned level, uint64_t index, struct hash out[TILE_HASHES]);
    enum err (*leaf)(void *context, uint64_t index, struct hash *out);
};

/* Takes one full tile; borrowed for the call. */
typedef void tile_put_fn(void *context, unsigned level, uint64_t index,
                         const struct hash hashes[TILE_HASHES]);

struct tiletree;

/* Opens a tree of `size` committed leaves, reading for each level the tiles below its partial one
 * (at most 255 a level, 2,040 in all) and up to 255 leaves. It takes their word for it: the caller
 * compares the root with the header's. Tiles beyond `size` are not looked at. ERR_RANGE for a size
 * over 2^62, `source`'s errors; *out is then NULL. The caller frees *out. */
must_use enum err tiletree_open(struct tiletree **out, uint64_t size,
                                const struct tile_source *source);
void tiletree_free(struct tiletree *tree);

void tiletree_append(struct tiletree *tree, const struct hash *leaf);
/* Size and root with what has been appended. */
uint64_t tiletree_size(const struct tiletree *tree);
void tiletree_root(const struct tiletree *tree, struct hash *out);
/* Gives `put` every tile that has filled since the last commit, once each, in the order of
 * filling (a tile comes before the one above that it completes). */
void tiletree_filled(const struct tiletree *tree, tile_put_fn *put, void *context);
/* After this the filled tiles are expected from `get`: their batch is on the disk. */
void tiletree_commit(struct tiletree *tree);
/* Back to what was last committed. */
void tiletree_discard(struct tiletree *tree);

/* The committed tree, unchanging: a copy of its partial tiles, 2 KiB and on average 4 KiB a level.
 */
struct tileview;
/* The caller owns the view and releases it. */
struct tileview *tiletree_view(const struct tiletree *tree);
struct tileview *tileview_retain(struct tileview *view);
/* NULL is nothing. */
void tileview_release(struct tileview *view);

uint64_t tileview_size(const struct tileview *view);
void tileview_root(const struct tileview *view, struct hash *out);
/* Root of the complete subtree `index` at `level`; level 0 is a leaf hash. ERR_RANGE if it does not
 * lie within the view. These four also return `get`'s errors. */
must_use enum err tileview_node(const struct tileview *view, struct hash *out, unsigned level,
                                uint64_t index);
/* Root of the first `size` leaves. ERR_RANGE for more than the view has. */
must_use enum err tileview_root_at(const struct tileview *view, struct hash *out, uint64_t size);
/* Path of a leaf in the tree of the first `size` leaves. ERR_RANGE if index >= size, or size is
 * more than the view has. Reads one tile a level, plus one where `size` is older than the view. */
must_use enum err tileview_path(const struct tileview *view, struct path *out, uint64_t index,
                                uint64_t size);
/* Consistency of the tree of size1 leaves with that of size2. ERR_RANGE unless 0 < size1 <= size2
 * <= the view's. */
must_use enum err tileview_consistency(const struct tileview *view, struct path *out,
                                       uint64_t size1, uint64_t size2);
/* A tile for serving it: its first `width` hashes. ERR_RANGE unless 1 <= width <= 256 and the view
 * has that many; get's errors. */
must_use enum err tileview_tile(const struct tileview *view, struct hash out[TILE_HASHES],
                                unsigned level, uint64_t number, unsigned width);

#endif
