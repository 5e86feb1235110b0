/* The client side of the benchmark: a ledger with one application as its member, and requests that
 * are signed before the clock starts. */
#ifndef CAIRN_CLI_BENCH_DESK_H
#define CAIRN_CLI_BENCH_DESK_H

#include "base/why.h"
#include "cli/bench/child.h"
#include "crypto/signer.h"

#define SINGLE_BODY_LEN 200 /* a single deposit's body and its item together */
#define BATCH_ITEM_LEN  88  /* an item without reference */
#define BATCH_ITEMS     65536u

struct desk {
    char *dir;      /* of the ledger */
    char *requests; /* the file of requests that was signed last */
    struct hash chain;
    struct signer *application;
    uint64_t seed;    /* of all digests */
    uint64_t singles; /* made so far */
    uint64_t batches; /* made so far */
    bool with_ref;    /* the items of batches have references */
    struct hash *ids; /* statement ids of the batches */
};

/* Makes a ledger in `dir`/NAME, which must not exist, and an application's key. Files of requests
 * are written to `dir`. */
must_use enum err desk_open(struct desk *out, const char *dir, const char *name, struct why *why);
void desk_close(struct desk *desk);

/* Starts `cairn run` on the ledger; the first time, desk_enrol registers the application. */
must_use enum err desk_serve(const struct desk *desk, struct served *out, struct why *why);
/* The same with TLS. */
must_use enum err desk_serve_tls(const struct desk *desk, struct served *out,
                                 const char *certificate, const char *key, struct why *why);
must_use enum err desk_enrol(const struct desk *desk, uint16_t port, struct why *why);

/* Signs `count` deposits of one item, `per_request` in a request, on all cores. */
must_use enum err desk_sign_singles(struct desk *desk, size_t count, size_t per_request,
                                    struct why *why);
/* Makes `count` batches of BATCH_ITEMS items. */
must_use enum err desk_sign_batches(struct desk *desk, size_t count, struct why *why);

/* Appends one signed deposit of one item, with the item inside; any thread. */
void desk_single(const struct desk *desk, struct buf *out, uint64_t number);
/* The SHA-256 that stands in item `number` of batch `batch`, both from 0. */
struct hash desk_digest(const struct desk *desk, uint64_t batch, uint32_t number);

#endif
