#include "ledger_case.h"

#include "ledger/timer.h"

/* A timer's id, in static memory of a few slots. */
static struct bytes id_of(enum maker_timer kind, uint8_t number, uint8_t key)
{
    static uint8_t slots[8][MAKER_TIMER_ID];
    static unsigned next;
    uint8_t *out = slots[next++ % 8];
    out[0] = (uint8_t)kind;
    out[1] = number;
    out[2] = key;
    return (struct bytes){out, MAKER_TIMER_ID};
}

static struct bytes due_of(uint64_t due_ms)
{
    static uint8_t slots[8][8];
    static unsigned next;
    uint8_t *out = slots[next++ % 8];
    put_u64(out, due_ms);
    return (struct bytes){out, 8};
}

/* A block of one statement, at `time_ms`, that sets or clears a timer. */
static void timer_op(enum maker_op op, struct bytes id, uint64_t due_ms, uint64_t time_ms)
{
    struct submission *submission = say(0, 0, "test.run", body(op, id, due_of(due_ms)));
    struct block_result result = maker_execute(&maker, &submission, 1, time_ms);
    CHECK_OK(result.results[0].err);
    CHECK_OK(ledger_commit(maker.ledger));
    submission_free(submission);
}

/* Executes and commits a block without statements. */
static struct block_result tick(uint64_t time_ms)
{
    struct block_result result = maker_execute(&maker, NULL, 0, time_ms);
    CHECK_OK(ledger_commit(maker.ledger));
    return result;
}

/* What stands under the key that a timer puts; empty if nothing. */
static struct bytes put_there(uint8_t key_number)
{
    static struct buf value;
    uint8_t key[2] = {0x61, (uint8_t)('a' + key_number)};
    struct state_answer answer = {0};
    struct view *view = ledger_view(maker.ledger);
    enum err err = view_state(view, bytes_text("test"), BYTES_OF(key), &answer);
    CHECK(err == OK || err == ERR_NOT_FOUND);
    value.len = 0;
    buf_put(&value, buf_bytes(&answer.value));
    state_answer_clear(&answer);
    view_release(view);
    return buf_bytes(&value);
}

static bool stands(struct bytes id, uint64_t due_ms)
{
    struct buf key = {0};
    struct state_answer answer = {0};
    struct view *view = ledger_view(maker.ledger);
    cbor_put_array(&key, 3);
    cbor_put_uint(&key, due_ms);
    cbor_put_literal(&key, "test");
    cbor_put_bytes(&key, id);
    enum err err = view_state(view, bytes_text("timer"), buf_bytes(&key), &answer);
    CHECK(err == OK || err == ERR_NOT_FOUND);
    CHECK(err != OK || bytes_equal(buf_bytes(&answer.value), hex("8101")));
    state_answer_clear(&answer);
    view_release(view);
    buf_clear(&key);
    return err == OK;
}

static void a_timer_fires_in_the_first_block_that_is_not_before_its_time(void **state)
{
    (void)state;
    CHECK_UINT(ledger_timer_due(maker.ledger), UINT64_MAX);
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 3), MAKER_TIME + 1000, MAKER_TIME);
    CHECK(stands(id_of(TIMER_PUT, 0, 3), MAKER_TIME + 1000));
    CHECK_UINT(ledger_timer_due(maker.ledger), MAKER_TIME + 1000);
    CHECK(!tick(MAKER_TIME + 999).changed);
    CHECK_UINT(put_there(3).len, 0);
    struct block_result result = tick(MAKER_TIME + 1000);
    CHECK(result.changed);
    CHECK_UINT(result.timers_fired, 1);
    CHECK_UINT(result.timers_failed, 0);
    CHECK_UINT(put_there(3).len, 2);
    CHECK(!stands(id_of(TIMER_PUT, 0, 3), MAKER_TIME + 1000));
    CHECK_UINT(ledger_timer_due(maker.ledger), UINT64_MAX);
    CHECK(!tick(MAKER_TIME + 2000).changed);
}

static void a_block_of_timers_alone_has_a_header_and_no_entry(void **state)
{
    (void)state;
    timer_op(OP_SET_TIMER, id_of(TIMER_FAIL, 0, 0), MAKER_TIME + 5, MAKER_TIME);
    struct header before = head();
    struct block_result result = tick(MAKER_TIME + 7);
    struct header after = head();
    CHECK_UINT(result.header.height, after.height);
    CHECK_UINT(after.height, before.height + 1);
    CHECK_UINT(after.first_index, before.tree_size);
    CHECK_UINT(after.tree_size, before.tree_size);
    CHECK(hash_equal(&after.tree_root, &before.tree_root));
    CHECK(!hash_equal(&after.state_root, &before.state_root));
    CHECK_UINT(after.time_ms, MAKER_TIME + 7);
    reopen();
    struct header again = head();
    struct hash hashes[2];
    header_hash(&hashes[0], &after);
    header_hash(&hashes[1], &again);
    CHECK(hash_equal(&hashes[0], &hashes[1]));
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 0), MAKER_TIME + 9, MAKER_TIME + 8);
    CHECK_UINT(head().first_index, before.tree_size);
    CHECK_UINT(head().tree_size, before.tree_size + 1);
}

static void a_timer_that_fails_is_gone_and_changed_nothing_else(void **state)
{
    (void)state;
    timer_op(OP_SET_TIMER, id_of(TIMER_FAIL, 0, 1), MAKER_TIME + 1, MAKER_TIME);
    timer_op(OP_SET_TIMER, id_of(TIMER_LATE, 0, 2), MAKER_TIME + 1, MAKER_TIME);
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 3), MAKER_TIME + 1, MAKER_TIME);
    struct block_result result = tick(MAKER_TIME + 1);
    CHECK_UINT(result.timers_fired, 3);
    CHECK_UINT(result.timers_failed, 2);
    CHECK_UINT(put_there(1).len, 0);
    CHECK_UINT(put_there(2).len, 0);
    CHECK_UINT(put_there(3).len, 2);
    CHECK_UINT(ledger_timer_due(maker.ledger), UINT64_MAX);
}

static void timers_fire_by_due_time_then_module_then_id(void **state)
{
    (void)state;
    /* All put the same key; whoever comes last is seen. */
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 9, 0), MAKER_TIME + 3, MAKER_TIME);
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 1, 0), MAKER_TIME + 4, MAKER_TIME);
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 5, 0), MAKER_TIME + 2, MAKER_TIME);
    tick(MAKER_TIME + 10);
    CHECK_BYTES(put_there(0), ((struct bytes){(uint8_t[]){0x81, (MAKER_TIME + 4) % 24}, 2}));
    /* The one that clears stands before or behind the one that is cleared. */
    CHECK(TIMER_PUT < TIMER_CLEAR);
    timer_op(OP_SET_TIMER, id_of(TIMER_CLEAR, 0, 5), MAKER_TIME + 20, MAKER_TIME + 10);
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 5), MAKER_TIME + 20, MAKER_TIME + 10);
    CHECK_UINT(tick(MAKER_TIME + 20).timers_fired, 2);
}

static void timers_fire_before_the_statements_of_their_block(void **state)
{
    (void)state;
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 0), MAKER_TIME + 1, MAKER_TIME);
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 1), MAKER_TIME + 2, MAKER_TIME);
    uint8_t want[2] = {0x81, (MAKER_TIME + 1) % 24};
    struct submission *both[2] = {
        say(0, 0, "test.run", body(OP_MUST_FIND, key_a(), BYTES_OF(want))),
        say(0, 0, "test.run",
            body(OP_CLEAR_TIMER, id_of(TIMER_PUT, 0, 1), due_of(MAKER_TIME + 2)))};
    struct block_result result = maker_execute(&maker, both, 2, MAKER_TIME + 1);
    CHECK_OK(result.results[0].err);
    CHECK_OK(result.results[1].err);
    CHECK_UINT(result.timers_fired, 1);
    CHECK_OK(ledger_commit(maker.ledger));
    CHECK_UINT(ledger_timer_due(maker.ledger), UINT64_MAX);
    CHECK(!tick(MAKER_TIME + 3).changed);
    submission_free(both[0]);
    submission_free(both[1]);
}

static void a_timer_that_a_statement_sets_for_the_past_fires_in_the_next_block(void **state)
{
    (void)state;
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 0), MAKER_TIME - 5, MAKER_TIME);
    CHECK(stands(id_of(TIMER_PUT, 0, 0), MAKER_TIME - 5));
    CHECK_UINT(ledger_timer_due(maker.ledger), MAKER_TIME - 5);
    CHECK_UINT(tick(MAKER_TIME).timers_fired, 1);
}

static void a_timer_that_sets_itself_again_catches_up_within_a_block(void **state)
{
    (void)state;
    timer_op(OP_SET_TIMER, id_of(TIMER_AGAIN, 5, 0), MAKER_TIME, MAKER_TIME);
    struct block_result result = tick(MAKER_TIME + 3 * MAKER_TIMER_STEP);
    CHECK_UINT(result.timers_fired, 4);
    CHECK_UINT(ledger_timer_due(maker.ledger), MAKER_TIME + 4 * MAKER_TIMER_STEP);
    CHECK(stands(id_of(TIMER_AGAIN, 1, 0), MAKER_TIME + 4 * MAKER_TIMER_STEP));
}

/* Statements that set `count` timers, all due at once. */
static void set_many(unsigned count, uint64_t due_ms)
{
    for (unsigned done = 0; done < count;) {
        struct buf out = {0};
        unsigned now = count - done < 1000 ? count - done : 1000;
        cbor_put_array(&out, 2);
        cbor_put_uint(&out, 1);
        cbor_put_array(&out, now);
        for (unsigned i = 0; i < now; i++, done++) {
            uint8_t id[MAKER_TIMER_ID] = {TIMER_PUT, (uint8_t)(done >> 8), (uint8_t)done};
            cbor_put_array(&out, 3);
            cbor_put_uint(&out, OP_SET_TIMER);
            cbor_put_bytes(&out, BYTES_OF(id));
            cbor_put_bytes(&out, due_of(due_ms));
        }
        CHECK_OK(one(say(0, 0, "test.run", buf_bytes(&out)), OK).err);
        buf_clear(&out);
    }
}

static void a_block_fires_no_more_than_1024_and_the_next_the_rest(void **state)
{
    (void)state;
    set_many(1030, MAKER_TIME + 1);
    CHECK_UINT(tick(MAKER_TIME + 1).timers_fired, 1024);
    CHECK_UINT(ledger_timer_due(maker.ledger), MAKER_TIME + 1);
    CHECK_UINT(tick(MAKER_TIME + 1).timers_fired, 6);
    CHECK_UINT(ledger_timer_due(maker.ledger), UINT64_MAX);
    CHECK(!tick(MAKER_TIME + 1).changed);
}

static void execution_can_be_forgotten_and_repeated(void **state)
{
    (void)state;
    timer_op(OP_SET_TIMER, id_of(TIMER_AGAIN, 1, 0), MAKER_TIME + 1, MAKER_TIME);
    struct block_result first = maker_execute(&maker, NULL, 0, MAKER_TIME + 2);
    struct hash hash = first.header_hash;
    ledger_discard(maker.ledger);
    CHECK_UINT(ledger_timer_due(maker.ledger), MAKER_TIME + 1);
    CHECK(!tick(MAKER_TIME).changed);
    maker_execute(&maker, NULL, 0, MAKER_TIME + 5000);
    struct block_result again = tick(MAKER_TIME + 2);
    CHECK(hash_equal(&hash, &again.header_hash));
    CHECK_UINT(ledger_timer_due(maker.ledger), MAKER_TIME + 1 + MAKER_TIMER_STEP);
}

static void the_earliest_is_known_again_after_a_start(void **state)
{
    (void)state;
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 0), MAKER_TIME + 900, MAKER_TIME);
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 1), MAKER_TIME + 800, MAKER_TIME);
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 2), MAKER_TIME + 700, MAKER_TIME);
    timer_op(OP_CLEAR_TIMER, id_of(TIMER_PUT, 0, 2), MAKER_TIME + 700, MAKER_TIME);
    CHECK_UINT(ledger_timer_due(maker.ledger), MAKER_TIME + 800);
    reopen();
    CHECK_UINT(ledger_timer_due(maker.ledger), MAKER_TIME + 800);
    CHECK_UINT(tick(MAKER_TIME + 900).timers_fired, 2);
    reopen();
    CHECK_UINT(ledger_timer_due(maker.ledger), UINT64_MAX);
}

static void a_program_without_the_timers_module_does_not_go_on(void **state)
{
    (void)state;
    static const struct module mute = {"test", maker_test_actions, 3, NULL};
    static const struct module *const modules[] = {&mute, NULL};
    static const struct rules rules = {modules, NULL, maker_roles};
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 0), MAKER_TIME + 1, MAKER_TIME);
    ledger_close(maker.ledger);
    CHECK_OK(ledger_open(&maker.ledger, maker.store, &rules, NULL));
    struct block_input input = {.time_ms = MAKER_TIME + 1};
    struct block_result result;
    CHECK_ERR(ledger_execute(maker.ledger, &input, &result), ERR_VERSION);
    CHECK_UINT(head().height, 1);
}

static enum err no_pair(void *context, enum pair_kind kind, uint64_t prefix, uint64_t index,
                        uint16_t number)
{
    (void)context;
    (void)kind;
    (void)prefix;
    (void)index;
    (void)number;
    return ERR_MISMATCH;
}

static void views_and_paths_cope_with_a_block_without_entries(void **state)
{
    (void)state;
    struct path path;
    struct hash root;
    struct hash leaf;
    struct buf entry = {0};
    uint64_t height;
    timer_op(OP_SET_TIMER, id_of(TIMER_PUT, 0, 0), MAKER_TIME + 1, MAKER_TIME);
    tick(MAKER_TIME + 1);
    struct view *view = ledger_view(maker.ledger);
    const struct header *header = view_header(view);
    CHECK_UINT(header->height, 2);
    CHECK_OK(view_pairs(view, 2, 2, no_pair, NULL));
    CHECK_OK(view_entry(view, 1, &entry, &height));
    CHECK_UINT(height, 1);
    CHECK_ERR(view_entry(view, 2, &entry, &height), ERR_RANGE);
    CHECK_OK(view_log_path(view, 1, header->tree_size, &path));
    CHECK_OK(view_history_path(view, 1, 2, &path));
    leaf_hash(&leaf, hash_bytes(&header->previous));
    CHECK_OK(path_root(&root, &leaf, 1, 2, path.at, path.count));
    CHECK(hash_equal(&root, &header->history_root));
    buf_clear(&entry);
    view_release(view);
}

static void keys_sort_by_due_time_and_are_read_back(void **state)
{
    (void)state;
    static const uint64_t dues[] = {0,     1,     23,          24,          255,        256,
                                    65535, 65536, 4294967295u, 4294967296u, MAKER_TIME, UINT64_MAX};
    struct buf keys[2] = {0};
    uint8_t id[TIMER_ID_MAX] = {0};
    for (size_t i = 0; i < sizeof dues / sizeof *dues; i++) {
        struct timer timer = {dues[i], bytes_text("test"), {id, i % 2 == 0 ? 1 : sizeof id}};
        struct timer back;
        timer_key_write(&keys[i % 2], &timer);
        CHECK(timer_is_key(buf_bytes(&keys[i % 2])));
        CHECK_OK(timer_key_parse(&back, buf_bytes(&keys[i % 2])));
        CHECK_UINT(back.due_ms, dues[i]);
        CHECK_BYTES(back.module, timer.module);
        CHECK_BYTES(back.id, timer.id);
        CHECK(i == 0 || bytes_compare(buf_bytes(&keys[(i + 1) % 2]), buf_bytes(&keys[i % 2])) < 0);
    }
    struct timer back;
    struct bytes whole = buf_bytes(&keys[1]);
    for (size_t cut = 0; cut < whole.len; cut++) {
        CHECK_ERR(timer_key_parse(&back, ((struct bytes){whole.at, cut})), ERR_TRUNCATED);
    }
    buf_put_byte(&keys[1], 0);
    CHECK_ERR(timer_key_parse(&back, buf_bytes(&keys[1])), ERR_TRAILING);
    CHECK_ERR(timer_key_parse(&back, hex("8265746f6d657283006174"
                                         "4100")),
              ERR_MISMATCH);
    CHECK_ERR(timer_key_parse(&back, hex("826574696d6572830061744100")), OK);
    CHECK_ERR(timer_key_parse(&back, hex("826574696d65728300617440")), ERR_RANGE);
    CHECK(!timer_is_key(hex("826574696d6572")));
    CHECK(!timer_is_key(hex("826574657374618300617440")));
    buf_clear(&keys[0]);
    buf_clear(&keys[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_timer_fires_in_the_first_block_that_is_not_before_its_time),
        CASE(a_block_of_timers_alone_has_a_header_and_no_entry),
        CASE(a_timer_that_fails_is_gone_and_changed_nothing_else),
        CASE(timers_fire_by_due_time_then_module_then_id),
        CASE(timers_fire_before_the_statements_of_their_block),
        CASE(a_timer_that_a_statement_sets_for_the_past_fires_in_the_next_block),
        CASE(a_timer_that_sets_itself_again_catches_up_within_a_block),
        CASE(a_block_fires_no_more_than_1024_and_the_next_the_rest),
        CASE(execution_can_be_forgotten_and_repeated),
        CASE(the_earliest_is_known_again_after_a_start),
        CASE(a_program_without_the_timers_module_does_not_go_on),
        CASE(views_and_paths_cope_with_a_block_without_entries),
        cmocka_unit_test(keys_sort_by_due_time_and_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
