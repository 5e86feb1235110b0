/* HTTP/1.1 over one loopback socket, as thin as a client can be, so that its own time hides
 * nothing. */
#ifndef CAIRN_CLI_BENCH_WIRE_H
#define CAIRN_CLI_BENCH_WIRE_H

#include "base/bytes.h"

/* A connected socket without Nagle's delay, or -1. */
int wire_open(uint16_t port);

/* Appends the head of a POST with a body of `len` bytes, or of a GET where `type` is NULL. */
void wire_head(struct buf *out, const char *path, const char *type, size_t len);

struct wire_reply {
    unsigned status;
    struct bytes body; /* borrows from the bytes that were read */
};
/* Reads one whole reply with a Content-Length. ERR_TRUNCATED while bytes are missing, ERR_FORMAT.
 */
must_use enum err wire_parse(struct wire_reply *out, struct bytes in);

/* Sends all of it. ERR_IO. */
must_use enum err wire_send(int fd, struct bytes bytes);
/* Appends what comes next. ERR_IO at the end. */
must_use enum err wire_receive(int fd, struct buf *in);
/* Sends a request and waits for its reply, whose bytes stay in `in`. ERR_IO, ERR_FORMAT. */
must_use enum err wire_call(int fd, struct bytes head, struct bytes body, struct buf *in,
                            struct wire_reply *reply);

#endif
