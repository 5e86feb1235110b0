#include "crypto/signer.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "crypto/pubkey.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* A key file is a few hundred bytes. */
#define PEM_MAX        16384
#define READ_ROOM      ((size_t)2 * 65536) /* more than reading PEM_MAX bytes ever asks for */
#define PASSPHRASE_MAX 1024

/* The work of one guess at a passphrase: PBKDF2 with HMAC-SHA-256, a third of a second. OpenSSL's
 * own default is 2,048 rounds. */
#define PBKDF2_ROUNDS   600000
#define PBKDF2_SALT_LEN 16

struct signer {
    enum alg alg;
    struct pubkey *pubkey;
    uint8_t ed25519_secret[crypto_sign_SECRETKEYBYTES];
    EVP_PKEY *pkey;               /* ES256 and SM2 */
    const struct signer_ops *ops; /* of a foreign key, else NULL */
    void *key;
};

void wipe(void *at, size_t len)
{
    sodium_memzero(at, len);
}

static EVP_PKEY *pkey_generate(enum alg alg)
{
    switch (alg) {
    case ALG_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case ALG_ES256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case ALG_SM2:
        return EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    case ALG_WEBAUTHN:
        break;
    }
    return NULL;
}

static void pem_write(BIO *out, PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
    if (passphrase == NULL) {
        BUG_ON(PEM_write_bio_PKCS8_PRIV_KEY_INFO(out, info) != 1);
        return;
    }
    X509_SIG *encrypted = PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase, (int)strlen(passphrase),
                                        NULL, PBKDF2_SALT_LEN, PBKDF2_ROUNDS, info);
    BUG_ON(encrypted == NULL || PEM_write_bio_PKCS8(out, encrypted) != 1);
    X509_SIG_free(encrypted);
}

enum err key_generate(struct buf *pem, enum alg alg, const char *passphrase)
{
    if (alg == ALG_WEBAUTHN || (passphrase && strlen(passphrase) >= PASSPHRASE_MAX)) {
        return ERR_UNSUPPORTED;
    }
    EVP_PKEY *pkey = pkey_generate(alg);
    BUG_ON(pkey == NULL);
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    /* Memory of this kind is wiped when it grows and when it is freed. */
    BIO *text = BIO_new(BIO_s_secmem());
    BUG_ON(info == NULL || text == NULL);
    pem_write(text, info, passphrase);
    char *at;
    long len = BIO_get_mem_data(text, &at);
    buf_put(pem, (struct bytes){(const uint8_t *)at, (size_t)len});
    BIO_free(text);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
    return OK;
}

/* What a PEM file holds: a PrivateKeyInfo or an EncryptedPrivateKeyInfo, in wiped memory. */
struct pem_block {
    bool encrypted;
    uint8_t *at;
    long len;
};

static void pem_block_clear(struct pem_block *block)
{
    if (block->at) {
        wipe(block->at, (size_t)block->len);
        OPENSSL_free(block->at);
    }
    *block = (struct pem_block){0};
}

/* Reads the first block of the text; other kinds than the two of PKCS#8 are ERR_KEY. */
static enum err pem_block_read(struct pem_block *block, struct bytes pem)
{
    *block = (struct pem_block){0};
    if (pem.len == 0 || pem.len > PEM_MAX) {
        return ERR_KEY;
    }
    BIO *text = BIO_new_mem_buf(pem.at, (int)pem.len);
    BUG_ON(text == NULL);
    char *name = NULL;
    char *header = NULL;
    enum err err = ERR_KEY;
    if (PEM_read_bio(text, &name, &header, &block->at, &block->len) == 1) {
        block->encrypted = strcmp(name, PEM_STRING_PKCS8) == 0;
        bool known = block->encrypted || strcmp(name, PEM_STRING_PKCS8INF) == 0;
        err = known && header[0] == 0 ? OK : ERR_KEY;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    BIO_free(text);
    if (err != OK) {
        ERR_clear_error();
        pem_block_clear(block);
    }
    return err;
}

static enum err block_decrypt(PKCS8_PRIV_KEY_INFO **out, const struct pem_block *block,
                              const char *passphrase)
{
    const uint8_t *at = block->at;
    X509_SIG *encrypted = d2i_X509_SIG(NULL, &at, block->len);
    if (encrypted == NULL || at != block->at + block->len) {
        X509_SIG_free(encrypted);
        return ERR_KEY;
    }
    if (passphrase) {
        *out = PKCS8_decrypt(encrypted, passphrase, (int)strlen(passphrase));
    }
    X509_SIG_free(encrypted);
    return *out ? OK : ERR_PASSPHRASE;
}

/* The key of a block, or NULL in *out if it is none that the library knows. */
static enum err block_pkey(EVP_PKEY **out, const struct pem_block *block, const char *passphrase)
{
    PKCS8_PRIV_KEY_INFO *info = NULL;
    enum err err = OK;
    if (block->encrypted) {
        err = block_decrypt(&info, block, passphrase);
    } else {
        const uint8_t *at = block->at;
        info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, block->len);
        err = info && at == block->at + block->len ? OK : ERR_KEY;
    }
    if (err == OK) {
        *out = EVP_PKCS82PKEY(info);
        err = *out ? OK : ERR_KEY;
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    return err;
}

/* Which of our algorithms a private key is for: its type and, for a point, its curve. */
static enum err pkey_alg(enum alg *out, const EVP_PKEY *pkey)
{
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        *out = ALG_ED25519;
        return OK;
    }
    char group[32];
    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1) {
        ERR_clear_error();
        return ERR_KEY;
    }
    if (EVP_PKEY_is_a(pkey, "EC") && strcmp(group, "prime256v1") == 0) {
        *out = ALG_ES256;
        return OK;
    }
    if (EVP_PKEY_is_a(pkey, "SM2") && strcmp(group, "SM2") == 0) {
        *out = ALG_SM2;
        return OK;
    }
    return ERR_KEY;
}

static enum err pkey_public(struct pubkey **out, EVP_PKEY *pkey)
{
    uint8_t *spki = NULL;
    int len = i2d_PUBKEY(pkey, &spki);
    if (len <= 0) {
        ERR_clear_error();
        return ERR_KEY;
    }
    enum err err = pubkey_parse(out, (struct bytes){spki, (size_t)len});
    OPENSSL_free(spki);
    return err;
}

static enum err ed25519_load(struct signer *signer)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    uint8_t public32[ED25519_KEY_LEN];
    size_t len = sizeof seed;
    if (EVP_PKEY_get_raw_private_key(signer->pkey, seed, &len) != 1 || len != sizeof seed) {
        ERR_clear_error();
        return ERR_KEY;
    }
    crypto_sign_seed_keypair(public32, signer->ed25519_secret, seed);
    wipe(seed, sizeof seed);
    EVP_PKEY_free(signer->pkey);
    signer->pkey = NULL;
    return OK;
}

/* A file may state a public key that isn't its private key's: only a signature tells. */
static enum err pair_check(const struct signer *signer)
{
    static const char message[] = "pairwise consistency";
    uint8_t signature[SIGNATURE_RAW_LEN];
    TRY(signer_sign(signer, signature, BYTES_OF(message)));
    return pubkey_verify(signer->pubkey, BYTES_OF(message), BYTES_OF(signature));
}

static enum err signer_load(struct signer *signer, const struct pem_block *block,
                            const char *passphrase)
{
    TRY(block_pkey(&signer->pkey, block, passphrase));
    TRY(pkey_alg(&signer->alg, signer->pkey));
    TRY(pkey_public(&signer->pubkey, signer->pkey));
    if (signer->alg == ALG_ED25519) {
        TRY(ed25519_load(signer));
    }
    return pair_check(signer) == OK ? OK : ERR_KEY;
}

static enum err signer_make(struct signer **out, const struct pem_block *block,
                            const char *passphrase)
{
    struct signer *signer = mem_zalloc(sizeof *signer);
    enum err err = signer_load(signer, block, passphrase);
    if (err != OK) {
        signer_free(signer);
        signer = NULL;
    }
    *out = signer;
    return err;
}

enum err signer_parse(struct signer **out, struct bytes pem, const char *passphrase)
{
    *out = NULL;
    struct pem_block block;
    TRY(pem_block_read(&block, pem));
    enum err err = signer_make(out, &block, passphrase);
    pem_block_clear(&block);
    return err;
}

static enum err open_failed(struct why *why, enum err err, const char *path)
{
    if (err == ERR_PASSPHRASE) {
        return why_say(why, err, "key file", path, "is encrypted under another passphrase",
                       "Give the passphrase that the file was made with.");
    }
    return why_say(why, err, "key file", path, "holds no key of a supported kind",
                   "Give a PKCS#8 PEM file with an Ed25519, P-256 or SM2 private key.");
}

static enum err open_asking(struct signer **out, const struct pem_block *block, const char *path,
                            passphrase_fn *ask, void *context)
{
    char passphrase[PASSPHRASE_MAX];
    if (ask == NULL || !ask(context, path, passphrase, sizeof passphrase)) {
        return ERR_PASSPHRASE;
    }
    enum err err = signer_make(out, block, passphrase);
    wipe(passphrase, sizeof passphrase);
    return err;
}

enum err signer_open(struct signer **out, const char *path, passphrase_fn *ask, void *context,
                     struct why *why)
{
    *out = NULL;
    struct buf pem = {0};
    struct pem_block block = {0};
    buf_reserve(&pem, READ_ROOM); /* never moved, so that no freed memory keeps the secret */
    enum err err = file_read(&pem, path, PEM_MAX, why);
    if (err == ERR_RANGE) {
        err = open_failed(why, ERR_KEY, path);
    } else if (err == OK) {
        err = pem_block_read(&block, buf_bytes(&pem));
        if (err == OK && block.encrypted) {
            err = open_asking(out, &block, path, ask, context);
        } else if (err == OK) {
            err = signer_make(out, &block, NULL);
        }
        if (err != OK) {
            open_failed(why, err, path);
        }
    }
    pem_block_clear(&block);
    wipe(pem.at, pem.cap);
    buf_clear(&pem);
    return err;
}

enum err signer_wrap(struct signer **out, struct pubkey *pubkey, enum alg alg,
                     const struct signer_ops *ops, void *key, struct why *why)
{
    struct signer *signer = mem_zalloc(sizeof *signer);
    *signer = (struct signer){.alg = alg, .pubkey = pubkey, .ops = ops, .key = key};
    enum err err = pubkey_fits(pubkey, alg) && alg != ALG_WEBAUTHN ? pair_check(signer) : ERR_KEY;
    if (err != OK) {
        signer_explain(signer, err, why);
        signer_free(signer);
        signer = NULL;
    }
    *out = signer;
    return err;
}

enum err signer_ed25519_secret(const struct signer *signer, uint8_t *secret64)
{
    if (signer->alg != ALG_ED25519) {
        return ERR_KEY;
    }
    if (signer->ops) {
        return ERR_UNSUPPORTED;
    }
    memcpy(secret64, signer->ed25519_secret, sizeof signer->ed25519_secret);
    return OK;
}

bool signer_is_foreign(const struct signer *signer)
{
    return signer->ops != NULL;
}

enum err signer_explain(const struct signer *signer, enum err err, struct why *why)
{
    if (signer->ops && err != ERR_KEY) {
        signer->ops->explain(signer->key, why);
        return err;
    }
    return why_say(why, err, "key", NULL,
                   err == ERR_KEY ? "and its public key do not belong together" : "could not sign",
                   "Look whether the device that holds the key is in order.");
}

void signer_free(struct signer *signer)
{
    if (signer) {
        if (signer->ops) {
            signer->ops->free(signer->key);
        }
        pubkey_free(signer->pubkey);
        EVP_PKEY_free(signer->pkey);
        wipe(signer, sizeof *signer);
        free(signer);
    }
}

const struct pubkey *signer_pubkey(const struct signer *signer)
{
    return signer->pubkey;
}

enum alg signer_alg(const struct signer *signer)
{
    return signer->alg;
}

static bool es256_sign(EVP_PKEY *pkey, uint8_t *der, size_t *der_len, struct bytes message)
{
    struct hash digest;
    sha256(&digest, message);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    BUG_ON(context == NULL);
    bool done = EVP_PKEY_sign_init(context) == 1 &&
                EVP_PKEY_sign(context, der, der_len, digest.at, sizeof digest.at) == 1;
    EVP_PKEY_CTX_free(context);
    return done;
}

static bool sm2_sign(EVP_PKEY *pkey, uint8_t *der, size_t *der_len, struct bytes message)
{
    char user_id[] = SM2_USER_ID;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID, user_id, strlen(user_id)),
        OSSL_PARAM_construct_end(),
    };
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    BUG_ON(context == NULL);
    bool done = EVP_DigestSignInit_ex(context, NULL, "SM3", NULL, NULL, pkey, params) == 1 &&
                EVP_DigestSign(context, der, der_len, message.at, message.len) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

enum err signer_sign_digest(const struct signer *signer, uint8_t *signature64,
                            const struct hash *digest)
{
    if (!signer->ops || signer->alg != ALG_ES256) {
        return ERR_UNSUPPORTED;
    }
    TRY(signer->ops->sign(signer->key, signature64, hash_bytes(digest)));
    bool good = es256_normalise(signature64) == OK &&
                p256_verify_digest(signer->pubkey, digest, signature64) == OK;
    return good ? OK : ERR_KEY;
}

/* A device may be broken: what does not verify is nobody's signature. */
static enum err foreign_sign(const struct signer *signer, uint8_t *signature64,
                             struct bytes message)
{
    struct hash digest;
    if (signer->alg == ALG_ES256) {
        sha256(&digest, message);
        return signer_sign_digest(signer, signature64, &digest);
    }
    TRY(signer->ops->sign(signer->key, signature64, message));
    struct bytes signature = {signature64, SIGNATURE_RAW_LEN};
    return pubkey_verify(signer->pubkey, message, signature) == OK ? OK : ERR_KEY;
}

enum err signer_sign(const struct signer *signer, uint8_t *signature64, struct bytes message)
{
    if (signer->ops) {
        return foreign_sign(signer, signature64, message);
    }
    if (signer->alg == ALG_ED25519) {
        crypto_sign_detached(signature64, NULL, message.at, message.len, signer->ed25519_secret);
        return OK;
    }
    uint8_t der[ECDSA_DER_MAX];
    size_t der_len = sizeof der;
    bool es256 = signer->alg == ALG_ES256;
    bool done = es256 ? es256_sign(signer->pkey, der, &der_len, message)
                      : sm2_sign(signer->pkey, der, &der_len, message);
    if (!done || ecdsa_der_read(signature64, (struct bytes){der, der_len}) != OK) {
        ERR_clear_error();
        return ERR_IO;
    }
    return es256 ? es256_normalise(signature64) : OK;
}
