/* Random blocks through the ledger and through the model; then the same blocks in other processes,
 * executed in other ways, which must leave the same bytes. */
#include "ledger_model.h"

#include "base/file.h"

#include <spawn.h>
#include <sys/wait.h>

#define BLOCKS    1000
#define BLOCK_MAX 10
#define POOL      64

extern char **environ;

static const char *self;
static struct maker maker;
static struct model *model;
static struct buf recorded;          /* the blocks, for the replay */
static struct model_case pool[POOL]; /* sent before; may be sent again */
static size_t pool_count;
static unsigned timers_fired;
static unsigned blocks_of_timers; /* which have no entry */

static void put_op(struct buf *out, uint64_t op, struct bytes key, struct bytes value)
{
    cbor_put_array(out, 3);
    cbor_put_uint(out, op);
    cbor_put_bytes(out, key);
    cbor_put_bytes(out, value);
}

/* Most are due soon, some were due long ago, a few share their due time. */
static void put_timer_op(struct buf *out, uint64_t op, uint64_t time_ms)
{
    uint8_t id[MAKER_TIMER_ID] = {(uint8_t)seeded_below(TIMER_KINDS), (uint8_t)seeded_below(3),
                                  (uint8_t)seeded_below(3)};
    uint8_t due[8];
    put_u64(due, time_ms - 500 + (seeded_below(3) == 0 ? seeded_below(8000) : 500));
    put_op(out, op, BYTES_OF(id), BYTES_OF(due));
}

static void random_ops(struct buf *out, uint64_t time_ms)
{
    size_t count = (size_t)seeded_below(5);
    cbor_put_array(out, 2);
    cbor_put_uint(out, 1);
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t key[2] = {0x61, (uint8_t)('a' + seeded_below(20))};
        uint8_t value[2] = {0x81, (uint8_t)seeded_below(3)};
        uint64_t kind = seeded_below(20);
        if (kind >= 16) {
            put_timer_op(out, kind < 19 ? OP_SET_TIMER : OP_CLEAR_TIMER, time_ms);
            continue;
        }
        uint64_t op = kind < 8    ? OP_PUT
                      : kind < 13 ? OP_DELETE
                      : kind < 14 ? OP_REFUSE
                      : kind < 15 ? OP_MUST_FIND
                                  : OP_NEXT_EPOCH;
        put_op(out, op, BYTES_OF(key), BYTES_OF(value));
    }
}

/* Ends a key of somebody but the operator's first. */
static void end_op(struct buf *out)
{
    unsigned m = (unsigned)seeded_below(MAKER_MEMBERS);
    unsigned k = (unsigned)(m == 0 ? 1 + seeded_below(2) : 1 + seeded_below(MAKER_KEYS - 1));
    cbor_put_array(out, 2);
    cbor_put_uint(out, 1);
    cbor_put_array(out, 1);
    put_op(out, OP_END_KEY, hash_bytes(&maker.keys.kid[m][k]), BYTES_NONE);
}

static struct model_case new_own(uint64_t time_ms)
{
    static const char *const types[] = {"test.run", "test.run", "test.own", "member.run"};
    struct buf body = {0};
    struct hash other = {{9}};
    struct model_case out = {.member = (unsigned)seeded_below(MAKER_MEMBERS),
                             .key = (unsigned)seeded_below(MAKER_KEYS - 1)};
    struct maker_statement what = {.member = out.member,
                                   .key = out.key,
                                   .type = types[seeded_below(4)],
                                   .time_ms = time_ms,
                                   .verified = seeded_below(2) == 0};
    what.valid_until = time_ms - 500 + seeded_below(20000);
    what.chain = seeded_below(30) == 0 ? &other : NULL;
    if (seeded_below(60) == 0) {
        out.member = what.member = 0;
        out.key = what.key = 0;
        what.type = "member.run";
        end_op(&body);
    } else {
        random_ops(&body, time_ms);
    }
    what.body = buf_bytes(&body);
    out.submission = maker_submission(&maker, &what);
    buf_clear(&body);
    return out;
}

static struct model_case new_deposit(uint64_t time_ms)
{
    struct model_case out = {.member = (unsigned)seeded_below(2), .key = 0};
    struct maker_statement what = {.member = out.member, .time_ms = time_ms};
    uint32_t count = 1 + (uint32_t)(seeded_below(4) == 0 ? seeded_below(1200) : seeded_below(4));
    out.submission = maker_deposit(&maker, what, count);
    return out;
}

static struct model_case new_foreign(void)
{
    struct model_case out = {.member = (unsigned)seeded_below(MAKER_MEMBERS),
                             .key = MAKER_KEYS - 1};
    uint8_t payload[8];
    put_u64(payload, seeded_u64());
    out.submission = maker_foreign_submission(maker.keys.signer[out.member][out.key],
                                              hash_bytes(&maker.keys.kid[out.member][out.key]),
                                              BYTES_NONE, BYTES_OF(payload));
    return out;
}

static struct model_case random_case(uint64_t time_ms, const struct model_case *block, size_t count)
{
    uint64_t kind = seeded_below(20);
    struct model_case out;
    if (kind < 3 && pool_count > 0) {
        out = pool[seeded_below(pool_count)];
    } else if (kind < 5 && count > 0) {
        out = block[seeded_below(count)];
    } else if (kind < 7) {
        return new_deposit(time_ms);
    } else if (kind < 8) {
        return new_foreign();
    } else {
        out = new_own(time_ms);
        if (seeded_below(20) == 0) {
            out.submission->entry.at[out.submission->entry.len - 1] ^= 1;
            out.submission->verified = false;
            out.bad_signature = true;
        }
        return out;
    }
    struct items *items = out.submission->items;
    out.submission = maker_again(out.submission);
    if (items != NULL) {
        out.submission->items = items_new(1);
    }
    return out;
}

static void pool_add(struct model_case at)
{
    size_t slot = pool_count < POOL ? pool_count++ : (size_t)seeded_below(POOL);
    if (pool[slot].submission != NULL) {
        submission_free(pool[slot].submission);
    }
    pool[slot] = at;
}

/* Deposits sent again come without their items, so they are recorded with none. */
static void record(uint64_t time_ms, const struct model_case *cases, size_t count)
{
    put_u64(buf_grow(&recorded, 8), time_ms);
    put_u32(buf_grow(&recorded, 4), (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct submission *submission = cases[i].submission;
        struct buf sequence = {0};
        const struct items *items = submission->items;
        for (uint32_t c = 0; items != NULL && c < items->chunk_count; c++) {
            CHECK_OK(chunk_items(&sequence, buf_bytes(&items->chunks[c])));
        }
        put_u32(buf_grow(&recorded, 4), (uint32_t)submission->entry.len);
        buf_put(&recorded, buf_bytes(&submission->entry));
        put_u32(buf_grow(&recorded, 4), items != NULL ? items->count : 0);
        put_u32(buf_grow(&recorded, 4), (uint32_t)sequence.len);
        buf_put(&recorded, buf_bytes(&sequence));
        buf_clear(&sequence);
    }
}

static void check_header(const struct block_result *result)
{
    struct buf got = {0};
    struct buf want = {0};
    header_write(&got, &result->header);
    header_write(&want, &model->head);
    CHECK_BYTES(buf_bytes(&got), buf_bytes(&want));
    CHECK(hash_equal(&result->header_hash, &model->headers[model->header_count - 1]));
    buf_clear(&got);
    buf_clear(&want);
}

static void check_results(const struct block_result *result, const struct statement_result *want)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct statement_result *got = &result->results[i];
        CHECK_ERR(got->err, want[i].err);
        CHECK_UINT(got->seen, want[i].seen);
        CHECK_UINT(got->index, want[i].index);
        CHECK_UINT(got->height, want[i].height);
        CHECK(got->err != OK || hash_equal(&got->id, &want[i].id));
    }
}

static void check_path(const struct path *path, const struct hash *leaf, uint64_t index,
                       uint64_t size, const struct hash *root)
{
    struct hash got;
    CHECK_OK(path_root(&got, leaf, index, size, path->at, path->count));
    CHECK(hash_equal(&got, root));
}

static void check_entry(const struct view *view, uint64_t index)
{
    const struct model_entry *entry = &model->entries[index];
    struct buf out = {0};
    struct path path;
    uint64_t height;
    CHECK_OK(view_entry(view, index, &out, &height));
    CHECK_BYTES(buf_bytes(&out), buf_bytes(&entry->bytes));
    CHECK_UINT(height, entry->height);
    CHECK_OK(view_log_path(view, index, model->entry_count, &path));
    check_path(&path, &entry->leaf, index, model->entry_count, &view_header(view)->tree_root);
    if (entry->item_count > 0) {
        struct statement statement;
        struct deposit deposit;
        uint32_t number = (uint32_t)seeded_below(entry->item_count);
        struct hash leaf;
        CHECK_OK(statement_parse(&statement, buf_bytes(&entry->bytes), NULL));
        CHECK_OK(deposit_parse(&deposit, statement.sign1.payload));
        out.len = 0;
        CHECK_OK(view_item(view, index, entry->item_count, number, &out, &path));
        leaf_hash(&leaf, buf_bytes(&out));
        check_path(&path, &leaf, number, entry->item_count, &deposit.items_root);
        CHECK_ERR(view_item(view, index, entry->item_count, entry->item_count, &out, &path),
                  ERR_RANGE);
        out.len = 0;
        CHECK_OK(view_items(view, index, entry->item_count, &out));
        CHECK_BYTES(buf_bytes(&out), buf_bytes(&entry->items));
    }
    buf_clear(&out);
}

static void check_block(const struct view *view, uint64_t height)
{
    struct buf out = {0};
    struct hash hash;
    struct path path;
    struct hash leaf;
    CHECK_OK(view_block(view, height, &out));
    sha256(&hash, buf_bytes(&out));
    CHECK(hash_equal(&hash, &model->headers[height]));
    if (height < model->head.height) {
        leaf_hash(&leaf, hash_bytes(&hash));
        CHECK_OK(view_history_path(view, height, model->head.height, &path));
        check_path(&path, &leaf, height, model->head.height, &model->head.history_root);
    }
    buf_clear(&out);
}

static void check_state(const struct view *view)
{
    uint8_t key[2] = {0x61, (uint8_t)('a' + seeded_below(20))};
    struct state_answer answer = {0};
    struct buf whole = {0};
    struct hash key_hash;
    struct hash root;
    struct hash siblings[SIBLINGS_MAX];
    const struct model_pair *pair =
        model_find(&model->state, model_key(&whole, "test", BYTES_OF(key)));
    CHECK_ERR(view_state(view, bytes_text("test"), BYTES_OF(key), &answer),
              pair == NULL ? ERR_NOT_FOUND : OK);
    size_t count = answer.siblings.len / 32;
    if (count > 0) {
        memcpy(siblings, answer.siblings.at, answer.siblings.len);
    }
    state_key_hash(&key_hash, bytes_text("test"), BYTES_OF(key));
    if (pair != NULL) {
        CHECK_BYTES(buf_bytes(&answer.value), buf_bytes(&pair->value));
        CHECK_OK(state_presence_root(&root, &key_hash, buf_bytes(&answer.value), siblings, count));
    } else {
        CHECK_OK(state_absence_root(
            &root, &key_hash, answer.has_other ? &answer.other_key_hash : NULL,
            answer.has_other ? &answer.other_value_hash : NULL, siblings, count));
    }
    CHECK(hash_equal(&root, &model->head.state_root));
    state_answer_clear(&answer);
    buf_clear(&whole);
}

static void check_view(void)
{
    struct view *view = ledger_view(maker.ledger);
    CHECK(hash_equal(view_header_hash(view), &model->headers[model->header_count - 1]));
    check_entry(view, seeded_below(model->entry_count));
    check_entry(view, model->entry_count - 1);
    check_block(view, seeded_below(model->header_count));
    check_state(view);
    view_release(view);
}

static void random_block(uint64_t time_ms)
{
    struct model_case cases[BLOCK_MAX];
    struct submission *submissions[BLOCK_MAX];
    struct statement_result want[BLOCK_MAX];
    size_t count = (size_t)seeded_below(BLOCK_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        cases[i] = random_case(time_ms, cases, i);
        submissions[i] = cases[i].submission;
    }
    record(time_ms, cases, count);
    struct block_result result;
    /* Executed and discarded first, at times another block. */
    if (seeded_below(3) == 0) {
        result = maker_execute(&maker, submissions, (size_t)seeded_below(count + 1), time_ms + 1);
        if (seeded_below(2) == 0) {
            ledger_discard(maker.ledger);
        }
    }
    result = maker_execute(&maker, submissions, count, time_ms);
    size_t before = model->header_count;
    unsigned fired = model_block(model, cases, count, time_ms, want);
    check_results(&result, want);
    CHECK_UINT(result.timers_fired, fired);
    CHECK_UINT(result.changed, model->header_count > before);
    check_header(&result);
    CHECK_OK(ledger_commit(maker.ledger));
    CHECK_UINT(ledger_timer_due(maker.ledger), model_timer_due(model));
    timers_fired += fired;
    blocks_of_timers += fired > 0 && result.header.first_index == result.header.tree_size;
    for (size_t i = 0; i < count; i++) {
        pool_add(cases[i]);
    }
}

static struct hash replay_in_process(const char *path, const char *way)
{
    int pipes[2];
    struct hash out = {{0}};
    CHECK(pipe(pipes) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    char program[512];
    char file[256];
    char mode[16];
    snprintf(program, sizeof program, "%s", self);
    snprintf(file, sizeof file, "%s", path);
    snprintf(mode, sizeof mode, "%s", way);
    char *arguments[] = {program, file, mode, NULL};
    pid_t child;
    CHECK(posix_spawn(&child, self, &actions, NULL, arguments, environ) == 0);
    close(pipes[1]);
    CHECK(read(pipes[0], out.at, sizeof out.at) == (ssize_t)sizeof out.at);
    close(pipes[0]);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    posix_spawn_file_actions_destroy(&actions);
    return out;
}

static void random_blocks_agree_with_the_model_and_replay_to_the_same_bytes(void **state)
{
    (void)state;
    seeded_start("model");
    maker_keys_init(&maker.keys);
    maker_create(&maker);
    model = model_new(&maker);
    maker_genesis(&recorded, &maker.keys);
    size_t genesis_len = recorded.len;
    uint64_t time_ms = MAKER_TIME;
    for (unsigned i = 0; i < BLOCKS; i++) {
        time_ms += seeded_below(4) == 0 ? 0 : seeded_below(3000);
        random_block(time_ms);
        check_view();
        if (seeded_below(50) == 0) {
            maker_close(&maker);
            maker_open(&maker);
            check_view();
            CHECK_UINT(ledger_timer_due(maker.ledger), model_timer_due(model));
        }
    }
    struct hash dump = maker_dump(maker.store);
    struct buf file = {0};
    put_u32(buf_grow(&file, 4), (uint32_t)genesis_len);
    buf_put(&file, buf_bytes(&recorded));
    char *path = path_join(maker.dir, "blocks");
    CHECK_OK(file_write(path, buf_bytes(&file), 0600, NULL));
    printf("%zu blocks, %zu entries, %u timers fired, %u blocks of timers alone\n",
           model->header_count, model->entry_count, timers_fired, blocks_of_timers);
    CHECK(timers_fired > 100 && blocks_of_timers > 10);
    static const char *const ways[] = {"plain", "twice", "reopen"};
    for (unsigned i = 0; i < 3; i++) {
        struct hash again = replay_in_process(path, ways[i]);
        CHECK(hash_equal(&dump, &again));
    }
    for (size_t i = 0; i < pool_count; i++) {
        submission_free(pool[i].submission);
    }
    free(path);
    buf_clear(&file);
    buf_clear(&recorded);
    model_free(model);
    maker_destroy(&maker);
    maker_keys_clear(&maker.keys);
}

/* The replaying process. */

static struct bytes take(struct bytes *from, size_t len)
{
    BUG_ON(from->len < len);
    struct bytes out = {from->at, len};
    from->at += len;
    from->len -= len;
    return out;
}

static struct submission *take_submission(struct bytes *from)
{
    struct submission *out = mem_zalloc(sizeof *out);
    buf_put(&out->entry, take(from, get_u32(take(from, 4).at)));
    maker_submission_fill(out, false);
    uint32_t count = get_u32(take(from, 4).at);
    struct bytes sequence = take(from, get_u32(take(from, 4).at));
    if (out->action->takes_items) {
        struct deposit deposit;
        CHECK_OK(deposit_parse(&deposit, out->statement.sign1.payload));
        out->items = items_new(deposit.count);
        if (count > 0) {
            CHECK_OK(items_feed(out->items, sequence, NULL));
            CHECK_OK(items_finish(out->items, &deposit.items_root, NULL));
        }
    }
    return out;
}

static void replay_block(struct bytes *from, bool twice)
{
    uint64_t time_ms = get_u64(take(from, 8).at);
    uint32_t count = get_u32(take(from, 4).at);
    struct submission *submissions[BLOCK_MAX];
    for (uint32_t i = 0; i < count; i++) {
        submissions[i] = take_submission(from);
    }
    maker_execute(&maker, submissions, count, time_ms);
    if (twice) {
        maker_execute(&maker, submissions, count, time_ms);
    }
    CHECK_OK(ledger_commit(maker.ledger));
    for (uint32_t i = 0; i < count; i++) {
        submission_free(submissions[i]);
    }
}

static int replay(const char *path, const char *way)
{
    struct buf file = {0};
    struct hash hash;
    struct store_options options = {.cache_len = 8 << 20, .create = true};
    CHECK_OK(file_read(&file, path, 1 << 30, NULL));
    struct bytes from = buf_bytes(&file);
    struct bytes document = take(&from, get_u32(take(&from, 4).at));
    strcpy(maker.dir, "/tmp/cairn-ledger-XXXXXX");
    CHECK(mkdtemp(maker.dir) != NULL);
    CHECK_OK(store_open(&maker.store, maker.dir, &options, NULL));
    CHECK_OK(ledger_create(maker.store, document, MAKER_TIME, &hash, NULL));
    CHECK_OK(ledger_open(&maker.ledger, maker.store, &maker_rules, NULL));
    for (unsigned block = 0; from.len > 0; block++) {
        replay_block(&from, strcmp(way, "twice") == 0);
        if (strcmp(way, "reopen") == 0 && (block < 60 || block % 100 == 0)) {
            maker_close(&maker);
            maker_open(&maker);
        }
    }
    hash = maker_dump(maker.store);
    maker_destroy(&maker);
    buf_clear(&file);
    return write(1, hash.at, sizeof hash.at) == (ssize_t)sizeof hash.at ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        return replay(argv[1], argv[2]);
    }
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_blocks_agree_with_the_model_and_replay_to_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
