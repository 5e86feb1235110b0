#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "crypto/pubkey.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define POINT_LEN 65

/* p = 2^255 - 19, little-endian as keys are. */
static const uint8_t field25519[ED25519_KEY_LEN] = {
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};

static bool ed25519_y_canonical(const uint8_t *key32)
{
    for (size_t i = ED25519_KEY_LEN; i-- > 0;) {
        uint8_t digit = i == ED25519_KEY_LEN - 1 ? key32[i] & 0x7f : key32[i];
        if (digit != field25519[i]) {
            return digit < field25519[i];
        }
    }
    return false;
}

bool ed25519_key_ok(const uint8_t *key32)
{
    static const uint8_t identity[ED25519_KEY_LEN] = {1};
    if (!ed25519_y_canonical(key32)) {
        return false;
    }
    /* Three doublings kill exactly the points of small order (the cofactor is 8), among them the
     * two whose x is 0 and may be written with a false sign. The sum fails off the curve. A point
     * of mixed order passes: only small order is refused. */
    uint8_t eightfold[ED25519_KEY_LEN];
    memcpy(eightfold, key32, sizeof eightfold);
    for (int i = 0; i < 3; i++) {
        if (crypto_core_ed25519_add(eightfold, eightfold, eightfold) != 0) {
            return false;
        }
    }
    return memcmp(eightfold, identity, sizeof identity) != 0;
}

/* libsodium 1.0.18 refuses S >= L, small order of A and R, and non-canonical A; it compares R as
 * bytes after a cofactorless computation. crypto_self_test proves each. */
enum err ed25519_verify(const uint8_t *key32, struct bytes message, struct bytes signature)
{
    if (signature.len != ED25519_SIG_LEN) {
        return ERR_SIGNATURE;
    }
    int good = crypto_sign_verify_detached(signature.at, message.at, message.len, key32);
    return good == 0 ? OK : ERR_SIGNATURE;
}

/* The library's key of a P-256 or SM2 point; NULL if the point is not on the curve. */
static EVP_PKEY *point_import(const struct pubkey *key)
{
    bool sm2 = key->kind == KEY_SM2;
    char group[16];
    uint8_t point[POINT_LEN];
    snprintf(group, sizeof group, "%s", sm2 ? "SM2" : "prime256v1");
    memcpy(point, key->spki + key->spki_len - POINT_LEN, POINT_LEN);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *importer = EVP_PKEY_CTX_new_from_name(NULL, sm2 ? "SM2" : "EC", NULL);
    BUG_ON(importer == NULL || EVP_PKEY_fromdata_init(importer) != 1);
    EVP_PKEY *pkey = NULL;
    if (EVP_PKEY_fromdata(importer, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        ERR_clear_error();
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(importer);
    return pkey;
}

static void sm2_verifier_make(struct pubkey *key, EVP_PKEY *pkey)
{
    char user_id[] = SM2_USER_ID;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID, user_id, strlen(user_id)),
        OSSL_PARAM_construct_end(),
    };
    key->sm2_verifier = EVP_MD_CTX_new();
    BUG_ON(key->sm2_verifier == NULL);
    BUG_ON(EVP_DigestVerifyInit_ex(key->sm2_verifier, NULL, "SM3", NULL, NULL, pkey, params) != 1);
}

enum err pubkey_prepare(struct pubkey *key)
{
    EVP_PKEY *pkey = point_import(key);
    if (pkey == NULL) {
        return ERR_KEY;
    }
    if (key->kind == KEY_SM2) {
        sm2_verifier_make(key, pkey);
    } else {
        key->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        BUG_ON(key->verifier == NULL || EVP_PKEY_verify_init(key->verifier) != 1);
    }
    EVP_PKEY_free(pkey);
    return OK;
}

static enum err verdict(int library_result)
{
    if (library_result == 1) {
        return OK;
    }
    ERR_clear_error();
    return ERR_SIGNATURE;
}

enum err p256_verify_digest(const struct pubkey *key, const struct hash *digest,
                            const uint8_t *rs64)
{
    uint8_t der[ECDSA_DER_MAX];
    size_t der_len = ecdsa_der_write(der, rs64);
    EVP_PKEY_CTX *verifier = EVP_PKEY_CTX_dup(key->verifier);
    BUG_ON(verifier == NULL);
    int good = EVP_PKEY_verify(verifier, der, der_len, digest->at, sizeof digest->at);
    EVP_PKEY_CTX_free(verifier);
    return verdict(good);
}

static enum err sm2_verify(const struct pubkey *key, struct bytes message, const uint8_t *rs64)
{
    uint8_t der[ECDSA_DER_MAX];
    size_t der_len = ecdsa_der_write(der, rs64);
    EVP_MD_CTX *verifier = EVP_MD_CTX_new();
    BUG_ON(verifier == NULL || EVP_MD_CTX_copy_ex(verifier, key->sm2_verifier) != 1);
    int good = EVP_DigestVerify(verifier, der, der_len, message.at, message.len);
    EVP_MD_CTX_free(verifier);
    return verdict(good);
}

enum err pubkey_verify_any_s(const struct pubkey *key, struct bytes message, struct bytes signature)
{
    if (signature.len != SIGNATURE_RAW_LEN) {
        return ERR_SIGNATURE;
    }
    struct hash digest;
    switch (key->kind) {
    case KEY_ED25519:
        return ed25519_verify(key->spki + key->spki_len - ED25519_KEY_LEN, message, signature);
    case KEY_P256:
        sha256(&digest, message);
        return p256_verify_digest(key, &digest, signature.at);
    case KEY_SM2:
        return sm2_verify(key, message, signature.at);
    }
    bug_abort(__FILE__, __LINE__, "a key of no kind");
}

enum err pubkey_verify(const struct pubkey *key, struct bytes message, struct bytes signature)
{
    bool es256 = key->kind == KEY_P256 && signature.len == SIGNATURE_RAW_LEN;
    if (es256 && !p256_low_s(signature.at)) {
        return ERR_SIGNATURE;
    }
    return pubkey_verify_any_s(key, message, signature);
}
