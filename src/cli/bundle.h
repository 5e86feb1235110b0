/* Batches on the client's side: the items of one deposit, their tree, the proof files that follow
 * from it, and the file of salts that a client keeps.
 *
 * BATCH.salts, a CBOR sequence of one array for each deposit:
 *   [1, statement id, [+ [number, name: bstr, SHA-256 of the file alone, salt: bstr .size 32]]]
 * It is confidential: whoever has a salt can try contents against the ledger. */
#ifndef CAIRN_CLI_BUNDLE_H
#define CAIRN_CLI_BUNDLE_H

#include "cli/hashing.h"
#include "proof/deposit.h"

#define SALTS_MAX ((size_t)1 << 30) /* bytes of BATCH.salts */

/* What every item of a deposit says alike. */
struct item_common {
    struct bytes ref;   /* REF_LEN bytes, or len 0 */
    struct bytes phase; /* or len 0 */
};

/* Zero-initialised is empty. */
struct bundle {
    const struct file_digest *files; /* the ones of this batch; borrowed */
    uint32_t count;
    struct buf items;        /* encoded, a CBOR sequence */
    uint32_t *offsets;       /* count + 1: where each item begins in `items` */
    struct hash *levels[18]; /* of the tree: complete subtrees of 2^level leaves */
    struct hash root;
};

/* Takes as many of the files as one deposit holds (65,536 items, 16 MiB), at least one. */
void bundle_fill(struct bundle *out, const struct file_digest *files, size_t count,
                 const struct item_common *common);
/* A bundle from encoded items, `files` staying NULL. ERR_FORMAT, ERR_RANGE,
 * the reader's errors. */
must_use enum err bundle_parse(struct bundle *out, struct bytes items);
void bundle_clear(struct bundle *batch);
struct bytes bundle_item(const struct bundle *batch, uint32_t number);

/* Appends the proof file of an item: `shared` is a proof file without item part, `salt` is NULL or
 * SALT_LEN bytes. Errors of proof_file_read. */
must_use enum err bundle_proof(struct buf *out, const struct bundle *batch, struct bytes shared,
                               uint32_t number, const uint8_t *salt);

/* What a salts file knows of one item. */
struct kept {
    struct hash statement;
    uint32_t number;
    struct bytes name;
    struct hash bare;
    uint8_t salt[SALT_LEN];
};
/* Called for each; the search ends when it returns true. */
typedef bool kept_fn(void *context, const struct kept *kept);

/* ERR_CORRUPT if there is a file at `path` that is no whole BATCH.salts: what is appended to it
 * would be hidden from readers. */
must_use enum err salts_check(const char *path, struct why *why);
/* Appends the blinded files of a batch to `path`, which is made with mode 0600 if it isn't there,
 * and returns when they are on the disk. ERR_IO. */
must_use enum err salts_append(const char *path, const struct hash *statement,
                               const struct bundle *batch, struct why *why);
/* Whether any file of the batch is blinded. */
bool bundle_blinded(const struct bundle *batch);
/* Goes through the entries of a salts file. ERR_VERSION, the reader's errors. */
must_use enum err salts_each(struct bytes file, kept_fn *each, void *context);

/* Appends BATCH.proofs (proof/batchproof.h); `shared` is a proof file without item part. Errors of
 * proof_file_read. */
must_use enum err bundle_proofs(struct buf *out, const struct bundle *bundle, struct bytes shared);

#endif
