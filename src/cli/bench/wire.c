#include "cli/bench/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX 4096
#define READ_LEN 65536

int wire_open(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    if (fd >= 0 && (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

void wire_head(struct buf *out, const char *path, const char *type, size_t len)
{
    char head[HEAD_MAX];
    int count =
        type ? snprintf(head, sizeof head,
                        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        path, type, len)
             : snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    BUG_ON(count < 0 || count >= HEAD_MAX);
    buf_put(out, (struct bytes){(const uint8_t *)head, (size_t)count});
}

/* The value of a header line, or NULL. */
static const char *header_value(const char *head, size_t head_len, const char *name)
{
    const char *at = head;
    const char *end = head + head_len;
    while (at < end) {
        if (strncasecmp(at, name, strlen(name)) == 0) {
            return at + strlen(name);
        }
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next ? next + 1 : end;
    }
    return NULL;
}

enum err wire_parse(struct wire_reply *out, struct bytes in)
{
    const uint8_t *blank = in.len > 0 ? memmem(in.at, in.len, "\r\n\r\n", 4) : NULL;
    if (!blank) {
        return in.len < HEAD_MAX ? ERR_TRUNCATED : ERR_FORMAT;
    }
    size_t head_len = (size_t)(blank - in.at) + 4;
    const char *head = (const char *)in.at;
    const char *length = header_value(head, head_len, "Content-Length:");
    if (head_len < 16 || strncmp(head, "HTTP/1.1 ", 9) != 0 || !length) {
        return ERR_FORMAT;
    }
    size_t body_len = strtoull(length, NULL, 10);
    if (in.len - head_len < body_len) {
        return ERR_TRUNCATED;
    }
    out->status = (unsigned)strtoul(head + 9, NULL, 10);
    out->body = (struct bytes){in.at + head_len, body_len};
    return OK;
}

enum err wire_send(int fd, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return ERR_IO;
        }
        bytes.at += sent;
        bytes.len -= (size_t)sent;
    }
    return OK;
}

enum err wire_receive(int fd, struct buf *in)
{
    ssize_t got;
    buf_reserve(in, READ_LEN);
    do {
        got = recv(fd, in->at + in->len, READ_LEN, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return ERR_IO;
    }
    in->len += (size_t)got;
    return OK;
}

enum err wire_call(int fd, struct bytes head, struct bytes body, struct buf *in,
                   struct wire_reply *reply)
{
    TRY(wire_send(fd, head));
    TRY(wire_send(fd, body));
    in->len = 0;
    enum err err;
    while ((err = wire_parse(reply, buf_bytes(in))) == ERR_TRUNCATED) {
        TRY(wire_receive(fd, in));
    }
    return err;
}
