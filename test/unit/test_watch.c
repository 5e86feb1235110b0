#include "check.h"
#include "http/watch.h"

static const struct node_figures good = {
    .height = 5000,
    .index_height = 5000,
    .queued_count_max = 1000,
    .queued_len_max = 1000000,
    .disk_len = (uint64_t)100 << 30,
    .disk_free_len = (uint64_t)50 << 30,
};

static void a_node_without_trouble_is_ready(void **state)
{
    (void)state;
    struct why out[READY_REASONS_MAX];
    CHECK_UINT(ready_judge(out, &good, NULL, false), 0);
}

/* Judges and expects this one reason; it must say what to do. */
static void check_reason(const struct node_figures *figures, const char *field, const char *value)
{
    struct why out[READY_REASONS_MAX];
    CHECK_UINT(ready_judge(out, figures, NULL, false), 1);
    CHECK(strcmp(out[0].field, field) == 0);
    CHECK(strcmp(out[0].value, value) == 0);
    CHECK(out[0].problem[0] && out[0].remedy[0]);
}

static void each_limit_is_a_reason_from_its_first_unit_on(void **state)
{
    (void)state;
    struct why out[READY_REASONS_MAX];
    struct node_figures figures = good;
    figures.index_height = figures.height - READY_INDEX_LAG_MAX;
    CHECK_UINT(ready_judge(out, &figures, NULL, false), 0);
    figures.index_height--;
    check_reason(&figures, "index", "2001 blocks");

    figures = good;
    figures.disk_free_len = READY_DISK_MIN;
    CHECK_UINT(ready_judge(out, &figures, NULL, false), 0);
    figures.disk_free_len--;
    check_reason(&figures, "disk", "511 MiB free");

    figures = good;
    figures.queued_count = 899;
    figures.queued_len = 899999;
    CHECK_UINT(ready_judge(out, &figures, NULL, false), 0);
    figures.queued_count = 900;
    check_reason(&figures, "queue", "900 statements, 899999 bytes");
    figures.queued_count = 1;
    figures.queued_len = 900000;
    check_reason(&figures, "queue", "1 statements, 900000 bytes");
}

static void an_index_ahead_of_the_head_and_an_unknown_disk_are_no_reason(void **state)
{
    (void)state;
    struct why out[READY_REASONS_MAX];
    struct node_figures figures = good;
    figures.index_height = figures.height + 1;
    figures.disk_len = figures.disk_free_len = 0;
    figures.queued_count_max = figures.queued_len_max = 0; /* as of a read-only node */
    CHECK_UINT(ready_judge(out, &figures, NULL, false), 0);
}

static void all_reasons_are_given_together(void **state)
{
    (void)state;
    struct why out[READY_REASONS_MAX];
    struct why read_only = {.field = "clock", .problem = "stepped", .remedy = "Look at it."};
    struct node_figures figures = {.height = 10000,
                                   .disk_len = 1,
                                   .queued_count_max = 1,
                                   .queued_count = 1,
                                   .audit_failed = true};
    CHECK_UINT(ready_judge(out, &figures, &read_only, true), 6);
    static const char *const fields[] = {"node", "clock", "index", "disk", "audit log", "queue"};
    for (size_t i = 0; i < 6; i++) {
        CHECK(strcmp(out[i].field, fields[i]) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_without_trouble_is_ready),
        cmocka_unit_test(each_limit_is_a_reason_from_its_first_unit_on),
        cmocka_unit_test(an_index_ahead_of_the_head_and_an_unknown_disk_are_no_reason),
        cmocka_unit_test(all_reasons_are_given_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
