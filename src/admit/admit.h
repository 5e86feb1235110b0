/* Admission: bytes from outside become submissions, decoded strictly, their rules' stateless
 * checks done and their signatures verified, on as many threads as there are cores.
 *
 * A verdict covers the signature only and is cached by the SHA-256 of the complete bytes, so that
 * what is seen again (or executed later) is not verified again. */
#ifndef CAIRN_ADMIT_ADMIT_H
#define CAIRN_ADMIT_ADMIT_H

#include "ledger/ledger.h"

struct admit;

/* `ledger` lends its keys and outlives this. 0 threads means one per core. */
struct admit *admit_new(struct ledger *ledger, const struct rules *rules, unsigned threads);
/* Waits for jobs under way, then frees. */
void admit_free(struct admit *admit);

/* One statement to admit. The caller fills the first part; it stays the caller's and must live
 * until `done` was called. */
struct admission {
    struct bytes statement; /* as it came; items, if any, in unprotected -65801 ... */
    struct items *items;    /* ... or finished before, where they were streamed; taken over */
    struct submission *out; /* the result, owned by the caller; NULL on error */
    enum err err;
    struct why why;
};

/* Called once for the whole group, on a verifier's thread. */
typedef void admit_fn(void *context);

/* Admits a group of statements in parallel and returns at once. ERR_BUSY if the queue is full. */
must_use enum err admit_group(struct admit *admit, struct admission *admissions, size_t count,
                              admit_fn *done, void *context);
/* The same on the caller's thread, one statement. */
void admit_one(struct admit *admit, struct admission *admission);

/* Reads the statement of a streamed batch before its items come: shape, size, content type,
 * signature. *count is the signed number of items. Then feed items_new(*count) and admit. */
must_use enum err admit_batch_head(struct admit *admit, struct bytes statement, uint32_t *count,
                                   struct hash *items_root, struct why *why);

#endif
