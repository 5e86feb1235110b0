/* Admission: bytes from outside become submissions, decoded strictly, their rules' stateless
 * checks done and their signatures verified, on as many threads as there are cores.
 *
 * A verdict covers the signature only and is cached by the SHA-256 of the complete bytes
 * (verdicts.h). A statement whose key the ledger does not know yet is passed on unverified: the
 * ledger, which may have learned of the key meanwhile, decides. */
#ifndef CAIRN_ADMIT_ADMIT_H
#define CAIRN_ADMIT_ADMIT_H

#include "ledger/ledger.h"

/* Unprotected label under which a statement carries its items in a file and in
 * POST /v1/statements: a byte string that holds the CBOR sequence of the encoded items. */
#define LABEL_ITEMS (-65801)

struct admit;

/* Appends a submission as it travels in a block: its entry, with the items in LABEL_ITEMS; at most
 * the lengths of both and WIRE_ITEMS_HEAD bytes. */
#define WIRE_ITEMS_HEAD 16
void admit_wire(const struct submission *submission, struct buf *out);

/* `ledger` lends its keys and outlives this. 0 threads means one per core. */
struct admit *admit_new(struct ledger *ledger, const struct rules *rules, unsigned threads);
/* Finishes the groups under way, then frees. */
void admit_free(struct admit *admit);
/* Statements that no verifier has taken yet. */
size_t admit_waiting(struct admit *admit);

/* One statement to admit. It must stay where it is until `done` was called. */
struct admission {
    struct bytes statement; /* as it came; its items, if any, in LABEL_ITEMS ... */
    struct items *items;    /* ... or read before, where they were streamed; taken over */
    bool of_block; /* it came in a block, where one whose key is unknown is ERR_KEY, and one that
                      decodes is given whatever its signature: the ledger refuses it itself */
    struct submission *out; /* the result, owned by the caller; NULL on error, but see of_block */
    enum err err;
    struct why why;
};

/* Called once for a whole group, on a verifier's thread: must not block. */
typedef void admit_fn(void *context);

/* Admits a group of statements in parallel and returns at once. */
void admit_group(struct admit *admit, struct admission *admissions, size_t count, admit_fn *done,
                 void *context);
/* The same for one statement, on the caller's thread. */
void admit_one(struct admit *admit, struct admission *admission);

/* Reads the statement of a streamed batch before its items come: shape, size, content type,
 * signature. *deposit borrows from `statement`; feed items_new(deposit->count) next. */
must_use enum err admit_batch_head(struct admit *admit, struct bytes statement,
                                   struct deposit *deposit, struct why *why);

#endif
