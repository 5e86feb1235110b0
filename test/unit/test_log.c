#include "base/log.h"
#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char captured[20000];

/* Standard error goes into a file from begin to end, which returns what came. */
static int saved;
static FILE *capture;

static void begin(void)
{
    fflush(stderr);
    saved = dup(STDERR_FILENO);
    capture = tmpfile();
    CHECK(saved >= 0 && capture && dup2(fileno(capture), STDERR_FILENO) >= 0);
}

static const char *end(void)
{
    rewind(capture);
    size_t len = fread(captured, 1, sizeof captured - 1, capture);
    captured[len] = 0;
    CHECK(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    fclose(capture);
    return captured;
}

static void open_log(bool json, enum log_level level)
{
    struct log_options options = {.json = json, .level = level};
    log_open(&options);
}

/* Checks what stands behind the time. */
static void check_line(const char *got, const char *behind_time)
{
    const char *at = strstr(got, "level");
    if (!at || strcmp(at, behind_time) != 0) {
        fail_msg("got  %s\nwant ...%s", got, behind_time);
    }
}

static void a_line_of_logfmt_has_time_level_event_and_pairs(void **state)
{
    (void)state;
    open_log(false, LOG_INFO);
    begin();
    log_event(LOG_WARN, "a.b", "n=%u who=%s at=start hex=%08x reason=\"%s %s\"", 7u, "x", 0xabcu,
              "two", "words");
    const char *got = end();
    CHECK(strncmp(got, "time=20", 7) == 0 && got[28] == 'Z');
    check_line(got, "level=warn event=a.b n=7 who=x at=start hex=00000abc reason=\"two words\"\n");
}

static void every_conversion_prints_its_number(void **state)
{
    (void)state;
    open_log(false, LOG_INFO);
    begin();
    log_event(LOG_INFO, "e", "a=%d b=%ld c=%lld d=%u e=%lu f=%llu g=%zu h=%.*s i=%llx j=%016lx", -1,
              -2L, -3LL, 4u, 5UL, 6ULL, (size_t)7, 2, "abc", 0xfULL, 1UL);
    check_line(end(), "level=info event=e a=-1 b=-2 c=-3 d=4 e=5 f=6 g=7 h=ab i=f "
                      "j=0000000000000001\n");
}

static void a_value_can_not_pass_for_another_pair(void **state)
{
    (void)state;
    open_log(false, LOG_INFO);
    begin();
    log_event(LOG_INFO, "e", "a=%s b=%s c=%s d=%s", "x level=error", "", "\"", "a=b");
    check_line(end(), "level=info event=e a=\"x level=error\" b=\"\" c=\"\\\"\" d=\"a=b\"\n");
}

static void a_value_can_not_break_the_line_or_the_terminal(void **state)
{
    (void)state;
    open_log(false, LOG_INFO);
    begin();
    log_event(LOG_INFO, "e", "a=%s b=%s c=%s d=%s", "1\n2\r", "\x1b[2J", "\xff\xc2\x9b",
              "Gr\xc3\xbc\xc3\x9f");
    check_line(end(), "level=info event=e a=\"1\\u000a2\\u000d\" b=\"\\u001b[2J\" "
                      "c=\"\xef\xbf\xbd\\u009b\" d=\"Gr\xc3\xbc\xc3\x9f\"\n");
}

static void json_has_numbers_and_strings(void **state)
{
    (void)state;
    open_log(true, LOG_INFO);
    begin();
    log_event(LOG_ERROR, "e", "n=%llu hex=%x mixed=%u%s text=\"%s\" fixed=1", 12ULL, 10u, 1u, "s",
              "\"\\\n");
    const char *got = end();
    CHECK(strncmp(got, "{\"time\":\"20", 11) == 0);
    check_line(got, "level\":\"error\",\"event\":\"e\",\"n\":12,\"hex\":\"a\",\"mixed\":\"1s\","
                    "\"text\":\"\\\"\\\\\\u000a\",\"fixed\":\"1\"}\n");
}

static void long_values_and_lines_are_cut_and_stay_whole(void **state)
{
    (void)state;
    static char text[3000];
    memset(text, '\n', sizeof text - 1);
    open_log(true, LOG_INFO);
    begin();
    log_event(LOG_INFO, "e", "a=%s b=%s c=%u", text, text, 1u);
    const char *got = end();
    size_t len = strlen(got);
    CHECK(len < 8192 && strcmp(got + len - 11, "\",\"cut\":1}\n") == 0);
    CHECK(strstr(got, "\"a\":") && !strstr(got, "\"b\":"));
    begin();
    memset(text, 'x', sizeof text - 1);
    log_event(LOG_INFO, "e", "a=%s", text);
    CHECK(strlen(end()) < 1200);
}

static void levels_below_the_lowest_are_dropped(void **state)
{
    (void)state;
    open_log(false, LOG_WARN);
    begin();
    log_event(LOG_INFO, "e", "a=%d", 1);
    log_set_level(LOG_DEBUG);
    log_event(LOG_DEBUG, "f", "a=%d", 1);
    check_line(end(), "level=debug event=f a=1\n");
}

static void journald_gets_the_priority(void **state)
{
    (void)state;
    char stream[64];
    begin();
    struct stat stat;
    CHECK(fstat(STDERR_FILENO, &stat) == 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino);
    struct log_options options = {.level = LOG_DEBUG, .journal_stream = stream};
    log_open(&options);
    log_event(LOG_ERROR, "e", "a=%d", 1);
    options.journal_stream = "1:1";
    log_open(&options);
    log_event(LOG_ERROR, "e", "a=%d", 1);
    const char *got = end();
    CHECK(strncmp(got, "<3>time=", 8) == 0);
    CHECK(strncmp(strchr(got, '\n') + 1, "time=", 5) == 0);
}

static int listen_at(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

static void receive(int fd)
{
    ssize_t len = recv(fd, captured, sizeof captured - 1, 0);
    CHECK(len > 0);
    captured[len] = 0;
}

/* RFC 5424 6: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG. */
static void syslog_gets_a_datagram_of_rfc_5424(void **state)
{
    (void)state;
    char path[] = "/tmp/test-log-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    char socket_path[64];
    snprintf(socket_path, sizeof socket_path, "%s/log", path);
    int fd = listen_at(socket_path);
    struct log_options options = {.level = LOG_INFO, .syslog_path = socket_path};
    log_open(&options);
    log_event(LOG_WARN, "a.b", "n=%d", 1);
    receive(fd);
    char stamp[40], host[256], app[16], id[32], data[4];
    int pid, at = 0;
    CHECK_UINT(sscanf(captured, "<28>1 %39s %255s %15s %d %31s %3s %n", stamp, host, app, &pid, id,
                      data, &at),
               6);
    CHECK(strlen(stamp) == 24 && strcmp(app, "cairn") == 0 && strcmp(data, "-") == 0);
    CHECK(pid == getpid() && strcmp(id, "a.b") == 0);
    check_line(captured + at, "level=warn event=a.b n=1");

    /* The logger is started anew under the same name. */
    close(fd);
    CHECK(unlink(socket_path) == 0);
    fd = listen_at(socket_path);
    log_event(LOG_INFO, "again", "n=%d", 2);
    receive(fd);
    CHECK(strstr(captured, "<30>1 ") && strstr(captured, "event=again"));

    /* Its queue is full: lines are dropped, and counted. */
    for (unsigned i = 0; i < 5000; i++) {
        log_event(LOG_INFO, "many", "n=%u", i);
    }
    while (recv(fd, captured, sizeof captured, 0) > 0) {
    }
    log_event(LOG_INFO, "after", "n=%d", 3);
    receive(fd);
    CHECK(strstr(captured, "event=after"));
    receive(fd);
    CHECK(strstr(captured, "event=log.dropped lines="));

    /* Nobody listens: standard error. */
    close(fd);
    CHECK(unlink(socket_path) == 0);
    begin();
    log_event(LOG_INFO, "alone", "n=%d", 4);
    check_line(end(), "level=info event=alone n=4\n");
    CHECK(rmdir(path) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_logfmt_has_time_level_event_and_pairs),
        cmocka_unit_test(every_conversion_prints_its_number),
        cmocka_unit_test(a_value_can_not_pass_for_another_pair),
        cmocka_unit_test(a_value_can_not_break_the_line_or_the_terminal),
        cmocka_unit_test(json_has_numbers_and_strings),
        cmocka_unit_test(long_values_and_lines_are_cut_and_stay_whole),
        cmocka_unit_test(levels_below_the_lowest_are_dropped),
        cmocka_unit_test(journald_gets_the_priority),
        cmocka_unit_test(syslog_gets_a_datagram_of_rfc_5424),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
