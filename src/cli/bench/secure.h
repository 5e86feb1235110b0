/* TLS 1.3 for the load generator, and a certificate for the server that it loads. */
#ifndef CAIRN_CLI_BENCH_SECURE_H
#define CAIRN_CLI_BENCH_SECURE_H

#include "base/bytes.h"
#include "base/why.h"

#include <sys/types.h>

struct ssl_ctx_st;
struct ssl_st;

/* Makes a P-256 key and a certificate of its own for localhost, and writes both as PEM. ERR_IO. */
must_use enum err secure_identity(const char *certificate, const char *key, struct why *why);

/* What the generator's connections share; freed with secure_clear. */
struct ssl_ctx_st *secure_new(void);
void secure_clear(struct ssl_ctx_st *secure);

/* Shakes hands over a connected blocking socket, which is then non-blocking. The server's
 * certificate is not judged: it is our own. NULL if that fails. */
struct ssl_st *secure_open(struct ssl_ctx_st *secure, int fd);
void secure_close(struct ssl_st *connection);
/* Bytes sent or received, 0 if the socket has to be waited for, -1 at the end or on an error. */
ssize_t secure_send(struct ssl_st *connection, struct bytes bytes);
ssize_t secure_receive(struct ssl_st *connection, uint8_t *at, size_t len);

#endif
