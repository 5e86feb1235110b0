/* A committed head and all that lies under it, read-only: entries, items, headers, state, paths.
 *
 * Reference-counted; any thread may use one, and it stays as it is while the ledger goes on.
 * Errors: ERR_NOT_FOUND, ERR_RANGE (beyond the head), ERR_CORRUPT, ERR_IO. Buffers are appended
 * to. */
#ifndef CAIRN_LEDGER_VIEW_H
#define CAIRN_LEDGER_VIEW_H

#include "merkle/tree.h"
#include "proof/deposit.h"
#include "proof/header.h"

struct view;

struct view *view_retain(struct view *view);
/* NULL is nothing. All views are released before the ledger is closed. */
void view_release(struct view *view);

/* Borrow from the view. */
const struct header *view_header(const struct view *view);
const struct hash *view_header_hash(const struct view *view);
struct bytes view_header_bytes(const struct view *view);

/* The entry at a log index and the height of its block. */
must_use enum err view_entry(const struct view *view, uint64_t index, struct buf *entry,
                             uint64_t *height);
/* The header of a height: encoded, and read (header_parse's errors). */
must_use enum err view_block(const struct view *view, uint64_t height, struct buf *header);
must_use enum err view_header_at(const struct view *view, uint64_t height, struct header *out);
/* The encoded item `number` of the deposit at `index`, and (unless NULL) its path in the batch
 * tree of `count` items. */
must_use enum err view_item(const struct view *view, uint64_t index, uint32_t count,
                            uint32_t number, struct buf *item, struct path *path);
/* All items of the deposit at `index` as a CBOR sequence. */
must_use enum err view_items(const struct view *view, uint64_t index, uint32_t count,
                             struct buf *items);

/* Paths in the log tree: of `index` in the first `size` entries; from size1 to size2. */
must_use enum err view_log_path(const struct view *view, uint64_t index, uint64_t size,
                                struct path *path);
must_use enum err view_log_consistency(const struct view *view, uint64_t size1, uint64_t size2,
                                       struct path *path);
/* The path of header `height` in the history under the header of height `under`. */
must_use enum err view_history_path(const struct view *view, uint64_t height, uint64_t under,
                                    struct path *path);

/* C2SP tlog-tiles of the log under the view. Appends the first `width` hashes of tile `number` at a
 * level, or the first `width` entries from 256 `number` on, each behind its length in two bytes.
 * Neither ever changes, and a full tile begins with its partial ones. ERR_RANGE unless 1 <= width
 * <= 256 and the head's size has that many. */
must_use enum err view_tile(const struct view *view, unsigned level, uint64_t number,
                            unsigned width, struct buf *out);
must_use enum err view_entry_bundle(const struct view *view, uint64_t number, unsigned width,
                                    struct buf *out);

/* A state value and its proof under the view's head. `siblings` (leaf to root) receives 32 bytes
 * each. On ERR_NOT_FOUND it is an absence proof: *has_other says whether the other leaf's hashes
 * were set. */
struct state_answer {
    struct buf value;
    struct buf siblings;
    bool has_other;
    struct hash other_key_hash;
    struct hash other_value_hash;
};
must_use enum err view_state(const struct view *view, struct bytes module, struct bytes key,
                             struct state_answer *out);
void state_answer_clear(struct state_answer *answer);
/* Calls `each` for the state of one module in key order, from the first key > `after` (may be
 * empty), at most `max` times or until it returns false. */
typedef bool state_fn(void *context, struct bytes key, struct bytes value);
must_use enum err view_state_scan(const struct view *view, struct bytes module, struct bytes after,
                                  size_t max, state_fn *each, void *context);

/* What an index finds: a digest or a reference of an item, a statement by its id, or the statements
 * that speak about one (struct action, target), each by its first 8 bytes. Numbers as
 * store/index.h has them. */
enum pair_kind { PAIR_SHA256, PAIR_SM3, PAIR_REF, PAIR_STATEMENT, PAIR_TARGET };
/* Calls `each` for every pair that the indexes hold of the blocks from..to, until it returns an
 * error, which is passed on. `number` is the item's, 0 for statements. Used to index again what a
 * crash left out. */
typedef enum err pair_fn(void *context, enum pair_kind kind, uint64_t prefix, uint64_t index,
                         uint16_t number);
must_use enum err view_pairs(const struct view *view, uint64_t from_height, uint64_t to_height,
                             pair_fn *each, void *context);

#endif
