/* SHA-256 (FIPS 180-4), SM3 (GB/T 32905-2016) and HMAC-SHA-256 (RFC 2104).
 * Nothing here fails: a broken crypto library is a bug and aborts. */
#ifndef CAIRN_CRYPTO_DIGEST_H
#define CAIRN_CRYPTO_DIGEST_H

#include "base/bytes.h"

#include <stdalign.h>

void sha256(struct hash *out, struct bytes message);
/* Digest of the concatenation of `count` parts. */
void sha256_parts(struct hash *out, const struct bytes *parts, size_t count);

/* Incremental SHA-256; lives in the caller's memory and may be copied at any point. */
struct sha256_state {
    alignas(16) uint8_t opaque[128];
};
void sha256_init(struct sha256_state *state);
void sha256_update(struct sha256_state *state, struct bytes part);
/* Writes the digest; `state` must be initialised again before its next use. */
void sha256_final(struct sha256_state *state, struct hash *out);

void sm3(struct hash *out, struct bytes message);

/* Incremental SM3; owns memory of the crypto library between new and free. */
struct sm3_state;
struct sm3_state *sm3_new(void);
void sm3_update(struct sm3_state *state, struct bytes part);
/* Writes the digest and begins a new message. */
void sm3_final(struct sm3_state *state, struct hash *out);
void sm3_free(struct sm3_state *state);

void hmac_sha256(struct hash *out, struct bytes key, struct bytes message);

#endif
