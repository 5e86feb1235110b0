/* One statement on its way into a block: decoded, and perhaps its signature checked already. */
#ifndef CAIRN_LEDGER_SUBMISSION_H
#define CAIRN_LEDGER_SUBMISSION_H

#include "ledger/items.h"
#include "proof/statement.h"

struct action;

struct submission {
    struct buf entry;           /* owned; the statement with an empty unprotected header */
    struct statement statement; /* borrows from `entry` */
    struct hash id;   /* statement id; of a foreign one zero until the ledger finds its key */
    struct hash leaf; /* log leaf: SHA-256(0x00 || entry) */
    const struct action *action; /* the rule for its content type */
    struct items *items;         /* owned; of a deposit of ours, else NULL */
    /* The verdict on the signature alone, for the key `verified_kid`. Whether that key may sign
     * here and now is for the ledger to say; what was not verified, the ledger verifies itself. */
    bool verified;
    struct hash verified_kid;
};

/* Frees the submission and what it owns. NULL is allowed. */
void submission_free(struct submission *submission);

/* Those of one transaction, in order. Zero-initialised is empty. */
struct submissions {
    size_t count;
    struct submission **at; /* owned, and what it points to; NULL where one was given away */
};
/* Frees all that is there and leaves it empty. */
void submissions_clear(struct submissions *submissions);

#endif
