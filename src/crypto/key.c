#include "crypto/key.h"
#include "crypto/digest.h"
#include "crypto/pubkey.h"

#include <stdlib.h>
#include <string.h>

/* Everything of the SPKI that stands before the key, so that "exactly this DER" is one memcmp. */
struct spki_form {
    enum key_kind kind;
    size_t prefix_len;
    size_t len;
    uint8_t prefix[27];
};

static const struct spki_form spki_forms[] = {
    /* RFC 8410, 4: id-Ed25519, no parameters. */
    {KEY_ED25519, 12, 44, {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}},
    /* RFC 5480, 2: id-ecPublicKey, namedCurve secp256r1, uncompressed point. */
    {KEY_P256, 27, 91, {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                        0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04}},
    /* The same with 1.2.156.10197.1.301, the curve of GB/T 32918.5. */
    {KEY_SM2, 27, 91, {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x81, 0x1c,
                       0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00, 0x04}},
};

static const struct spki_form *spki_form_of(struct bytes spki)
{
    for (size_t i = 0; i < sizeof spki_forms / sizeof *spki_forms; i++) {
        const struct spki_form *form = &spki_forms[i];
        if (spki.len == form->len && memcmp(spki.at, form->prefix, form->prefix_len) == 0) {
            return form;
        }
    }
    return NULL;
}

enum err pubkey_parse(struct pubkey **out, struct bytes spki)
{
    *out = NULL;
    const struct spki_form *form = spki_form_of(spki);
    if (form == NULL) {
        return ERR_KEY;
    }
    if (form->kind == KEY_ED25519 && !ed25519_key_ok(spki.at + form->prefix_len)) {
        return ERR_KEY;
    }
    struct pubkey *key = mem_zalloc(sizeof *key);
    key->kind = form->kind;
    key->spki_len = spki.len;
    memcpy(key->spki, spki.at, spki.len);
    sha256(&key->kid, spki);
    if (form->kind != KEY_ED25519 && pubkey_prepare(key) != OK) {
        pubkey_free(key);
        return ERR_KEY;
    }
    *out = key;
    return OK;
}

void pubkey_free(struct pubkey *key)
{
    if (key) {
        EVP_PKEY_CTX_free(key->verifier);
        EVP_MD_CTX_free(key->sm2_verifier);
        free(key);
    }
}

struct bytes pubkey_spki(const struct pubkey *key)
{
    return (struct bytes){key->spki, key->spki_len};
}

const struct hash *pubkey_kid(const struct pubkey *key)
{
    return &key->kid;
}

enum key_kind pubkey_kind(const struct pubkey *key)
{
    return key->kind;
}

bool pubkey_fits(const struct pubkey *key, enum alg alg)
{
    switch (alg) {
    case ALG_ED25519:
        return key->kind == KEY_ED25519;
    case ALG_ES256:
    case ALG_WEBAUTHN:
        return key->kind == KEY_P256;
    case ALG_SM2:
        return key->kind == KEY_SM2;
    }
    return false;
}

enum err alg_parse(enum alg *out, int64_t number)
{
    switch (number) {
    case ALG_ED25519:
    case ALG_ES256:
    case ALG_SM2:
    case ALG_WEBAUTHN:
        *out = (enum alg)number;
        return OK;
    default:
        return ERR_UNSUPPORTED;
    }
}

/* The fully specified algorithms of RFC 9864. */
enum { HEADER_ED25519 = -19, HEADER_ESP256 = -9 };

enum err alg_of_header(enum alg *out, int64_t number)
{
    switch (number) {
    case HEADER_ED25519:
        *out = ALG_ED25519;
        return OK;
    case HEADER_ESP256:
        *out = ALG_ES256;
        return OK;
    default:
        return alg_parse(out, number);
    }
}

const char *alg_name(enum alg alg)
{
    switch (alg) {
    case ALG_ED25519:
        return "ed25519";
    case ALG_ES256:
        return "es256";
    case ALG_SM2:
        return "sm2";
    case ALG_WEBAUTHN:
        return "webauthn";
    }
    bug_abort(__FILE__, __LINE__, "no such algorithm");
}
