#include "keystore/object.h"

#include <stdio.h>
#include <string.h>

#define LISTED_MAX       8
#define PARAMS_MAX       64
#define POINT_LEN_P256   65
#define POINT_LEN_ED     32
#define TAG_BIT_STRING   3
#define TAG_OCTET_STRING 4

/* Reads an attribute of at most `cap` bytes; false if the object has none or it is longer. */
static bool attribute_get(const struct token *token, CK_OBJECT_HANDLE object,
                          CK_ATTRIBUTE_TYPE type, void *out, size_t cap, size_t *len)
{
    CK_ATTRIBUTE attribute = {type, out, cap};
    *len = 0;
    if (token->module->C_GetAttributeValue(token->session, object, &attribute, 1) != CKR_OK ||
        attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION || attribute.ulValueLen > cap) {
        return false;
    }
    *len = attribute.ulValueLen;
    return true;
}

/* ---- finding */

/* What a search found: the first `cap`. */
struct handles {
    CK_OBJECT_HANDLE at[LISTED_MAX];
    size_t cap; /* at most LISTED_MAX */
    size_t count;
};

static enum err find_all(const struct token *token, CK_ATTRIBUTE *wanted, size_t wanted_count,
                         struct handles *out, struct why *why)
{
    out->count = 0;
    CK_FUNCTION_LIST *module = token->module;
    CK_RV rv = module->C_FindObjectsInit(token->session, wanted, wanted_count);
    if (rv != CKR_OK) {
        return token_failed(token, ERR_IO, rv, "search for the key", why);
    }
    CK_ULONG found = 0;
    rv = module->C_FindObjects(token->session, out->at, out->cap, &found);
    module->C_FindObjectsFinal(token->session);
    out->count = found;
    return rv == CKR_OK ? OK : token_failed(token, ERR_IO, rv, "search for the key", why);
}

/* Finds keys of a class by what the URI says of the object. */
static enum err find_by_uri(const struct token *token, const P11KitUri *uri, CK_OBJECT_CLASS class,
                            struct handles *out, struct why *why)
{
    /* p11-kit's getter takes no const and changes nothing. */
    CK_ULONG all;
    const CK_ATTRIBUTE *said = p11_kit_uri_get_attributes((P11KitUri *)(uintptr_t)uri, &all);
    CK_ATTRIBUTE wanted[3] = {{CKA_CLASS, &class, sizeof class}};
    size_t wanted_count = 1;
    for (CK_ULONG i = 0; i < all; i++) {
        if (said[i].type == CKA_ID || said[i].type == CKA_LABEL) {
            wanted[wanted_count++] = said[i];
        }
    }
    return find_all(token, wanted, wanted_count, out, why);
}

enum err object_exists(bool *out, const struct token *token, const P11KitUri *uri, struct why *why)
{
    struct handles private = {.cap = 1};
    struct handles public = {.cap = 1};
    TRY(find_by_uri(token, uri, CKO_PRIVATE_KEY, &private, why));
    TRY(find_by_uri(token, uri, CKO_PUBLIC_KEY, &public, why));
    *out = private.count + public.count > 0;
    return OK;
}

static void id_text(const struct object *object, char *out, size_t cap)
{
    size_t len = (size_t)snprintf(out, cap, "'%s' (id ", object->label);
    for (size_t i = 0; i < object->id_len && len + 3 < cap; i++) {
        len += (size_t)snprintf(out + len, cap - len, "%02x", object->id[i]);
    }
    snprintf(out + len, cap - len, ")");
}

static void read_names(struct object *object, const struct token *token)
{
    size_t len;
    if (!attribute_get(token, object->handle, CKA_ID, object->id, sizeof object->id,
                       &object->id_len)) {
        object->id_len = 0;
    }
    if (!attribute_get(token, object->handle, CKA_LABEL, object->label, OBJECT_LABEL_MAX, &len)) {
        len = 0;
    }
    object->label[len] = 0;
}

static enum err refuse_several(const struct token *token, const struct handles *handles,
                               struct why *why)
{
    char problem[LISTED_MAX * 128 + 64] = "has several keys that the URI fits: ";
    for (size_t i = 0; i < handles->count; i++) {
        struct object object = {.handle = handles->at[i]};
        char text[128];
        read_names(&object, token);
        id_text(&object, text, sizeof text);
        size_t len = strlen(problem);
        snprintf(problem + len, sizeof problem - len, "%s%s", i ? ", " : "", text);
    }
    return why_say(why, ERR_EXISTS, "token", token->name, problem,
                   "Name one by id= (each byte as %XX) or object=.");
}

/* ---- what it is */

static bool is_params(const uint8_t *params, size_t len, const char *wanted, size_t wanted_len)
{
    return len == wanted_len && memcmp(params, wanted, len) == 0;
}
#define IS_PARAMS(params, len, wanted) is_params(params, len, wanted, sizeof(wanted) - 1)

/* Tokens that leave CKA_EC_PARAMS out of the private key have one Edwards curve: nobody makes keys
 * of edwards448 for this program, and the first signature would tell. */
static enum err read_alg(struct object *object, const struct token *token, struct why *why)
{
    CK_KEY_TYPE type = 0;
    size_t len = 0;
    if (!attribute_get(token, object->handle, CKA_KEY_TYPE, &type, sizeof type, &len)) {
        return token_failed(token, ERR_IO, CKR_ATTRIBUTE_TYPE_INVALID, "tell the key's kind", why);
    }
    uint8_t params[PARAMS_MAX];
    bool has = attribute_get(token, object->handle, CKA_EC_PARAMS, params, sizeof params, &len);
    if (type == CKK_EC_EDWARDS && (!has || IS_PARAMS(params, len, PARAMS_ED25519) ||
                                   IS_PARAMS(params, len, PARAMS_ED25519_NAME))) {
        object->alg = ALG_ED25519;
        return OK;
    }
    if (type == CKK_EC && has && IS_PARAMS(params, len, PARAMS_P256)) {
        object->alg = ALG_ES256;
        return OK;
    }
    if (type == CKK_EC && has && IS_PARAMS(params, len, PARAMS_SM2)) {
        return why_say(why, ERR_UNSUPPORTED, "SM2 key", object->name,
                       "can't sign in a token: PKCS#11 has no mechanism for SM2 signatures",
                       "Use a key file, or an Ed25519 or P-256 key in the token.");
    }
    return why_say(why, ERR_UNSUPPORTED, "key", object->name, "is neither Ed25519 nor P-256",
                   "Make another one: cairn key new 'pkcs11:...' --alg ed25519 or es256.");
}

enum err object_find(struct object *out, const struct token *token, const P11KitUri *uri,
                     struct why *why)
{
    struct handles handles = {.cap = LISTED_MAX};
    TRY(find_by_uri(token, uri, CKO_PRIVATE_KEY, &handles, why));
    if (handles.count == 0) {
        return why_say(why, ERR_NOT_FOUND, "key", token->name,
                       "has no private key that the URI's object and id fit",
                       "pkcs11-tool --login --list-objects shows what it has.");
    }
    if (handles.count > 1) {
        return refuse_several(token, &handles, why);
    }
    *out = (struct object){.handle = handles.at[0]};
    read_names(out, token);
    char name[100];
    id_text(out, name, sizeof name);
    snprintf(out->name, sizeof out->name, "%s in %s", name, token->name);
    CK_BBOOL always = CK_FALSE;
    size_t len;
    out->always_authenticate =
        attribute_get(token, out->handle, CKA_ALWAYS_AUTHENTICATE, &always, sizeof always, &len) &&
        always == CK_TRUE;
    return read_alg(out, token, why);
}

/* ---- its public key */

/* The contents of a DER string of one tag that is all of `in` and shorter than 128 bytes. */
static struct bytes unwrap(struct bytes in, uint8_t tag)
{
    bool good = in.len >= 2 && in.at[0] == tag && in.at[1] < 0x80 && in.at[1] + 2u == in.len;
    return good ? (struct bytes){in.at + 2, in.len - 2} : BYTES_NONE;
}

static struct bytes point_bare(struct bytes point, size_t wanted)
{
    struct bytes octets = unwrap(point, TAG_OCTET_STRING);
    struct bytes bits = unwrap(point, TAG_BIT_STRING);
    if (octets.len == wanted) {
        return octets;
    }
    if (bits.len == wanted + 1 && bits.at[0] == 0) {
        return (struct bytes){bits.at + 1, wanted};
    }
    return point.len == wanted ? point : BYTES_NONE;
}

enum err point_pubkey(struct pubkey **out, enum alg alg, struct bytes point)
{
    static const uint8_t ed25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    static const uint8_t p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    *out = NULL;
    if (alg != ALG_ED25519 && alg != ALG_ES256) {
        return ERR_UNSUPPORTED;
    }
    bool edwards = alg == ALG_ED25519;
    struct bytes bare = point_bare(point, edwards ? POINT_LEN_ED : POINT_LEN_P256);
    if (bare.len == 0) {
        return ERR_KEY;
    }
    struct buf spki = {0};
    buf_put(&spki, edwards ? BYTES_OF(ed25519) : BYTES_OF(p256));
    buf_put(&spki, bare);
    enum err err = pubkey_parse(out, buf_bytes(&spki));
    buf_clear(&spki);
    return err;
}

/* From the public object that has the key's id, or its label if it has no id. */
static bool public_object(const struct token *token, const struct object *object,
                          CK_OBJECT_HANDLE *out)
{
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    struct object copy = *object;
    CK_ATTRIBUTE wanted[2] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, copy.id, copy.id_len}};
    if (copy.id_len == 0) {
        wanted[1] = (CK_ATTRIBUTE){CKA_LABEL, copy.label, strlen(copy.label)};
    }
    struct handles found = {.cap = 1};
    if (find_all(token, wanted, 2, &found, NULL) != OK || found.count != 1) {
        return false;
    }
    *out = found.at[0];
    return true;
}

enum err object_pubkey(struct pubkey **out, const struct token *token, const struct object *object,
                       struct why *why)
{
    uint8_t bytes[SPKI_MAX + 8];
    size_t len;
    CK_OBJECT_HANDLE public;
    if (public_object(token, object, &public) &&
        attribute_get(token, public, CKA_EC_POINT, bytes, sizeof bytes, &len) &&
        point_pubkey(out, object->alg, (struct bytes){bytes, len}) == OK) {
        return OK;
    }
    if (attribute_get(token, object->handle, CKA_PUBLIC_KEY_INFO, bytes, sizeof bytes, &len) &&
        pubkey_parse(out, (struct bytes){bytes, len}) == OK) {
        return OK;
    }
    if (attribute_get(token, object->handle, CKA_EC_POINT, bytes, sizeof bytes, &len) &&
        point_pubkey(out, object->alg, (struct bytes){bytes, len}) == OK) {
        return OK;
    }
    return why_say(why, ERR_KEY, "key", object->name, "has no readable public key in the token",
                   "Import the public key beside it, under the same id.");
}
