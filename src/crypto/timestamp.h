/* RFC 3161 time-stamp tokens, read and checked offline. */
#ifndef CAIRN_CRYPTO_TIMESTAMP_H
#define CAIRN_CRYPTO_TIMESTAMP_H

#include "base/bytes.h"

/* What a token's check found. */
enum token_state {
    TOKEN_MALFORMED, /* not a TimeStampToken (a CMS SignedData over TSTInfo) */
    TOKEN_UNKNOWN,   /* no listed authority stands behind it: not counted */
    TOKEN_WRONG,     /* by a listed authority, but false, or over other bytes */
    TOKEN_GOOD
};

struct token {
    enum token_state state;
    uint64_t time_ms; /* genTime, when TOKEN_GOOD */
};

/* Checks a DER TimeStampToken (not a response) over `message`, hashed as the token says (SHA-256,
 * SHA-384, SHA-512 or SM3). `authorities` are DER certificates of roots. The signer's certificate
 * must have the critical timeStamping purpose and be valid at genTime. */
struct token token_check(struct bytes token, struct bytes message, const struct bytes *authorities,
                         size_t authority_count);

#endif
