#include "store/internal.h"

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"

#include <stdlib.h>
#include <string.h>

/* Places in the label of METRIC_STORE_ERRORS. */
enum { ERROR_IO, ERROR_CORRUPT };

enum err store_take_error(char *error, const char *what, struct why *why)
{
    if (error == NULL) {
        return OK;
    }
    enum err err = ERR_IO;
    const char *remedy = "Check the disk, its free space and its permissions.";
    if (strncmp(error, "Corruption", 10) == 0) {
        err = ERR_CORRUPT;
        remedy = "Restore the directory from a backup or from another node.";
    } else if (strstr(error, "lock") != NULL && strstr(error, "LOCK") != NULL) {
        err = ERR_BUSY;
        remedy = "Another process has the directory open; stop it first.";
    }
    why_say(why, err, "store", what, error, remedy);
    rocksdb_free(error);
    if (err != ERR_BUSY) {
        metric_add(METRIC_STORE_ERRORS, err == ERR_IO ? ERROR_IO : ERROR_CORRUPT, 1);
    }
    return err;
}

/* Finds which of our families the database has. Refuses what a newer version of the program made.
 */
static enum err find_families(bool present[COLUMN_COUNT], const struct store *store,
                              const char *path, struct why *why)
{
    size_t count;
    char *error = NULL;
    char **names = rocksdb_list_column_families(store->families.database, path, &count, &error);
    TRY(store_take_error(error, path, why));
    enum err err = OK;
    for (size_t i = 0; i < count; i++) {
        size_t column = families_find(&store->families, names[i]);
        if (column == COLUMN_COUNT) {
            err = why_say(why, ERR_VERSION, "store", names[i], "is an unknown family",
                          "Use the version of the program that wrote it, or a newer one.");
        } else {
            present[column] = true;
        }
    }
    rocksdb_list_column_families_destroy(names, count);
    return err;
}

static enum err check_presence(const char *path, bool create, struct why *why)
{
    char *current = path_join(path, "CURRENT");
    bool present = file_exists(current);
    free(current);
    if (present && create) {
        return why_say(why, ERR_EXISTS, "store", path, NULL, "Choose another directory.");
    }
    if (!present && !create) {
        return why_say(why, ERR_NOT_FOUND, "store", path, NULL, "Check the path.");
    }
    return OK;
}

static enum err open_to_write(struct store *store, const char *path, struct why *why)
{
    char *error = NULL;
    store->db = rocksdb_open_column_families(
        store->families.database, path, COLUMN_COUNT, store->families.names,
        (const rocksdb_options_t *const *)store->families.options, store->columns, &error);
    return store_take_error(error, path, why);
}

/* A family that an older version of the program did not have is as empty as "default" is, which
 * stands in for it. */
static enum err open_to_read(struct store *store, const char *path, struct why *why)
{
    bool present[COLUMN_COUNT] = {false};
    TRY(find_families(present, store, path, why));
    const char *names[COLUMN_COUNT];
    const rocksdb_options_t *options[COLUMN_COUNT];
    rocksdb_column_family_handle_t *columns[COLUMN_COUNT];
    int count = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (present[i]) {
            names[count] = store->families.names[i];
            options[count++] = store->families.options[i];
        }
    }
    char *error = NULL;
    store->db = rocksdb_open_for_read_only_column_families(store->families.database, path, count,
                                                           names, options, columns, 0, &error);
    TRY(store_take_error(error, path, why));
    count = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        store->columns[i] = present[i] ? columns[count++] : store->columns[COLUMN_DEFAULT];
    }
    return OK;
}

static enum err open_database(struct store *store, const char *path, bool create, struct why *why)
{
    if (store->read_only) {
        return open_to_read(store, path, why);
    }
    if (!create) {
        bool present[COLUMN_COUNT] = {false};
        TRY(find_families(present, store, path, why));
    }
    return open_to_write(store, path, why);
}

/* Frees everything but an open database. */
static void store_free(struct store *store)
{
    rocksdb_writeoptions_destroy(store->write);
    rocksdb_readoptions_destroy(store->read);
    families_clear(&store->families);
    free(store->dir);
    free(store);
}

enum err store_open_mode(struct store **out, const char *dir, const struct store_options *options,
                         enum wal_mode mode, struct why *why)
{
    struct store *store = mem_zalloc(sizeof *store);
    families_init(&store->families, options->cache_len);
    rocksdb_options_set_wal_recovery_mode(store->families.database, (int)mode);
    rocksdb_options_set_create_if_missing(store->families.database, options->create);
    store->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(store->write, 1);
    store->read = rocksdb_readoptions_create();
    store->read_only = options->read_only;
    store->dir = mem_strdup(dir);
    atomic_init(&store->failed, false);
    char *path = path_join(dir, "db");
    enum err err = check_presence(path, options->create, why);
    if (err == OK) {
        err = open_database(store, path, options->create, why);
    }
    free(path);
    if (err != OK) {
        store_free(store);
        return err;
    }
    *out = store;
    return OK;
}

enum err store_open(struct store **out, const char *dir, const struct store_options *options,
                    struct why *why)
{
    enum wal_mode mode = options->read_only ? WAL_POINT_IN_TIME : WAL_ABSOLUTE;
    return store_open_mode(out, dir, options, mode, why);
}

/* Leaves nothing in the write-ahead log, so that the next start has nothing to replay. */
static void flush_all(struct store *store)
{
    rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        char *error = NULL;
        struct why why = {0};
        rocksdb_flush_cf(store->db, flush, store->columns[i], &error);
        if (store_take_error(error, store->families.names[i], &why) != OK) {
            log_event(LOG_WARN, "store.flush", "family=%s problem=\"%s\"", why.value, why.problem);
        }
    }
    rocksdb_flushoptions_destroy(flush);
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    if (atomic_load(&store->failed)) {
        /* RocksDB as Debian builds it aborts when it closes a file that it could not write. What is
         * left behind ends with the process. */
        log_event(LOG_ERROR, "store.abandon", "dir=\"%s\"", store->dir);
        return;
    }
    if (!store->read_only) {
        flush_all(store);
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (i == COLUMN_DEFAULT || store->columns[i] != store->columns[COLUMN_DEFAULT]) {
            rocksdb_column_family_handle_destroy(store->columns[i]);
        }
    }
    rocksdb_close(store->db);
    store_free(store);
}

enum err store_get(struct store *store, const struct snapshot *snapshot, enum family family,
                   struct bytes key, struct buf *out)
{
    rocksdb_readoptions_t *read = store->read;
    if (snapshot != NULL) {
        read = rocksdb_readoptions_create();
        rocksdb_readoptions_set_snapshot(read, (const rocksdb_snapshot_t *)snapshot);
    }
    char *error = NULL;
    rocksdb_pinnableslice_t *slice =
        rocksdb_get_pinned_cf(store->db, read, store->columns[COLUMN_FAMILIES + family],
                              (const char *)key.at, key.len, &error);
    if (snapshot != NULL) {
        rocksdb_readoptions_destroy(read);
    }
    store_count_reads();
    TRY(store_take_error(error, "get", NULL));
    if (slice == NULL) {
        return ERR_NOT_FOUND;
    }
    size_t len;
    const char *value = rocksdb_pinnableslice_value(slice, &len);
    buf_put(out, (struct bytes){(const uint8_t *)value, len});
    rocksdb_pinnableslice_destroy(slice);
    return OK;
}

struct snapshot *snapshot_open(struct store *store)
{
    return (struct snapshot *)(uintptr_t)rocksdb_create_snapshot(store->db);
}

void snapshot_close(struct store *store, struct snapshot *snapshot)
{
    if (snapshot != NULL) {
        rocksdb_release_snapshot(store->db, (const rocksdb_snapshot_t *)snapshot);
    }
}
