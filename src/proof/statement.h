/* Statements (protocol.md 2): what members sign, and what enters the log.
 *
 * An *entry* is a statement with an empty unprotected header. A statement of ours and a foreign
 * one (a COSE_Sign1 of an RFC 9943 tool, signed with a key of purpose foreign) are told apart by
 * the protected `typ`. */
#ifndef CAIRN_PROOF_STATEMENT_H
#define CAIRN_PROOF_STATEMENT_H

#include "codec/cose.h"
#include "crypto/signer.h"
#include "proof/keyrecord.h"

#define ENTRY_MAX             32768
#define VALIDITY_MAX_MS       86400000u
#define STATEMENT_TYPE_PREFIX "application/vnd.cairn."
#define STATEMENT_TYPE_SUFFIX "+cbor"

/* All ranges borrow from the parsed bytes. */
struct statement {
    struct sign1 sign1;
    bool foreign;
    int64_t alg;               /* as the header states it; -19 and -9 are possible */
    struct bytes content_type; /* label 3; foreign: may be absent (len 0) */
    struct bytes kid;          /* label 4; ours: 32 bytes; foreign: len 0 if absent */
    struct bytes iss;          /* member id; a foreign one's is not checked */
    struct bytes sub;
    uint64_t iat; /* seconds */
    /* Of our own statements only: */
    struct hash chain;
    uint64_t valid_until; /* milliseconds */
    struct bytes nonce;   /* 16 bytes */
    bool has_mandate;
    struct hash mandate;
    /* Of foreign statements only: */
    struct bytes x5t; /* label 34, its CBOR encoding, or len 0 */
    bool envelope;    /* label 258 = -16 (RFC 9995): the payload is a SHA-256 */
};

/* Parses and checks all that needs no state: shape, sizes, labels, types. The unprotected map is
 * left to the caller (`sign1.unprotected`). ERR_VERSION, ERR_FORMAT, ERR_RANGE and the reader's
 * errors; `why` (may be NULL) names the field. */
must_use enum err statement_parse(struct statement *out, struct bytes bytes, struct why *why);
/* The same for the first of a CBOR sequence; *rest is what follows. Ours only, not foreign. */
must_use enum err statement_parse_first(struct statement *out, struct bytes bytes,
                                        struct bytes *rest, struct why *why);

/* The module and action of a content type of ours, "evidence" and "deposit"; false if it has not
 * that form. Both borrow. */
bool statement_action(const struct statement *statement, struct bytes *module,
                      struct bytes *action);

/* Appends the entry: tag 18, empty unprotected map. */
void statement_entry(struct buf *out, const struct statement *statement);

/* Statement id: SHA-256 of the Sig_structure; of a foreign statement SHA-256(CBOR [kid of the
 * record, bstr Sig_structure]), for which `record_kid` is needed (else it may be NULL). */
void statement_id(struct hash *out, const struct statement *statement,
                  const struct hash *record_kid);

/* What a foreign statement attests: the digests of its payload, or with an envelope (RFC 9995) the
 * payload itself as SHA-256, and no SM3 (returns false). */
bool statement_foreign_digests(const struct statement *statement, struct hash *sha256_out,
                               struct hash *sm3_out);

/* Checks the signature with the record's key: alg, and the rules of protocol.md 1 for its kind.
 * `key` is the record's parsed SPKI. ERR_SIGNATURE; `why` says which rule. */
must_use enum err statement_verify(const struct statement *statement,
                                   const struct key_record *record, const struct pubkey *key,
                                   struct why *why);

/* Whether a key record (found for it) lets this statement stand at log index `index`: purpose,
 * alg, member id or listed names, from < index and (until is null or index < until).
 * ERR_KEY; `why` says which. */
must_use enum err statement_key_check(const struct statement *statement,
                                      const struct key_record *record, uint64_t index,
                                      struct why *why);

/* ERR_EXPIRED unless block time <= valid-until <= min(iat, block time) + 24 h. */
must_use enum err statement_validity_check(const struct statement *statement,
                                           uint64_t block_time_ms, struct why *why);

/* What a client fills in to make a statement; everything borrows. */
struct draft {
    const char *content_type; /* whole media type */
    struct bytes iss;
    struct bytes sub;
    uint64_t iat;
    struct hash chain;
    uint64_t valid_until;
    const uint8_t *nonce16;
    const struct hash *mandate; /* or NULL */
    struct bytes payload;
};

/* Appends the protected header (the encoded map, not its byte string) for an alg of a record and a
 * kid. */
void statement_protected(struct buf *out, const struct draft *draft, enum alg alg,
                         const struct hash *kid);
/* Appends a signed entry. Errors of signer_sign; ERR_RANGE if it exceeds ENTRY_MAX. */
must_use enum err statement_sign(struct buf *out, const struct draft *draft,
                                 const struct signer *signer);

#endif
