#include "check.h"

#include "base/clock.h"
#include "base/file.h"
#include "store/index.h"
#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64];
static struct store *store;
static struct index *the_index;

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static void open_both(bool create, size_t delta_pairs)
{
    struct store_options options = {.cache_len = 1 << 20, .create = create};
    CHECK_OK(store_open(&store, dir, &options, NULL));
    CHECK_OK(index_open(&the_index, store, delta_pairs, NULL));
}

static void close_both(void)
{
    index_close(the_index);
    store_close(store);
    the_index = NULL;
    store = NULL;
}

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/cairn-index-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
    (void)state;
    if (store != NULL) {
        close_both();
    }
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u;
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void add(enum index_kind kind, uint64_t prefix, uint64_t sequence, unsigned number)
{
    uint8_t prefix8[8];
    put_u64(prefix8, prefix);
    index_add(the_index, kind, prefix8, (struct place){sequence, (uint16_t)number});
}

static size_t find(struct place *out, size_t cap, enum index_kind kind, uint64_t prefix,
                   struct place from)
{
    struct index_query query = {.kind = kind, .from = from};
    size_t count;
    put_u64(query.prefix8, prefix);
    CHECK_OK(index_find(the_index, out, cap, &count, &query));
    return count;
}

static const struct place start = {0, 0};

/* The property test's model: everything that was added, in no order. */
enum { MODEL_MAX = 40000, PREFIXES = 97 };

static struct entry {
    enum index_kind kind;
    uint64_t prefix;
    uint64_t place;
    uint64_t height;
} model[MODEL_MAX];
static size_t model_len;

static int compare_u64(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static size_t model_find(uint64_t *out, enum index_kind kind, uint64_t prefix, uint64_t from)
{
    size_t count = 0;
    for (size_t i = 0; i < model_len; i++) {
        if (model[i].kind == kind && model[i].prefix == prefix && model[i].place >= from) {
            out[count++] = model[i].place;
        }
    }
    qsort(out, count, sizeof out[0], compare_u64);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || out[kept - 1] != out[i]) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

static void check_against_model(uint64_t *seed)
{
    static uint64_t want[MODEL_MAX];
    struct place got[INDEX_FIND_MAX];
    enum index_kind kind = (enum index_kind)(next_random(seed) % INDEX_KIND_COUNT);
    uint64_t prefix = next_random(seed) % (PREFIXES + 3);
    uint64_t from = next_random(seed) % 3 == 0 ? next_random(seed) % 100 << 16 : 0;
    size_t cap = next_random(seed) % (INDEX_FIND_MAX + 1);
    size_t wanted = model_find(want, kind, prefix, from);
    size_t count = find(got, cap, kind, prefix, (struct place){from >> 16, (uint16_t)from});
    CHECK_UINT(count, wanted < cap ? wanted : cap);
    for (size_t i = 0; i < count; i++) {
        CHECK_UINT(got[i].sequence << 16 | got[i].number, want[i]);
    }
}

static void add_random_block(uint64_t *seed, uint64_t height)
{
    size_t pairs = next_random(seed) % 4 == 0 ? next_random(seed) % 400 : next_random(seed) % 4;
    for (size_t i = 0; i < pairs && model_len < MODEL_MAX; i++) {
        struct entry *entry = &model[model_len++];
        entry->kind = (enum index_kind)(next_random(seed) % INDEX_KIND_COUNT);
        entry->prefix = next_random(seed) % PREFIXES;
        entry->place = height << 16 | next_random(seed) % 65536;
        entry->height = height;
        add(entry->kind, entry->prefix, height, (uint16_t)entry->place);
    }
    CHECK_OK(index_end_block(the_index, height));
}

/* As the node does at a start: what lies above `upto` is added again. */
static uint64_t add_again(uint64_t height)
{
    uint64_t upto = 0;
    enum err err = index_upto(the_index, &upto);
    CHECK(err == OK || err == ERR_NOT_FOUND);
    uint64_t first = err == OK ? upto + 1 : 0;
    for (uint64_t h = first; h <= height; h++) {
        for (size_t i = 0; i < model_len; i++) {
            if (model[i].height == h) {
                add(model[i].kind, model[i].prefix, h, (uint16_t)model[i].place);
            }
        }
        CHECK_OK(index_end_block(the_index, h));
    }
    return upto;
}

/* What a process leaves that dies after its runs were taken over and before `upto` was written. */
static void put_upto_back(uint64_t upto, uint8_t kinds)
{
    uint8_t value[9];
    put_u64(value, upto);
    value[8] = kinds;
    struct batch *batch = batch_new();
    batch_put(batch, FAMILY_META, bytes_text("index upto"), (struct bytes){value, sizeof value});
    CHECK_OK(store_commit(store, batch));
    batch_free(batch);
}

static void random_searches_agree_with_a_naive_model_across_restarts(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    model_len = 0;
    open_both(true, 700);
    uint64_t earlier = 0;
    for (uint64_t height = 0; height < 200; height++) {
        add_random_block(&seed, height);
        for (int i = 0; i < 20; i++) {
            check_against_model(&seed);
        }
        if (next_random(&seed) % 20 == 0) {
            if (next_random(&seed) % 3 == 0) {
                CHECK_OK(index_flush(the_index));
            }
            if (earlier > 0 && next_random(&seed) % 2 == 0) {
                put_upto_back(earlier, INDEX_KIND_COUNT);
            }
            close_both();
            open_both(false, 700);
            earlier = add_again(height);
            uint64_t shown;
            CHECK_OK(index_height(the_index, &shown));
            CHECK_UINT(shown, height);
        }
    }
    CHECK(model_len > 2500);
}

static void an_empty_index_finds_nothing_and_has_no_height(void **state)
{
    (void)state;
    open_both(true, 100);
    struct place got[4];
    uint64_t height;
    CHECK_UINT(find(got, 4, INDEX_REF, 7, start), 0);
    CHECK_ERR(index_upto(the_index, &height), ERR_NOT_FOUND);
    CHECK_ERR(index_height(the_index, &height), ERR_NOT_FOUND);
    CHECK_OK(index_flush(the_index));
    CHECK_ERR(index_upto(the_index, &height), ERR_NOT_FOUND);
    CHECK_UINT(index_delta_len(the_index), 0);
}

static void pairs_are_seen_once_their_block_has_ended(void **state)
{
    (void)state;
    open_both(true, 100);
    struct place got[4];
    add(INDEX_SHA256, 1, 5, 6);
    CHECK_UINT(find(got, 4, INDEX_SHA256, 1, start), 0);
    CHECK_OK(index_end_block(the_index, 9));
    CHECK_UINT(find(got, 4, INDEX_SHA256, 1, start), 1);
    CHECK_UINT(got[0].sequence, 5);
    CHECK_UINT(got[0].number, 6);
    CHECK_UINT(find(got, 4, INDEX_SM3, 1, start), 0);
    CHECK_UINT(find(got, 4, INDEX_SHA256, 0, start), 0);
    CHECK_UINT(find(got, 4, INDEX_SHA256, 2, start), 0);
    CHECK_UINT(find(got, 4, INDEX_SHA256, 1, (struct place){5, 7}), 0);
    CHECK_UINT(index_delta_len(the_index), 1);
}

static void the_largest_place_and_prefix_are_kept_whole(void **state)
{
    (void)state;
    open_both(true, 100);
    struct place got[4];
    uint64_t last = ((uint64_t)1 << 48) - 1;
    add(INDEX_STATEMENT, UINT64_MAX, last, 65535);
    CHECK_OK(index_end_block(the_index, 1));
    for (int round = 0; round < 2; round++) {
        CHECK_UINT(find(got, 4, INDEX_STATEMENT, UINT64_MAX, start), 1);
        CHECK_UINT(got[0].sequence, last);
        CHECK_UINT(got[0].number, 65535);
        CHECK_UINT(find(got, 4, INDEX_STATEMENT, UINT64_MAX, (struct place){last, 65535}), 1);
        CHECK_OK(index_flush(the_index));
    }
}

static void many_places_of_one_digest_come_in_pages(void **state)
{
    (void)state;
    open_both(true, 1000);
    for (uint64_t height = 0; height < 3000; height++) {
        add(INDEX_SHA256, 42, height, 3);
        add(INDEX_SHA256, 42, height, 3);
        CHECK_OK(index_end_block(the_index, height));
    }
    struct place got[INDEX_FIND_MAX];
    struct place from = start;
    uint64_t seen = 0;
    for (size_t count; (count = find(got, INDEX_FIND_MAX, INDEX_SHA256, 42, from)) > 0;) {
        for (size_t i = 0; i < count; i++) {
            CHECK_UINT(got[i].sequence, seen++);
        }
        from = (struct place){got[count - 1].sequence, 4};
    }
    CHECK_UINT(seen, 3000);
}

static void upto_follows_the_runs_and_a_flush_empties_the_delta(void **state)
{
    (void)state;
    open_both(true, 10);
    uint64_t height;
    for (uint64_t h = 1; h <= 9; h++) {
        add(INDEX_SHA256, h, h, 0);
        CHECK_OK(index_end_block(the_index, h));
    }
    CHECK_ERR(index_upto(the_index, &height), ERR_NOT_FOUND);
    add(INDEX_SM3, 10, 10, 0);
    CHECK_OK(index_end_block(the_index, 10));
    CHECK_OK(index_upto(the_index, &height));
    CHECK_UINT(height, 10);
    CHECK_UINT(index_delta_len(the_index), 0);
    CHECK_UINT(index_property(the_index, INDEX_SM3, "rocksdb.estimate-num-keys"), 1);
    CHECK_UINT(index_property(the_index, INDEX_REF, "rocksdb.estimate-num-keys"), 0);
    CHECK_OK(index_end_block(the_index, 11));
    CHECK_OK(index_flush(the_index));
    CHECK_OK(index_upto(the_index, &height));
    CHECK_UINT(height, 11);
    close_both();
    open_both(false, 10);
    CHECK_OK(index_height(the_index, &height));
    CHECK_UINT(height, 11);
    struct place got[4];
    for (uint64_t h = 1; h <= 9; h++) {
        CHECK_UINT(find(got, 4, INDEX_SHA256, h, start), 1);
        CHECK_UINT(got[0].sequence, h);
    }
    CHECK_UINT(find(got, 4, INDEX_SM3, 10, start), 1);
}

static void a_run_left_half_written_is_removed(void **state)
{
    (void)state;
    open_both(true, 10);
    close_both();
    char *path = path_join(dir, "index.sm3");
    CHECK_OK(file_write(path, bytes_text("half"), 0600, NULL));
    open_both(false, 10);
    CHECK(!file_exists(path));
    add(INDEX_SM3, 10, 10, 0);
    CHECK_OK(index_end_block(the_index, 10));
    CHECK_OK(index_flush(the_index));
    CHECK(!file_exists(path));
    free(path);
}

static void a_run_that_cannot_be_written_stops_the_index(void **state)
{
    (void)state;
    open_both(true, 10);
    char *path = path_join(dir, "index.sm3");
    CHECK_OK(dir_make(path, 0700, NULL));
    add(INDEX_SM3, 10, 10, 0);
    CHECK_OK(index_end_block(the_index, 10));
    CHECK_ERR(index_flush(the_index), ERR_IO);
    CHECK_ERR(index_flush(the_index), ERR_IO);
    CHECK_ERR(index_end_block(the_index, 11), ERR_IO);
    struct place got[4];
    uint64_t height;
    CHECK_ERR(index_upto(the_index, &height), ERR_NOT_FOUND);
    CHECK_UINT(find(got, 4, INDEX_SM3, 10, start), 1);
    index_close(the_index);
    struct why why = {0};
    CHECK_ERR(index_open(&the_index, store, 10, &why), ERR_IO);
    rmdir(path);
    free(path);
    CHECK_OK(index_open(&the_index, store, 10, NULL));
}

static void a_damaged_upto_is_corrupt(void **state)
{
    (void)state;
    open_both(true, 10);
    index_close(the_index);
    struct batch *batch = batch_new();
    batch_put(batch, FAMILY_META, bytes_text("index upto"), bytes_text("short"));
    CHECK_OK(store_commit(store, batch));
    batch_free(batch);
    CHECK_ERR(index_open(&the_index, store, 10, NULL), ERR_CORRUPT);
    put_upto_back(5, INDEX_KIND_COUNT);
    CHECK_OK(index_open(&the_index, store, 10, NULL));
}

static void runs_older_than_a_kind_do_not_count(void **state)
{
    (void)state;
    open_both(true, 10);
    uint64_t height;
    put_upto_back(5, INDEX_KIND_COUNT);
    CHECK_OK(index_upto(the_index, &height));
    CHECK_UINT(height, 5);
    put_upto_back(5, INDEX_KIND_COUNT - 1);
    CHECK_ERR(index_upto(the_index, &height), ERR_NOT_FOUND);
}

static void over_a_read_only_store_the_delta_only_grows(void **state)
{
    (void)state;
    open_both(true, 10);
    close_both();
    struct store_options options = {.cache_len = 1 << 20, .read_only = true};
    CHECK_OK(store_open(&store, dir, &options, NULL));
    CHECK_OK(index_open(&the_index, store, 10, NULL));
    struct place got[4];
    for (uint64_t height = 0; height < 50; height++) {
        add(INDEX_SM3, height, height, 0);
        CHECK_OK(index_end_block(the_index, height));
    }
    CHECK_UINT(find(got, 4, INDEX_SM3, 20, start), 1);
    CHECK_ERR(index_flush(the_index), ERR_READ_ONLY);
}

/* Pair `i` of block `height` of the tests with threads and kills. */
enum { BLOCK_PAIRS = 50 };

static uint64_t prefix_of(uint64_t height, unsigned i)
{
    uint64_t seed = height * BLOCK_PAIRS + i;
    return next_random(&seed);
}

static void add_block(uint64_t height)
{
    for (unsigned i = 0; i < BLOCK_PAIRS; i++) {
        add(INDEX_SHA256, prefix_of(height, i), height, i);
    }
}

static bool finds(uint64_t height, unsigned i)
{
    struct place got[4];
    size_t count = find(got, 4, INDEX_SHA256, prefix_of(height, i), start);
    return count == 1 && got[0].sequence == height && got[0].number == i;
}

static atomic_bool stop_searching;
static atomic_ulong searches;
static atomic_ulong misses;

static void *search(void *seed_at)
{
    uint64_t seed = *(const uint64_t *)seed_at;
    while (!atomic_load(&stop_searching)) {
        uint64_t height;
        if (index_height(the_index, &height) != OK) {
            continue;
        }
        height -= next_random(&seed) % 2 == 0 ? 0 : next_random(&seed) % (height + 1);
        unsigned i = (unsigned)(next_random(&seed) % BLOCK_PAIRS);
        atomic_fetch_add(&searches, 1);
        atomic_fetch_add(&misses, !finds(height, i));
    }
    return NULL;
}

static void searches_beside_the_indexer_never_miss_a_pair(void **state)
{
    (void)state;
    open_both(true, 3000);
    pthread_t threads[2];
    uint64_t seeds[2] = {1, 2};
    atomic_store(&stop_searching, false);
    for (int i = 0; i < 2; i++) {
        CHECK_UINT(pthread_create(&threads[i], NULL, search, &seeds[i]), 0);
    }
    for (uint64_t height = 0; height < 2000 || atomic_load(&searches) < 5000; height++) {
        add_block(height);
        CHECK_OK(index_end_block(the_index, height));
    }
    atomic_store(&stop_searching, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_UINT(atomic_load(&misses), 0);
}

static void index_for_ever(void)
{
    open_both(false, 400);
    uint64_t height = 0;
    enum err err = index_upto(the_index, &height);
    BUG_ON(err != OK && err != ERR_NOT_FOUND);
    for (height = err == OK ? height + 1 : 0;; height++) {
        add_block(height);
        BUG_ON(index_end_block(the_index, height) != OK);
        BUG_ON(write(STDOUT_FILENO, "", 1) != 1);
    }
}

/* Kills the child a moment after it has ended `count` blocks. */
static void kill_under_load(uint64_t *seed, unsigned count)
{
    int ends[2];
    CHECK_UINT(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        /* The threads of RocksDB do not survive a fork. */
        execl("/proc/self/exe", "test_index", dir, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    char byte;
    for (unsigned i = 0; i < count; i++) {
        CHECK(read(ends[0], &byte, 1) == 1);
    }
    usleep((unsigned)(next_random(seed) % 20000));
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
    close(ends[0]);
}

static void killed_at_random_points_its_runs_are_complete_up_to_upto(void **state)
{
    (void)state;
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    open_both(true, 400);
    close_both();
    uint64_t last = 0;
    for (unsigned round = 0; round < 20; round++) {
        kill_under_load(&seed, (unsigned)(next_random(&seed) % 60));
        struct mark_head *none = NULL;
        enum store_health health;
        struct store_options options = {.cache_len = 1 << 20};
        CHECK_OK(store_recover(&store, &health, dir, &options, none, NULL));
        CHECK_OK(index_open(&the_index, store, 400, NULL));
        uint64_t upto = 0;
        enum err err = index_upto(the_index, &upto);
        CHECK(err == OK || err == ERR_NOT_FOUND);
        CHECK(upto >= last);
        for (uint64_t height = 0; err == OK && height <= upto; height++) {
            CHECK(finds(height, (unsigned)(next_random(&seed) % BLOCK_PAIRS)));
        }
        last = upto;
        close_both();
    }
    CHECK(last > 50);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(int argc, char **argv)
{
    if (argc == 2) {
        snprintf(dir, sizeof dir, "%s", argv[1]);
        index_for_ever();
    }
    const struct CMUnitTest tests[] = {
        CASE(an_empty_index_finds_nothing_and_has_no_height),
        CASE(pairs_are_seen_once_their_block_has_ended),
        CASE(the_largest_place_and_prefix_are_kept_whole),
        CASE(many_places_of_one_digest_come_in_pages),
        CASE(upto_follows_the_runs_and_a_flush_empties_the_delta),
        CASE(a_run_left_half_written_is_removed),
        CASE(a_run_that_cannot_be_written_stops_the_index),
        CASE(a_damaged_upto_is_corrupt),
        CASE(runs_older_than_a_kind_do_not_count),
        CASE(over_a_read_only_store_the_delta_only_grows),
        CASE(random_searches_agree_with_a_naive_model_across_restarts),
        CASE(searches_beside_the_indexer_never_miss_a_pair),
        CASE(killed_at_random_points_its_runs_are_complete_up_to_upto),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
