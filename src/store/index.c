/* Invariants:
 * 1. A pair that a search may find is in the delta or in the family of its kind, or in both.
 *    A search looks into the delta first: a pair that has left it meanwhile is in the family.
 * 2. `upto` on disk is written after every run that it speaks of has been taken over durably.
 * 3. Only the indexer thread changes anything; `lock` is for the lists of chunks and `height`. */
#include "store/index.h"

#include "store/delta.h"
#include "store/internal.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FAMILY_META: height (u64), how many kinds there were (u8). */
static const char upto_key[] = "index upto";

enum { KEY_LEN = 16, UPTO_LEN = 9 };

/* Pairs of the block that is being added. */
struct open_pairs {
    struct pair *at;
    size_t len;
    size_t cap;
};

struct index {
    struct store *store;
    size_t delta_pairs;
    struct open_pairs open[INDEX_KIND_COUNT];
    struct delta deltas[INDEX_KIND_COUNT];
    pthread_rwlock_t lock;
    bool has_height;
    uint64_t height;
    bool failed;
    rocksdb_readoptions_t *search;
    rocksdb_ingestexternalfileoptions_t *ingest;
    rocksdb_envoptions_t *env;
};

static rocksdb_column_family_handle_t *column(const struct index *index, enum index_kind kind)
{
    BUG_ON(kind >= INDEX_KIND_COUNT);
    return index->store->columns[COLUMN_INDEXES + kind];
}

static void key_write(uint8_t out[KEY_LEN], struct pair pair)
{
    put_u64(out, pair.prefix);
    put_u64(out + 8, pair.place);
}

/* Where a run is written before the database takes the file over. */
static char *run_path(const struct index *index, enum index_kind kind)
{
    return path_join(index->store->dir, index->store->families.names[COLUMN_INDEXES + kind]);
}

/* What a process left that ended while it wrote a run. */
static enum err remove_leftovers(const struct index *index, struct why *why)
{
    for (enum index_kind kind = 0; kind < INDEX_KIND_COUNT; kind++) {
        char *path = run_path(index, kind);
        int failed = unlink(path);
        free(path);
        if (failed != 0 && errno != ENOENT) {
            return why_say(why, ERR_IO, "index", index->store->dir, strerror(errno),
                           "Check the permissions of the directory.");
        }
    }
    return OK;
}

static void lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    BUG_ON(pthread_rwlock_init(lock, &attributes) != 0);
    pthread_rwlockattr_destroy(&attributes);
}

enum err index_open(struct index **out, struct store *store, size_t delta_pairs, struct why *why)
{
    struct index *index = mem_zalloc(sizeof *index);
    index->store = store;
    index->delta_pairs = delta_pairs;
    lock_init(&index->lock);
    index->search = rocksdb_readoptions_create();
    rocksdb_readoptions_set_prefix_same_as_start(index->search, 1);
    index->ingest = rocksdb_ingestexternalfileoptions_create();
    rocksdb_ingestexternalfileoptions_set_move_files(index->ingest, 1);
    rocksdb_ingestexternalfileoptions_set_snapshot_consistency(index->ingest, 0);
    rocksdb_ingestexternalfileoptions_set_allow_blocking_flush(index->ingest, 0);
    index->env = rocksdb_envoptions_create();
    enum err err = store->read_only ? OK : remove_leftovers(index, why);
    if (err == OK) {
        err = index_upto(index, &index->height);
        index->has_height = err == OK;
        err = err == ERR_NOT_FOUND ? OK : err;
    }
    if (err != OK) {
        index_close(index);
        return err;
    }
    *out = index;
    return OK;
}

void index_close(struct index *index)
{
    if (index == NULL) {
        return;
    }
    for (size_t kind = 0; kind < INDEX_KIND_COUNT; kind++) {
        free(index->open[kind].at);
        delta_clear(&index->deltas[kind]);
    }
    rocksdb_readoptions_destroy(index->search);
    rocksdb_ingestexternalfileoptions_destroy(index->ingest);
    rocksdb_envoptions_destroy(index->env);
    pthread_rwlock_destroy(&index->lock);
    free(index);
}

enum err index_upto(const struct index *index, uint64_t *height)
{
    struct buf value = {0};
    enum err err = store_get(index->store, NULL, FAMILY_META, bytes_text(upto_key), &value);
    if (err == OK && value.len != UPTO_LEN) {
        err = ERR_CORRUPT;
    }
    if (err == OK && value.at[8] != INDEX_KIND_COUNT) {
        err = ERR_NOT_FOUND;
    }
    if (err == OK) {
        *height = get_u64(value.at);
    }
    buf_clear(&value);
    return err;
}

enum err index_height(struct index *index, uint64_t *height)
{
    pthread_rwlock_rdlock(&index->lock);
    enum err err = index->has_height ? OK : ERR_NOT_FOUND;
    if (err == OK) {
        *height = index->height;
    }
    pthread_rwlock_unlock(&index->lock);
    return err;
}

static size_t delta_len(const struct index *index)
{
    size_t len = 0;
    for (size_t kind = 0; kind < INDEX_KIND_COUNT; kind++) {
        len += index->deltas[kind].len;
    }
    return len;
}

size_t index_delta_len(struct index *index)
{
    pthread_rwlock_rdlock(&index->lock);
    size_t len = delta_len(index);
    pthread_rwlock_unlock(&index->lock);
    return len;
}

void index_add(struct index *index, enum index_kind kind, const uint8_t prefix8[8],
               struct place place)
{
    BUG_ON(kind >= INDEX_KIND_COUNT || place.sequence >> 48 != 0);
    struct open_pairs *open = &index->open[kind];
    if (open->len == open->cap) {
        open->cap = open->cap == 0 ? 1024 : 2 * open->cap;
        open->at = mem_realloc(open->at, open->cap * sizeof open->at[0]);
    }
    open->at[open->len++] = (struct pair){
        .prefix = get_u64(prefix8),
        .place = place.sequence << 16 | place.number,
    };
}

/* Writes the chunk as a sorted file, each pair once. */
static enum err write_file(struct index *index, enum index_kind kind, const char *path,
                           const struct chunk *chunk, struct why *why)
{
    rocksdb_sstfilewriter_t *writer = rocksdb_sstfilewriter_create(
        index->env, index->store->families.options[COLUMN_INDEXES + kind]);
    char *error = NULL;
    uint8_t key[KEY_LEN];
    rocksdb_sstfilewriter_open(writer, path, &error);
    for (size_t i = 0; i < chunk->len && error == NULL; i++) {
        if (i > 0 && memcmp(&chunk->at[i], &chunk->at[i - 1], sizeof chunk->at[0]) == 0) {
            continue;
        }
        key_write(key, chunk->at[i]);
        rocksdb_sstfilewriter_put(writer, (const char *)key, sizeof key, "", 0, &error);
    }
    if (error == NULL) {
        rocksdb_sstfilewriter_finish(writer, &error);
    }
    rocksdb_sstfilewriter_destroy(writer);
    return store_take_error(error, path, why);
}

static enum err write_run(struct index *index, enum index_kind kind, struct why *why)
{
    const struct chunk *chunk = delta_fold(&index->deltas[kind], &index->lock);
    if (chunk == NULL) {
        return OK;
    }
    char *path = run_path(index, kind);
    enum err err = write_file(index, kind, path, chunk, why);
    if (err == OK) {
        const char *paths[1] = {path};
        char *error = NULL;
        rocksdb_ingest_external_file_cf(index->store->db, column(index, kind), paths, 1,
                                        index->ingest, &error);
        err = store_take_error(error, path, why);
    }
    free(path);
    return err;
}

static enum err write_upto(struct index *index)
{
    uint8_t value[UPTO_LEN];
    put_u64(value, index->height);
    value[8] = INDEX_KIND_COUNT;
    struct batch *batch = batch_new();
    batch_put(batch, FAMILY_META, bytes_text(upto_key), (struct bytes){value, sizeof value});
    enum err err = store_commit(index->store, batch);
    batch_free(batch);
    return err;
}

static enum err write_runs(struct index *index)
{
    struct why why = {0};
    enum err err = OK;
    for (enum index_kind kind = 0; kind < INDEX_KIND_COUNT && err == OK; kind++) {
        err = write_run(index, kind, &why);
    }
    if (err == OK) {
        err = write_upto(index);
    }
    if (err != OK) {
        index->failed = true;
        log_event(LOG_ERROR, "index.run", "file=\"%s\" problem=\"%s\" remedy=\"%s\"", why.value,
                  why.problem, why.remedy);
        return ERR_IO;
    }
    pthread_rwlock_wrlock(&index->lock);
    for (size_t kind = 0; kind < INDEX_KIND_COUNT; kind++) {
        delta_clear(&index->deltas[kind]);
    }
    pthread_rwlock_unlock(&index->lock);
    return OK;
}

enum err index_end_block(struct index *index, uint64_t height)
{
    if (index->failed) {
        return ERR_IO;
    }
    for (size_t kind = 0; kind < INDEX_KIND_COUNT; kind++) {
        struct open_pairs *open = &index->open[kind];
        delta_add(&index->deltas[kind], &index->lock, open->at, open->len);
        open->len = 0;
    }
    pthread_rwlock_wrlock(&index->lock);
    index->has_height = true;
    index->height = height;
    pthread_rwlock_unlock(&index->lock);
    bool full = delta_len(index) >= index->delta_pairs;
    return full && !index->store->read_only ? write_runs(index) : OK;
}

enum err index_flush(struct index *index)
{
    if (index->store->read_only) {
        return ERR_READ_ONLY;
    }
    if (index->failed) {
        return ERR_IO;
    }
    uint64_t upto;
    enum err err = index_upto(index, &upto);
    if (err != OK && err != ERR_NOT_FOUND) {
        return err;
    }
    if (!index->has_height || (err == OK && upto == index->height)) {
        return OK;
    }
    return write_runs(index);
}

/* The least places found so far, in order, each once. */
struct found {
    uint64_t at[INDEX_FIND_MAX];
    size_t count;
    size_t cap;
};

/* Returns false if the list is full of smaller places, and so of all that are to be found. */
static bool found_add(struct found *found, uint64_t place)
{
    size_t at = found->count;
    while (at > 0 && found->at[at - 1] > place) {
        at--;
    }
    if (at > 0 && found->at[at - 1] == place) {
        return true;
    }
    if (at == found->cap) {
        return false;
    }
    if (found->count == found->cap) {
        found->count--;
    }
    memmove(&found->at[at + 1], &found->at[at], (found->count - at) * sizeof found->at[0]);
    found->at[at] = place;
    found->count++;
    return true;
}

static void find_in_delta(struct index *index, struct found *found, enum index_kind kind,
                          struct pair from)
{
    pthread_rwlock_rdlock(&index->lock);
    const struct delta *delta = &index->deltas[kind];
    for (size_t i = 0; i < delta->count; i++) {
        const struct chunk *chunk = delta->chunks[i];
        const struct pair *end = chunk->at + chunk->len;
        const struct pair *pair = chunk->at + chunk_search(chunk, from);
        while (pair < end && pair->prefix == from.prefix && found_add(found, pair->place)) {
            pair++;
        }
    }
    pthread_rwlock_unlock(&index->lock);
}

/* Adds what the iterator stands on. Returns whether to go on. */
static bool take_key(enum err *err, struct found *found, rocksdb_iterator_t *runs,
                     const uint8_t first[KEY_LEN])
{
    size_t len;
    const uint8_t *key = (const uint8_t *)rocksdb_iter_key(runs, &len);
    if (len != KEY_LEN) {
        *err = ERR_CORRUPT;
        return false;
    }
    return memcmp(key, first, 8) == 0 && found_add(found, get_u64(key + 8));
}

static enum err find_in_runs(struct index *index, struct found *found, enum index_kind kind,
                             struct pair from)
{
    uint8_t first[KEY_LEN];
    key_write(first, from);
    rocksdb_iterator_t *runs =
        rocksdb_create_iterator_cf(index->store->db, index->search, column(index, kind));
    rocksdb_iter_seek(runs, (const char *)first, sizeof first);
    enum err err = OK;
    while (rocksdb_iter_valid(runs) && take_key(&err, found, runs, first)) {
        rocksdb_iter_next(runs);
    }
    char *error = NULL;
    rocksdb_iter_get_error(runs, &error);
    rocksdb_iter_destroy(runs);
    store_count_reads();
    enum err failed = store_take_error(error, "index", NULL);
    return failed != OK ? failed : err;
}

enum err index_find(struct index *index, struct place *out, size_t cap, size_t *count,
                    const struct index_query *query)
{
    BUG_ON(cap > INDEX_FIND_MAX || query->kind >= INDEX_KIND_COUNT ||
           query->from.sequence >> 48 != 0);
    struct pair from = {
        .prefix = get_u64(query->prefix8),
        .place = query->from.sequence << 16 | query->from.number,
    };
    struct found found;
    found.count = 0;
    found.cap = cap;
    *count = 0;
    if (cap == 0) {
        return OK;
    }
    find_in_delta(index, &found, query->kind, from);
    TRY(find_in_runs(index, &found, query->kind, from));
    for (size_t i = 0; i < found.count; i++) {
        out[i] = (struct place){found.at[i] >> 16, (uint16_t)found.at[i]};
    }
    *count = found.count;
    return OK;
}

uint64_t index_property(struct index *index, enum index_kind kind, const char *name)
{
    uint64_t value;
    return rocksdb_property_int_cf(index->store->db, column(index, kind), name, &value) ? 0 : value;
}
