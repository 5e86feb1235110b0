#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "check.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "store/audit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

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
    snprintf(dir, sizeof dir, "/tmp/cairn-audit-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static uint64_t fixed_ms(void)
{
    return 1764034658123;
}

static struct audit *opened(size_t file_max)
{
    struct audit *audit;
    struct why why;
    struct audit_options options = {.dir = dir, .file_max = file_max, .wall_ms = fixed_ms};
    CHECK_OK(audit_open(&audit, &options, &why));
    return audit;
}

static void add(struct audit *audit, const char *who, const char *value)
{
    struct audit_entry entry = {AUDIT_KEY_OPEN, who, {{"kid", value}}};
    CHECK_OK(audit_add(audit, &entry, 1));
}

/* A log of so many acts, closed. */
static void make(unsigned count, size_t file_max)
{
    struct audit *audit = opened(file_max);
    for (unsigned i = 0; i < count; i++) {
        char value[16];
        snprintf(value, sizeof value, "key %u", i);
        add(audit, "user:cairn", value);
    }
    audit_close(audit);
}

static struct buf content(const char *name)
{
    struct buf out = {0};
    char *path = path_join(dir, name);
    CHECK_OK(file_read(&out, path, 1 << 20, NULL));
    free(path);
    return out;
}

static void replace(const char *name, struct bytes bytes)
{
    char *path = path_join(dir, name);
    CHECK_OK(file_write(path, bytes, 0600, NULL));
    free(path);
}

static void check_good(uint64_t count)
{
    struct audit_report report;
    struct why why = {0};
    enum err err = audit_read(dir, NULL, NULL, &report, &why);
    if (err != OK) {
        fail_msg("%s %s %s", why.field, why.value, why.problem);
    }
    CHECK_UINT(report.count, count);
    CHECK_UINT(report.head.number, count);
}

/* The log is refused, with these words. */
static void check_bad(const char *field, const char *value, const char *problem)
{
    struct audit_report report;
    struct why why = {0};
    CHECK_ERR(audit_read(dir, NULL, NULL, &report, &why), ERR_CORRUPT);
    if (strcmp(why.field, field) != 0 || strcmp(why.value, value) != 0 ||
        !strstr(why.problem, problem)) {
        fail_msg("%s '%s' %s", why.field, why.value, why.problem);
    }
    CHECK(why.remedy[0]);
}

static void a_line_is_as_the_format_says(void **state)
{
    (void)state;
    struct audit *audit = opened(0);
    add(audit, "user:cairn", "a \"quoted\" \xc3\xa9");
    add(audit, "uid:7", "\xff");
    struct audit_head head;
    struct buf last = {0};
    CHECK_OK(audit_last(audit, &head, &last));
    audit_close(audit);
    static const char first[] =
        "[1,\"2025-11-25T01:37:38.123Z\",\"key.open\",\"user:cairn\","
        "{\"kid\":\"a \\\"quoted\\\" \\u00E9\"},"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"]\n";
    struct hash hash;
    char hex_text[65];
    char second[512];
    sha256(&hash, bytes_text(first));
    hex_write(hex_text, hash_bytes(&hash));
    snprintf(second, sizeof second,
             "[2,\"2025-11-25T01:37:38.123Z\",\"key.open\",\"uid:7\",{\"kid\":\"(not UTF-8)\"},"
             "\"%s\"]\n",
             hex_text);
    struct buf want = {0};
    struct buf log = content(AUDIT_LOG);
    buf_put(&want, bytes_text(first));
    buf_put(&want, bytes_text(second));
    CHECK_BYTES(buf_bytes(&log), buf_bytes(&want));
    CHECK_BYTES(buf_bytes(&last), bytes_text(second));
    sha256(&hash, bytes_text(second));
    CHECK_UINT(head.number, 2);
    CHECK(hash_equal(&head.hash, &hash));
    struct stat info;
    char *path = path_join(dir, AUDIT_LOG);
    CHECK(stat(path, &info) == 0);
    CHECK_UINT(info.st_mode & 0777, 0600);
    free(path);
    buf_clear(&want);
    buf_clear(&log);
    buf_clear(&last);
    check_good(2);
}

static void a_log_goes_on_where_it_ended(void **state)
{
    (void)state;
    make(3, 0);
    make(2, 0);
    check_good(5);
}

static void a_full_file_is_put_away_and_the_chain_goes_through(void **state)
{
    (void)state;
    make(20, 700);
    make(20, 700);
    check_good(40);
    struct audit_report report;
    struct why why;
    char *path = path_join(dir, AUDIT_LOG);
    CHECK_OK(audit_read(path, NULL, NULL, &report, &why)); /* by itself, from where it begins */
    CHECK(report.first > 1 && report.head.number == 40);
    free(path);
    struct buf gone = content("audit.000000000001.log");
    path = path_join(dir, "audit.000000000001.log");
    CHECK(unlink(path) == 0);
    CHECK_ERR(audit_read(dir, NULL, NULL, &report, &why), ERR_CORRUPT);
    CHECK(strcmp(why.problem, "is where the log begins, not with act 1") == 0);
    CHECK(strncmp(why.value, "act ", 4) == 0);
    replace("audit.000000000001.log", buf_bytes(&gone));
    check_good(40);
    free(path);
    buf_clear(&gone);
}

/* Where line `n` of the text begins, from 0. */
static size_t line_start(const struct buf *text, unsigned n)
{
    size_t at = 0;
    for (unsigned i = 0; i < n; at++) {
        i += text->at[at] == '\n';
    }
    return at;
}

static void every_changed_byte_is_found(void **state)
{
    (void)state;
    make(3, 0);
    struct buf log = content(AUDIT_LOG);
    for (size_t i = 0; i < log.len; i++) {
        log.at[i] ^= 1;
        replace(AUDIT_LOG, buf_bytes(&log));
        struct audit_report report;
        struct why why = {0};
        CHECK_ERR(audit_read(dir, NULL, NULL, &report, &why), ERR_CORRUPT);
        CHECK(why.field[0] && why.value[0] && why.problem[0] && why.remedy[0]);
        log.at[i] ^= 1;
    }
    replace(AUDIT_LOG, buf_bytes(&log));
    check_good(3);
    buf_clear(&log);
}

static void every_truncation_is_found(void **state)
{
    (void)state;
    make(3, 0);
    struct buf log = content(AUDIT_LOG);
    for (size_t len = 0; len < log.len; len++) {
        replace(AUDIT_LOG, (struct bytes){log.at, len});
        struct audit_report report;
        struct why why = {0};
        CHECK_ERR(audit_read(dir, NULL, NULL, &report, &why), ERR_CORRUPT);
    }
    replace(AUDIT_LOG, (struct bytes){log.at, line_start(&log, 2)});
    check_bad(AUDIT_LOG, "act 2 of 3", "cut off");
    replace(AUDIT_LOG, (struct bytes){log.at, line_start(&log, 2) - 1});
    check_bad(AUDIT_LOG, "line 2", "not finished");
    buf_clear(&log);
}

static void lines_that_are_gone_moved_or_changed_are_named(void **state)
{
    (void)state;
    make(5, 0);
    struct buf log = content(AUDIT_LOG);
    size_t starts[6];
    for (unsigned i = 0; i < 6; i++) {
        starts[i] = i < 5 ? line_start(&log, i) : log.len;
    }
    static const struct {
        unsigned order[5];
        unsigned count;
        const char *value;
        const char *problem;
    } cases[] = {
        {{0, 1, 3, 4}, 4, "line 3", "holds act 4 where act 3 belongs"},
        {{0, 2, 1, 3, 4}, 5, "line 2", "holds act 3 where act 2 belongs"},
        {{1, 2, 3, 4}, 4, "act 2", "is where the log begins"},
        {{0, 1, 1, 2, 3}, 5, "line 3", "holds act 2 where act 3 belongs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf changed = {0};
        for (unsigned n = 0; n < cases[i].count; n++) {
            unsigned from = cases[i].order[n];
            buf_put(&changed,
                    (struct bytes){log.at + starts[from], starts[from + 1] - starts[from]});
        }
        replace(AUDIT_LOG, buf_bytes(&changed));
        check_bad(AUDIT_LOG, cases[i].value, cases[i].problem);
        buf_clear(&changed);
    }
    memcpy(log.at + starts[2] + 4, "2024", 4); /* a time of act 3 */
    replace(AUDIT_LOG, buf_bytes(&log));
    check_bad(AUDIT_LOG, "line 4", "does not follow act 3 as that stands");
    buf_clear(&log);
}

static void a_changed_last_line_and_a_changed_head_are_found(void **state)
{
    (void)state;
    make(2, 0);
    struct buf log = content(AUDIT_LOG);
    memcpy(log.at + line_start(&log, 1) + 4, "2024", 4);
    replace(AUDIT_LOG, buf_bytes(&log));
    check_bad(AUDIT_LOG, "act 2", "is not the line that audit.head knows");
    memcpy(log.at + line_start(&log, 1) + 4, "2025", 4);
    replace(AUDIT_LOG, buf_bytes(&log));
    check_good(2);
    struct buf head = content(AUDIT_HEAD);
    for (size_t i = 0; i < head.len; i++) {
        head.at[i] ^= 0x40;
        replace(AUDIT_HEAD, buf_bytes(&head));
        struct audit_report report;
        struct why why = {0};
        CHECK_ERR(audit_read(dir, NULL, NULL, &report, &why), ERR_CORRUPT);
        head.at[i] ^= 0x40;
    }
    buf_put_byte(&head, '\n');
    replace(AUDIT_HEAD, buf_bytes(&head));
    struct audit_report report;
    struct why why = {0};
    CHECK_ERR(audit_read(dir, NULL, NULL, &report, &why), ERR_CORRUPT);
    char *path = path_join(dir, AUDIT_HEAD);
    CHECK(unlink(path) == 0);
    CHECK_ERR(audit_read(dir, NULL, NULL, &report, &why), ERR_NOT_FOUND);
    free(path);
    buf_clear(&log);
    buf_clear(&head);
}

static void lines_of_another_shape_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}\n",
        "[1]\n",
        "\n",
        "[1,\"2025-11-25T01:37:38.123Z\",\"a\",\"b\",{},\"00\"]\n",
        "[0,\"2025-11-25T01:37:38.123Z\",\"a\",\"b\",{},"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"]\n",
        "[1,\"2025-11-25\",\"a\",\"b\",{},"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"]\n",
        "[1,\"2025-11-25T01:37:38.123Z\",\"a\",\"b\",[],"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"]\n",
        "[1,\"2025-11-25T01:37:38.123Z\",\"a\",\"b\",{},"
        "\"0000000000000000000000000000000000000000000000000000000000000001\"]\n",
    };
    make(1, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        replace(AUDIT_LOG, bytes_text(bad[i]));
        struct audit_report report;
        struct why why = {0};
        CHECK_ERR(audit_read(dir, NULL, NULL, &report, &why), ERR_CORRUPT);
        CHECK(strcmp(why.value, "line 1") == 0);
    }
}

static bool stop_at_two(void *context, const struct audit_line *line)
{
    *(uint64_t *)context = line->number;
    return line->number < 2;
}

static void a_reader_may_have_enough(void **state)
{
    (void)state;
    make(4, 0);
    struct audit_report report;
    struct why why;
    uint64_t last = 0;
    CHECK_OK(audit_read(dir, stop_at_two, &last, &report, &why));
    CHECK_UINT(last, 2);
    CHECK_ERR(audit_read("/tmp/cairn-audit-nothing-here", NULL, NULL, &report, &why),
              ERR_NOT_FOUND);
}

static void a_torn_last_line_is_dropped_when_the_log_is_opened(void **state)
{
    (void)state;
    make(2, 0);
    struct buf log = content(AUDIT_LOG);
    buf_put(&log, bytes_text("[3,\"2025-11-2"));
    replace(AUDIT_LOG, buf_bytes(&log));
    make(1, 0);
    check_good(3);
    buf_clear(&log);
}

static void a_line_that_its_head_does_not_know_yet_holds(void **state)
{
    (void)state;
    make(2, 0);
    struct buf head = content(AUDIT_HEAD);
    make(1, 0);
    replace(AUDIT_HEAD, buf_bytes(&head)); /* as a crash between the two writes leaves it */
    check_good(3);
    make(1, 0);
    check_good(4);
    buf_clear(&head);
}

static bool note_act(void *context, const struct audit_line *line)
{
    snprintf(context, 32, "%s", line->act);
    return true;
}

static void damage_becomes_an_act_and_stays_visible(void **state)
{
    (void)state;
    make(5, 0);
    struct buf log = content(AUDIT_LOG);
    replace(AUDIT_LOG, (struct bytes){log.at, line_start(&log, 3)});
    uint64_t errors = metric_value(METRIC_AUDIT_ERRORS, 1);
    audit_close(opened(0));
    CHECK_UINT(metric_value(METRIC_AUDIT_ERRORS, 1), errors + 1);
    check_bad(AUDIT_LOG, "line 4", "holds act 6 where act 4 belongs");
    char act[32] = "";
    struct audit_report report;
    struct why why;
    struct buf now = content(AUDIT_LOG);
    size_t at = line_start(&now, 3);
    replace("last", (struct bytes){now.at + at, now.len - at});
    char *path = path_join(dir, "last");
    CHECK_OK(audit_read(path, note_act, act, &report, &why));
    CHECK(strcmp(act, "audit.broken") == 0);
    audit_close(opened(0)); /* at every start, as long as that file is the newest */
    CHECK_UINT(metric_value(METRIC_AUDIT_ERRORS, 1), errors + 2);
    free(path);
    buf_clear(&log);
    buf_clear(&now);
}

static void two_processes_write_one_log(void **state)
{
    (void)state;
    struct audit *audit = opened(2000);
    add(audit, "user:cairn", "first");
    pid_t child = fork();
    if (child == 0) {
        struct audit *other = NULL;
        struct audit_options options = {.dir = dir, .file_max = 2000};
        bool good = audit_open(&other, &options, NULL) == OK;
        struct audit_entry entry = {AUDIT_KEY_OPEN, "user:other", {{"kid", "theirs"}}};
        for (int i = 0; good && i < 50; i++) {
            good = audit_add(other, &entry, 1) == OK;
        }
        audit_close(other);
        _exit(good ? 0 : 1); /* allowed: the parent's tests are not this process's */
    }
    for (int i = 0; i < 50; i++) {
        add(audit, "user:cairn", "ours");
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    audit_close(audit);
    check_good(101);
}

static void a_failed_write_is_said_counted_and_made_good(void **state)
{
    (void)state;
    struct audit *audit = opened(0);
    add(audit, "user:cairn", "one");
    char *path = path_join(dir, AUDIT_LOG);
    char *aside = path_join(dir, "aside");
    /* Permissions do not stop root; a folder in the log's place does. */
    CHECK(rename(path, aside) == 0 && mkdir(path, 0700) == 0);
    uint64_t errors = metric_value(METRIC_AUDIT_ERRORS, 0);
    struct audit_entry entry = {AUDIT_NODE_STOP, "user:cairn", {{0}}};
    CHECK_ERR(audit_add(audit, &entry, 1), ERR_IO);
    CHECK(audit_failed(audit));
    CHECK_UINT(metric_value(METRIC_AUDIT_ERRORS, 0), errors + 1);
    CHECK(rmdir(path) == 0 && rename(aside, path) == 0);
    CHECK_OK(audit_add(audit, &entry, 1));
    CHECK(!audit_failed(audit));
    audit_close(audit);
    check_good(2);
    free(path);
    free(aside);
}

static void users_have_names_or_numbers(void **state)
{
    (void)state;
    char who[AUDIT_WHO_CAP];
    audit_user(who, 0);
    CHECK(strcmp(who, "user:root") == 0);
    audit_user(who, 4242424);
    CHECK(strcmp(who, "uid:4242424") == 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_line_is_as_the_format_says),
        CASE(a_log_goes_on_where_it_ended),
        CASE(a_full_file_is_put_away_and_the_chain_goes_through),
        CASE(every_changed_byte_is_found),
        CASE(every_truncation_is_found),
        CASE(lines_that_are_gone_moved_or_changed_are_named),
        CASE(a_changed_last_line_and_a_changed_head_are_found),
        CASE(lines_of_another_shape_are_refused),
        CASE(a_reader_may_have_enough),
        CASE(a_torn_last_line_is_dropped_when_the_log_is_opened),
        CASE(a_line_that_its_head_does_not_know_yet_holds),
        CASE(damage_becomes_an_act_and_stays_visible),
        CASE(two_processes_write_one_log),
        CASE(a_failed_write_is_said_counted_and_made_good),
        CASE(users_have_names_or_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
