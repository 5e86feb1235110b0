/* A key is used in one session, by one thread at a time. What PKCS#11 loses (a session that was
 * closed, a token that was pulled out and came back) is found anew once per signature. */
#include "keystore/key.h"

#include "base/log.h"
#include "keystore/object.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_LEN 64

struct token_key {
    P11KitUri *uri;
    struct token token; /* token.module is NULL while it is lost */
    struct object object;
    struct hash kid;
    pthread_mutex_t lock; /* over everything here */
    struct why problem;   /* of the last failure */
    bool refused;         /* the token refuses the PIN that it took before */
    char pin[PIN_MAX];    /* "" if there is none */
};

/* Session, login, key. */
static enum err use_token(struct token_key *key, struct why *why)
{
    TRY(token_begin(&key->token, false, why));
    TRY(token_login(&key->token, key->pin, why));
    return object_find(&key->object, &key->token, key->uri, why);
}

static enum err reattach(struct token_key *key)
{
    if (key->refused) {
        return ERR_PASSPHRASE; /* key->problem says so since the token refused */
    }
    token_close(&key->token);
    struct pubkey *pubkey = NULL;
    enum err err = token_find(&key->token, key->uri, &key->problem);
    if (err == OK) {
        err = use_token(key, &key->problem);
    }
    key->refused = err == ERR_PASSPHRASE;
    if (err == OK) {
        err = object_pubkey(&pubkey, &key->token, &key->object, &key->problem);
    }
    if (err == OK && !hash_equal(pubkey_kid(pubkey), &key->kid)) {
        err = why_say(&key->problem, ERR_KEY, "key", key->object.name, "is another one than before",
                      "Bring the token of the first start back.");
    }
    pubkey_free(pubkey);
    if (err != OK) {
        token_close(&key->token);
    }
    if (err == OK) {
        log_event(LOG_WARN, "keystore.reopened", "object=%s", key->object.name);
    } else {
        log_event(LOG_ERROR, "keystore.lost", "object=%s err=%s problem=\"%s %s\"",
                  key->object.name, err_name(err), key->problem.field, key->problem.problem);
    }
    return err;
}

static CK_RV sign_raw(struct token_key *key, uint8_t *signature64, struct bytes message)
{
    CK_FUNCTION_LIST *module = key->token.module;
    CK_SESSION_HANDLE session = key->token.session;
    bool es256 = key->object.alg == ALG_ES256;
    CK_MECHANISM mechanism = {es256 ? CKM_ECDSA : CKM_EDDSA, NULL, 0};
    CK_RV rv = module->C_SignInit(session, &mechanism, key->object.handle);
    if (rv == CKR_OK && key->object.always_authenticate) {
        rv = module->C_Login(session, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR *)key->pin,
                             strlen(key->pin));
    }
    if (message.len == 0) {
        message.at = (const uint8_t *)""; /* NULL is an error there */
    }
    CK_ULONG len = SIGNATURE_LEN;
    if (rv == CKR_OK) {
        /* Older headers take the message without const. */
        rv = module->C_Sign(session, (CK_BYTE *)(uintptr_t)message.at, message.len, signature64,
                            &len);
    }
    return rv == CKR_OK && len != SIGNATURE_LEN ? CKR_SIGNATURE_LEN_RANGE : rv;
}

/* Whether looking for the token anew can help. */
static bool is_lost(CK_RV rv)
{
    switch (rv) {
    case CKR_DATA_LEN_RANGE:
    case CKR_DATA_INVALID:
    case CKR_MECHANISM_INVALID:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_SIGNATURE_LEN_RANGE:
    case CKR_PIN_INCORRECT:
    case CKR_PIN_LOCKED:
        return false;
    default:
        return true;
    }
}

static enum err sign_locked(struct token_key *key, uint8_t *signature64, struct bytes message)
{
    CK_RV rv = key->token.module ? sign_raw(key, signature64, message) : CKR_TOKEN_NOT_PRESENT;
    if (rv == CKR_OK) {
        return OK;
    }
    if (is_lost(rv)) {
        TRY(reattach(key));
        rv = sign_raw(key, signature64, message);
    }
    return rv == CKR_OK ? OK : token_failed(&key->token, ERR_IO, rv, "sign", &key->problem);
}

static enum err key_sign(void *context, uint8_t *signature64, struct bytes message)
{
    struct token_key *key = context;
    pthread_mutex_lock(&key->lock);
    enum err err = sign_locked(key, signature64, message);
    pthread_mutex_unlock(&key->lock);
    return err == OK ? OK : ERR_IO;
}

static void key_explain(void *context, struct why *why)
{
    struct token_key *key = context;
    if (why) {
        pthread_mutex_lock(&key->lock);
        *why = key->problem;
        pthread_mutex_unlock(&key->lock);
    }
}

static void key_free(void *context)
{
    struct token_key *key = context;
    token_close(&key->token);
    p11_kit_uri_free(key->uri);
    pthread_mutex_destroy(&key->lock);
    wipe(key, sizeof *key);
    free(key);
}

static const struct signer_ops key_ops = {key_sign, key_explain, key_free};

/* Asks for a PIN only once the token is found, and only if it wants one. */
static enum err attach(struct token_key *key, const char *name, const struct pin_asker *asker,
                       struct why *why)
{
    TRY(token_find(&key->token, key->uri, why));
    if (token_needs_pin(&key->token)) {
        TRY(pin_get(key->pin, key->uri, name, asker, why));
    }
    return use_token(key, why);
}

enum err token_key_open(struct signer **out, const char *uri, const struct pin_asker *asker,
                        struct why *why)
{
    struct token_key *key = mem_zalloc(sizeof *key);
    struct pubkey *pubkey = NULL;
    pthread_mutex_init(&key->lock, NULL);
    enum err err = uri_parse(&key->uri, uri, why);
    if (err == OK) {
        err = attach(key, uri, asker, why);
    }
    if (err == OK) {
        err = object_pubkey(&pubkey, &key->token, &key->object, why);
    }
    if (err != OK) {
        key_free(key);
        return err;
    }
    key->kid = *pubkey_kid(pubkey);
    return signer_wrap(out, pubkey, key->object.alg, &key_ops, key, why);
}
