/* A batch gathers its changes in one buffer and becomes RocksDB's own batch when it is committed,
 * because it exists without a store: u8 family, u8 whether deleted, u32 key length, u32 value
 * length, key, value. */
#include "store/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include <stdlib.h>

enum { CHANGE_HEAD = 10 };

struct batch {
    struct buf changes;
};

struct batch *batch_new(void)
{
    return mem_zalloc(sizeof(struct batch));
}

void batch_free(struct batch *batch)
{
    if (batch != NULL) {
        buf_clear(&batch->changes);
        free(batch);
    }
}

static void note(struct batch *batch, enum family family, bool deleted, struct bytes key,
                 struct bytes value)
{
    BUG_ON(family >= FAMILY_COUNT || key.len > UINT32_MAX || value.len > UINT32_MAX);
    uint8_t *head = buf_grow(&batch->changes, CHANGE_HEAD);
    head[0] = (uint8_t)family;
    head[1] = deleted;
    put_u32(head + 2, (uint32_t)key.len);
    put_u32(head + 6, (uint32_t)value.len);
    buf_put(&batch->changes, key);
    buf_put(&batch->changes, value);
}

void batch_put(struct batch *batch, enum family family, struct bytes key, struct bytes value)
{
    note(batch, family, false, key, value);
}

void batch_delete(struct batch *batch, enum family family, struct bytes key)
{
    note(batch, family, true, key, BYTES_NONE);
}

void batch_clear(struct batch *batch)
{
    batch->changes.len = 0;
}

size_t batch_len(const struct batch *batch)
{
    return batch->changes.len;
}

static void fill(rocksdb_writebatch_t *out, const struct store *store, struct bytes changes)
{
    while (changes.len > 0) {
        const uint8_t *head = changes.at;
        size_t key_len = get_u32(head + 2);
        size_t value_len = get_u32(head + 6);
        const char *key = (const char *)head + CHANGE_HEAD;
        rocksdb_column_family_handle_t *column = store->columns[COLUMN_FAMILIES + head[0]];
        if (head[1]) {
            rocksdb_writebatch_delete_cf(out, column, key, key_len);
        } else {
            rocksdb_writebatch_put_cf(out, column, key, key_len, key + key_len, value_len);
        }
        changes.at += CHANGE_HEAD + key_len + value_len;
        changes.len -= CHANGE_HEAD + key_len + value_len;
    }
}

enum err store_commit(struct store *store, struct batch *batch)
{
    if (store->read_only) {
        return ERR_READ_ONLY;
    }
    if (batch->changes.len > STORE_BATCH_MAX) {
        return ERR_RANGE;
    }
    if (atomic_load(&store->failed)) {
        return ERR_IO;
    }
    rocksdb_writebatch_t *changes = rocksdb_writebatch_create();
    fill(changes, store, buf_bytes(&batch->changes));
    char *error = NULL;
    struct why why = {0};
    uint64_t from_ns = clock_mono_ns();
    rocksdb_write(store->db, store->write, changes, &error);
    metric_observe_us(METRIC_STORE_FSYNC, FSYNC_LOG, (clock_mono_ns() - from_ns) / 1000);
    rocksdb_writebatch_destroy(changes);
    if (store_take_error(error, store->dir, &why) != OK) {
        atomic_store(&store->failed, true);
        log_event(LOG_ERROR, "store.commit", "problem=\"%s\" remedy=\"%s\"", why.problem,
                  why.remedy);
        return ERR_IO;
    }
    batch_clear(batch);
    return OK;
}
