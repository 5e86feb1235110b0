/* Who a key makes its holder, and what a reader may read: judged against the newest head, each time
 * anew. Below access.h, which says what the rules are. */
#ifndef CAIRN_HTTP_READERS_H
#define CAIRN_HTTP_READERS_H

#include "http/access.h"
#include "ledger/members.h"

/* The names of the roles that read everything. */
struct reading_roles {
    char text[301]; /* cut at its commas, to which `at` points */
    const char *at[16];
    size_t count;
};
/* Reads "court,auditor". ERR_FORMAT for a name that is no role, one that stands twice, or more than
 * 16; `why` names it. */
must_use enum err reading_roles_parse(struct reading_roles *out, const char *text, struct why *why);

/* A member's key in force, as the ledger has it. */
struct reader_key {
    struct buf bytes; /* the encoded record, from which `record` borrows */
    struct key_record record;
    struct pubkey *key;
};
/* Finds the member key of a kid and whose it is; fills all of *reader but what the policy decides,
 * `reads_frame`, and of `reads_all` what the roles say. ERR_KEY if there is no such key, it is no
 * member's, or it or its member has ended; ERR_IO, ERR_CORRUPT. *key (NULL: not wanted) is to be
 * cleared in any case. */
must_use enum err reader_judge(struct reader *reader, struct reader_key *key,
                               const struct view *view, const struct hash *kid,
                               const struct reading_roles *roles, struct why *why);
void reader_key_clear(struct reader_key *key);

/* Whether a member that does not read everything may read a statement. */
bool reader_may_read(const struct reader *reader, struct node *node,
                     const struct node_found *found);

#endif
