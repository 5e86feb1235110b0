#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "check.h"
#include "service/audit/deposits.h"

#include <ftw.h>
#include <unistd.h>

#define DAY_MS ((uint64_t)86400000)

/* The clock by which days go by; statements carry the real one. */
static uint64_t today_ms;

static uint64_t fake_ms(void)
{
    return today_ms;
}

static void due(const struct audit_deposit *last, uint64_t number, uint8_t hash, uint64_t now_ms,
                bool want)
{
    struct audit_head head = {number, {{hash}}};
    CHECK(audit_deposit_due(last, &head, now_ms) == want);
}

static void a_head_is_due_on_another_day_if_it_changed(void **state)
{
    (void)state;
    struct audit_deposit last = {20000 * DAY_MS + 5, {7, {{1}}}};
    due(&last, 8, 2, 20000 * DAY_MS + 5, false);
    due(&last, 8, 2, 20001 * DAY_MS - 1, false); /* 23:59:59.999 of that day */
    due(&last, 8, 2, 20001 * DAY_MS, true);      /* midnight */
    due(&last, 8, 2, 20300 * DAY_MS, true);
    due(&last, 7, 1, 20300 * DAY_MS, false); /* unchanged, however long */
    due(&last, 7, 2, 20001 * DAY_MS, true);  /* another line of that number */
    due(&last, 8, 2, 19999 * DAY_MS, false); /* a clock that was set back */
    last.time_ms = 20001 * DAY_MS - 1;
    due(&last, 8, 2, 20001 * DAY_MS, true);
}

static void an_empty_log_is_never_due(void **state)
{
    (void)state;
    struct audit_deposit never = {0, {0, {{0}}}};
    due(&never, 0, 0, 20000 * DAY_MS, false);
    due(&never, 1, 1, 20000 * DAY_MS, true);
}

/* ---- on a real node */

static char folder[64];
static char *dir;
static struct node *node;

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    struct why why;
    snprintf(folder, sizeof folder, "/tmp/cairn-deposits-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    dir = path_join(folder, "court");
    struct node_options options = {.dir = dir};
    today_ms = clock_wall_ms();
    return node_create(dir, "court", NULL, &why) == OK && node_open(&node, &options, &why) == OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    node_close(node);
    free(dir);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct audit_deposits *opened(const char *key)
{
    struct audit_deposits_options options = {.node = node, .dir = dir, .wall_ms = fake_ms};
    struct audit_deposits *deposits;
    struct why why;
    char *path = path_join(dir, key);
    CHECK_OK(signer_open(&options.key, path, NULL, NULL, &why));
    free(path);
    CHECK_OK(audit_deposits_new(&deposits, &options, &why));
    return deposits;
}

static void act(void)
{
    struct audit_entry entry = {AUDIT_CLOCK_ACCEPT, "user:cairn", {{"step_ms", "1"}}};
    CHECK_OK(audit_add(node_audit(node), &entry, 1));
}

static uint64_t size(void)
{
    struct view *view = node_view(node);
    uint64_t tree_size = view_header(view)->tree_size;
    view_release(view);
    return tree_size;
}

static void the_head_is_deposited_daily_and_only_when_it_changed(void **state)
{
    (void)state;
    struct audit_deposits *deposits = opened(NODE_AUDIT_KEY);
    CHECK(!audit_deposits_check(deposits)); /* the day that the ledger was made */
    today_ms += DAY_MS;
    CHECK(audit_deposits_check(deposits));
    CHECK_UINT(size(), 2);
    act();
    CHECK(!audit_deposits_check(deposits)); /* once a day */
    today_ms += DAY_MS;
    CHECK(audit_deposits_check(deposits));
    today_ms += 30 * DAY_MS;
    CHECK(!audit_deposits_check(deposits)); /* nothing was done */
    act();
    CHECK(audit_deposits_check(deposits));
    CHECK_UINT(size(), 4);
    audit_deposits_free(deposits);
}

static bool take_item(void *context, struct node_found *found)
{
    buf_put(context, buf_bytes(&found->item));
    return false;
}

static void what_is_deposited_is_the_last_line(void **state)
{
    (void)state;
    struct audit_deposits *deposits = opened(NODE_AUDIT_KEY);
    struct audit_head head;
    struct buf line = {0};
    CHECK_OK(audit_last(node_audit(node), &head, &line));
    today_ms += DAY_MS;
    CHECK(audit_deposits_check(deposits));
    struct buf encoded = {0};
    struct item item;
    CHECK_OK(node_find(node, NODE_BY_SHA256, hash_bytes(&head.hash), 0, take_item, &encoded));
    CHECK_OK(item_parse(&item, buf_bytes(&encoded)));
    CHECK_UINT(item.form, ITEM_PLAIN);
    CHECK_UINT(item.size, line.len);
    CHECK(hash_equal(&item.sha256, &head.hash));
    audit_deposits_free(deposits);
    buf_clear(&encoded);
    buf_clear(&line);
}

static void a_restart_remembers_what_was_deposited(void **state)
{
    (void)state;
    struct audit_deposits *deposits = opened(NODE_AUDIT_KEY);
    today_ms += DAY_MS;
    CHECK(audit_deposits_check(deposits));
    audit_deposits_free(deposits);
    act();
    deposits = opened(NODE_AUDIT_KEY);
    CHECK_UINT(metric_value(METRIC_AUDIT_DEPOSITED, 0), today_ms);
    CHECK(!audit_deposits_check(deposits));
    today_ms += DAY_MS;
    CHECK(audit_deposits_check(deposits));
    audit_deposits_free(deposits);
    /* Without its notes it deposits once more. */
    char *path = path_join(dir, AUDIT_DEPOSITS);
    CHECK(unlink(path) == 0);
    deposits = opened(NODE_AUDIT_KEY);
    CHECK(audit_deposits_check(deposits));
    CHECK(!audit_deposits_check(deposits));
    audit_deposits_free(deposits);
    free(path);
}

static void damaged_notes_are_an_error_but_a_torn_last_one_is_not(void **state)
{
    (void)state;
    static const char good[] =
        "[7,\"0000000000000000000000000000000000000000000000000000000000000001\",5,\"00\",1]\n";
    char *path = path_join(dir, AUDIT_DEPOSITS);
    struct audit_deposits_options options = {.node = node, .dir = dir, .wall_ms = fake_ms};
    struct audit_deposits *deposits;
    struct why why = {0};
    char text[256];
    snprintf(text, sizeof text, "%s[8,\"00", good);
    CHECK_OK(file_write(path, bytes_text(text), 0600, NULL));
    CHECK_OK(audit_deposits_new(&deposits, &options, &why));
    CHECK_UINT(metric_value(METRIC_AUDIT_DEPOSITED, 0), 5);
    audit_deposits_free(deposits);
    static const char *const bad[] = {"[]\n", "x\n", "[7,\"00\",5,\"00\",1]\n", "\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_OK(file_write(path, bytes_text(bad[i]), 0600, NULL));
        CHECK_ERR(audit_deposits_new(&deposits, &options, &why), ERR_CORRUPT);
        CHECK(why.remedy[0] && deposits == NULL);
    }
    free(path);
}

static void a_refused_deposit_is_counted_and_not_tried_again_at_once(void **state)
{
    (void)state;
    /* A registered key, but not one that deposits. */
    struct audit_deposits *deposits = opened(NODE_OPERATOR_KEY);
    uint64_t failed = metric_value(METRIC_AUDIT_DEPOSITS, 1);
    today_ms += DAY_MS;
    CHECK(!audit_deposits_check(deposits));
    CHECK_UINT(metric_value(METRIC_AUDIT_DEPOSITS, 1), failed + 1);
    CHECK(!audit_deposits_check(deposits));
    CHECK_UINT(metric_value(METRIC_AUDIT_DEPOSITS, 1), failed + 1);
    CHECK_UINT(size(), 1);
    audit_deposits_free(deposits);
}

static void its_thread_deposits_by_itself_and_stops_at_once(void **state)
{
    (void)state;
    struct why why;
    today_ms += DAY_MS;
    uint64_t made = metric_value(METRIC_AUDIT_DEPOSITS, 0);
    struct audit_deposits *deposits = opened(NODE_AUDIT_KEY);
    CHECK_OK(audit_deposits_start(deposits, &why));
    uint64_t end_ns = clock_mono_ns() + 30000000000u;
    while (metric_value(METRIC_AUDIT_DEPOSITS, 0) == made && clock_mono_ns() < end_ns) {
        usleep(1000);
    }
    CHECK_UINT(metric_value(METRIC_AUDIT_DEPOSITS, 0), made + 1);
    uint64_t from_ns = clock_mono_ns();
    audit_deposits_free(deposits);
    CHECK(clock_mono_ns() - from_ns < 5000000000u);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_due_on_another_day_if_it_changed),
        cmocka_unit_test(an_empty_log_is_never_due),
        CASE(the_head_is_deposited_daily_and_only_when_it_changed),
        CASE(what_is_deposited_is_the_last_line),
        CASE(a_restart_remembers_what_was_deposited),
        CASE(damaged_notes_are_an_error_but_a_torn_last_one_is_not),
        CASE(a_refused_deposit_is_counted_and_not_tried_again_at_once),
        CASE(its_thread_deposits_by_itself_and_stops_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
