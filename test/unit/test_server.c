/* The server on a real socket, with routes of the test's own: suspended and resumed, late,
 * streamed, guarded, posted to, stopped. */
#include "base/clock.h"
#include "check.h"
#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LONG_S  60
#define LOOPS   3
#define MAX_LEN 65536

static struct server *server;
static atomic_int released;        /* what exchanges kept and let go */
static struct exchange *suspended; /* the last one that nobody resumes */
static struct exchange *stream;
static unsigned stream_loop;
static atomic_int pulled;
static atomic_int posted[LOOPS];
static atomic_int seconds[LOOPS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what the handlers leave here */

static void sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

/* Waits until the condition holds. */
#define WAIT(condition)                                                   \
    do {                                                                  \
        for (unsigned waits = 0; !(condition) && waits < 6000; waits++) { \
            sleep_ms(10);                                                 \
        }                                                                 \
        CHECK(condition);                                                 \
    } while (0)

/* ---- routes */

static void say(struct exchange *exchange, unsigned status, const char *text)
{
    struct response *response = exchange_response(exchange);
    response->status = status;
    response->content_type = "text/plain";
    buf_put(&response->body, bytes_text(text));
}

static void let_go(void *kept)
{
    free(kept);
    atomic_fetch_add(&released, 1);
}

static void hello(void *context, struct exchange *exchange)
{
    (void)context;
    exchange_keep(exchange, mem_alloc(1), let_go);
    response_header(exchange, "X-Peer", exchange_peer(exchange));
    if (exchange_query_string(exchange)[0]) {
        response_header(exchange, "X-Query", exchange_query_string(exchange));
    }
    say(exchange, 200, "hello");
    exchange_response(exchange)->caching = CACHE_REVALIDATE;
}

static void finish(void *context, struct exchange *exchange)
{
    (void)context;
    say(exchange, 201, "finished");
}

static void *resume_soon(void *context)
{
    sleep_ms(20);
    exchange_resume(context, finish);
    return NULL;
}

static void soon(void *context, struct exchange *exchange)
{
    (void)context;
    pthread_t thread;
    exchange_suspend(exchange, NULL);
    BUG_ON(pthread_create(&thread, NULL, resume_soon, exchange) != 0);
    pthread_detach(thread);
}

static void late(void *context, struct exchange *exchange)
{
    (void)context;
    say(exchange, 504, "late");
}

static void suspend(struct exchange *exchange, route_fn *otherwise)
{
    exchange_keep(exchange, mem_alloc(1), let_go);
    exchange_suspend(exchange, otherwise);
    pthread_mutex_lock(&lock);
    suspended = exchange;
    pthread_mutex_unlock(&lock);
}

static void never(void *context, struct exchange *exchange)
{
    (void)context;
    suspend(exchange, late);
}

static void never_plain(void *context, struct exchange *exchange)
{
    (void)context;
    suspend(exchange, NULL);
}

static struct exchange *take_suspended(void)
{
    pthread_mutex_lock(&lock);
    struct exchange *taken = suspended;
    suspended = NULL;
    pthread_mutex_unlock(&lock);
    return taken;
}

/* Says "tick" after each wake-up. */
static enum pull tick(void *context, struct exchange *exchange, struct buf *out)
{
    (void)context;
    (void)exchange;
    if (atomic_exchange(&pulled, 0)) {
        buf_put(out, bytes_text("tick\n"));
    }
    return PULL_WAIT;
}

static void forget_stream(void *kept)
{
    let_go(kept);
    pthread_mutex_lock(&lock);
    stream = NULL;
    pthread_mutex_unlock(&lock);
}

static void ticks(void *context, struct exchange *exchange)
{
    (void)context;
    struct response *response = exchange_response(exchange);
    response->status = 200;
    response->content_type = "text/event-stream";
    if (exchange_stream(exchange, tick)) {
        exchange_keep(exchange, mem_alloc(1), forget_stream);
        pthread_mutex_lock(&lock);
        stream = exchange;
        stream_loop = exchange_loop(exchange);
        pthread_mutex_unlock(&lock);
    }
}

static enum pull count_down(void *context, struct exchange *exchange, struct buf *out)
{
    (void)context;
    int *left = exchange_kept(exchange);
    for (unsigned i = 0; i < 1000; i++) {
        buf_put(out, bytes_text("0123456789"));
    }
    return --*left > 0 ? PULL_MORE : PULL_END;
}

static void countdown(void *context, struct exchange *exchange)
{
    (void)context;
    int *left = mem_alloc(sizeof *left);
    *left = 30;
    exchange_keep(exchange, left, let_go);
    exchange_response(exchange)->status = 200;
    CHECK(exchange_stream(exchange, count_down));
}

static const struct route routes[] = {
    {"GET", "/hello", hello, 0, NULL, ROUTE_OPEN},
    {"POST", "/hello", hello, 1000, NULL, ROUTE_WRITE},
    {"GET", "/soon", soon, 0, NULL, ROUTE_OPEN},
    {"GET", "/never", never, 0, NULL, ROUTE_OPEN},
    {"GET", "/never-plain", never_plain, 0, NULL, ROUTE_OPEN},
    {"GET", "/ticks", ticks, 0, NULL, ROUTE_OPEN},
    {"GET", "/countdown", countdown, 0, NULL, ROUTE_OPEN},
    {"GET", "/watch", hello, 0, NULL, ROUTE_WATCH},
    {NULL, NULL, NULL, 0, NULL, ROUTE_OPEN},
};

static bool guard(void *context, struct exchange *exchange, enum route_access access)
{
    (void)context;
    if (access == ROUTE_WATCH) {
        say(exchange, 403, "no");
        return false;
    }
    exchange_set_reader(exchange, mem_alloc(1), let_go);
    return exchange_take_token(exchange, BYTES_NONE);
}

/* ---- a client */

static void start_loops(unsigned loops, struct server_limits limits, guard_fn *guarded)
{
    struct why why = {0};
    struct server_options options = {.address = "127.0.0.1",
                                     .threads = loops,
                                     .limits = limits,
                                     .routes = routes,
                                     .guard = guarded};
    atomic_store(&released, 0);
    CHECK_OK(server_start(&server, &options, &why));
}

static void start(struct server_limits limits, guard_fn *guarded)
{
    start_loops(LOOPS, limits, guarded);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {.tv_sec = LONG_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
    CHECK(connect(fd, (const struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

static void put(int fd, const char *text)
{
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* Reads until the text holds `end`, or the connection ends. */
static const char *get_until(int fd, const char *end)
{
    static char text[MAX_LEN];
    size_t len = 0;
    text[0] = '\0';
    while (!strstr(text, end)) {
        ssize_t got = recv(fd, text + len, 1, 0);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
        CHECK(len < sizeof text - 1);
        text[len] = '\0';
    }
    return text;
}

static const char *ask(int fd, const char *path, const char *end)
{
    char request[256];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    put(fd, request);
    return get_until(fd, end);
}

#define CHECK_HAS(text, part) CHECK(strstr(text, part) != NULL)

/* ---- cases */

static void an_answer_says_what_it_must(void **state)
{
    (void)state;
    start((struct server_limits){0}, NULL);
    int fd = dial();
    const char *text = ask(fd, "/hello?a=%20b", "\r\n\r\nhello");
    CHECK_HAS(text, "HTTP/1.1 200 OK\r\n");
    CHECK_HAS(text, "\r\nX-Content-Type-Options: nosniff\r\n");
    CHECK_HAS(text, "\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
    CHECK_HAS(text, "\r\nReferrer-Policy: no-referrer\r\n");
    CHECK_HAS(text, "\r\nX-Request-Id: ");
    CHECK_HAS(text, "\r\nX-Peer: 127.0.0.1\r\n");
    CHECK_HAS(text, "\r\nX-Query: a=%20b\r\n");
    CHECK_HAS(text, "\r\nCache-Control: no-cache\r\n");
    CHECK_HAS(text, "\r\nETag: \"");
    CHECK(strstr(text, "\r\nServer:") == NULL && strstr(text, "\r\nStrict-") == NULL);
    char etag[40];
    snprintf(etag, sizeof etag, "%.34s", strstr(text, "ETag: ") + 6);
    char request[256];
    snprintf(request, sizeof request,
             "GET /hello HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\", %s\r\n\r\n", etag);
    put(fd, request);
    text = get_until(fd, "\r\n\r\n");
    CHECK_HAS(text, "HTTP/1.1 304 ");
    CHECK_HAS(text, etag);
    put(fd, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_HAS(get_until(fd, "\r\n\r\n"), "HTTP/1.1 204 ");
    close(fd);
    server_stop(server, 1000);
    CHECK_UINT((unsigned)atomic_load(&released), 2);
}

static void what_is_resumed_is_finished_on_every_loop(void **state)
{
    (void)state;
    int fds[40];
    start((struct server_limits){0}, NULL);
    for (size_t i = 0; i < 40; i++) {
        fds[i] = dial();
        put(fds[i], "GET /soon HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (size_t i = 0; i < 40; i++) {
        CHECK_HAS(get_until(fds[i], "finished"), "HTTP/1.1 201 ");
        CHECK_HAS(ask(fds[i], "/hello", "hello"), "200 OK");
        close(fds[i]);
    }
    server_stop(server, 1000);
}

static void a_deadline_answers_and_waits_for_the_resume(void **state)
{
    (void)state;
    start((struct server_limits){.answer_wait_s = 1}, NULL);
    int fd = dial();
    CHECK_HAS(ask(fd, "/never", "\r\n\r\nlate"), "HTTP/1.1 504 ");
    struct exchange *exchange = take_suspended();
    CHECK_HAS(ask(fd, "/hello", "\r\n\r\nhello"), "200 OK");
    WAIT(atomic_load(&released) == 1); /* of hello */
    exchange_resume(exchange, finish);
    WAIT(atomic_load(&released) == 2);
    CHECK_HAS(ask(fd, "/never-plain", "}"), "/problems/timeout");
    exchange_resume(take_suspended(), finish);
    /* The client goes away first. */
    put(fd, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    sleep_ms(50);
    close(fd);
    WAIT(suspended != NULL);
    exchange_resume(take_suspended(), finish);
    WAIT(atomic_load(&released) == 4);
    server_stop(server, 1000);
}

static void what_is_resumed_after_the_stop_is_dropped(void **state)
{
    (void)state;
    start((struct server_limits){0}, NULL);
    int fd = dial();
    put(fd, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT(suspended != NULL);
    uint64_t before = clock_mono_ns();
    server_stop(server, 300);
    uint64_t took_ms = (clock_mono_ns() - before) / 1000000;
    CHECK(took_ms >= 300 && took_ms < 5000);
    CHECK_UINT((unsigned)atomic_load(&released), 0);
    exchange_resume(take_suspended(), finish);
    CHECK_UINT((unsigned)atomic_load(&released), 1);
    close(fd);
}

static void *resume_later(void *context)
{
    sleep_ms(300);
    exchange_resume(context, finish);
    return NULL;
}

static void stopping_answers_what_came_whole(void **state)
{
    (void)state;
    start((struct server_limits){0}, NULL);
    int fd = dial();
    int idle = dial();
    CHECK_HAS(ask(idle, "/hello", "\r\n\r\nhello"), "200 OK");
    put(fd, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT(suspended != NULL);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, resume_later, take_suspended()) == 0);
    server_stop(server, 10000);
    const char *text = get_until(fd, "finished");
    CHECK_HAS(text, "HTTP/1.1 201 ");
    CHECK_HAS(text, "Connection: close");
    CHECK(get_until(idle, "x")[0] == '\0');
    pthread_join(thread, NULL);
    close(fd);
    close(idle);
}

static atomic_bool held;
static atomic_bool go_on;

static void hold_back(void *context, void *argument, unsigned loop)
{
    (void)context;
    (void)argument;
    (void)loop;
    atomic_store(&held, true);
    while (!atomic_load(&go_on)) {
        sleep_ms(1);
    }
}

static void ask_now(void *context, void *fd, unsigned loop)
{
    (void)context;
    (void)loop;
    put(*(int *)fd, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
}

static void *stop_at_once(void *context)
{
    server_stop(context, 0);
    return NULL;
}

/* The last thing that the loop does before it ends is to take posts and look at its sockets. */
static void a_request_that_comes_with_the_end_is_refused(void **state)
{
    (void)state;
    start_loops(1, (struct server_limits){0}, NULL);
    int fd = dial();
    CHECK_HAS(ask(fd, "/hello", "\r\n\r\nhello"), "200 OK");
    server_post(server, hold_back, NULL);
    WAIT(atomic_load(&held));
    server_post(server, ask_now, &fd);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, stop_at_once, server) == 0);
    sleep_ms(100);
    atomic_store(&go_on, true);
    pthread_join(thread, NULL);
    const char *text = get_until(fd, "}");
    /* Where the loop was told to stop too late for this, it was in time for the handler. */
    bool in_time = strstr(text, "HTTP/1.1 504 ") != NULL;
    CHECK(in_time || strstr(text, "/problems/closed"));
    if (in_time) {
        exchange_resume(take_suspended(), finish);
    }
    close(fd);
}

static void wake(void *context, void *argument, unsigned loop)
{
    (void)context;
    (void)argument;
    pthread_mutex_lock(&lock);
    struct exchange *mine = stream && stream_loop == loop ? stream : NULL;
    pthread_mutex_unlock(&lock);
    if (mine) {
        exchange_wake(mine);
    }
    atomic_fetch_add(&posted[loop], 1);
}

static void a_stream_says_more_when_it_is_woken(void **state)
{
    (void)state;
    start((struct server_limits){.streams = 1}, NULL);
    int fd = dial();
    CHECK_HAS(ask(fd, "/ticks", "\r\n\r\n"), "Transfer-Encoding: chunked");
    for (unsigned i = 0; i < 20; i++) {
        atomic_store(&pulled, 1);
        server_post(server, wake, NULL);
        CHECK_HAS(get_until(fd, "tick\n\r\n"), "5\r\n");
    }
    int second = dial();
    CHECK_HAS(ask(second, "/ticks", "}"), "HTTP/1.1 503 ");
    close(second);
    /* One that went away is noticed at the next part, and its place is free. */
    close(fd);
    for (unsigned i = 0; i < 500 && stream; i++) {
        atomic_store(&pulled, 1);
        server_post(server, wake, NULL);
        sleep_ms(10);
    }
    CHECK(stream == NULL);
    fd = dial();
    CHECK_HAS(ask(fd, "/ticks", "\r\n\r\n"), "200 OK");
    uint64_t before = clock_mono_ns();
    server_stop(server, 10000);
    CHECK(clock_mono_ns() - before < 5000000000u);
    CHECK_HAS(get_until(fd, "0\r\n\r\n"), "0\r\n\r\n");
    close(fd);
    CHECK(stream == NULL);
}

static void a_stream_may_end(void **state)
{
    (void)state;
    start((struct server_limits){0}, NULL);
    int fd = dial();
    put(fd, "GET /countdown HTTP/1.0\r\n\r\n");
    CHECK_HAS(get_until(fd, "\r\n\r\n"), "200 OK");
    size_t len = 0;
    char part[4096];
    ssize_t got;
    while ((got = recv(fd, part, sizeof part, 0)) > 0) {
        len += (size_t)got;
    }
    CHECK_UINT(len, 300000);
    close(fd);
    server_stop(server, 1000);
    CHECK_UINT((unsigned)atomic_load(&released), 1);
}

static void every_second(void *context, void *argument, unsigned loop)
{
    (void)context;
    CHECK(argument == seconds);
    atomic_fetch_add(&seconds[loop], 1);
}

static void posts_reach_every_loop_once(void **state)
{
    (void)state;
    start((struct server_limits){0}, NULL);
    for (unsigned loop = 0; loop < LOOPS; loop++) {
        atomic_store(&posted[loop], 0);
        atomic_store(&seconds[loop], 0);
    }
    server_every_second(server, every_second, seconds);
    server_post(server, wake, NULL);
    for (unsigned loop = 0; loop < LOOPS; loop++) {
        WAIT(atomic_load(&posted[loop]) == 1);
    }
    for (unsigned loop = 0; loop < LOOPS; loop++) {
        WAIT(atomic_load(&seconds[loop]) >= 2);
    }
    server_stop(server, 1000);
}

static void the_guard_decides_and_names_the_reader(void **state)
{
    (void)state;
    start((struct server_limits){.requests_per_second = 1, .requests_burst = 2}, guard);
    int fd = dial();
    CHECK_HAS(ask(fd, "/watch", "\r\n\r\nno"), "HTTP/1.1 403 ");
    const char *text = ask(fd, "/hello", "\r\n\r\nhello");
    CHECK_HAS(text, "\r\nCache-Control: private, no-cache\r\n");
    CHECK_HAS(ask(fd, "/hello", "\r\n\r\nhello"), "200 OK");
    text = ask(fd, "/hello", "}");
    CHECK_HAS(text, "HTTP/1.1 429 ");
    CHECK_HAS(text, "\r\nRetry-After: 1\r\n");
    CHECK_HAS(text, "/problems/too-many");
    close(fd);
    server_stop(server, 1000);
    CHECK_UINT((unsigned)atomic_load(&released), 5); /* three readers, two that hello kept */
}

static void connections_of_one_address_are_bounded(void **state)
{
    (void)state;
    start((struct server_limits){.connections_per_address = 2, .count_loopback = true}, NULL);
    int fds[3] = {dial(), dial(), -1};
    CHECK_HAS(ask(fds[0], "/hello", "\r\n\r\nhello"), "200 OK");
    CHECK_HAS(ask(fds[1], "/hello", "\r\n\r\nhello"), "200 OK");
    fds[2] = dial();
    CHECK_HAS(ask(fds[2], "/hello", "}"), "HTTP/1.1 429 ");
    CHECK(get_until(fds[2], "x")[0] == '\0');
    close(fds[2]);
    close(fds[0]);
    for (unsigned i = 0; i < 500; i++) {
        fds[0] = dial();
        if (strstr(ask(fds[0], "/hello", "\r\n\r\n"), "200 OK")) {
            break;
        }
        close(fds[0]);
        sleep_ms(10);
    }
    CHECK_HAS(get_until(fds[0], "hello"), "hello");
    close(fds[0]);
    close(fds[1]);
    server_stop(server, 1000);
}

static void a_taken_port_is_an_error(void **state)
{
    (void)state;
    start((struct server_limits){0}, NULL);
    struct why why = {0};
    struct server *second;
    struct server_options options = {
        .address = "127.0.0.1", .port = server_port(server), .threads = LOOPS, .routes = routes};
    CHECK_ERR(server_start(&second, &options, &why), ERR_IO);
    assert_string_equal(why.field, "listen");
    options.threads = 1;
    CHECK_ERR(server_start(&second, &options, &why), ERR_IO);
    options.address = "localhost";
    CHECK_ERR(server_start(&second, &options, &why), ERR_FORMAT);
    server_stop(server, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_says_what_it_must),
        cmocka_unit_test(what_is_resumed_is_finished_on_every_loop),
        cmocka_unit_test(a_deadline_answers_and_waits_for_the_resume),
        cmocka_unit_test(what_is_resumed_after_the_stop_is_dropped),
        cmocka_unit_test(stopping_answers_what_came_whole),
        cmocka_unit_test(a_request_that_comes_with_the_end_is_refused),
        cmocka_unit_test(a_stream_says_more_when_it_is_woken),
        cmocka_unit_test(a_stream_may_end),
        cmocka_unit_test(posts_reach_every_loop_once),
        cmocka_unit_test(the_guard_decides_and_names_the_reader),
        cmocka_unit_test(connections_of_one_address_are_bounded),
        cmocka_unit_test(a_taken_port_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
