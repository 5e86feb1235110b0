/* A ledger that is killed at random points, again and again, has every block that was acknowledged
 * and ends with the same bytes as one that nobody disturbed.
 *
 * Every step runs in a process of its own: this one never opens a database, so that it may fork. */
#include "ledger_maker.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define BLOCKS    300
#define PER_BLOCK 4

static struct maker maker;
static struct submission *submissions[BLOCKS * PER_BLOCK];

/* Puts or deletes a key, or sets a timer that fires in one of the next blocks. */
static void put_op(struct buf *out, unsigned i)
{
    uint8_t key[2] = {0x61, (uint8_t)('a' + seeded_below(20))};
    uint8_t value[2] = {0x81, (uint8_t)seeded_below(20)};
    uint8_t id[MAKER_TIMER_ID] = {(uint8_t)seeded_below(TIMER_KINDS), 1, (uint8_t)i};
    uint8_t due[8];
    bool timer = seeded_below(3) == 0;
    put_u64(due, MAKER_TIME + i + seeded_below(40));
    cbor_put_uint(out, timer ? OP_SET_TIMER : seeded_below(2) == 0 ? OP_PUT : OP_DELETE);
    cbor_put_bytes(out, timer ? BYTES_OF(id) : BYTES_OF(key));
    cbor_put_bytes(out, timer ? BYTES_OF(due) : BYTES_OF(value));
}

static void make_statements(void)
{
    struct maker_statement what = {.member = 1, .type = "test.run", .verified = true};
    for (unsigned i = 0; i < BLOCKS * PER_BLOCK; i++) {
        struct buf body = {0};
        what.time_ms = MAKER_TIME + i;
        what.valid_until = MAKER_TIME + i + seeded_below(1000) + PER_BLOCK;
        if (i % PER_BLOCK == 0) {
            submissions[i] = maker_deposit(&maker, what, 1 + (uint32_t)seeded_below(600));
            continue;
        }
        cbor_put_array(&body, 2);
        cbor_put_uint(&body, 1);
        cbor_put_array(&body, 1);
        cbor_put_array(&body, 3);
        put_op(&body, i);
        what.type = "test.run";
        what.body = buf_bytes(&body);
        submissions[i] = maker_submission(&maker, &what);
        buf_clear(&body);
    }
}

/* The block of a height, whoever executes it and when. */
static void execute_height(uint64_t height)
{
    struct submission **first = &submissions[(height - 1) * PER_BLOCK];
    struct block_result result =
        maker_execute(&maker, first, PER_BLOCK, MAKER_TIME + (height - 1) * PER_BLOCK);
    CHECK_UINT(result.header.height, height);
}

static uint64_t height_now(void)
{
    struct view *view = ledger_view(maker.ledger);
    uint64_t height = view_header(view)->height;
    view_release(view);
    return height;
}

/* Opens as a start of the node does. */
static void recover(void)
{
    struct why why = {0};
    struct store_options options = {.cache_len = 8 << 20};
    enum store_health health;
    CHECK_OK(store_recover(&maker.store, &health, maker.dir, &options, NULL, &why));
    CHECK(health != STORE_BEHIND);
    CHECK_OK(ledger_open(&maker.ledger, maker.store, &maker_rules, &why));
}

/* Goes on from where the ledger stands, telling each durable height; kills itself after having
 * executed `die_at`, before the commit. */
static void run_on(int out, uint64_t acknowledged, uint64_t die_at)
{
    recover();
    uint64_t height = height_now();
    CHECK(height >= acknowledged);
    while (height < BLOCKS) {
        execute_height(height + 1);
        if (height + 1 == die_at) {
            raise(SIGKILL);
        }
        CHECK_OK(ledger_commit(maker.ledger));
        height++;
        CHECK(write(out, &height, sizeof height) == (ssize_t)sizeof height);
    }
    maker_close(&maker);
}

static void create_only(int out, uint64_t acknowledged, uint64_t die_at)
{
    (void)out;
    (void)acknowledged;
    (void)die_at;
    char dir[64];
    memcpy(dir, maker.dir, sizeof dir);
    struct buf document = {0};
    struct hash hash;
    struct store_options options = {.cache_len = 8 << 20, .create = true};
    maker_genesis(&document, &maker.keys);
    CHECK_OK(store_open(&maker.store, dir, &options, NULL));
    CHECK_OK(ledger_create(maker.store, buf_bytes(&document), MAKER_TIME, &hash, NULL));
    store_close(maker.store);
    buf_clear(&document);
}

static void dump(int out, uint64_t acknowledged, uint64_t die_at)
{
    (void)acknowledged;
    (void)die_at;
    recover();
    CHECK_UINT(height_now(), BLOCKS);
    struct hash hash = maker_dump(maker.store);
    CHECK(write(out, hash.at, sizeof hash.at) == (ssize_t)sizeof hash.at);
    maker_close(&maker);
}

struct child {
    pid_t pid;
    int from;
};

typedef void step_fn(int out, uint64_t acknowledged, uint64_t die_at);

static struct child start(step_fn *step, uint64_t acknowledged, uint64_t die_at)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        step(ends[1], acknowledged, die_at);
        _exit(0);
    }
    close(ends[1]);
    return (struct child){pid, ends[0]};
}

static int finish(struct child child)
{
    int status;
    close(child.from);
    CHECK(waitpid(child.pid, &status, 0) == child.pid);
    return status;
}

/* Reads acknowledgements, and kills after `kill_after` of them. */
static uint64_t follow(struct child child, uint64_t acknowledged, uint64_t kill_after)
{
    uint64_t height;
    for (uint64_t i = 0; read(child.from, &height, sizeof height) == (ssize_t)sizeof height; i++) {
        acknowledged = height;
        if (i == kill_after) {
            usleep((useconds_t)seeded_below(1500));
            kill(child.pid, SIGKILL);
        }
    }
    return acknowledged;
}

/* The store gives its database up after a failed write, so this too has a process of its own. */
static void fail_to_commit(int out, uint64_t acknowledged, uint64_t die_at)
{
    (void)out;
    (void)acknowledged;
    (void)die_at;
    recover();
    struct block_input input = {MAKER_TIME, submissions, 1};
    struct block_result result;
    struct rlimit limit;
    execute_height(1);
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    struct rlimit none = {0, limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    enum err err = ledger_commit(maker.ledger);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK_ERR(err, ERR_IO);
    CHECK_ERR(ledger_commit(maker.ledger), ERR_IO);
    CHECK_ERR(ledger_execute(maker.ledger, &input, &result), ERR_IO);
    CHECK_UINT(height_now(), 0);
}

static int make_all(void **state)
{
    (void)state;
    seeded_start("crash");
    maker_keys_init(&maker.keys);
    struct buf document = {0};
    maker_genesis(&document, &maker.keys);
    sha256(&maker.chain, buf_bytes(&document));
    buf_clear(&document);
    make_statements();
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BLOCKS * PER_BLOCK; i++) {
        submission_free(submissions[i]);
    }
    maker_keys_clear(&maker.keys);
    return 0;
}

static void new_dir(void)
{
    strcpy(maker.dir, "/tmp/cairn-ledger-XXXXXX");
    CHECK(mkdtemp(maker.dir) != NULL);
    CHECK(finish(start(create_only, 0, 0)) == 0);
}

static void remove_dir(void)
{
    CHECK(nftw(maker.dir, maker_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void after_a_failed_commit_no_block_is_taken(void **state)
{
    (void)state;
    new_dir();
    CHECK(finish(start(fail_to_commit, 0, 0)) == 0);
    remove_dir();
}

static void killed_ledgers_keep_what_they_acknowledged(void **state)
{
    (void)state;
    struct hash hashes[2];
    for (unsigned disturbed = 0; disturbed < 2; disturbed++) {
        new_dir();
        uint64_t acknowledged = 0;
        while (acknowledged < BLOCKS) {
            uint64_t ahead = disturbed ? seeded_below(30) : BLOCKS;
            uint64_t die_at = disturbed && seeded_below(2) == 0 ? acknowledged + 1 + ahead : 0;
            struct child child = start(run_on, acknowledged, die_at);
            acknowledged = follow(child, acknowledged, die_at > 0 ? BLOCKS : ahead);
            int status = finish(child);
            CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
        }
        struct child child = start(dump, BLOCKS, 0);
        CHECK(read(child.from, hashes[disturbed].at, 32) == 32);
        CHECK(finish(child) == 0);
        remove_dir();
    }
    CHECK(hash_equal(&hashes[0], &hashes[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_failed_commit_no_block_is_taken),
        cmocka_unit_test(killed_ledgers_keep_what_they_acknowledged),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
