/* The column families of the database and the options of each. Only store/ includes this. */
#ifndef CAIRN_STORE_FAMILIES_H
#define CAIRN_STORE_FAMILIES_H

#include "store/index.h"
#include "store/store.h"

#include <rocksdb/c.h>

/* RocksDB's own "default" family stays empty; then `enum family`; then one for each index kind. */
enum {
    COLUMN_DEFAULT,
    COLUMN_FAMILIES,
    COLUMN_INDEXES = COLUMN_FAMILIES + FAMILY_COUNT,
    COLUMN_COUNT = COLUMN_INDEXES + INDEX_KIND_COUNT
};

struct families {
    rocksdb_options_t *database;
    rocksdb_options_t *options[COLUMN_COUNT];
    const char *names[COLUMN_COUNT]; /* static strings */
    rocksdb_cache_t *cache;
};

/* Makes the options of the database and of every family, sharing one block cache of `cache_len`
 * bytes. The caller clears `out`. */
void families_init(struct families *out, size_t cache_len);
void families_clear(struct families *families);
/* The column of that name; COLUMN_COUNT if this version of the program has none. */
size_t families_find(const struct families *families, const char *name);

#endif
