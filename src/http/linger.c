/* A client that is told no in the middle of its body goes on sending. Closing on unread bytes would
 * reset the connection, and the answer with it (RFC 9112, 9.6): what still comes is read and
 * dropped for a while, on a second descriptor of the socket, after the library has closed its own.
 */
#include "http/server_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_S      5
#define LINGERING_MAX 256 /* on one loop */
#define DROP_LEN      ((size_t)1 << 20)
#define EVENTS        32

struct lingering {
    struct lingering *next;
    int fd;
    uint64_t since_ns;
    bool ended;
};

static void finish(struct loop *loop, struct lingering **at)
{
    struct lingering *gone = *at;
    *at = gone->next;
    close(gone->fd); /* which takes it out of the epoll set as well: nobody else has it open */
    free(gone);
    loop->lingering_count--;
}

void linger_add(struct loop *loop, int fd)
{
    int own = loop->lingering_count < LINGERING_MAX ? dup(fd) : -1;
    if (own < 0) {
        return;
    }
    struct lingering *lingering = mem_zalloc(sizeof *lingering);
    *lingering = (struct lingering){loop->lingering, own, loop->now_ns, false};
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = lingering};
    shutdown(own, SHUT_WR);
    loop->lingering = lingering;
    loop->lingering_count++;
    if (epoll_ctl(loop->linger_fd, EPOLL_CTL_ADD, own, &event) != 0) {
        finish(loop, &loop->lingering);
    }
}

/* Drops what has come; false when nothing more will. */
static bool drop(int fd)
{
    /* With MSG_TRUNC a TCP socket discards without copying. */
    ssize_t len = recv(fd, NULL, DROP_LEN, MSG_TRUNC | MSG_DONTWAIT);
    return len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR));
}

static void finish_ended(struct loop *loop)
{
    struct lingering **at = &loop->lingering;
    while (*at) {
        if ((*at)->ended) {
            finish(loop, at);
        } else {
            at = &(*at)->next;
        }
    }
}

void linger_run(struct loop *loop)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loop->linger_fd, events, EVENTS, 0);
    bool any = false;
    for (int i = 0; i < count; i++) {
        struct lingering *lingering = events[i].data.ptr;
        lingering->ended = !drop(lingering->fd);
        any |= lingering->ended;
    }
    if (any) {
        finish_ended(loop);
    }
}

void linger_sweep(struct loop *loop, bool all)
{
    for (struct lingering *at = loop->lingering; at; at = at->next) {
        at->ended |= all || loop->now_ns - at->since_ns > LINGER_S * SECOND_NS;
    }
    finish_ended(loop);
}
