#include "base/metrics.h"
#include "check.h"

#include <ctype.h>
#include <pthread.h>

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Some readers take a counter's name without its _total. */
static bool same_family(const char *one, const char *other)
{
    size_t len = strlen(one) - (ends_with(one, "_total") ? strlen("_total") : 0);
    size_t other_len = strlen(other) - (ends_with(other, "_total") ? strlen("_total") : 0);
    return len == other_len && memcmp(one, other, len) == 0;
}

static void names_say_layer_what_and_unit_and_stand_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = metric_row((enum metric)i);
        CHECK(strncmp(row->name, "cairn_", 6) == 0);
        for (const char *at = row->name; *at; at++) {
            CHECK(islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_');
        }
        bool grows = row->kind == METRIC_KIND_COUNTER || row->kind == METRIC_KIND_TIME_COUNTER;
        bool timed = row->kind != METRIC_KIND_COUNTER && row->kind != METRIC_KIND_GAUGE &&
                     row->kind != METRIC_KIND_SIZES;
        CHECK(ends_with(row->name, "_total") == grows);
        CHECK(!timed || strstr(row->name, "_seconds"));
        CHECK(!ends_with(row->name, "_count") && !ends_with(row->name, "_sum") &&
              !ends_with(row->name, "_bucket")); /* what a histogram's samples add */
        for (unsigned j = 0; j < i; j++) {
            CHECK(!same_family(row->name, metric_row((enum metric)j)->name));
        }
        CHECK(ends_with(row->help, ".") && !strpbrk(row->help, "\n\\"));
    }
}

static void labels_have_a_fixed_set_of_plain_values(void **state)
{
    (void)state;
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = metric_row((enum metric)i);
        CHECK((row->label[0] == '\0') == (row->values[0] == '\0'));
        CHECK(strcmp(row->label, "le") != 0);
        CHECK(!strpbrk(row->values, "\"\\\n {}"));
        CHECK(row->values[0] != ',' && !ends_with(row->values, ",") && !strstr(row->values, ",,"));
        CHECK_UINT(metric_value((enum metric)i, 0), 0);
    }
}

/* The lines of one metric, in memory that the next call overwrites. */
static const char *printed(enum metric metric)
{
    static char out[65536];
    struct buf buf = {0};
    metrics_print(&buf);
    buf_put_byte(&buf, 0);
    char head[128];
    snprintf(head, sizeof head, "# HELP %s ", metric_row(metric)->name);
    const char *from = strstr((const char *)buf.at, head);
    CHECK(from);
    const char *to = strstr(from + strlen(head), "# HELP ");
    size_t len = to ? (size_t)(to - from) : strlen(from);
    CHECK(len < sizeof out);
    memcpy(out, from, len);
    out[len] = '\0';
    buf_clear(&buf);
    return out;
}

static void gauges_go_up_and_down(void **state)
{
    (void)state;
    metric_set(METRIC_PROCESS_FDS, 0, 7);
    metric_add(METRIC_PROCESS_FDS, 0, 5);
    metric_sub(METRIC_PROCESS_FDS, 0, 2);
    CHECK_UINT(metric_value(METRIC_PROCESS_FDS, 0), 10);
    CHECK(strcmp(printed(METRIC_PROCESS_FDS),
                 "# HELP cairn_process_open_fds File descriptors that the process has open.\n"
                 "# TYPE cairn_process_open_fds gauge\n"
                 "cairn_process_open_fds 10\n") == 0);
}

static void times_are_printed_in_seconds(void **state)
{
    (void)state;
    static const struct {
        uint64_t us;
        const char *text;
    } counters[] = {{0, "0"}, {1, "0.000001"}, {1500000, "1.5"}, {60000000, "60"}, {10, "0.00001"}};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        char want[64];
        snprintf(want, sizeof want, "\ncairn_process_cpu_seconds_total %s\n", counters[i].text);
        metric_set(METRIC_PROCESS_CPU, 0, counters[i].us);
        CHECK(strstr(printed(METRIC_PROCESS_CPU), want));
    }
    metric_set(METRIC_PROCESS_START, 0, 1764034658123);
    CHECK(strstr(printed(METRIC_PROCESS_START), "_seconds 1764034658.123\n"));
    metric_set(METRIC_PROCESS_START, 0, (uint64_t)-1050);
    CHECK(strstr(printed(METRIC_PROCESS_START), "_seconds -1.05\n"));
}

static bool has_line(const char *text, const char *line)
{
    const char *at = strstr(text, line);
    return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void a_histogram_counts_into_buckets_whose_bounds_belong_to_them(void **state)
{
    (void)state;
    static const uint64_t times_us[] = {0, 100, 101, 60000000, 60000001};
    for (size_t i = 0; i < 5; i++) {
        metric_observe_us(METRIC_STORE_FSYNC, 1, times_us[i]);
    }
    CHECK_UINT(metric_value(METRIC_STORE_FSYNC, 1), 5);
    CHECK_UINT(metric_value(METRIC_STORE_FSYNC, 0), 0);
    static const char *const lines[] = {
        "# TYPE cairn_store_fsync_duration_seconds histogram",
        "cairn_store_fsync_duration_seconds_bucket{file=\"mark\",le=\"0.0001\"} 2",
        "cairn_store_fsync_duration_seconds_bucket{file=\"mark\",le=\"0.00025\"} 3",
        "cairn_store_fsync_duration_seconds_bucket{file=\"mark\",le=\"10\"} 3",
        "cairn_store_fsync_duration_seconds_bucket{file=\"mark\",le=\"60\"} 4",
        "cairn_store_fsync_duration_seconds_bucket{file=\"mark\",le=\"+Inf\"} 5",
        "cairn_store_fsync_duration_seconds_sum{file=\"mark\"} 120.000202",
        "cairn_store_fsync_duration_seconds_count{file=\"mark\"} 5",
        "cairn_store_fsync_duration_seconds_count{file=\"log\"} 0",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        CHECK(has_line(printed(METRIC_STORE_FSYNC), lines[i]));
    }
    metric_observe(METRIC_ORDER_SIZE, 0, 3);
    const char *sizes = printed(METRIC_ORDER_SIZE);
    CHECK(has_line(sizes, "cairn_order_block_size_statements_bucket{le=\"2\"} 0"));
    CHECK(has_line(sizes, "cairn_order_block_size_statements_bucket{le=\"4\"} 1"));
    CHECK(has_line(sizes, "cairn_order_block_size_statements_sum 3"));
}

static void labels_count_each_for_itself(void **state)
{
    (void)state;
    metric_add(METRIC_ADMIT_REFUSED, metric_reason(ERR_SIGNATURE), 2);
    metric_add(METRIC_ADMIT_REFUSED, metric_reason(ERR_CORRUPT), 1);
    const char *text = printed(METRIC_ADMIT_REFUSED);
    CHECK(has_line(text, "cairn_admit_refused_statements_total{reason=\"signature\"} 2"));
    CHECK(has_line(text, "cairn_admit_refused_statements_total{reason=\"broken\"} 1"));
    CHECK(has_line(text, "cairn_admit_refused_statements_total{reason=\"malformed\"} 0"));
}

static void every_error_is_of_some_kind(void **state)
{
    (void)state;
    unsigned count = 1;
    for (const char *at = METRIC_REASONS; *at; at++) {
        count += *at == ',';
    }
    for (unsigned err = OK + 1; err < ERR_COUNT; err++) {
        CHECK(metric_reason((enum err)err) < count);
    }
}

static void *count_up(void *context)
{
    for (unsigned i = 0; i < 20000; i++) {
        metric_add(METRIC_NODE_ACCEPTED, 0, 1);
        metric_observe(METRIC_ORDER_SIZE, 0, i);
    }
    return context;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    uint64_t sizes = metric_value(METRIC_ORDER_SIZE, 0);
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, count_up, NULL) == 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_UINT(metric_value(METRIC_NODE_ACCEPTED, 0), 80000);
    CHECK_UINT(metric_value(METRIC_ORDER_SIZE, 0) - sizes, 80000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_say_layer_what_and_unit_and_stand_once),
        cmocka_unit_test(labels_have_a_fixed_set_of_plain_values),
        cmocka_unit_test(gauges_go_up_and_down),
        cmocka_unit_test(times_are_printed_in_seconds),
        cmocka_unit_test(a_histogram_counts_into_buckets_whose_bounds_belong_to_them),
        cmocka_unit_test(labels_count_each_for_itself),
        cmocka_unit_test(every_error_is_of_some_kind),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
