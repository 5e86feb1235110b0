/* Session statements (protocol.md 2, Session): what a member signs to be known as a reader for a
 * few minutes. A COSE_Sign1 of typ session over
 * [1, chain id, origin, kid, nonce, iat, expiry], which the client builds whole: no raw challenge
 * exists, so a sign-in can't be turned into anything else. */
#ifndef CAIRN_PROOF_SESSION_H
#define CAIRN_PROOF_SESSION_H

#include "proof/keyrecord.h"

#define SESSION_STATEMENT_MAX 4096
#define SESSION_NONCE_LEN     16
#define SESSION_VALID_MAX_MS  300000u /* from iat to expiry */

/* All ranges borrow from the parsed bytes. */
struct session_statement {
    struct sign1 sign1;
    enum alg alg;    /* the record's, for what the header states */
    struct hash kid; /* header and payload agree */
    struct hash chain;
    struct bytes origin; /* "https://ledger.example", as the client connected */
    struct bytes nonce;
    uint64_t iat_ms;
    uint64_t expiry_ms;
};

/* Reads one exactly, all that needs no state; `why` (may be NULL) names the field. ERR_VERSION,
 * ERR_FORMAT, ERR_RANGE (also an expiry before iat or more than five minutes after it),
 * ERR_MISMATCH (kid), ERR_UNSUPPORTED (alg) and the reader's errors. */
must_use enum err session_statement_parse(struct session_statement *out, struct bytes in,
                                          struct why *why);
/* Checks the signature with the record that its kid names and the record's parsed SPKI: alg, and
 * the rules of protocol.md 1 for its kind. ERR_SIGNATURE; `why` says which rule. */
must_use enum err session_statement_verify(const struct session_statement *statement,
                                           const struct key_record *record,
                                           const struct pubkey *key, struct why *why);

/* What a client fills in; kid and alg are the signer's. */
struct session_draft {
    struct hash chain;
    struct bytes origin;
    const uint8_t *nonce16;
    uint64_t iat_ms;
    uint64_t expiry_ms;
};
/* Appends a signed one. signer_sign's errors. */
must_use enum err session_statement_sign(struct buf *out, const struct session_draft *draft,
                                         const struct signer *signer);

/* Whether `origin` is one as protocol.md 2 writes it: http or https, "://", a host in lower case
 * (RFC 3986; an IPv6 address in brackets), and a port unless it is the scheme's own. */
bool origin_ok(struct bytes origin);

#endif
