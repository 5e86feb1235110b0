/* State proofs: that a module's state holds a value under a key, or holds none, as of one head. A
 * file of its own (NAME.proof of `cairn prove-state`):
 *
 *   [1, module, key, presence or absence, head, [receipt, ...], commit or null, anchor or null]
 *
 * where key is the byte string of one encoded item, presence is [value, siblings], absence is
 * [other leaf or null, siblings] and anchor is as in a proof file. */
#ifndef CAIRN_PROOF_STATEPROOF_H
#define CAIRN_PROOF_STATEPROOF_H

#include "proof/prooffile.h"
#include "proof/trust.h"
#include "proof/verdict.h"

#define STATE_MODULE_MAX 32
#define STATE_KEY_MAX    256
#define STATE_VALUE_MAX  32768

struct state_proof {
    /* What is in the file; a writer sets these. */
    struct bytes module;
    struct bytes key; /* encoded */
    bool present;
    struct bytes value; /* if present */
    bool has_other;     /* if absent: another leaf stands in the key's place */
    struct hash other_key;
    struct hash other_value;
    struct siblings siblings;
    struct bytes head;
    size_t receipt_count;
    struct bytes receipts[PROOF_RECEIPTS_MAX];
    struct bytes commit; /* or len 0 */
    struct bytes anchor; /* header, or len 0 */
    struct path anchor_path;
    bool has_anchor_token;
    struct bytes anchor_token;
    /* Decoded by the reader. */
    struct arena arena;
    struct header head_header;
    struct header anchor_header;
    struct commit commit_decoded;
};

/* Whether bytes look like a state proof rather than a proof file. */
bool state_proof_is(struct bytes in);
/* *out owns a copy and is freed with state_proof_free (NULL on error). */
must_use enum err state_proof_parse(struct state_proof **out, struct bytes in, struct why *why);
void state_proof_free(struct state_proof *proof);
void state_proof_write(struct buf *out, const struct state_proof *proof);

/* As proof_verify: head, receipts or commit, anchor, fork and lost are judged by the same rules. */
void state_proof_verify(struct verdict *out, const struct state_proof *proof,
                        const struct trust *trust);

#endif
