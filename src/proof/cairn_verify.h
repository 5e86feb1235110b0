/* libcairn-verify: checks proofs of the Cairn ledger, offline.
 *
 * A proof shows that a ledger recorded a file (or holds a value) at a time; a trust file is what
 * its reader knows of that ledger beforehand and has compared out of band. This library opens no
 * file, no socket and no database, keeps no state of its own, and may be used from any number of
 * threads; one object is for one thread at a time, but a trust file and a proof may be shared once
 * they are made.
 *
 * Memory: what a function called ..._new returns is freed by the function called ..._free of the
 * same kind, which takes NULL. Texts are UTF-8, end with NUL, hold no control characters and live
 * as long as the object they come from. The library aborts if memory runs out.
 *
 *     struct cairn_proof *proof = cairn_proof_new(bytes, len, error, sizeof error);
 *     struct cairn_digest *digest = cairn_digest_new(proof);
 *     cairn_digest_update(digest, part, part_len);     ... as often as the file needs
 *     struct cairn_verdict *verdict = cairn_verify(proof, trust, digest);
 *     if (cairn_verdict_status(verdict) == CAIRN_HOLDS) ...
 */
#ifndef CAIRN_VERIFY_H
#define CAIRN_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CAIRN_API __attribute__((visibility("default")))
#else
#define CAIRN_API
#endif

/* The verdict as a whole; the numbers are the exit status of `cairn verify`. */
enum cairn_status {
    CAIRN_HOLDS = 0,     /* every required check passes */
    CAIRN_FAILS = 1,     /* well-formed, and a check fails */
    CAIRN_UNREADABLE = 2 /* the ledger is not the one of the trust file */
};

/* One line of a verdict. */
enum cairn_outcome {
    CAIRN_PASS = 0,
    CAIRN_FAIL = 1,
    CAIRN_NOT_COUNTED = 2 /* neither helps nor hurts, but its reader should know it */
};

#define CAIRN_EVIDENCE_ID_SIZE 29 /* with NUL */

struct cairn_trust;   /* a trust file */
struct cairn_proof;   /* a proof file, or a proof of a state */
struct cairn_fork;    /* fork evidence: an accusation against a key */
struct cairn_digest;  /* the digests of a file, being made */
struct cairn_verdict; /* what a check found */

/* Returns the version of the library, "0.1.0". */
CAIRN_API const char *cairn_version(void);

/* Reads a trust file (NAME.trust, at most 1 MiB).
 * Returns: the trust file, or NULL if it cannot be read.
 * In:  bytes, len       the file's contents; not needed afterwards
 * Out: error, error_cap where the reason is written, cut to fit; may be NULL and 0 */
CAIRN_API struct cairn_trust *cairn_trust_new(const void *bytes, size_t len, char *error,
                                              size_t error_cap);
/* Frees a trust file. */
CAIRN_API void cairn_trust_free(struct cairn_trust *trust);
/* Writes the SHA-256 of the trust file as it was read: what people compare out of band. */
CAIRN_API void cairn_trust_sha256(const struct cairn_trust *trust, uint8_t sha256_out[32]);
/* Returns the ledger's name as the trust file states it. */
CAIRN_API const char *cairn_trust_name(const struct cairn_trust *trust);

/* Reads a proof file (FILE.proof, at most 1 MiB), or a proof of a state.
 * Returns: the proof, or NULL if it cannot be read, which is never a verdict on the file it is for.
 * In:  bytes, len       the file's contents; not needed afterwards
 * Out: error, error_cap where the reason is written, cut to fit; may be NULL and 0 */
CAIRN_API struct cairn_proof *cairn_proof_new(const void *bytes, size_t len, char *error,
                                              size_t error_cap);
/* Frees a proof. */
CAIRN_API void cairn_proof_free(struct cairn_proof *proof);
/* Returns 1 for the proof of a state, 0 for the proof of a statement. */
CAIRN_API int cairn_proof_is_state(const struct cairn_proof *proof);
/* Writes the evidence id that people use for the item of a proof, with NUL.
 * Returns: 1, or 0 for the proof of a state, which has none. */
CAIRN_API int cairn_proof_evidence_id(const struct cairn_proof *proof,
                                      char out[CAIRN_EVIDENCE_ID_SIZE]);
/* Returns the time that the proof claims, milliseconds since 1970 in UTC: that of the block which
 * recorded the statement, or of the head of a state. A verdict says what it rests on. */
CAIRN_API uint64_t cairn_proof_time_ms(const struct cairn_proof *proof);

/* Begins the digests of the file that a proof is for. Files of any size, in one pass.
 * Returns: a digest, never NULL. The proof must live until the last update. */
CAIRN_API struct cairn_digest *cairn_digest_new(const struct cairn_proof *proof);
/* Takes in the next bytes of the file. */
CAIRN_API void cairn_digest_update(struct cairn_digest *digest, const void *bytes, size_t len);
/* Frees a digest, whether used or not. */
CAIRN_API void cairn_digest_free(struct cairn_digest *digest);

/* Checks a proof against a trust file.
 * Returns: a verdict, never NULL.
 * In: trust   NULL: the verdict says whose ledger it is, and never that anything holds
 *     digest  of the whole file, taken with this very proof, and used up by this call; NULL:
 * nothing is compared, and the verdict says so. Not looked at for the proof of a state. */
CAIRN_API struct cairn_verdict *cairn_verify(const struct cairn_proof *proof,
                                             const struct cairn_trust *trust,
                                             struct cairn_digest *digest);
/* As cairn_verify, comparing a SHA-256 alone in place of a file; the verdict says so. */
CAIRN_API struct cairn_verdict *cairn_verify_sha256(const struct cairn_proof *proof,
                                                    const struct cairn_trust *trust,
                                                    const uint8_t sha256[32]);

/* Reads fork evidence (NAME.fork, at most 1 MiB).
 * Returns: the evidence, or NULL if it cannot be read, which is never a verdict on the accused.
 * In:  bytes, len       the file's contents; not needed afterwards
 * Out: error, error_cap where the reason is written, cut to fit; may be NULL and 0 */
CAIRN_API struct cairn_fork *cairn_fork_new(const void *bytes, size_t len, char *error,
                                            size_t error_cap);
/* Frees fork evidence. */
CAIRN_API void cairn_fork_free(struct cairn_fork *evidence);
/* Checks whether fork evidence accuses the holder of a key: CAIRN_HOLDS if it does.
 * Returns: a verdict, never NULL; a line of the check "fork" names the node.
 * In: trust   NULL: the verdict says whose ledger it is, and accuses nobody */
CAIRN_API struct cairn_verdict *cairn_fork_verify(const struct cairn_fork *evidence,
                                                  const struct cairn_trust *trust);

/* Frees a verdict. */
CAIRN_API void cairn_verdict_free(struct cairn_verdict *verdict);
/* Returns the verdict as a whole. */
CAIRN_API enum cairn_status cairn_verdict_status(const struct cairn_verdict *verdict);
/* Returns the verdict in one sentence. */
CAIRN_API const char *cairn_verdict_summary(const struct cairn_verdict *verdict);
/* Returns how many lines there are. A check may have none or several. */
CAIRN_API size_t cairn_verdict_count(const struct cairn_verdict *verdict);
/* Return the check's name ("statement signature"), the outcome and the text of line `index`, which
 * must be below the count. */
CAIRN_API const char *cairn_verdict_check(const struct cairn_verdict *verdict, size_t index);
CAIRN_API enum cairn_outcome cairn_verdict_outcome(const struct cairn_verdict *verdict,
                                                   size_t index);
CAIRN_API const char *cairn_verdict_text(const struct cairn_verdict *verdict, size_t index);

#ifdef __cplusplus
}
#endif

#endif
