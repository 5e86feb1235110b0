/* Inside crypto/ only: what a public key holds, and verification by prepared digest. */
#ifndef CAIRN_CRYPTO_PUBKEY_H
#define CAIRN_CRYPTO_PUBKEY_H

#include "crypto/key.h"

#include <openssl/evp.h>

#define ED25519_KEY_LEN   32
#define ED25519_SIG_LEN   64
#define SM2_USER_ID       "1234567812345678"
#define SIGNATURE_RAW_LEN 64

/* The last bytes of an SPKI are the key itself: 32 of Ed25519, or 65 of an uncompressed point. */
struct pubkey {
    enum key_kind kind;
    uint8_t spki[SPKI_MAX];
    size_t spki_len;
    struct hash kid;
    /* P-256 and SM2: ready to verify and only ever copied, so that a verification fetches nothing
     * and several threads may share the key. */
    EVP_PKEY_CTX *verifier;
    EVP_MD_CTX *sm2_verifier;
};

/* Whether the 32 bytes are a canonical point of edwards25519 that is not of small order. */
bool ed25519_key_ok(const uint8_t *key32);
/* Makes the parts of a P-256 or SM2 key that verification uses. ERR_KEY if the point is not on the
 * curve. */
must_use enum err pubkey_prepare(struct pubkey *key);
/* Verifies r || s of either s over a SHA-256 with a P-256 key. */
must_use enum err p256_verify_digest(const struct pubkey *key, const struct hash *digest,
                                     const uint8_t *rs64);

#endif
