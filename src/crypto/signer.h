/* Private keys behind an opaque signer, so that a hardware key can stand where a file does.
 *
 * Files are PKCS#8 PEM (RFC 5958), optionally encrypted under a passphrase (PBES2, RFC 8018). */
#ifndef CAIRN_CRYPTO_SIGNER_H
#define CAIRN_CRYPTO_SIGNER_H

#include "crypto/key.h"

struct signer;

/* Asks a person for the passphrase of `path`: writes at most `cap` bytes with NUL and returns
 * true, or returns false if there is nobody to ask. */
typedef bool passphrase_fn(void *context, const char *path, char *out, size_t cap);

/* Creates a key of ALG_ED25519, ALG_ES256 or ALG_SM2 and appends its PEM to `pem`, encrypted if
 * `passphrase` is not NULL. ERR_UNSUPPORTED for other algs. The caller wipes `pem`. */
must_use enum err key_generate(struct buf *pem, enum alg alg, const char *passphrase);

/* Opens a PEM key file. `ask` (may be NULL) is called at most once, only if the file is encrypted.
 * ERR_NOT_FOUND, ERR_IO, ERR_KEY (not a key of a supported kind), ERR_PASSPHRASE; `why` names the
 * path. The caller frees *out. */
must_use enum err signer_open(struct signer **out, const char *path, passphrase_fn *ask,
                              void *context, struct why *why);
/* As signer_open, from the text of a PEM file. */
must_use enum err signer_parse(struct signer **out, struct bytes pem, const char *passphrase);
/* What a key does that lies elsewhere, in a token for example. `key` is what signer_wrap was given;
 * the calls of one signer may come from several threads at once. */
struct signer_ops {
    /* Writes a signature of 64 bytes by the key's alg, ES256 with either s. ERR_IO. What is signed
     * is the message, but for ES256 its SHA-256. */
    enum err (*sign)(void *key, uint8_t *signature64, struct bytes message);
    /* Says why the last signature failed; also for a key whose `sign` never failed. */
    void (*explain)(void *key, struct why *why);
    void (*free)(void *key);
};

/* Makes a signer of a foreign key whose public part is `pubkey`. Each of its signatures is checked
 * before anybody sees it, one here. Takes over `pubkey` and `key`, also on an error: ERR_KEY if
 * `alg` is not for this key or the signature does not verify, errors of ops->sign. */
must_use enum err signer_wrap(struct signer **out, struct pubkey *pubkey, enum alg alg,
                              const struct signer_ops *ops, void *key, struct why *why);
void signer_free(struct signer *signer);
/* Whether the key lies elsewhere, so that signing may fail today and work tomorrow. */
bool signer_is_foreign(const struct signer *signer);
/* Writes the secret of an Ed25519 key, seed and public key, for a program that must sign itself;
 * the caller wipes it. ERR_UNSUPPORTED for a key that lies elsewhere, ERR_KEY for another kind. */
must_use enum err signer_ed25519_secret(const struct signer *signer, uint8_t *secret64);
/* After signer_sign failed with `err`: says why, as far as the key's device told. Returns err. */
enum err signer_explain(const struct signer *signer, enum err err, struct why *why);

/* Borrows from `signer`. */
const struct pubkey *signer_pubkey(const struct signer *signer);
enum alg signer_alg(const struct signer *signer);
/* Writes a signature that pubkey_verify accepts. ERR_IO if the device holding the key fails,
 * ERR_KEY if it gives what does not verify. One signer may be used from several threads. */
must_use enum err signer_sign(const struct signer *signer, uint8_t *signature64,
                              struct bytes message);
/* As signer_sign with a key of ALG_ES256, of a message whose SHA-256 is known. ERR_UNSUPPORTED for
 * another alg, and for a key that does not lie elsewhere. */
must_use enum err signer_sign_digest(const struct signer *signer, uint8_t *signature64,
                                     const struct hash *digest);

/* Overwrites memory that held a secret, in a way that no compiler removes. */
void wipe(void *at, size_t len);

#endif
