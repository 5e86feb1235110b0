/* What the files of store/ know of an open database. Nothing outside store/ includes this. */
#ifndef CAIRN_STORE_INTERNAL_H
#define CAIRN_STORE_INTERNAL_H

#include "store/families.h"

#include <stdatomic.h>

/* Values of RocksDB's wal_recovery_mode. */
enum wal_mode { WAL_ABSOLUTE = 1, WAL_POINT_IN_TIME = 2 };

struct store {
    struct families families;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *columns[COLUMN_COUNT];
    rocksdb_writeoptions_t *write;
    rocksdb_readoptions_t *read;
    char *dir;
    bool read_only;
    atomic_bool failed; /* a write failed: what is on the disk is no longer known */
};

/* store_open with another way of treating a write-ahead log that does not end well. */
must_use enum err store_open_mode(struct store **out, const char *dir,
                                  const struct store_options *options, enum wal_mode mode,
                                  struct why *why);

/* Turns a RocksDB error text, which it frees, into a code; NULL is OK. */
enum err store_take_error(char *error, const char *what, struct why *why);

/* After a read: adds the blocks that this thread needed to the metrics. */
void store_count_reads(void);

#endif
