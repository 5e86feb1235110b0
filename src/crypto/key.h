/* Public keys of the three kinds that a SubjectPublicKeyInfo can hold, and what their signatures
 * must look like (protocol.md 1). */
#ifndef CAIRN_CRYPTO_KEY_H
#define CAIRN_CRYPTO_KEY_H

#include "base/bytes.h"
#include "base/why.h"

/* COSE algorithm identifiers as key records state them. A statement's header may say -19 for
 * ALG_ED25519 and -9 for ALG_ES256. */
enum alg { ALG_ED25519 = -8, ALG_ES256 = -7, ALG_SM2 = -65537, ALG_WEBAUTHN = -65538 };

enum key_kind { KEY_ED25519, KEY_P256, KEY_SM2 };

/* The longest DER SubjectPublicKeyInfo that is accepted, in bytes (P-256 and SM2 need 91). */
#define SPKI_MAX 91

/* A parsed public key: immutable, usable from several threads at once. */
struct pubkey;

/* Parses a DER SubjectPublicKeyInfo: Ed25519 (RFC 8410), P-256 or SM2 (RFC 5480; named curve,
 * uncompressed point on the curve); exactly the DER that these say, or ERR_KEY. A small-order or
 * non-canonical Ed25519 key is ERR_KEY too. The caller frees *out; on error it is NULL. */
must_use enum err pubkey_parse(struct pubkey **out, struct bytes spki);
void pubkey_free(struct pubkey *key);

/* Borrow from `key`. kid = SHA-256(SPKI). */
struct bytes pubkey_spki(const struct pubkey *key);
const struct hash *pubkey_kid(const struct pubkey *key);
enum key_kind pubkey_kind(const struct pubkey *key);
/* Whether a record may pair this key with `alg` (WebAuthn stands on P-256). */
bool pubkey_fits(const struct pubkey *key, enum alg alg);
/* Parses a COSE alg of a record; ERR_UNSUPPORTED if it is none of `enum alg`. */
must_use enum err alg_parse(enum alg *out, int64_t number);
/* The record's alg for an alg that a header may state (-19 and -9 included). */
must_use enum err alg_of_header(enum alg *out, int64_t number);
/* "ed25519", "es256", "sm2", "webauthn". */
const char *alg_name(enum alg alg);

/* Verifies a 64-byte signature over `message`: Ed25519 with S < L, canonical A and R, neither of
 * small order, cofactorless; ES256 as r || s with low s; SM2 with SM3 as r || s, user id
 * 1234567812345678. ERR_SIGNATURE for anything else, also for another length. */
must_use enum err pubkey_verify(const struct pubkey *key, struct bytes message,
                                struct bytes signature);
/* As pubkey_verify, but ES256 takes either s (foreign statements, protocol.md 2). */
must_use enum err pubkey_verify_any_s(const struct pubkey *key, struct bytes message,
                                      struct bytes signature);
/* Verifies with a bare 32-byte Ed25519 key under the same rules. */
must_use enum err ed25519_verify(const uint8_t *key32, struct bytes message,
                                 struct bytes signature);

/* A WebAuthn assertion as protocol.md 1 takes it; all parts borrow. */
struct webauthn {
    struct bytes authenticator_data;
    struct bytes client_data_json;
    struct bytes signature_der;
};

/* For whom a WebAuthn key signs, and from which origins; all borrow. */
struct relying_party {
    struct bytes id; /* "example.org" */
    const struct bytes *origins;
    size_t origin_count;
};

/* Verifies an assertion (W3C WebAuthn Level 3, 7.2 and 5.8.1.2) whose challenge is SHA-256 of
 * `message`: type webauthn.get, one of its origins, SHA-256(rp_id), not cross-origin, UP and UV
 * set, AT clear, strict low-s DER. ERR_SIGNATURE; `why` (may be NULL) says which rule failed. */
must_use enum err webauthn_verify(const struct pubkey *key, const struct relying_party *party,
                                  struct bytes message, const struct webauthn *assertion,
                                  struct why *why);

/* Normalises an ES256 r || s signature to low s in place (what our clients do before sending).
 * ERR_SIGNATURE if r or s is out of range. */
must_use enum err es256_normalise(uint8_t *signature64);
/* The same for a DER ECDSA signature as authenticators return it: writes strict low-s DER. */
must_use enum err ecdsa_der_normalise(struct buf *out, struct bytes signature_der);

/* Runs known-answer and edge vectors through the libraries in use; a failure aborts. Call once
 * at program start; takes about three milliseconds. */
void crypto_self_test(void);

#endif
