#include "check.h"

#include "base/file.h"
#include "store/index.h"
#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <rocksdb/c.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64];
static const struct store_options to_create = {.cache_len = 1 << 20, .create = true};
static const struct store_options to_write = {.cache_len = 1 << 20};
static const struct store_options to_read = {.cache_len = 1 << 20, .read_only = true};

/* Starts this program again to play `role` with DIR and `number`: the threads of RocksDB do not
 * survive a fork. */
static pid_t start(const char *role, uint64_t number, int out_fd)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(out_fd, STDOUT_FILENO);
        execl("/proc/self/exe", "test_store", role, dir, text, (char *)NULL);
        _exit(127);
    }
    return child;
}

/* The wait status of a child in a role that ends by itself. */
static int run(const char *role, uint64_t number)
{
    int status;
    pid_t child = start(role, number, STDOUT_FILENO);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void run_to_its_death(const char *role, uint64_t number)
{
    int status = run(role, number);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/cairn-store-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
    (void)state;
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct bytes key_of(uint64_t number)
{
    static uint8_t slots[8][8];
    static unsigned next;
    uint8_t *out = slots[next++ % 8];
    put_u64(out, number);
    return (struct bytes){out, 8};
}

static struct mark_head head_at(uint64_t height)
{
    struct mark_head head = {.height = height};
    memset(head.header_hash.at, (int)(height % 251), 32);
    return head;
}

/* Commits a block of one log value of `len` bytes and the head. */
static enum err commit_block(struct store *store, uint64_t height, size_t len)
{
    struct batch *batch = batch_new();
    struct buf value = {0};
    memset(buf_grow(&value, len), (int)(height % 256), len);
    batch_put(batch, FAMILY_LOG, key_of(height), buf_bytes(&value));
    struct mark_head head = head_at(height);
    batch_put_head(batch, &head);
    enum err err = store_commit(store, batch);
    buf_clear(&value);
    batch_free(batch);
    return err;
}

static bool has_block(struct store *store, uint64_t height, size_t len)
{
    struct buf value = {0};
    enum err err = store_get(store, NULL, FAMILY_LOG, key_of(height), &value);
    bool good = err == OK && value.len == len;
    for (size_t i = 0; good && i < value.len; i++) {
        good = value.at[i] == height % 256;
    }
    buf_clear(&value);
    CHECK(err == OK || err == ERR_NOT_FOUND);
    return good;
}

/* Roles: commit blocks 1 to `last` of some size and die without closing anything. */
static void write_and_die(uint64_t last, size_t len)
{
    struct store *store;
    BUG_ON(store_open(&store, dir, &to_create, NULL) != OK);
    for (uint64_t height = 1; height <= last; height++) {
        BUG_ON(commit_block(store, height, len) != OK);
    }
    kill(getpid(), SIGKILL);
}

static void three_blocks(uint64_t len)
{
    write_and_die(3, len);
}

static void six_blocks(uint64_t len)
{
    write_and_die(6, len);
}

/* The path of the largest write-ahead log, in static memory. */
static const char *wal_path(void)
{
    static char path[256];
    char pattern[128];
    snprintf(pattern, sizeof pattern, "%s/db/*.log", dir);
    glob_t found;
    CHECK_UINT(glob(pattern, 0, NULL, &found), 0);
    off_t best = -1;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct stat stat_of;
        CHECK_UINT(stat(found.gl_pathv[i], &stat_of), 0);
        if (stat_of.st_size > best) {
            best = stat_of.st_size;
            snprintf(path, sizeof path, "%s", found.gl_pathv[i]);
        }
    }
    globfree(&found);
    CHECK(best > 0);
    return path;
}

/* Runs a shell command in the test's directory; $OPTIONS is the newest file of options there, $LOG
 * the oldest log. */
static void shell(const char *command)
{
    char line[512];
    snprintf(line, sizeof line,
             "cd %s && OPTIONS=$(ls db/OPTIONS-* | tail -1) LOG=$(ls db/*.log | head -1); %s", dir,
             command);
    if (system(line) != 0) {
        fail_msg("%s fails", command);
    }
}

static void save_dir(void)
{
    shell("cp -a db saved");
}

static void restore_dir(void)
{
    shell("rm -rf db && cp -a saved db");
}

static void flip(const char *path, size_t at)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;
    CHECK(fd >= 0);
    CHECK(pread(fd, &byte, 1, (off_t)at) == 1);
    byte ^= 0x10;
    CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
    close(fd);
}

static size_t size_of(const char *path)
{
    struct stat stat_of;
    CHECK_UINT(stat(path, &stat_of), 0);
    return (size_t)stat_of.st_size;
}

static void create_refuses_a_database_and_open_wants_one(void **state)
{
    (void)state;
    struct store *store;
    CHECK_ERR(store_open(&store, dir, &to_write, NULL), ERR_NOT_FOUND);
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    store_close(store);
    CHECK_ERR(store_open(&store, dir, &to_create, NULL), ERR_EXISTS);
    CHECK_OK(store_open(&store, dir, &to_write, NULL));
    store_close(store);
}

static void a_batch_changes_every_family_together(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    struct batch *batch = batch_new();
    for (enum family family = 0; family < FAMILY_COUNT; family++) {
        batch_put(batch, family, key_of(family), bytes_text("value"));
        batch_put(batch, family, bytes_text("gone"), bytes_text("value"));
        batch_delete(batch, family, bytes_text("gone"));
    }
    CHECK(batch_len(batch) > FAMILY_COUNT * 13u);
    CHECK_OK(store_commit(store, batch));
    CHECK_UINT(batch_len(batch), 0);
    batch_free(batch);
    struct buf value = {0};
    for (enum family family = 0; family < FAMILY_COUNT; family++) {
        value.len = 0;
        CHECK_OK(store_get(store, NULL, family, key_of(family), &value));
        CHECK_BYTES(buf_bytes(&value), bytes_text("value"));
        CHECK_ERR(store_get(store, NULL, family, bytes_text("gone"), &value), ERR_NOT_FOUND);
        CHECK_ERR(store_get(store, NULL, family, key_of(99), &value), ERR_NOT_FOUND);
        CHECK_BYTES(buf_bytes(&value), bytes_text("value"));
    }
    buf_clear(&value);
    CHECK(store_property(store, FAMILY_LOG, "rocksdb.estimate-num-keys") > 0);
    CHECK_UINT(store_property(store, FAMILY_LOG, "rocksdb.no-such-property"), 0);
    store_close(store);
}

static void a_cleared_batch_changes_nothing(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    struct batch *batch = batch_new();
    batch_put(batch, FAMILY_LOG, key_of(1), bytes_text("value"));
    batch_clear(batch);
    CHECK_OK(store_commit(store, batch));
    struct buf value = {0};
    CHECK_ERR(store_get(store, NULL, FAMILY_LOG, key_of(1), &value), ERR_NOT_FOUND);
    batch_free(batch);
    store_close(store);
}

static void a_batch_has_a_largest_size(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    CHECK_ERR(commit_block(store, 1, STORE_BATCH_MAX), ERR_RANGE);
    CHECK_OK(commit_block(store, 1, STORE_BATCH_MAX / 8));
    store_close(store);
}

static void a_cursor_walks_both_ways_in_key_order(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    for (uint64_t height = 20; height >= 2; height -= 2) {
        CHECK_OK(commit_block(store, height, 3));
    }
    struct cursor *cursor = cursor_open(store, NULL, FAMILY_LOG);
    CHECK(cursor_seek(cursor, key_of(5)));
    CHECK_BYTES(cursor_key(cursor), key_of(6));
    CHECK_BYTES(cursor_value(cursor), hex("060606"));
    CHECK(cursor_next(cursor));
    CHECK_BYTES(cursor_key(cursor), key_of(8));
    CHECK(cursor_seek_back(cursor, key_of(5)));
    CHECK_BYTES(cursor_key(cursor), key_of(4));
    CHECK(cursor_back(cursor));
    CHECK_BYTES(cursor_key(cursor), key_of(2));
    CHECK(!cursor_back(cursor));
    CHECK(!cursor_seek(cursor, key_of(21)));
    CHECK(!cursor_seek_back(cursor, key_of(1)));
    CHECK_OK(cursor_err(cursor));
    cursor_close(cursor);
    store_close(store);
}

static void a_snapshot_does_not_see_later_commits(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    CHECK_OK(commit_block(store, 1, 10));
    struct snapshot *snapshot = snapshot_open(store);
    CHECK_OK(commit_block(store, 2, 10));
    struct buf value = {0};
    CHECK_OK(store_get(store, snapshot, FAMILY_LOG, key_of(1), &value));
    CHECK_ERR(store_get(store, snapshot, FAMILY_LOG, key_of(2), &value), ERR_NOT_FOUND);
    CHECK_OK(store_get(store, NULL, FAMILY_LOG, key_of(2), &value));
    struct cursor *cursor = cursor_open(store, snapshot, FAMILY_LOG);
    CHECK(cursor_seek(cursor, key_of(0)));
    CHECK(!cursor_next(cursor));
    cursor_close(cursor);
    snapshot_close(store, snapshot);
    buf_clear(&value);
    store_close(store);
}

static void a_read_only_store_refuses_commits(void **state)
{
    (void)state;
    run_to_its_death("three_blocks", 100);
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_read, NULL));
    CHECK(has_block(store, 3, 100));
    CHECK_ERR(commit_block(store, 4, 100), ERR_READ_ONLY);
    store_close(store);
}

static void open_beside(uint64_t unused)
{
    (void)unused;
    struct store *store;
    enum store_health health;
    BUG_ON(store_open(&store, dir, &to_write, NULL) != ERR_BUSY);
    BUG_ON(store_recover(&store, &health, dir, &to_write, NULL, NULL) != ERR_BUSY);
    _exit(0);
}

static void a_second_process_is_refused_as_busy(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    CHECK_UINT(run("open_beside", 0), 0);
    store_close(store);
}

static void after_a_clean_close_the_log_is_empty(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    CHECK_OK(commit_block(store, 1, 1 << 20));
    store_close(store);
    shell("test $(cat db/*.log | wc -c) -lt 4096");
    CHECK_OK(store_open(&store, dir, &to_write, NULL));
    CHECK(has_block(store, 1, 1 << 20));
    store_close(store);
}

/* The last OPTIONS file that RocksDB wrote is what it understood. */
static void the_options_are_what_was_asked_for(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    store_close(store);
    static const char *const once[] = {
        "wal_recovery_mode=kAbsoluteConsistency",
        "track_and_verify_wals_in_manifest=true",
        "verify_sst_unique_id_in_manifest=true",
        "paranoid_checks=true",
        "max_total_wal_size=134217728",
        "db_write_buffer_size=268435456",
        "recycle_log_file_num=0",
        "keep_log_file_num=4",
        "info_log_level=FATAL_LEVEL",
        "max_log_file_size=4194304",
        "max_manifest_file_size=16777216",
        "max_open_files=1024",
        "skip_stats_update_on_db_open=true",
        "stats_persist_period_sec=0",
    };
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        char command[128];
        snprintf(command, sizeof command, "grep -q '^  %s$' $OPTIONS", once[i]);
        shell(command);
    }
    static const struct {
        const char *line;
        unsigned families;
    } often[] = {
        {"  compaction_style=kCompactionStyleUniversal", INDEX_KIND_COUNT},
        {"  prefix_extractor=rocksdb.FixedPrefix.8", INDEX_KIND_COUNT},
        {"  compaction_options_universal={.*size_ratio=20;}", INDEX_KIND_COUNT},
        {"  compaction_options_universal={.*min_merge_width=6;.*}", INDEX_KIND_COUNT},
        {"  level0_file_num_compaction_trigger=12", INDEX_KIND_COUNT},
        {"  filter_policy=ribbonfilter", 1 + FAMILY_COUNT + INDEX_KIND_COUNT},
        {"  ttl=0", 1 + FAMILY_COUNT + INDEX_KIND_COUNT},
        {"  periodic_compaction_seconds=0", 1 + FAMILY_COUNT + INDEX_KIND_COUNT},
    };
    for (size_t i = 0; i < sizeof often / sizeof often[0]; i++) {
        char command[128];
        snprintf(command, sizeof command, "test $(grep -c '^%s$' $OPTIONS) = %u", often[i].line,
                 often[i].families);
        shell(command);
    }
}

static void a_truncated_log_never_opens_by_itself_and_drops_only_its_last_record(void **state)
{
    (void)state;
    run_to_its_death("three_blocks", 70000); /* spans log blocks of 32 KiB */
    size_t whole = size_of(wal_path());
    size_t record = whole / 3;
    save_dir();
    struct mark_head two = head_at(2);
    struct mark_head three = head_at(3);
    for (size_t cut = 1; cut < record; cut = cut < 24 ? cut + 1 : cut + 7919) {
        restore_dir();
        CHECK_UINT(truncate(wal_path(), (off_t)(whole - cut)), 0);
        struct store *store;
        CHECK_ERR(store_open(&store, dir, &to_write, NULL), ERR_CORRUPT);
        enum store_health health;
        CHECK_OK(store_recover(&store, &health, dir, &to_write, &three, NULL));
        CHECK_UINT(health, STORE_BEHIND);
        CHECK_ERR(commit_block(store, 4, 1), ERR_READ_ONLY);
        store_close(store);
        CHECK_OK(store_recover(&store, &health, dir, &to_write, &two, NULL));
        CHECK_UINT(health, STORE_TORN);
        CHECK(has_block(store, 2, 70000));
        CHECK(!has_block(store, 3, 70000));
        CHECK_OK(commit_block(store, 3, 5));
        store_close(store);
        CHECK_OK(store_open(&store, dir, &to_write, NULL));
        CHECK(has_block(store, 3, 5));
        store_close(store);
    }
}

static void a_flipped_bit_in_the_log_is_behind_the_mark_unless_never_acknowledged(void **state)
{
    (void)state;
    run_to_its_death("six_blocks", 20000);
    size_t whole = size_of(wal_path());
    save_dir();
    for (size_t at = 0; at < whole; at += at < 64 || at + 64 > whole ? 13 : 7919) {
        restore_dir();
        flip(wal_path(), at);
        struct store *store;
        enum store_health health;
        struct mark_head last = head_at(6);
        CHECK_ERR(store_open(&store, dir, &to_write, NULL), ERR_CORRUPT);
        CHECK_OK(store_recover(&store, &health, dir, &to_write, &last, NULL));
        CHECK_UINT(health, STORE_BEHIND);
        store_close(store);
        struct mark_head before = head_at(5);
        CHECK_OK(store_recover(&store, &health, dir, &to_write, &before, NULL));
        CHECK_UINT(health, at < whole * 5 / 6 ? STORE_BEHIND : STORE_TORN);
        store_close(store);
    }
}

/* A limit of the file's size stands for a full disk. Ends the process with 0 if all is right. */
static void fail_a_commit(uint64_t unused)
{
    (void)unused;
    struct store *store;
    BUG_ON(store_open(&store, dir, &to_create, NULL) != OK);
    BUG_ON(commit_block(store, 1, 1000) != OK);
    struct rlimit limit;
    BUG_ON(getrlimit(RLIMIT_FSIZE, &limit) != 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {4096, limit.rlim_max};
    BUG_ON(setrlimit(RLIMIT_FSIZE, &small) != 0);
    BUG_ON(commit_block(store, 2, 100000) != ERR_IO);
    BUG_ON(setrlimit(RLIMIT_FSIZE, &limit) != 0);
    BUG_ON(commit_block(store, 3, 10) != ERR_IO);
    BUG_ON(!has_block(store, 1, 1000));
    store_close(store);
    _exit(0);
}

static void after_a_failed_commit_every_later_one_is_refused(void **state)
{
    (void)state;
    CHECK_UINT(run("fail_a_commit", 0), 0);
    struct mark_head one = head_at(1);
    struct store *store;
    enum store_health health;
    CHECK_OK(store_recover(&store, &health, dir, &to_write, &one, NULL));
    CHECK_UINT(health, STORE_TORN);
    CHECK(has_block(store, 1, 1000));
    CHECK(!has_block(store, 2, 100000));
    store_close(store);
}

static void recovery_compares_epoch_then_height_then_hash(void **state)
{
    (void)state;
    struct store *store;
    struct mark_head head;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    CHECK_ERR(store_head(store, &head), ERR_NOT_FOUND);
    store_close(store);
    static const struct {
        uint64_t epoch;
        uint64_t height;
        uint8_t byte;
        enum store_health want;
    } marks[] = {
        {0, 9, 9, STORE_GOOD},   {1, 4, 4, STORE_GOOD},   {1, 5, 5, STORE_GOOD},
        {1, 5, 6, STORE_BEHIND}, {1, 6, 6, STORE_BEHIND}, {2, 1, 1, STORE_BEHIND},
    };
    enum store_health health;
    head = head_at(1);
    CHECK_OK(store_recover(&store, &health, dir, &to_write, &head, NULL));
    CHECK_UINT(health, STORE_BEHIND);
    store_close(store);
    CHECK_OK(store_recover(&store, &health, dir, &to_write, NULL, NULL));
    CHECK_UINT(health, STORE_GOOD);
    struct batch *batch = batch_new();
    head = head_at(5);
    head.epoch = 1;
    batch_put_head(batch, &head);
    CHECK_OK(store_commit(store, batch));
    store_close(store);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        struct mark_head mark = {.epoch = marks[i].epoch, .height = marks[i].height};
        memset(mark.header_hash.at, marks[i].byte, 32);
        CHECK_OK(store_recover(&store, &health, dir, &to_write, &mark, NULL));
        CHECK_UINT(health, marks[i].want);
        CHECK_OK(store_head(store, &head));
        CHECK_UINT(head.height, 5);
        store_close(store);
        CHECK_OK(store_recover(&store, &health, dir, &to_read, &mark, NULL));
        CHECK_UINT(health, marks[i].want);
        CHECK_ERR(commit_block(store, 6, 1), ERR_READ_ONLY);
        store_close(store);
    }
    CHECK_OK(store_open(&store, dir, &to_write, NULL));
    batch_put(batch, FAMILY_META, bytes_text("head"), bytes_text("short"));
    CHECK_OK(store_commit(store, batch));
    CHECK_ERR(store_head(store, &head), ERR_CORRUPT);
    batch_free(batch);
    store_close(store);
    CHECK_ERR(store_recover(&store, &health, dir, &to_write, NULL, NULL), ERR_CORRUPT);
}

/* Makes an empty database of two families. */
static void make_foreign(const char *family)
{
    char path[80];
    snprintf(path, sizeof path, "%s/db", dir);
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    const char *names[] = {"default", family};
    const rocksdb_options_t *both[] = {options, options};
    rocksdb_column_family_handle_t *columns[2];
    char *error = NULL;
    rocksdb_t *db = rocksdb_open_column_families(options, path, 2, names, both, columns, &error);
    CHECK(error == NULL);
    rocksdb_column_family_handle_destroy(columns[0]);
    rocksdb_column_family_handle_destroy(columns[1]);
    rocksdb_close(db);
    rocksdb_options_destroy(options);
}

static void a_family_of_a_newer_version_is_refused(void **state)
{
    (void)state;
    make_foreign("future");
    struct store *store;
    struct why why = {0};
    CHECK_ERR(store_open(&store, dir, &to_write, &why), ERR_VERSION);
    CHECK(strcmp(why.value, "future") == 0);
    CHECK_ERR(store_open(&store, dir, &to_read, NULL), ERR_VERSION);
}

static void a_family_that_an_older_version_lacked_is_empty_then_made(void **state)
{
    (void)state;
    make_foreign("log");
    struct store *store;
    enum store_health health;
    CHECK_OK(store_open(&store, dir, &to_read, NULL));
    struct buf value = {0};
    CHECK_ERR(store_get(store, NULL, FAMILY_STATE, key_of(1), &value), ERR_NOT_FOUND);
    struct cursor *cursor = cursor_open(store, NULL, FAMILY_STATE);
    CHECK(!cursor_seek(cursor, key_of(0)));
    cursor_close(cursor);
    store_close(store);
    CHECK_OK(store_recover(&store, &health, dir, &to_write, NULL, NULL));
    CHECK_OK(commit_block(store, 1, 10));
    CHECK(has_block(store, 1, 10));
    store_close(store);
}

static void a_missing_file_of_the_database_is_corrupt(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    CHECK_OK(commit_block(store, 1, 100000));
    store_close(store);
    shell("mv $(ls -S db/*.sst | head -1) gone");
    CHECK_ERR(store_open(&store, dir, &to_write, NULL), ERR_CORRUPT);
    enum store_health health;
    CHECK_ERR(store_recover(&store, &health, dir, &to_write, NULL, NULL), ERR_CORRUPT);
}

static void a_damaged_value_is_corrupt_when_it_is_read(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    struct batch *batch = batch_new();
    struct buf value = {0};
    memset(buf_grow(&value, 100000), 7, 100000);
    batch_put(batch, FAMILY_ITEMS, key_of(1), buf_bytes(&value));
    CHECK_OK(store_commit(store, batch));
    batch_free(batch);
    store_close(store);
    shell("printf x | dd of=$(ls -S db/*.sst | head -1) bs=1 seek=50000 conv=notrunc status=none");
    CHECK_OK(store_open(&store, dir, &to_write, NULL));
    value.len = 0;
    CHECK_ERR(store_get(store, NULL, FAMILY_ITEMS, key_of(1), &value), ERR_CORRUPT);
    CHECK_UINT(value.len, 0);
    struct cursor *cursor = cursor_open(store, NULL, FAMILY_ITEMS);
    CHECK(!cursor_seek(cursor, key_of(0)));
    CHECK_ERR(cursor_err(cursor), ERR_CORRUPT);
    cursor_close(cursor);
    buf_clear(&value);
    store_close(store);
}

/* Reports each height through standard output once its commit has returned. */
static void commit_for_ever(uint64_t number)
{
    unsigned seed = (unsigned)number;
    struct store *store;
    enum store_health health;
    BUG_ON(store_recover(&store, &health, dir, &to_write, NULL, NULL) != OK);
    struct mark_head head = {0};
    enum err err = store_head(store, &head);
    BUG_ON(err != OK && err != ERR_NOT_FOUND);
    for (uint64_t height = head.height + 1;; height++) {
        BUG_ON(commit_block(store, height, height * 7919 % 300000) != OK);
        BUG_ON(write(STDOUT_FILENO, &height, sizeof height) != sizeof height);
        if (rand_r(&seed) % 64 == 0) {
            store_close(store);
            BUG_ON(store_open(&store, dir, &to_write, NULL) != OK);
        }
    }
}

/* Kills the child a moment after it has acknowledged `count` blocks; notes the last one that it
 * did. */
static void kill_under_load(uint64_t *acknowledged, unsigned seed, unsigned count)
{
    int ends[2];
    CHECK_UINT(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = start("commit_for_ever", seed, ends[1]);
    close(ends[1]);
    uint64_t height;
    for (unsigned i = 0; i < count; i++) {
        CHECK(read(ends[0], &height, sizeof height) == sizeof height);
        *acknowledged = height;
    }
    usleep((unsigned)rand_r(&seed) % 5000);
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
    while (read(ends[0], &height, sizeof height) == sizeof height) {
        *acknowledged = height;
    }
    close(ends[0]);
}

static void killed_at_random_points_it_keeps_every_acknowledged_block(void **state)
{
    (void)state;
    struct store *store;
    CHECK_OK(store_open(&store, dir, &to_create, NULL));
    store_close(store);
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    uint64_t acknowledged = 0;
    for (unsigned round = 0; round < 20; round++) {
        /* At once, too: while the database opens. */
        kill_under_load(&acknowledged, (unsigned)rand_r(&seed), (unsigned)rand_r(&seed) % 12);
        struct mark_head mark = head_at(acknowledged);
        enum store_health health;
        CHECK_OK(
            store_recover(&store, &health, dir, &to_write, acknowledged > 0 ? &mark : NULL, NULL));
        CHECK(health != STORE_BEHIND);
        struct mark_head head = {0};
        CHECK(acknowledged == 0 || store_head(store, &head) == OK);
        CHECK(head.height >= acknowledged);
        for (uint64_t height = 1; height <= head.height; height++) {
            CHECK(has_block(store, height, height * 7919 % 300000));
        }
        store_close(store);
    }
    print_message("%llu blocks acknowledged\n", (unsigned long long)acknowledged);
}

/* Many megabytes: the items were flushed meanwhile and the head was not, so that the database needs
 * an older log beside the last one. Items of block 1 to `last` are 4 MiB each. */
static void two_logs(uint64_t last)
{
    struct store *store;
    BUG_ON(store_open(&store, dir, &to_create, NULL) != OK);
    struct batch *batch = batch_new();
    struct buf value = {0};
    memset(buf_grow(&value, 4 << 20), 7, 4 << 20);
    for (uint64_t height = 1; height <= last; height++) {
        struct mark_head head = head_at(height);
        batch_put(batch, FAMILY_ITEMS, key_of(height), buf_bytes(&value));
        batch_put_head(batch, &head);
        BUG_ON(store_commit(store, batch) != OK);
    }
    while (store_property(store, FAMILY_ITEMS, "rocksdb.num-immutable-mem-table") > 0) {
        usleep(1000);
    }
    kill(getpid(), SIGKILL);
}

/* Neither may open for writing, whatever RocksDB makes of it. */
static void check_not_writable(const struct mark_head *mark)
{
    struct store *store;
    enum store_health health;
    enum err err = store_recover(&store, &health, dir, &to_write, mark, NULL);
    CHECK(err == OK || err == ERR_CORRUPT);
    if (err == OK) {
        CHECK_UINT(health, STORE_BEHIND);
        store_close(store);
    }
}

static void damage_to_an_older_log_is_never_taken_for_a_torn_record(void **state)
{
    (void)state;
    run_to_its_death("two_logs", 20);
    shell("test $(ls db/*.log | wc -l) = 2");
    struct mark_head last = head_at(20);
    struct store *store;
    enum store_health health;
    save_dir();
    static const char *const damages[] = {
        "printf x | dd of=$LOG bs=1 seek=9000000 conv=notrunc status=none",
        "truncate -s -5 $LOG",
        "truncate -s 9000000 $LOG",
        "rm $LOG",
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        restore_dir();
        shell(damages[i]);
        CHECK_ERR(store_open(&store, dir, &to_write, NULL), ERR_CORRUPT);
        check_not_writable(&last);
    }
    restore_dir();
    shell("rm $(ls db/*.log | tail -1)");
    check_not_writable(&last);
    restore_dir();
    CHECK_OK(store_recover(&store, &health, dir, &to_write, &last, NULL));
    CHECK_UINT(health, STORE_GOOD);
    store_close(store);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

static const struct {
    const char *name;
    void (*play)(uint64_t number);
} roles[] = {
    {"three_blocks", three_blocks},       {"six_blocks", six_blocks},
    {"open_beside", open_beside},         {"fail_a_commit", fail_a_commit},
    {"commit_for_ever", commit_for_ever}, {"two_logs", two_logs},
};

static int play(char **argv)
{
    snprintf(dir, sizeof dir, "%s", argv[2]);
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(roles[i].name, argv[1]) == 0) {
            roles[i].play(strtoull(argv[3], NULL, 10));
        }
    }
    return 127;
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        return play(argv);
    }
    const struct CMUnitTest tests[] = {
        CASE(create_refuses_a_database_and_open_wants_one),
        CASE(a_batch_changes_every_family_together),
        CASE(a_cleared_batch_changes_nothing),
        CASE(a_batch_has_a_largest_size),
        CASE(a_cursor_walks_both_ways_in_key_order),
        CASE(a_snapshot_does_not_see_later_commits),
        CASE(a_read_only_store_refuses_commits),
        CASE(a_second_process_is_refused_as_busy),
        CASE(after_a_clean_close_the_log_is_empty),
        CASE(the_options_are_what_was_asked_for),
        CASE(after_a_failed_commit_every_later_one_is_refused),
        CASE(recovery_compares_epoch_then_height_then_hash),
        CASE(a_family_of_a_newer_version_is_refused),
        CASE(a_family_that_an_older_version_lacked_is_empty_then_made),
        CASE(a_missing_file_of_the_database_is_corrupt),
        CASE(a_damaged_value_is_corrupt_when_it_is_read),
        CASE(killed_at_random_points_it_keeps_every_acknowledged_block),
        CASE(damage_to_an_older_log_is_never_taken_for_a_torn_record),
        CASE(a_truncated_log_never_opens_by_itself_and_drops_only_its_last_record),
        CASE(a_flipped_bit_in_the_log_is_behind_the_mark_unless_never_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
