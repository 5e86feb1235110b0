/* Checks a proof against a trust file, offline (protocol.md 5, "Required checks"). */
#ifndef CAIRN_PROOF_VERIFY_H
#define CAIRN_PROOF_VERIFY_H

#include "crypto/digest.h"
#include "proof/prooffile.h"
#include "proof/trust.h"
#include "proof/verdict.h"

enum subject_kind {
    SUBJECT_NONE,  /* no file given */
    SUBJECT_FILE,  /* all three of a file */
    SUBJECT_SHA256 /* a digest alone */
};

/* What the verdict compares with the recorded item. */
struct subject {
    enum subject_kind kind;
    struct hash sha256;
    struct hash sm3;
    uint64_t size; /* of the file alone, without the salt */
};

/* Digests a file in one pass, whatever its size. Where the proof holds a salt, the salt goes in
 * front, so that the digests are those of a blinded item. */
struct subject_digest;
struct subject_digest *subject_begin(const struct proof *proof);
void subject_update(struct subject_digest *digest, struct bytes part);
/* Writes the subject and frees `digest`. */
void subject_end(struct subject_digest *digest, struct subject *out);
/* Frees it without a result. NULL is allowed. */
void subject_abandon(struct subject_digest *digest);

/* Fills `out`, which must be empty, and which the caller clears. `trust` may be NULL: then the
 * verdict says whose ledger it is, and never that anything holds. */
void proof_verify(struct verdict *out, const struct proof *proof, const struct trust *trust,
                  const struct subject *subject);

#endif
