/* Fork evidence (NAME.fork, protocol.md 5): a portable accusation against one key of a node, by
 * nothing but what that key signed.
 *
 *   [1, header, receipt, header, receipt]                two heads of one place, one receipt key
 *   [1, 2, note, note, state proof of the key's record]  two checkpoints of one origin and size
 *
 * Either may end in [token or null, token or null]: RFC 3161 tokens over the two receipts, or over
 * the two notes. Cosignatures stand in the notes. */
#ifndef CAIRN_PROOF_FORK_H
#define CAIRN_PROOF_FORK_H

#include "proof/stateproof.h"

#define FORK_MAX      (1u << 20) /* bytes of the file */
#define FORK_NOTE_MAX 65536      /* bytes of a note with its signatures */

/* One of the two things that were signed. */
struct fork_side {
    struct bytes header;  /* these two of heads */
    struct bytes receipt; /* encoded, as the header */
    struct bytes note;    /* this one of checkpoints */
    bool has_token;
    struct bytes token;
};

struct fork_evidence {
    bool checkpoints; /* not heads */
    struct fork_side sides[2];
    struct bytes key; /* of checkpoints: an encoded state proof of the checkpoint key's record */
    /* Decoded by the reader. */
    struct arena arena;
    struct header headers[2];
    struct state_proof *key_proof;
};

/* Whether bytes look like fork evidence. */
bool fork_evidence_is(struct bytes in);
/* *out owns a copy and is freed with fork_evidence_free (NULL on error). Headers and key proof are
 * decoded; receipts, notes and tokens are left to who checks. ERR_RANGE, ERR_VERSION, reader's
 * errors. */
must_use enum err fork_evidence_parse(struct fork_evidence **out, struct bytes in, struct why *why);
/* NULL is allowed. */
void fork_evidence_free(struct fork_evidence *evidence);
void fork_evidence_write(struct buf *out, const struct fork_evidence *evidence);

/* Whether two heads of one place stand against each other, and `key` signed a receipt for each:
 * all that needs no trust. Only `header` and `receipt` of the sides are looked at. ERR_MISMATCH (of
 * two ledgers or places, or the same head twice; another key's), ERR_SIGNATURE, reader's errors;
 * `why` says which field. */
must_use enum err fork_heads_check(const struct fork_side sides[2], const struct pubkey *key,
                                   struct why *why);

/* Fills `out`, which must be empty, and which the caller clears: passes if the accusation holds,
 * and names the node. `trust` may be NULL: then the verdict says whose ledger it is and accuses
 * nobody. */
void fork_evidence_verify(struct verdict *out, const struct fork_evidence *evidence,
                          const struct trust *trust);

#endif
