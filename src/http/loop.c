/* An event loop: waits for the library's sockets and for a wake-up of ours, takes what other
 * threads left, lets the library work, and looks around once a second. */
#include "http/server_internal.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "crypto/random.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

void loop_init(struct loop *loop, struct server *server, unsigned number)
{
    uint8_t seed[8];
    random_bytes(seed, sizeof seed);
    loop->server = server;
    loop->number = number;
    loop->id = get_u64(seed);
    loop->now_ns = clock_mono_ns();
    loop->tick_ns = loop->now_ns + SECOND_NS;
    loop->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->linger_fd = epoll_create1(EPOLL_CLOEXEC);
    BUG_ON(loop->event_fd < 0 || loop->linger_fd < 0);
    pthread_mutex_init(&loop->lock, NULL);
}

void loop_clear(struct loop *loop)
{
    close(loop->event_fd);
    close(loop->linger_fd);
    buf_clear(&loop->posts);
    pthread_mutex_destroy(&loop->lock);
}

/* ---- from other threads */

void loop_wake(struct loop *loop)
{
    if (atomic_exchange(&loop->sleeps, false)) {
        eventfd_write(loop->event_fd, 1);
    }
}

void loop_push(struct loop *loop, struct exchange *exchange)
{
    struct exchange *top = atomic_load(&loop->resumed);
    do {
        exchange->next_resumed = top;
    } while (!atomic_compare_exchange_weak(&loop->resumed, &top, exchange));
    loop_wake(loop);
}

static void add_post(struct loop *loop, struct post post)
{
    pthread_mutex_lock(&loop->lock);
    const struct post *posts = (const struct post *)(const void *)loop->posts.at;
    size_t count = loop->posts.len / sizeof *posts;
    size_t i = 0;
    while (i < count && (posts[i].fn != post.fn || posts[i].argument != post.argument)) {
        i++;
    }
    if (i == count) {
        buf_put(&loop->posts, BYTES_OF(post));
    }
    pthread_mutex_unlock(&loop->lock);
    loop_wake(loop);
}

void server_post(struct server *server, post_fn *fn, void *argument)
{
    for (unsigned i = 0; i < server->loop_count; i++) {
        add_post(&server->loops[i], (struct post){fn, argument});
    }
}

void server_every_second(struct server *server, post_fn *fn, void *argument)
{
    pthread_mutex_lock(&server->lock);
    BUG_ON(server->second_count == SECONDS_MAX);
    server->seconds[server->second_count++] = (struct post){fn, argument};
    pthread_mutex_unlock(&server->lock);
}

/* ---- on the loop's thread */

static void run_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct buf posts = loop->posts;
    loop->posts = (struct buf){0};
    pthread_mutex_unlock(&loop->lock);
    const struct post *post = (const struct post *)(const void *)posts.at;
    for (size_t i = 0; i < posts.len / sizeof *post; i++) {
        post[i].fn(loop->server->options.context, post[i].argument, loop->number);
    }
    buf_clear(&posts);
}

/* What was resumed first goes first. */
static void run_resumed(struct loop *loop)
{
    struct exchange *stack = atomic_exchange(&loop->resumed, NULL);
    struct exchange *list = NULL;
    while (stack) {
        struct exchange *next = stack->next_resumed;
        stack->next_resumed = list;
        list = stack;
        stack = next;
    }
    while (list) {
        struct exchange *next = list->next_resumed;
        library_unpark(list);
        exchange_let_go(list);
        list = next;
    }
}

void loop_take(struct loop *loop)
{
    run_posts(loop);
    run_resumed(loop);
}

static void every_second(struct loop *loop)
{
    struct server *server = loop->server;
    struct post seconds[SECONDS_MAX];
    pthread_mutex_lock(&server->lock);
    unsigned count = server->second_count;
    for (unsigned i = 0; i < count; i++) {
        seconds[i] = server->seconds[i];
    }
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < count; i++) {
        seconds[i].fn(server->options.context, seconds[i].argument, loop->number);
    }
    metric_observe_us(METRIC_HTTP_TURN, 0, loop->turn_ns / 1000);
    loop->turn_ns = 0;
    loop_sweep(loop);
    linger_sweep(loop, false);
}

static bool is_idle(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    bool posted = loop->posts.len > 0;
    pthread_mutex_unlock(&loop->lock);
    return !posted && !atomic_load(&loop->resumed) && !loop->again;
}

/* Sleeps until there is something to do. */
static void wait(struct loop *loop)
{
    int most = loop->draining ? 10 : 1000;
    if (loop->tick_ns <= loop->now_ns) {
        most = 0;
    } else if ((loop->tick_ns - loop->now_ns) / 1000000 < (uint64_t)most) {
        most = (int)((loop->tick_ns - loop->now_ns) / 1000000) + 1;
    }
    int timeout = library_timeout(loop, most);
    atomic_store(&loop->sleeps, true);
    if (!is_idle(loop)) {
        timeout = 0;
    }
    struct pollfd fds[] = {{.fd = loop->library_fd, .events = POLLIN},
                           {.fd = loop->event_fd, .events = POLLIN},
                           {.fd = loop->linger_fd, .events = POLLIN}};
    int count = timeout > 0 ? poll(fds, 3, timeout) : 0;
    BUG_ON(count < 0 && errno != EINTR);
    atomic_store(&loop->sleeps, false);
    if (count > 0 && fds[1].revents) {
        eventfd_t ignored;
        eventfd_read(loop->event_fd, &ignored);
    }
    if (count > 0 && fds[2].revents) {
        linger_run(loop);
    }
}

/* Once, when the server begins to stop. */
static void begin_drain(struct loop *loop)
{
    loop->draining = true;
    library_stop_listening(loop);
    for (struct connection *at = loop->connections; at; at = at->next) {
        if (at->exchange) {
            exchange_wake(at->exchange);
        }
    }
}

static bool goes_on(struct loop *loop)
{
    struct server *server = loop->server;
    if (!atomic_load(&server->stopping)) {
        return true;
    }
    if (!loop->draining) {
        begin_drain(loop);
    }
    return loop->open > 0 && loop->now_ns < server->stop_ns;
}

void *loop_run(void *context)
{
    struct loop *loop = context;
    while (goes_on(loop)) {
        wait(loop);
        loop->now_ns = clock_mono_ns();
        loop->again = false;
        loop_take(loop);
        if (loop->now_ns >= loop->tick_ns) {
            loop->tick_ns = loop->now_ns + SECOND_NS;
            every_second(loop);
        }
        library_run(loop);
        uint64_t turn_ns = clock_mono_ns() - loop->now_ns;
        loop->turn_ns = turn_ns > loop->turn_ns ? turn_ns : loop->turn_ns;
    }
    loop_give_up(loop);
    library_run(loop);
    library_stop(loop);
    linger_sweep(loop, true);
    return NULL;
}
