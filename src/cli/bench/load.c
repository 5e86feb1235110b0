/* The load generator: one thread, one epoll, some keep-alive connections with one request each
 * under way. It only copies bytes that were signed before, so that its own share of the machine,
 * which it reports, stays small. */
#include "cli/bench/load.h"

#include "base/clock.h"
#include "base/file.h"
#include "cli/bench/secure.h"
#include "cli/bench/wire.h"
#include "cli/output.h"
#include "cli/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define EVENTS_MAX      64
#define READ_LEN        262144

struct connection {
    int fd;
    struct ssl_st *tls; /* or NULL */
    bool busy;
    uint32_t units;        /* of the request under way */
    struct buf head;       /* of the request */
    struct bytes parts[2]; /* of head and body, what is still to be sent */
    struct buf in;
};

struct load {
    struct bytes file; /* what has not been sent yet */
    const char *path;
    const char *type;
    uint64_t stop_ns; /* no request begins after it */
    int epoll;
    unsigned busy;
    uint64_t units;
    uint64_t refused;
    uint64_t requests;
    struct ssl_ctx_st *secure; /* NULL without TLS */
    struct connection connections[CONNECTIONS_MAX];
};

/* Gives the connection its next request; false at the end of the file or of the time. */
static bool begin_request(struct load *load, struct connection *connection)
{
    struct request_head request;
    if (load->file.len < sizeof request || clock_mono_ns() > load->stop_ns) {
        return false;
    }
    memcpy(&request, load->file.at, sizeof request);
    load->file.at += sizeof request;
    load->file.len -= sizeof request;
    BUG_ON(load->file.len < request.len);
    connection->head.len = 0;
    wire_head(&connection->head, load->path, load->type, request.len);
    connection->parts[0] = buf_bytes(&connection->head);
    connection->parts[1] = (struct bytes){load->file.at, request.len};
    connection->units = request.units;
    connection->in.len = 0;
    connection->busy = true;
    load->file.at += request.len;
    load->file.len -= request.len;
    load->busy++;
    load->requests++;
    return true;
}

/* As send_some, head and body together, so that they share their records. */
static enum err send_secure(struct connection *connection)
{
    struct bytes *parts = connection->parts;
    if (parts[1].len > 0) {
        buf_put(&connection->head, parts[1]);
        parts[0] = buf_bytes(&connection->head);
        parts[1] = BYTES_NONE;
    }
    while (parts[0].len > 0) {
        ssize_t sent = secure_send(connection->tls, parts[0]);
        if (sent <= 0) {
            return sent == 0 ? OK : ERR_IO;
        }
        parts[0].at += sent;
        parts[0].len -= (size_t)sent;
    }
    return OK;
}

/* Sends as much as the socket takes. */
static enum err send_some(struct connection *connection)
{
    struct bytes *parts = connection->parts;
    if (connection->tls) {
        return send_secure(connection);
    }
    while (parts[0].len + parts[1].len > 0) {
        struct iovec vector[2];
        for (int i = 0; i < 2; i++) {
            vector[i].iov_base = (void *)(uintptr_t)parts[i].at;
            vector[i].iov_len = parts[i].len;
        }
        struct msghdr message = {.msg_iov = vector, .msg_iovlen = 2};
        ssize_t sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR ? OK : ERR_IO;
        }
        for (int i = 0; i < 2; i++) {
            size_t taken = (size_t)sent < parts[i].len ? (size_t)sent : parts[i].len;
            parts[i].at += taken;
            parts[i].len -= taken;
            sent -= (ssize_t)taken;
        }
    }
    return OK;
}

static uint64_t occurrences(struct bytes text, const char *word)
{
    uint64_t count = 0;
    size_t len = strlen(word);
    const uint8_t *at = text.at;
    const uint8_t *end = text.at + text.len;
    while (at < end && (at = memmem(at, (size_t)(end - at), word, len)) != NULL) {
        at += len;
        count++;
    }
    return count;
}

static void count_reply(struct load *load, const struct connection *connection,
                        const struct wire_reply *reply)
{
    uint64_t good = 0;
    if (reply->status == 200 || reply->status == 201) {
        good = connection->units;
    } else if (reply->status == 207) {
        good = occurrences(reply->body, "\"ok\":true");
    } else {
        fprintf(stderr, "cairn bench load: status %u: %.*s\n", reply->status,
                (int)(reply->body.len < 500 ? reply->body.len : 500), (const char *)reply->body.at);
    }
    load->units += good;
    load->refused += connection->units - good;
}

/* Bytes received, 0 if none have come, -1 at the end. */
static ssize_t receive(const struct connection *connection, uint8_t *at, size_t len)
{
    if (connection->tls) {
        return secure_receive(connection->tls, at, len);
    }
    ssize_t got = recv(connection->fd, at, len, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    return got > 0 ? got : -1;
}

/* Reads what has come; a whole reply is counted and the next request begins. */
static enum err receive_some(struct load *load, struct connection *connection)
{
    buf_reserve(&connection->in, READ_LEN);
    struct buf *in = &connection->in;
    ssize_t got = receive(connection, in->at + in->len, READ_LEN);
    if (got <= 0) {
        return got == 0 ? OK : ERR_IO;
    }
    in->len += (size_t)got;
    struct wire_reply reply;
    enum err err = wire_parse(&reply, buf_bytes(in));
    if (err != OK) {
        return err == ERR_TRUNCATED ? OK : err;
    }
    count_reply(load, connection, &reply);
    load->busy--;
    connection->busy = false;
    return begin_request(load, connection) ? send_some(connection) : OK;
}

static enum err open_connections(struct load *load, unsigned count, uint16_t port)
{
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < count; i++) {
        struct connection *connection = &load->connections[i];
        connection->fd = wire_open(port);
        if (load->secure && connection->fd >= 0) {
            connection->tls = secure_open(load->secure, connection->fd);
            if (!connection->tls) {
                return ERR_IO;
            }
        }
        /* Edge-triggered: each edge reads all there is, by way of further edges of later bytes. */
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
        if (connection->fd < 0 ||
            epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
            return ERR_IO;
        }
    }
    return OK;
}

static enum err serve_events(struct load *load)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(load->epoll, events, EVENTS_MAX, 10000);
    if (count <= 0) {
        return count < 0 && errno == EINTR ? OK : ERR_TIMEOUT;
    }
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (connection->busy && (events[i].events & EPOLLOUT)) {
            TRY(send_some(connection));
        }
        size_t before = SIZE_MAX;
        while (connection->busy && (events[i].events & ~(uint32_t)EPOLLOUT) &&
               connection->in.len != before) {
            before = connection->in.len;
            TRY(receive_some(load, connection));
        }
    }
    return OK;
}

static enum err load_all(struct load *load, unsigned connections, uint64_t ms)
{
    uint64_t began = clock_mono_ns();
    uint64_t cpu = clock_cpu_ns();
    load->stop_ns = began + ms * 1000000u;
    for (unsigned i = 0; i < connections; i++) {
        if (begin_request(load, &load->connections[i])) {
            TRY(send_some(&load->connections[i]));
        }
    }
    while (load->busy > 0) {
        TRY(serve_events(load));
    }
    printf("{\"requests\":%llu,\"units\":%llu,\"refused\":%llu,\"elapsed_ns\":%llu,"
           "\"cpu_ns\":%llu}\n",
           (unsigned long long)load->requests, (unsigned long long)load->units,
           (unsigned long long)load->refused, (unsigned long long)(clock_mono_ns() - began),
           (unsigned long long)(clock_cpu_ns() - cpu));
    return OK;
}

/* The file as memory, read ahead so that the disk's time is not the server's. */
static enum err map_file(struct bytes *out, const char *path, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat = {0};
    void *at = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_size > 0) {
        at = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (at == MAP_FAILED) {
        return why_say(why, ERR_IO, "file", path, NULL, NULL);
    }
    *out = (struct bytes){at, (size_t)stat.st_size};
    return OK;
}

static int run(const struct args *args)
{
    struct why why = {0};
    unsigned long port = strtoul(args_text(args, "port"), NULL, 10);
    unsigned long count = strtoul(args_text(args, "connections"), NULL, 10);
    if (port == 0 || port > UINT16_MAX || count == 0 || count > CONNECTIONS_MAX) {
        why_say(&why, ERR_RANGE, "--port or --connections", NULL, NULL, NULL);
        return fail(ERR_RANGE, &why);
    }
    struct load *load = mem_zalloc(sizeof *load);
    load->path = args_text(args, "path");
    load->type = args_text(args, "type");
    struct bytes file = BYTES_NONE;
    enum err err = map_file(&file, args_text(args, "file"), &why);
    load->file = file;
    load->secure = args_flag(args, "tls") ? secure_new() : NULL;
    if (err == OK) {
        err = open_connections(load, (unsigned)count, (uint16_t)port);
    }
    if (err == OK) {
        err = load_all(load, (unsigned)count, strtoul(args_text(args, "ms"), NULL, 10));
    }
    for (unsigned i = 0; i < count; i++) {
        secure_close(load->connections[i].tls);
        if (load->connections[i].fd > 0) {
            close(load->connections[i].fd);
        }
        buf_clear(&load->connections[i].head);
        buf_clear(&load->connections[i].in);
    }
    secure_clear(load->secure);
    free(load);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"port", "PORT", "of the server, on this machine", NULL, true, false},
    {"path", "PATH", "to post to", NULL, true, false},
    {"type", "TYPE", "content type of the bodies", NULL, true, false},
    {"file", "FILE", "of requests", NULL, true, false},
    {"connections", "N", "kept alive, one request each under way", NULL, true, false},
    {"ms", "MS", "no request begins later than this", NULL, true, false},
    {"tls", NULL, "over TLS 1.3", NULL, false, false},
    {0},
};

const struct verb verb_bench_load = {
    .name = "bench load",
    .operands = "",
    .summary = "the load generator of the benchmark",
    .example = "cairn bench load --port 8420 --path /v1/statements --type application/cbor-seq \\\n"
               "    --file requests --connections 64 --ms 1500",
    .args = options,
    .run = run,
    .hidden = true,
};
