/* One thread accepts and one serves each connection. The owner of a connection's buffers is its
 * thread; `used`, `ended` and the end of the socket stand under the server's lock. A thread that
 * is done shuts its socket down, so that the other side knows at once, and leaves closing it to
 * whoever joins the thread, so that no number of a file is used again while stop() may use it. */
#include "order/comet/abci_server.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_LEN 65536
/* From here on answers go out before a flush is asked for, and memory of one request is given
 * back. */
#define KEEP_LEN (1u << 20)
/* How long a connection that failed waits for the other side to close. */
#define LINGER_MS 1000

struct connection {
    struct abci_server *server;
    bool used;
    bool ended;
    int fd;
    pthread_t thread;
    struct buf in;
    size_t at; /* what of `in` is done */
    struct buf out;
    struct arena arena;
};

struct abci_server {
    struct abci_handler handler;
    int dir_fd;
    char *name;
    int listen_fd;
    int stop_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    struct connection connections[ABCI_CONNECTIONS_MAX];
};

static enum err io_error(struct why *why, const char *what)
{
    return why_say(why, ERR_IO, what, NULL, strerror(errno), NULL);
}

static enum err send_all(struct connection *connection, struct why *why)
{
    size_t done = 0;
    while (done < connection->out.len) {
        ssize_t sent = send(connection->fd, connection->out.at + done, connection->out.len - done,
                            MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return io_error(why, "ABCI answer");
        }
        done += sent > 0 ? (size_t)sent : 0;
    }
    connection->out.len = 0;
    return OK;
}

/* Reads more, so that at least `want` bytes from `at` on have room. */
static enum err receive(struct connection *connection, size_t want, struct why *why)
{
    struct buf *in = &connection->in;
    size_t left = in->len - connection->at;
    if (left > 0 && connection->at > 0) {
        memmove(in->at, in->at + connection->at, left);
    }
    in->len = left;
    connection->at = 0;
    if (left == 0 && in->cap > KEEP_LEN) {
        buf_clear(in);
    }
    buf_reserve(in, want > left + READ_LEN ? want - left : READ_LEN);
    ssize_t got;
    do {
        got = recv(connection->fd, in->at + in->len, in->cap - in->len, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return io_error(why, "ABCI request");
    }
    if (got == 0) {
        return left == 0 ? ERR_CLOSED
                         : why_say(why, ERR_TRUNCATED, "ABCI request", NULL,
                                   "the connection ended inside of it", NULL);
    }
    in->len += (size_t)got;
    return OK;
}

static enum err call_info(struct connection *connection, const struct abci_request *request,
                          struct why *why)
{
    const struct abci_handler *handler = &connection->server->handler;
    struct abci_info_answer answer = {0};
    TRY(handler->info(handler->context, &request->info, &answer, &connection->arena, why));
    abci_answer_info(&connection->out, &answer);
    return OK;
}

static enum err call_init_chain(struct connection *connection, const struct abci_request *request,
                                struct why *why)
{
    const struct abci_handler *handler = &connection->server->handler;
    struct abci_init_answer answer = {0};
    TRY(handler->init_chain(handler->context, &request->init_chain, &answer, &connection->arena,
                            why));
    abci_answer_init_chain(&connection->out, &answer);
    return OK;
}

static enum err call_query(struct connection *connection, const struct abci_request *request,
                           struct why *why)
{
    const struct abci_handler *handler = &connection->server->handler;
    struct abci_query_answer answer = {0};
    TRY(handler->query(handler->context, &request->query, &answer, &connection->arena, why));
    abci_answer_query(&connection->out, &answer);
    return OK;
}

static enum err call_check_tx(struct connection *connection, const struct abci_request *request,
                              struct why *why)
{
    const struct abci_handler *handler = &connection->server->handler;
    struct abci_result answer = {0};
    TRY(handler->check_tx(handler->context, &request->check_tx, &answer, &connection->arena, why));
    abci_answer_check_tx(&connection->out, &answer);
    return OK;
}

static enum err call_prepare(struct connection *connection, const struct abci_request *request,
                             struct why *why)
{
    const struct abci_handler *handler = &connection->server->handler;
    struct abci_txs answer = {0};
    TRY(handler->prepare(handler->context, &request->block, &answer, &connection->arena, why));
    abci_answer_prepare(&connection->out, &answer);
    return OK;
}

static enum err call_process(struct connection *connection, const struct abci_request *request,
                             struct why *why)
{
    const struct abci_handler *handler = &connection->server->handler;
    enum abci_verdict answer = ABCI_REJECT;
    TRY(handler->process(handler->context, &request->block, &answer, &connection->arena, why));
    abci_answer_process(&connection->out, answer);
    return OK;
}

static enum err call_finalize(struct connection *connection, const struct abci_request *request,
                              struct why *why)
{
    const struct abci_handler *handler = &connection->server->handler;
    struct abci_finalized answer = {0};
    TRY(handler->finalize(handler->context, &request->block, &answer, &connection->arena, why));
    BUG_ON(answer.result_count != request->block.tx_count);
    abci_answer_finalize(&connection->out, &answer);
    return OK;
}

static enum err call_commit(struct connection *connection, struct why *why)
{
    const struct abci_handler *handler = &connection->server->handler;
    uint64_t retain_height = 0;
    TRY(handler->commit(handler->context, &retain_height, why));
    abci_answer_commit(&connection->out, retain_height);
    return OK;
}

static enum err call(struct connection *connection, const struct abci_request *request,
                     struct why *why)
{
    switch (request->kind) {
    case ABCI_ECHO:
        abci_answer_echo(&connection->out, request->echo);
        return OK;
    case ABCI_FLUSH:
        abci_answer_flush(&connection->out);
        return send_all(connection, why);
    case ABCI_INFO:
        return call_info(connection, request, why);
    case ABCI_INIT_CHAIN:
        return call_init_chain(connection, request, why);
    case ABCI_QUERY:
        return call_query(connection, request, why);
    case ABCI_CHECK_TX:
        return call_check_tx(connection, request, why);
    case ABCI_COMMIT:
        return call_commit(connection, why);
    case ABCI_LIST_SNAPSHOTS:
        abci_answer_list_snapshots(&connection->out);
        return OK;
    case ABCI_PREPARE_PROPOSAL:
        return call_prepare(connection, request, why);
    case ABCI_PROCESS_PROPOSAL:
        return call_process(connection, request, why);
    case ABCI_FINALIZE_BLOCK:
        return call_finalize(connection, request, why);
    case ABCI_OFFER_SNAPSHOT:
    case ABCI_LOAD_SNAPSHOT_CHUNK:
    case ABCI_APPLY_SNAPSHOT_CHUNK:
    case ABCI_EXTEND_VOTE:
    case ABCI_VERIFY_VOTE_EXTENSION:
    case ABCI_INSERT_TX:
    case ABCI_REAP_TXS:
        break;
    }
    return why_say(why, ERR_UNSUPPORTED, abci_kind_name(request->kind), NULL, "is not used",
                   "Let the node write CometBFT's settings.");
}

/* Answers one request; after an error, which goes out as an exception, nothing more can. */
static enum err answer(struct connection *connection, struct bytes message, struct why *why)
{
    struct abci_request request;
    enum err err = abci_request_parse(&request, message, &connection->arena);
    if (err != OK) {
        why_sayf(why, err, "ABCI request", NULL, NULL, "%s", abci_kind_name(request.kind));
    } else {
        err = call(connection, &request, why);
    }
    if (connection->arena.used > KEEP_LEN) {
        arena_clear(&connection->arena);
    } else {
        arena_reset(&connection->arena);
    }
    if (err != OK) {
        char text[640];
        struct why ignored;
        why_print(why, err, text, sizeof text);
        abci_answer_exception(&connection->out, bytes_text(text));
        (void)send_all(connection, &ignored);
        return err;
    }
    return connection->out.len > KEEP_LEN ? send_all(connection, why) : OK;
}

static enum err serve(struct connection *connection, struct why *why)
{
    for (;;) {
        struct bytes left = {connection->in.at + connection->at,
                             connection->in.len - connection->at};
        size_t head = 0, len = 0;
        enum err err = abci_frame_parse(left, &head, &len);
        if (err == ERR_RANGE) {
            return why_say(why, err, "ABCI request", NULL, "is longer than 64 MiB", NULL);
        }
        if (err == OK && left.len >= head + len) {
            TRY(answer(connection, (struct bytes){left.at + head, len}, why));
            connection->at += head + len;
        } else {
            TRY(receive(connection, head + len, why));
        }
    }
}

/* Who is still sending when we give up would get an error of its own instead of ours: what comes is
 * dropped until the other side closes, or for a moment. */
static void let_read(int fd)
{
    uint8_t dropped[4096];
    struct pollfd at = {.fd = fd, .events = POLLIN};
    uint64_t until_ms = clock_mono_ns() / 1000000 + LINGER_MS;
    uint64_t now_ms = until_ms - LINGER_MS;
    shutdown(fd, SHUT_WR);
    while (now_ms < until_ms && poll(&at, 1, (int)(until_ms - now_ms)) > 0 &&
           recv(fd, dropped, sizeof dropped, 0) > 0) {
        now_ms = clock_mono_ns() / 1000000;
    }
}

static void *connection_main(void *argument)
{
    struct connection *connection = argument;
    struct abci_server *server = connection->server;
    struct why why = {0};
    enum err err = serve(connection, &why);
    buf_clear(&connection->in);
    buf_clear(&connection->out);
    arena_clear(&connection->arena);
    server->handler.closed(server->handler.context, err, &why);
    if (err != ERR_CLOSED) {
        let_read(connection->fd);
    }
    pthread_mutex_lock(&server->lock);
    connection->ended = true;
    shutdown(connection->fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void connection_join(struct connection *connection)
{
    pthread_join(connection->thread, NULL);
    close(connection->fd);
    *connection = (struct connection){0};
}

/* A place for a connection, cleared of one that ended; NULL if all are taken. */
static struct connection *free_place(struct abci_server *server)
{
    for (size_t i = 0; i < ABCI_CONNECTIONS_MAX; i++) {
        struct connection *connection = &server->connections[i];
        pthread_mutex_lock(&server->lock);
        bool ended = connection->ended;
        pthread_mutex_unlock(&server->lock);
        if (ended) {
            connection_join(connection);
        }
        if (!connection->used) {
            return connection;
        }
    }
    return NULL;
}

static void turn_away(struct abci_server *server, int fd, enum err err, const char *problem)
{
    struct why why = {0};
    why_say(&why, err, "ABCI connection", NULL, problem, NULL);
    if (fd >= 0) {
        close(fd);
    }
    server->handler.closed(server->handler.context, err, &why);
}

static void take(struct abci_server *server, int fd)
{
    struct connection *connection = free_place(server);
    if (connection == NULL) {
        turn_away(server, fd, ERR_BUSY, "there are as many as are served");
        return;
    }
    *connection = (struct connection){.server = server, .fd = fd};
    int failed = pthread_create(&connection->thread, NULL, connection_main, connection);
    if (failed != 0) {
        *connection = (struct connection){0};
        turn_away(server, fd, ERR_IO, strerror(failed));
        return;
    }
    connection->used = true;
}

static void *server_main(void *argument)
{
    struct abci_server *server = argument;
    struct pollfd fds[] = {{.fd = server->stop_fd, .events = POLLIN},
                           {.fd = server->listen_fd, .events = POLLIN}};
    while (fds[0].revents == 0) {
        if (poll(fds, 2, -1) < 0 || fds[1].revents == 0) {
            continue;
        }
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            take(server, fd);
        } else if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED) {
            turn_away(server, -1, ERR_IO, strerror(errno));
            /* What lacks, files or memory, may come back. */
            (void)poll(fds, 1, 100);
        }
    }
    return NULL;
}

/* A path of any depth is longer than a socket's address may be; by the folder's number it isn't. */
static enum err bind_socket(struct abci_server *server, struct why *why)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct stat there;
    int len = snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d/%s", server->dir_fd,
                       server->name);
    BUG_ON(len < 0 || (size_t)len >= sizeof to.sun_path);
    if (fstatat(server->dir_fd, server->name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!S_ISSOCK(there.st_mode)) {
            return why_say(why, ERR_EXISTS, server->name, NULL, "exists and is no socket",
                           "Move it away.");
        }
        if (unlinkat(server->dir_fd, server->name, 0) != 0) {
            return io_error(why, server->name);
        }
    }
    server->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listen_fd < 0 || bind(server->listen_fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        fchmodat(server->dir_fd, server->name, 0600, 0) != 0 ||
        listen(server->listen_fd, ABCI_CONNECTIONS_MAX) != 0) {
        return io_error(why, server->name);
    }
    return OK;
}

static void server_free(struct abci_server *server)
{
    if (server->listen_fd >= 0) {
        close(server->listen_fd);
    }
    if (server->stop_fd >= 0) {
        close(server->stop_fd);
    }
    pthread_mutex_destroy(&server->lock);
    free(server->name);
    free(server);
}

enum err abci_server_start(struct abci_server **out, int dir_fd, const char *name,
                           const struct abci_handler *handler, struct why *why)
{
    struct abci_server *server = mem_zalloc(sizeof *server);
    server->handler = *handler;
    server->dir_fd = dir_fd;
    server->name = mem_strdup(name);
    server->listen_fd = -1;
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&server->lock, NULL);
    enum err err = server->stop_fd < 0 ? io_error(why, "eventfd") : bind_socket(server, why);
    int failed = err == OK ? pthread_create(&server->thread, NULL, server_main, server) : 0;
    if (failed != 0) {
        err = why_say(why, ERR_IO, "thread", NULL, strerror(failed), NULL);
    }
    if (err != OK) {
        server_free(server);
        return err;
    }
    *out = server;
    return OK;
}

void abci_server_stop(struct abci_server *server)
{
    eventfd_write(server->stop_fd, 1);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < ABCI_CONNECTIONS_MAX; i++) {
        struct connection *connection = &server->connections[i];
        if (connection->used) {
            shutdown(connection->fd, SHUT_RDWR);
            connection_join(connection);
        }
    }
    (void)unlinkat(server->dir_fd, server->name, 0);
    server_free(server);
}
