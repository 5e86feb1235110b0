#include "keystore/keystore.h"

#include "crypto/random.h"
#include "keystore/object.h"

#include <string.h>

#define RANDOM_ID_LEN 16

/* The attributes that both halves of the pair share: label and id. */
struct names {
    CK_ATTRIBUTE at[2];
    size_t count;
    uint8_t random_id[RANDOM_ID_LEN];
};

static enum err take_names(struct names *out, P11KitUri *uri, const char *text, struct why *why)
{
    CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
    CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri, CKA_ID);
    if (!label && !id) {
        return why_say(why, ERR_FORMAT, "key", text, "has no name for the new key",
                       "Add object=LABEL.");
    }
    if ((id && id->ulValueLen > OBJECT_ID_MAX) || (label && label->ulValueLen > OBJECT_LABEL_MAX)) {
        return why_say(why, ERR_RANGE, "key", text, "has an object or id of more than 64 bytes",
                       "Choose a shorter name.");
    }
    random_bytes(out->random_id, sizeof out->random_id);
    out->count = 0;
    out->at[out->count++] =
        id ? *id : (CK_ATTRIBUTE){CKA_ID, out->random_id, sizeof out->random_id};
    if (label) {
        out->at[out->count++] = *label;
    }
    return OK;
}

static CK_RV generate_pair(const struct token *token, CK_MECHANISM_TYPE type, const char *params,
                           size_t params_len, const struct names *names)
{
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    uint8_t copy[32];
    memcpy(copy, params, params_len);
    CK_ATTRIBUTE public[6] = {{CKA_EC_PARAMS, copy, params_len},
                              {CKA_TOKEN, &yes, sizeof yes},
                              {CKA_PRIVATE, &no, sizeof no},
                              {CKA_VERIFY, &yes, sizeof yes}};
    CK_ATTRIBUTE private[7] = {{CKA_TOKEN, &yes, sizeof yes},
                               {CKA_PRIVATE, &yes, sizeof yes},
                               {CKA_SENSITIVE, &yes, sizeof yes},
                               {CKA_EXTRACTABLE, &no, sizeof no},
                               {CKA_SIGN, &yes, sizeof yes}};
    memcpy(public + 4, names->at, names->count * sizeof names->at[0]);
    memcpy(private + 5, names->at, names->count * sizeof names->at[0]);
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_OBJECT_HANDLE handles[2];
    return token->module->C_GenerateKeyPair(token->session, &mechanism, public, 4 + names->count,
                                            private, 5 + names->count, &handles[0], &handles[1]);
}

/* Tokens differ in how they want edwards25519 written: as an object identifier or by its name. */
static enum err generate_alg(const struct token *token, enum alg alg, const struct names *names,
                             struct why *why)
{
    CK_RV rv;
    if (alg == ALG_ES256) {
        rv = generate_pair(token, CKM_EC_KEY_PAIR_GEN, PARAMS_P256, sizeof PARAMS_P256 - 1, names);
    } else {
        rv = generate_pair(token, CKM_EC_EDWARDS_KEY_PAIR_GEN, PARAMS_ED25519,
                           sizeof PARAMS_ED25519 - 1, names);
        if (rv != CKR_OK && rv != CKR_MECHANISM_INVALID) {
            rv = generate_pair(token, CKM_EC_EDWARDS_KEY_PAIR_GEN, PARAMS_ED25519_NAME,
                               sizeof PARAMS_ED25519_NAME - 1, names);
        }
    }
    if (rv == CKR_MECHANISM_INVALID) {
        return why_say(why, ERR_UNSUPPORTED, "token", token->name, "makes no keys of this kind",
                       "Try the other one: --alg es256 or --alg ed25519.");
    }
    return rv == CKR_OK ? OK : token_failed(token, ERR_IO, rv, "make a key", why);
}

static enum err generate_in(struct token *token, P11KitUri *uri, const char *pin, enum alg alg,
                            const struct names *names, struct why *why)
{
    bool exists;
    TRY(token_begin(token, true, why));
    TRY(token_login(token, pin, why));
    TRY(object_exists(&exists, token, uri, why));
    if (exists) {
        return why_say(why, ERR_EXISTS, "key", token->name, "has a key of this name already",
                       "Choose another object= or id=.");
    }
    return generate_alg(token, alg, names, why);
}

static enum err generate_by_uri(struct token *token, P11KitUri *uri, const char *text, enum alg alg,
                                const struct pin_asker *asker, struct why *why)
{
    struct names names = {0};
    char pin[PIN_MAX] = "";
    TRY(take_names(&names, uri, text, why));
    TRY(token_find(token, uri, why));
    enum err err = token_needs_pin(token) ? pin_get(pin, uri, text, asker, why) : OK;
    if (err == OK) {
        err = generate_in(token, uri, pin, alg, &names, why);
    }
    wipe(pin, sizeof pin);
    return err;
}

enum err keystore_generate(const char *text, enum alg alg, passphrase_fn *ask, void *context,
                           struct why *why)
{
    if (alg != ALG_ED25519 && alg != ALG_ES256) {
        return why_say(why, ERR_UNSUPPORTED, "--alg", alg_name(alg), "is not for keys in a token",
                       "Choose ed25519 or es256: PKCS#11 has no SM2 signatures.");
    }
    P11KitUri *uri;
    TRY(uri_parse(&uri, text, why));
    struct token token = {0};
    struct pin_asker asker = {ask, context};
    enum err err = generate_by_uri(&token, uri, text, alg, &asker, why);
    token_close(&token);
    p11_kit_uri_free(uri);
    return err;
}
