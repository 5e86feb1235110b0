/* Batch proofs (BATCH.proofs): the proofs of all items of one deposit, what they share held once. A
 * CBOR sequence:
 *
 *   [1, proof, count], then count times [item, salt or null, name or null]
 *
 * where proof is a proof file without its item and salt (parts 1 and 8), item is the encoded item
 * and name the file's own name, for its owner's use only. Items stand in their order, so that every
 * path can be computed here. */
#ifndef CAIRN_PROOF_BATCHPROOF_H
#define CAIRN_PROOF_BATCHPROOF_H

#include "proof/prooffile.h"

#define BATCH_NAME_MAX   1024
#define BATCH_PROOFS_MAX (128u << 20) /* bytes of the file */

struct batch_item {
    struct bytes item; /* encoded */
    struct bytes salt; /* 32 bytes or len 0 */
    struct bytes name; /* or len 0 */
};

struct batch_proofs {
    struct arena arena;
    struct proof_file shared;
    uint32_t count;
    struct batch_item *items;
};

/* Reads the whole file; ranges borrow from `in`. *out is freed with batch_proofs_free (NULL on
 * error). The items must be those that the statement's items root stands for, else ERR_MISMATCH. */
must_use enum err batch_proofs_parse(struct batch_proofs **out, struct bytes in, struct why *why);
void batch_proofs_free(struct batch_proofs *batch);

/* Writers: the head, then each item in its order. `shared` holds neither item nor salt. */
void batch_proofs_begin(struct buf *out, const struct proof_file *shared, uint32_t count);
void batch_proofs_item(struct buf *out, const struct batch_item *item);

/* Finds a file: the first plain item of this SHA-256, or else the first item of this name (may be
 * NULL). ERR_NOT_FOUND. A blinded item can be found by its name only; the proof then shows whether
 * it is the right one. */
must_use enum err batch_proofs_find(const struct batch_proofs *batch, const struct hash *sha256,
                                    const char *name, uint32_t *number);
/* Appends the proof file of one item. ERR_RANGE if there is none of that number. */
must_use enum err batch_proofs_extract(struct buf *out, const struct batch_proofs *batch,
                                       uint32_t number);

#endif
