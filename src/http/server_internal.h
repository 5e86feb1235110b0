/* What the files of the server share. None but server.c sees the library: to the others a
 * connection of its is a pointer.
 *
 * An exchange has two owners while it is suspended, its connection and whoever resumes it, and ends
 * with the last of them. `wait` says which of the two came first:
 *
 *   NONE ──exchange_suspend──▶ OPEN ──exchange_resume──▶ RESUMED   queued, finished on the loop
 *                               └─────deadline, stop───▶ LATE      answered without; a later
 *                                                                  exchange_resume only lets go */
#ifndef CAIRN_HTTP_SERVER_INTERNAL_H
#define CAIRN_HTTP_SERVER_INTERNAL_H

#include "http/framing.h"
#include "http/refusal.h"
#include "http/route.h"

#include <pthread.h>
#include <stdatomic.h>

#define PATH_LEN_MAX         2048
#define RESPONSE_HEADERS_MAX 8
#define SECONDS_MAX          8
#define SECOND_NS            1000000000ull

struct MHD_Connection;
struct MHD_Daemon;
struct lingering;
struct loop;

struct connection {
    struct loop *loop;
    struct connection *previous; /* in the loop's list */
    struct connection *next;
    struct exchange *exchange; /* under way, or NULL */
    int fd;
    uint64_t since_ns; /* accepted, or the last exchange ended */
    bool served;       /* one ended */
    bool refused;      /* every request gets `refusal` */
    bool counted;      /* in the server's addresses */
    bool lingers;      /* answered in the middle of a body */
    bool loopback;
    enum refusal refusal;
    char peer[46];
};

enum wait_state { WAIT_NONE, WAIT_OPEN, WAIT_RESUMED, WAIT_LATE };

struct response_extra {
    const char *name;
    char *value;
};

struct exchange {
    struct server *server;
    struct loop *loop;
    struct connection *connection; /* NULL once it ended */
    struct MHD_Connection *handle;
    atomic_uint owners;
    _Atomic enum wait_state wait;
    struct exchange *next_resumed;

    char request_id[17];
    char method[16];
    char *target; /* as it was sent */
    char *path;   /* decoded, and after its end once more, cut for `match` */
    char peer[46];
    bool loopback;
    struct route_match match;
    struct framing framing;

    struct buf body;
    size_t body_len; /* seen so far, kept or streamed */
    size_t held;     /* in the server's budget */
    struct response response;
    struct response_extra extra[RESPONSE_HEADERS_MAX];
    unsigned extra_count;

    uint64_t begun_ns; /* when its headers were there */
    bool begun;        /* its headers are there */
    bool complete;     /* its body too: the handler was called, or need not be */
    bool answered;     /* the library has the response */
    bool parked;       /* the library leaves the connection alone */
    uint64_t since_ns; /* of the state that it is in */
    route_fn *finish;  /* set by whoever resumes */
    route_fn *late;

    pull_fn *pull; /* of a stream */
    struct buf out;
    size_t out_at;  /* taken from `out` */
    bool ended;     /* pull says that there is no more */
    uint64_t acked; /* by the client's machine, when it was last looked at */
    uint64_t acked_first;
    uint64_t acked_since_ns;

    void *kept;
    free_fn *release;
    struct reader *reader;
    free_fn *release_reader;
    bool shared; /* the answer is the same for everybody */
};

struct post {
    post_fn *fn;
    void *argument;
};

struct loop {
    struct server *server;
    unsigned number;
    pthread_t thread;
    struct MHD_Daemon *daemon;
    int listen_fd;
    int event_fd;
    int library_fd;
    _Atomic(struct exchange *) resumed; /* a stack */
    atomic_bool sleeps;
    bool again;           /* something was resumed on the loop's own thread */
    pthread_mutex_t lock; /* of `posts` */
    struct buf posts;     /* struct post */
    struct connection *connections;
    unsigned open; /* requests that came whole and are not yet answered to the end */
    uint64_t now_ns;
    uint64_t turn_ns; /* the longest turn since the last second */
    uint64_t tick_ns; /* when the next second begins */
    uint64_t id;      /* of the last request, before it is stirred */
    bool draining;
    bool over;     /* no handler is called any more: nothing may be suspended */
    int linger_fd; /* epoll */
    struct lingering *lingering;
    unsigned lingering_count;
};

struct server {
    struct server_options options;
    struct server_limits limits;
    struct budget budget;
    struct addresses *addresses;
    struct buckets *buckets;
    atomic_bool rated; /* whether they count */
    atomic_uint connections;
    atomic_uint streams;
    atomic_uint owners; /* whoever started it, each loop's user, each exchange */
    atomic_bool stopping;
    atomic_bool log_requests;
    uint64_t stop_ns; /* until then requests are answered */
    uint16_t port;
    pthread_mutex_t lock; /* of `seconds` */
    struct post seconds[SECONDS_MAX];
    unsigned second_count;
    unsigned loop_count;
    struct loop loops[];
};

/* exchange.c */
struct exchange *exchange_new(struct connection *connection, struct MHD_Connection *handle,
                              const char *target);
/* One owner less; frees with the last. */
void exchange_let_go(struct exchange *exchange);
/* Fills the response. */
void exchange_refuse(struct exchange *exchange, enum refusal refusal);
/* Lets the response's body take the place of the request's in the budget; refuses it if that is not
 * possible. */
void exchange_hold_answer(struct exchange *exchange);
/* Counts what a stream has ready in the budget, in place of what it had. */
void exchange_hold_part(struct exchange *exchange);
void server_let_go(struct server *server);

/* loop.c */
void loop_init(struct loop *loop, struct server *server, unsigned number);
void loop_clear(struct loop *loop);
/* Hands over an exchange that was resumed, from any thread. */
void loop_push(struct loop *loop, struct exchange *exchange);
/* Wakes it, from any thread. */
void loop_wake(struct loop *loop);
/* What others left for it: posts, and exchanges that were resumed. */
void loop_take(struct loop *loop);
/* The loop's thread. */
void *loop_run(void *context);

/* sweep.c: ends what takes too long, once a second. */
void loop_sweep(struct loop *loop);
/* Answers everything that is suspended without waiting for its end. */
void loop_give_up(struct loop *loop);

/* linger.c: keeps reading, for a while, from a socket whose connection is being closed. */
void linger_add(struct loop *loop, int fd);
void linger_run(struct loop *loop);
/* Ends those that took too long, or all. */
void linger_sweep(struct loop *loop, bool all);

/* listen.c: opens `count` sockets at one address, with its port in *port. ERR_FORMAT, ERR_IO. */
must_use enum err listen_open(int *fds, unsigned count, const char *address, uint16_t *port,
                              struct why *why);

/* server.c: the library. */
void library_park(struct exchange *exchange);
/* On the loop's thread. */
void library_unpark(struct exchange *exchange);
void library_run(struct loop *loop);
/* Milliseconds until library_run is due, at most `most`. */
int library_timeout(const struct loop *loop, int most);
void library_stop_listening(struct loop *loop);
void library_stop(struct loop *loop);

#endif
