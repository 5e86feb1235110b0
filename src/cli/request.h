/* Key requests (NAME.req) as the verbs of members take them. */
#ifndef CAIRN_CLI_REQUEST_H
#define CAIRN_CLI_REQUEST_H

#include "cli/args.h"
#include "modules/member/member.h"

/* The settings of a WebAuthn key, and the other names of a foreign one. */
#define ARGS_NEW_KEY                                                                             \
    {"rp-id", "DOMAIN", "of a WebAuthn key", NULL, false, false},                                \
        {"origin", "ORIGIN", "of a WebAuthn key", NULL, false, true},                            \
    {                                                                                            \
        "name", "HEX", "of a foreign key: a kid or x5t by which it goes elsewhere", NULL, false, \
            true                                                                                 \
    }

/* A request read from a file. */
struct request {
    struct buf bytes;
    struct buf names[KEY_NAMES_MAX];
    struct new_key key; /* borrows from the two above and from argv */
    struct possession possession;
};

/* Reads a request, verifies it and demands that it speaks for `member`: ERR_MISMATCH names both.
 * possession_parse's and file_read's errors. To be cleared in any case. */
must_use enum err request_read(struct request *out, const char *path, const char *member,
                               const struct args *args, struct why *why);
void request_clear(struct request *request);

/* The roles that --role gave; ERR_RANGE for more than MEMBER_ROLES_MAX. */
must_use enum err roles_read(struct bytes roles[MEMBER_ROLES_MAX], size_t *count,
                             const struct args *args, struct why *why);

#endif
