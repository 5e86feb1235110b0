#include "store/internal.h"

#include <stdlib.h>

struct cursor {
    rocksdb_iterator_t *iterator;
};

struct cursor *cursor_open(struct store *store, const struct snapshot *snapshot, enum family family)
{
    rocksdb_readoptions_t *read = rocksdb_readoptions_create();
    if (snapshot != NULL) {
        rocksdb_readoptions_set_snapshot(read, (const rocksdb_snapshot_t *)snapshot);
    }
    struct cursor *cursor = mem_zalloc(sizeof *cursor);
    cursor->iterator =
        rocksdb_create_iterator_cf(store->db, read, store->columns[COLUMN_FAMILIES + family]);
    rocksdb_readoptions_destroy(read);
    return cursor;
}

void cursor_close(struct cursor *cursor)
{
    if (cursor != NULL) {
        rocksdb_iter_destroy(cursor->iterator);
        free(cursor);
    }
}

bool cursor_seek(struct cursor *cursor, struct bytes key)
{
    rocksdb_iter_seek(cursor->iterator, (const char *)key.at, key.len);
    store_count_reads();
    return rocksdb_iter_valid(cursor->iterator);
}

bool cursor_seek_back(struct cursor *cursor, struct bytes key)
{
    rocksdb_iter_seek_for_prev(cursor->iterator, (const char *)key.at, key.len);
    store_count_reads();
    return rocksdb_iter_valid(cursor->iterator);
}

bool cursor_next(struct cursor *cursor)
{
    rocksdb_iter_next(cursor->iterator);
    return rocksdb_iter_valid(cursor->iterator);
}

bool cursor_back(struct cursor *cursor)
{
    rocksdb_iter_prev(cursor->iterator);
    return rocksdb_iter_valid(cursor->iterator);
}

struct bytes cursor_key(const struct cursor *cursor)
{
    size_t len;
    const char *key = rocksdb_iter_key(cursor->iterator, &len);
    return (struct bytes){(const uint8_t *)key, len};
}

struct bytes cursor_value(const struct cursor *cursor)
{
    size_t len;
    const char *value = rocksdb_iter_value(cursor->iterator, &len);
    return (struct bytes){(const uint8_t *)value, len};
}

enum err cursor_err(const struct cursor *cursor)
{
    char *error = NULL;
    rocksdb_iter_get_error(cursor->iterator, &error);
    return store_take_error(error, "cursor", NULL);
}
