/* What the load clients of end-to-end tests share: one connection to a node, and deposits of items
 * that nobody else makes. Whatever must not happen ends the program. */
#ifndef CAIRN_TEST_CLIENT_H
#define CAIRN_TEST_CLIENT_H

#include "admit/admit.h"
#include "proof/verify.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

/* Stops the program unless the condition holds. */
#define MUST(condition)                                              \
    do {                                                             \
        if (!(condition)) {                                          \
            fprintf(stderr, "load: %s does not hold\n", #condition); \
            exit(1);                                                 \
        }                                                            \
    } while (0)

/* Who deposits, and where; set once before threads start. */
extern struct trust *trust;
extern struct signer *signer;
extern const char *member;

void open_trust(const char *path);

struct connection {
    int fd;
    struct sockaddr_in to;
    unsigned timeout_s; /* of each read and write; 0: none */
    uint64_t random;
    struct buf answer; /* status line, headers, body */
    unsigned status;
    struct bytes body; /* borrows from `answer` */
};

uint64_t any(struct connection *connection);

struct sockaddr_in loopback(uint16_t port);
/* False if nobody listens; `fd` is to be closed even so, unless it is negative. */
bool connect_to(struct connection *connection);
/* Reads and writes one exchange; false if the node went away, or was too slow, before its end. */
bool ask(struct connection *connection, const char *method, const char *path,
         const char *content_type, struct bytes body);

struct made {
    struct buf statement; /* an entry */
    struct buf items;
    uint16_t number; /* of the item that is looked for later */
    struct hash sha256;
};

void make_deposit(struct connection *connection, struct made *out, uint32_t count);
void made_clear(struct made *made, size_t count);
/* Appends a statement that carries its items. */
void put_whole(struct buf *out, const struct made *made);

#endif
