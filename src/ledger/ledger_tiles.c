/* The log as C2SP tlog-tiles serves it, out of a view. */
#include "ledger/ledger_view.h"

enum err view_tile(const struct view *view, unsigned level, uint64_t number, unsigned width,
                   struct buf *out)
{
    struct hash tile[TILE_HASHES];
    TRY(tileview_tile(view->log, tile, level, number, width));
    buf_put(out, (struct bytes){tile->at, width * sizeof *tile});
    return OK;
}

/* Appends the entry on which the cursor stands, which must be that of `index`. */
static enum err bundle_put(struct buf *out, const struct cursor *cursor, uint64_t index)
{
    struct disk_key key = number_key(index);
    struct bytes value = cursor_value(cursor);
    if (!bytes_equal(cursor_key(cursor), disk_key_bytes(&key)) || value.len < 8 ||
        value.len - 8 > UINT16_MAX) {
        return ERR_CORRUPT;
    }
    put_u16(buf_grow(out, 2), (uint16_t)(value.len - 8));
    buf_put(out, (struct bytes){value.at + 8, value.len - 8});
    return OK;
}

enum err view_entry_bundle(const struct view *view, uint64_t number, unsigned width,
                           struct buf *out)
{
    uint64_t size = view->header.tree_size;
    if (width == 0 || width > TILE_HASHES || number > size / TILE_HASHES ||
        width > size - number * TILE_HASHES) {
        return ERR_RANGE;
    }
    uint64_t first = number * TILE_HASHES;
    struct disk_key key = number_key(first);
    struct cursor *cursor = cursor_open(view->store, view->snapshot, FAMILY_LOG);
    bool there = cursor_seek(cursor, disk_key_bytes(&key));
    enum err err = OK;
    for (unsigned i = 0; there && err == OK && i < width; i++) {
        err = bundle_put(out, cursor, first + i);
        there = i + 1 == width || cursor_next(cursor);
    }
    if (!there) {
        err = cursor_err(cursor) != OK ? cursor_err(cursor) : ERR_CORRUPT;
    }
    cursor_close(cursor);
    return err;
}
