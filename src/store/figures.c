/* What the database says about itself, and what its reads cost. */
#include "store/internal.h"

#include "base/file.h"
#include "base/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Places in the label of METRIC_STORE_BLOCK_READS. */
enum { FROM_CACHE, FROM_DISK };

/* RocksDB counts blocks for each thread; here is what was already added to the metrics. */
struct counted {
    rocksdb_perfcontext_t *context;
    uint64_t hits;
    uint64_t reads;
};

static pthread_key_t counted_key;
static pthread_once_t counted_once = PTHREAD_ONCE_INIT;

static void counted_free(void *context)
{
    struct counted *counted = context;
    rocksdb_perfcontext_destroy(counted->context);
    free(counted);
}

static void counted_init(void)
{
    BUG_ON(pthread_key_create(&counted_key, counted_free) != 0);
}

static struct counted *counted_of_thread(void)
{
    pthread_once(&counted_once, counted_init);
    struct counted *counted = pthread_getspecific(counted_key);
    if (!counted) {
        counted = mem_zalloc(sizeof *counted);
        counted->context = rocksdb_perfcontext_create();
        BUG_ON(pthread_setspecific(counted_key, counted) != 0);
    }
    return counted;
}

void store_count_reads(void)
{
    struct counted *counted = counted_of_thread();
    uint64_t hits = rocksdb_perfcontext_metric(counted->context, rocksdb_block_cache_hit_count);
    uint64_t reads = rocksdb_perfcontext_metric(counted->context, rocksdb_block_read_count);
    if (hits != counted->hits) {
        metric_add(METRIC_STORE_BLOCK_READS, FROM_CACHE, hits - counted->hits);
    }
    if (reads != counted->reads) {
        metric_add(METRIC_STORE_BLOCK_READS, FROM_DISK, reads - counted->reads);
    }
    counted->hits = hits;
    counted->reads = reads;
}

static uint64_t property(struct store *store, size_t column, const char *name)
{
    uint64_t value;
    return rocksdb_property_int_cf(store->db, store->columns[column], name, &value) ? 0 : value;
}

uint64_t store_property(struct store *store, enum family family, const char *name)
{
    return property(store, COLUMN_FAMILIES + family, name);
}

static uint64_t sum(struct store *store, const char *name)
{
    uint64_t total = 0;
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        total += property(store, column, name);
    }
    return total;
}

static bool is_wal(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strspn(name, "0123456789") == len - 4 && strcmp(name + len - 4, ".log") == 0;
}

/* Files come and go meanwhile: one that is gone counts nothing. */
static uint64_t wal_len(const struct store *store)
{
    uint64_t total = 0;
    char *path = path_join(store->dir, "db");
    DIR *dir = opendir(path);
    free(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        struct stat info;
        if (is_wal(entry->d_name) && fstatat(dirfd(dir), entry->d_name, &info, 0) == 0) {
            total += (uint64_t)info.st_size;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return total;
}

void store_figures(struct store *store, struct store_figures *out)
{
    *out = (struct store_figures){
        .memtables_len = sum(store, "rocksdb.cur-size-all-mem-tables"),
        .cache_len = rocksdb_cache_get_usage(store->families.cache),
        .cache_max = rocksdb_cache_get_capacity(store->families.cache),
        .wal_len = wal_len(store),
        .live_len = sum(store, "rocksdb.estimate-live-data-size"),
        .files_len = sum(store, "rocksdb.total-sst-files-size"),
        .pending_len = sum(store, "rocksdb.estimate-pending-compaction-bytes"),
        /* Of the whole database, whichever column is asked. */
        .jobs = property(store, COLUMN_DEFAULT, "rocksdb.num-running-compactions") +
                property(store, COLUMN_DEFAULT, "rocksdb.num-running-flushes") +
                sum(store, "rocksdb.compaction-pending") +
                sum(store, "rocksdb.mem-table-flush-pending"),
    };
}
