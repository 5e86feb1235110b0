/* How the store grows: batches of 65,536 items as the ledger writes them, with two index pairs an
 * item, then searches and starts. One step a run, so that each starts with memory of its own:
 *
 *     bench_store DIR fill ITEMS     makes the store and adds items; then waits until all is
 * settled bench_store DIR more ITEMS     adds items and dies without closing bench_store DIR find
 * SECONDS   searches from two threads, present and absent by turns bench_store DIR open opens, as a
 * start of the node does, and closes
 */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/index.h"
#include "store/store.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BATCH_ITEMS = 65536,
    CHUNK_ITEMS = 256,
    ITEM_LEN = 73,
    NODE_LEN = 32,
    TILE_LEN = 8192,
    QUEUE_MAX = 4
};

static const char *dir;
static struct store *store;
static struct index *the_index;

static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The first 8 bytes of a digest of item `number` of entry `sequence`. */
static uint64_t prefix_of(enum index_kind kind, uint64_t sequence, uint64_t number)
{
    return mix(mix(sequence << 16 | number) + kind);
}

static void die(const char *what, enum err err)
{
    fprintf(stderr, "%s %s\n", what, err_text(err));
    exit(1);
}

static uint64_t memory_kib(void)
{
    struct buf status = {0};
    uint64_t kib = 0;
    if (file_read(&status, "/proc/self/status", 1 << 20, NULL) == OK) {
        buf_put_byte(&status, 0);
        const char *line = strstr((const char *)status.at, "VmRSS:");
        kib = line != NULL ? strtoull(line + 6, NULL, 10) : 0;
    }
    buf_clear(&status);
    return kib;
}

static double seconds_since(uint64_t start_ns)
{
    return (double)(clock_mono_ns() - start_ns) / 1e9;
}

/* The way from the writer to the indexer: how many batches are durable, how many are indexed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t written;
static uint64_t indexed;
static uint64_t last;

static void *index_batches(void *unused)
{
    (void)unused;
    while (indexed < last) {
        pthread_mutex_lock(&lock);
        while (written == indexed) {
            pthread_cond_wait(&changed, &lock);
        }
        uint64_t sequence = indexed;
        pthread_mutex_unlock(&lock);
        for (enum index_kind kind = INDEX_SHA256; kind <= INDEX_SM3; kind++) {
            for (unsigned number = 0; number < BATCH_ITEMS; number++) {
                uint8_t prefix8[8];
                put_u64(prefix8, prefix_of(kind, sequence, number));
                index_add(the_index, kind, prefix8, (struct place){sequence, (uint16_t)number});
            }
        }
        enum err err = index_end_block(the_index, sequence);
        if (err != OK) {
            die("the index", err);
        }
        pthread_mutex_lock(&lock);
        indexed++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void write_batch(struct batch *batch, uint64_t sequence)
{
    static uint64_t value[(CHUNK_ITEMS * ITEM_LEN + NODE_LEN) / 8];
    static uint64_t random;
    uint8_t key[10];
    put_u64(key, sequence);
    for (unsigned chunk = 0; chunk < BATCH_ITEMS / CHUNK_ITEMS; chunk++) {
        for (size_t i = 0; i < sizeof value / 8; i++) {
            value[i] = mix(random++);
        }
        put_u16(key + 8, (uint16_t)chunk);
        batch_put(batch, FAMILY_ITEMS, (struct bytes){key, 10}, BYTES_OF(value));
    }
    struct bytes entry = {(const uint8_t *)value, 600};
    struct bytes number = {key, 8};
    batch_put(batch, FAMILY_LOG, number, entry);
    batch_put(batch, FAMILY_BLOCK, number, entry);
    if (sequence % 256 == 255) {
        batch_put(batch, FAMILY_TILES, number, (struct bytes){(const uint8_t *)value, TILE_LEN});
    }
    struct mark_head head = {.height = sequence};
    batch_put_head(batch, &head);
    enum err err = store_commit(store, batch);
    if (err != OK) {
        die("a commit", err);
    }
}

static void add_batches(uint64_t first, uint64_t count)
{
    struct batch *batch = batch_new();
    uint64_t start_ns = clock_mono_ns();
    uint64_t slice = 1000000 / BATCH_ITEMS;
    pthread_t indexer;
    written = first;
    indexed = first;
    last = first + count;
    if (pthread_create(&indexer, NULL, index_batches, NULL) != 0) {
        die("a thread", ERR_IO);
    }
    for (uint64_t i = 0; i < count; i++) {
        write_batch(batch, first + i);
        pthread_mutex_lock(&lock);
        written++;
        pthread_cond_signal(&changed);
        while (written - indexed >= QUEUE_MAX) {
            pthread_cond_wait(&changed, &lock);
        }
        pthread_mutex_unlock(&lock);
        if ((i + 1) % slice == 0) {
            double seconds = seconds_since(start_ns);
            printf("%8.2f M items  %8.0f items/s  memory %4llu MiB\n",
                   (double)((first + i + 1) * BATCH_ITEMS) / 1e6,
                   (double)(slice * BATCH_ITEMS) / seconds,
                   (unsigned long long)memory_kib() / 1024);
            fflush(stdout);
            start_ns = clock_mono_ns();
        }
    }
    pthread_join(indexer, NULL);
    batch_free(batch);
}

static uint64_t total(const char *property)
{
    uint64_t sum = 0;
    for (enum family family = 0; family < FAMILY_COUNT; family++) {
        sum += store_property(store, family, property);
    }
    for (enum index_kind kind = 0; kind < INDEX_KIND_COUNT; kind++) {
        sum += index_property(the_index, kind, property);
    }
    return sum;
}

static void settle(void)
{
    while (index_property(the_index, INDEX_SHA256, "rocksdb.num-running-compactions") > 0 ||
           index_property(the_index, INDEX_SHA256, "rocksdb.num-running-flushes") > 0 ||
           total("rocksdb.compaction-pending") > 0) {
        usleep(10000);
    }
}

static void open_both(bool create)
{
    struct store_options options = {.cache_len = (size_t)256 << 20, .create = create};
    uint64_t start_ns = clock_mono_ns();
    enum store_health health = STORE_GOOD;
    enum err err = create ? store_open(&store, dir, &options, NULL)
                          : store_recover(&store, &health, dir, &options, NULL, NULL);
    if (err != OK) {
        die("the store", err);
    }
    err = index_open(&the_index, store, INDEX_DELTA_PAIRS, NULL);
    if (err != OK) {
        die("the index", err);
    }
    printf("opened in %.3f s (%s), memory %llu MiB\n", seconds_since(start_ns),
           health == STORE_TORN ? "torn" : "whole", (unsigned long long)memory_kib() / 1024);
}

static void close_both(void)
{
    uint64_t start_ns = clock_mono_ns();
    index_close(the_index);
    store_close(store);
    printf("closed in %.3f s\n", seconds_since(start_ns));
}

static uint64_t next_sequence(void)
{
    struct mark_head head;
    enum err err = store_head(store, &head);
    if (err != OK) {
        die("the head", err);
    }
    return head.height + 1;
}

static void fill(uint64_t items)
{
    open_both(true);
    uint64_t count = items / BATCH_ITEMS;
    uint64_t start_ns = clock_mono_ns();
    uint64_t start_cpu_ns = clock_cpu_ns();
    add_batches(0, count);
    printf("written in %.1f s\n", seconds_since(start_ns));
    enum err err = index_flush(the_index);
    if (err != OK) {
        die("the index", err);
    }
    settle();
    double added = (double)(count * BATCH_ITEMS);
    double seconds = seconds_since(start_ns);
    printf("settled after %.1f s: %.0f items/s, CPU %.2f us an item, memory %llu MiB\n", seconds,
           added / seconds, (double)(clock_cpu_ns() - start_cpu_ns) / 1e3 / added,
           (unsigned long long)memory_kib() / 1024);
    printf("items %.2f B an item, sha256 %.2f, sm3 %.2f\n",
           (double)store_property(store, FAMILY_ITEMS, "rocksdb.total-sst-files-size") / added,
           (double)index_property(the_index, INDEX_SHA256, "rocksdb.total-sst-files-size") / added,
           (double)index_property(the_index, INDEX_SM3, "rocksdb.total-sst-files-size") / added);
    close_both();
}

struct searcher {
    uint64_t seed;
    uint64_t sequences;
    uint64_t end_ns;
    uint64_t count[2]; /* absent, present */
    uint64_t ns[2];
};

static void *search(void *at)
{
    struct searcher *me = at;
    for (uint64_t i = 0; clock_mono_ns() < me->end_ns; i++) {
        bool present = i % 2;
        me->seed = mix(me->seed);
        uint64_t sequence = me->seed % me->sequences + (present ? 0 : 1u << 30);
        uint64_t number = me->seed >> 48;
        struct index_query query = {.kind = INDEX_SHA256};
        put_u64(query.prefix8, prefix_of(query.kind, sequence, number));
        struct place found[8];
        size_t count;
        uint64_t start_ns = clock_mono_ns();
        enum err err = index_find(the_index, found, 8, &count, &query);
        me->ns[present] += clock_mono_ns() - start_ns;
        me->count[present]++;
        if (err != OK || (count > 0) != present) {
            die("a search", err);
        }
    }
    return NULL;
}

static void find(uint64_t seconds)
{
    open_both(false);
    uint64_t upto;
    enum err err = index_upto(the_index, &upto);
    if (err != OK) {
        die("upto", err);
    }
    struct searcher searchers[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        searchers[i] = (struct searcher){.seed = clock_wall_ms() + (uint64_t)i,
                                         .sequences = upto + 1,
                                         .end_ns = clock_mono_ns() + seconds * 1000000000};
        if (pthread_create(&threads[i], NULL, search, &searchers[i]) != 0) {
            die("a thread", ERR_IO);
        }
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        printf("thread %d: present %.1f us, absent %.1f us, %llu searches\n", i,
               (double)searchers[i].ns[1] / 1e3 / (double)searchers[i].count[1],
               (double)searchers[i].ns[0] / 1e3 / (double)searchers[i].count[0],
               (unsigned long long)(searchers[i].count[0] + searchers[i].count[1]));
    }
    printf("memory %llu MiB\n", (unsigned long long)memory_kib() / 1024);
    close_both();
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_store DIR fill|more ITEMS | find SECONDS | open\n");
        return 2;
    }
    dir = argv[1];
    uint64_t number = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    if (strcmp(argv[2], "fill") == 0) {
        fill(number);
    } else if (strcmp(argv[2], "more") == 0) {
        open_both(false);
        add_batches(next_sequence(), number / BATCH_ITEMS);
        fflush(stdout);
        kill(getpid(), SIGKILL);
    } else if (strcmp(argv[2], "find") == 0) {
        find(number);
    } else {
        open_both(false);
        close_both();
    }
    return 0;
}
