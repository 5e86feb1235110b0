/* A private key in a token, and its public part. */
#ifndef CAIRN_KEYSTORE_OBJECT_H
#define CAIRN_KEYSTORE_OBJECT_H

#include "keystore/token.h"

#define OBJECT_ID_MAX    64
#define OBJECT_LABEL_MAX 64
/* DER of a named curve as PKCS#11 takes it for Ed25519 and P-256. */
#define PARAMS_ED25519 "\x06\x03\x2b\x65\x70"
#define PARAMS_ED25519_NAME \
    "\x13\x0c"              \
    "edwards25519"
#define PARAMS_P256 "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define PARAMS_SM2  "\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d"

struct object {
    CK_OBJECT_HANDLE handle;
    enum alg alg;
    bool always_authenticate; /* each signature wants a login of its own */
    uint8_t id[OBJECT_ID_MAX];
    size_t id_len;
    char label[OBJECT_LABEL_MAX + 1];
    char name[200]; /* "'receipt' (id 01) in court (serial ...)", for messages */
};

/* Whether the token has a private or public key that the URI's label and id fit. ERR_IO. */
must_use enum err object_exists(bool *out, const struct token *token, const P11KitUri *uri,
                                struct why *why);
/* Finds the one private key that the URI fits and reads what kind it is. ERR_NOT_FOUND, ERR_EXISTS
 * (with their ids), ERR_UNSUPPORTED, ERR_IO. */
must_use enum err object_find(struct object *out, const struct token *token, const P11KitUri *uri,
                              struct why *why);
/* Reads its public key: from the public object of the same id, else from the key itself. ERR_KEY.
 * The caller frees *out. */
must_use enum err object_pubkey(struct pubkey **out, const struct token *token,
                                const struct object *object, struct why *why);
/* Makes a SubjectPublicKeyInfo of CKA_EC_POINT: the point raw, in a DER OCTET STRING (as 2.40 says)
 * or in a BIT STRING (as some tokens do for Ed25519). ERR_KEY, ERR_UNSUPPORTED. */
must_use enum err point_pubkey(struct pubkey **out, enum alg alg, struct bytes point);

#endif
