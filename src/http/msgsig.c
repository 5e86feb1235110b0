#include "http/msgsig.h"

#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/random.h"

#include <stdio.h>
#include <string.h>

#define LABEL      "cairn"
#define INPUT_HELP "See docs/protocol.md 8, or sign in for a session."

/* ---- the signature base */

static bool same_component(const struct sf_node *a, const struct sf_node *b)
{
    struct buf one = {0};
    struct buf two = {0};
    sf_write(&one, a);
    sf_write(&two, b);
    bool same = bytes_equal(buf_bytes(&one), buf_bytes(&two));
    buf_clear(&one);
    buf_clear(&two);
    return same;
}

static enum err components_check(const struct sf_node *input)
{
    if (input->type != SF_LIST) {
        return ERR_TYPE;
    }
    for (const struct sf_node *item = input->items; item; item = item->next) {
        if (item->type != SF_STRING) {
            return ERR_TYPE;
        }
        for (const struct sf_node *other = item->next; other; other = other->next) {
            if (same_component(item, other)) {
                return ERR_EXISTS;
            }
        }
    }
    return OK;
}

enum err signature_base_write(struct buf *out, const struct sf_node *input, component_fn *value,
                              void *context)
{
    TRY(components_check(input));
    for (const struct sf_node *item = input->items; item; item = item->next) {
        sf_write(out, item);
        buf_put(out, bytes_text(": "));
        TRY(value(context, item, out));
        buf_put_byte(out, '\n');
    }
    buf_put(out, bytes_text("\"@signature-params\": "));
    sf_write(out, input);
    return OK;
}

/* ---- reading */

/* The one signature with our tag. */
static enum err find_tagged(struct request_signature *out, struct why *why)
{
    for (const struct sf_node *node = out->inputs.members; node; node = node->next) {
        if (node->type != SF_LIST || !sf_is(sf_find(node->params, "tag"), MSGSIG_TAG)) {
            continue;
        }
        if (out->input) {
            return why_say(why, ERR_EXISTS, "signature-input", NULL,
                           "has two signatures with the tag cairn", "Sign once.");
        }
        out->input = node;
    }
    return out->input ? OK
                      : why_say(why, ERR_NOT_FOUND, "signature-input", NULL,
                                "has no signature with the tag cairn", INPUT_HELP);
}

static enum err refuse_param(struct why *why, const char *name, const char *problem)
{
    char field[64];
    snprintf(field, sizeof field, "signature-input %s", name);
    return why_say(why, ERR_FORMAT, field, NULL, problem, INPUT_HELP);
}

static enum err params_known(const struct sf_node *input, struct why *why)
{
    static const char *const names[] = {"created", "nonce", "keyid", "tag", "alg", "expires"};
    for (const struct sf_node *param = input->params; param; param = param->next) {
        size_t i = 0;
        while (i < sizeof names / sizeof *names && !bytes_equal(param->key, bytes_text(names[i]))) {
            i++;
        }
        if (i == sizeof names / sizeof *names) {
            return why_sayf(why, ERR_UNSUPPORTED, "signature-input", "has a parameter too many",
                            INPUT_HELP, "%.*s", (int)param->key.len, (const char *)param->key.at);
        }
    }
    return OK;
}

static enum err params_read(struct request_signature *out, struct why *why)
{
    const struct sf_node *params = out->input->params;
    const struct sf_node *created = sf_find(params, "created");
    const struct sf_node *expires = sf_find(params, "expires");
    const struct sf_node *nonce = sf_find(params, "nonce");
    const struct sf_node *keyid = sf_find(params, "keyid");
    const struct sf_node *alg = sf_find(params, "alg");
    TRY(params_known(out->input, why));
    if (!created || created->type != SF_INTEGER || created->number < 0) {
        return refuse_param(why, "created", "is not a time in seconds");
    }
    if (expires && (expires->type != SF_INTEGER || expires->number < 0)) {
        return refuse_param(why, "expires", "is not a time in seconds");
    }
    if (!nonce || nonce->type != SF_STRING || nonce->text.len == 0 ||
        nonce->text.len > MSGSIG_NONCE_MAX) {
        return refuse_param(why, "nonce", "is not a string of 1 to 64 characters");
    }
    if (!keyid || keyid->type != SF_STRING ||
        hex_read(out->kid.at, sizeof out->kid.at, keyid->text) != OK) {
        return refuse_param(why, "keyid", "is not a kid: 64 hex digits");
    }
    if (alg && alg->type != SF_STRING) {
        return refuse_param(why, "alg", "is not a string");
    }
    out->created_s = (uint64_t)created->number;
    out->has_expires = expires != NULL;
    out->expires_s = expires ? (uint64_t)expires->number : 0;
    out->nonce = nonce->text;
    out->alg = alg ? alg->text : BYTES_NONE;
    return OK;
}

/* Each of the names that must be covered once, and no other. */
static enum err covered_check(const struct sf_node *input, struct why *why)
{
    static const char *const needed[] = {"@method", "@authority", "@path", "@query"};
    size_t count = 0;
    for (const struct sf_node *item = input->items; item; item = item->next, count++) {
        bool known = sf_is(item, "content-digest");
        for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
            known = known || sf_is(item, needed[i]);
        }
        if (!known || item->params) {
            return why_sayf(
                why, ERR_UNSUPPORTED, "signature-input", "is a component that is not taken",
                "Cover @method, @authority, @path, @query, and content-digest of a body.", "%.*s",
                (int)item->text.len, (const char *)item->text.at);
        }
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        const struct sf_node *item = input->items;
        while (item && !sf_is(item, needed[i])) {
            item = item->next;
        }
        if (!item) {
            return why_say(why, ERR_FORMAT, "signature-input", needed[i], "is not covered",
                           "Cover @method, @authority, @path and @query.");
        }
    }
    return components_check(input) == OK ? OK
                                         : why_say(why, ERR_EXISTS, "signature-input", NULL,
                                                   "covers a component twice", INPUT_HELP);
}

static enum err value_read(struct request_signature *out, struct bytes field, struct why *why)
{
    struct sf_dictionary values;
    struct buf value = {0};
    enum err err = sf_dictionary_parse(&values, field);
    const struct sf_node *node = err == OK ? values.members : NULL;
    while (node && !bytes_equal(node->key, out->input->key)) {
        node = node->next;
    }
    if (node && sf_bytes_append(&value, node) == OK && value.len == sizeof out->signature) {
        memcpy(out->signature, value.at, sizeof out->signature);
        err = OK;
    } else {
        err = why_say(why, err == OK ? ERR_FORMAT : err, "signature", NULL,
                      "has no 64 bytes under the label that signature-input has", INPUT_HELP);
    }
    buf_clear(&value);
    return err;
}

enum err request_signature_parse(struct request_signature *out, struct bytes input,
                                 struct bytes signature, struct why *why)
{
    out->input = NULL;
    enum err err = sf_dictionary_parse(&out->inputs, input);
    if (err != OK) {
        return why_say(why, err, "signature-input", NULL, NULL, INPUT_HELP);
    }
    TRY(find_tagged(out, why));
    TRY(covered_check(out->input, why));
    TRY(params_read(out, why));
    return value_read(out, signature, why);
}

enum err request_signature_time_check(const struct request_signature *signature, uint64_t now_ms,
                                      struct why *why)
{
    uint64_t now_s = now_ms / 1000;
    uint64_t created = signature->created_s;
    uint64_t away = created > now_s ? created - now_s : now_s - created;
    if (away > MSGSIG_CREATED_MAX) {
        return why_sayf(why, ERR_EXPIRED, "signature-input created",
                        "is not within a minute of the server's clock",
                        "Sign each request when you send it, and set your clock.", "%llu",
                        (unsigned long long)created);
    }
    if (signature->has_expires && signature->expires_s < now_s) {
        return why_sayf(why, ERR_EXPIRED, "signature-input expires", "is over",
                        "Sign each request when you send it.", "%llu",
                        (unsigned long long)signature->expires_s);
    }
    return OK;
}

/* ---- verifying */

static enum err request_component(void *context, const struct sf_node *component, struct buf *out)
{
    const struct signed_request *request = context;
    struct bytes target = request->target;
    const uint8_t *mark = target.len > 0 ? memchr(target.at, '?', target.len) : NULL;
    size_t path_len = mark ? (size_t)(mark - target.at) : target.len;
    if (sf_is(component, "@method")) {
        buf_put(out, bytes_text(request->method));
    } else if (sf_is(component, "@authority")) {
        buf_put(out, request->authority);
    } else if (sf_is(component, "@path")) {
        buf_put(out, path_len ? (struct bytes){target.at, path_len} : bytes_text("/"));
    } else if (sf_is(component, "@query")) {
        buf_put(out, mark ? (struct bytes){mark, target.len - path_len} : bytes_text("?"));
    } else if (sf_is(component, "content-digest") && request->content_digest.len > 0) {
        buf_put(out, request->content_digest);
    } else {
        return ERR_UNSUPPORTED;
    }
    return OK;
}

const char *message_alg_name(enum alg alg)
{
    switch (alg) {
    case ALG_ED25519:
        return "ed25519";
    case ALG_ES256:
        return "ecdsa-p256-sha256";
    case ALG_SM2:
        return "sm2-sm3";
    case ALG_WEBAUTHN:
        return NULL;
    }
    BUG_ON(true);
}

static enum err alg_check(const struct request_signature *signature, enum alg alg, struct why *why)
{
    const char *name = message_alg_name(alg);
    if (!name) {
        return why_say(why, ERR_UNSUPPORTED, "keyid", NULL, "is a passkey, which signs no requests",
                       "Sign in for a session.");
    }
    if (signature->alg.len > 0 && !bytes_equal(signature->alg, bytes_text(name))) {
        return why_say(why, ERR_SIGNATURE, "signature-input alg", NULL,
                       "is not the one of the key's record", name);
    }
    return OK;
}

enum err request_signature_verify(const struct request_signature *signature,
                                  const struct signed_request *request, const struct pubkey *key,
                                  enum alg alg, struct why *why)
{
    struct buf base = {0};
    struct signed_request copy = *request;
    const struct sf_node *item = signature->input->items;
    while (item && !sf_is(item, "content-digest")) {
        item = item->next;
    }
    if (!item != (request->content_digest.len == 0)) {
        return why_say(why, ERR_FORMAT, "content-digest", NULL,
                       item ? "is covered and not there" : "is not covered",
                       "Cover the digest of the body exactly where there is one.");
    }
    TRY(alg_check(signature, alg, why));
    enum err err = signature_base_write(&base, signature->input, request_component, &copy);
    if (err == OK) {
        /* Others' tools do not bring s into its lower half; a nonce counts once all the same. */
        err = pubkey_verify_any_s(key, buf_bytes(&base), (struct bytes){signature->signature, 64});
    }
    buf_clear(&base);
    return err == OK
               ? OK
               : why_say(why, ERR_SIGNATURE, "signature", NULL, "does not verify",
                         "Sign the request as it is sent; the authority is the server's own.");
}

/* ---- signing */

static void input_write(struct buf *out, const struct signed_request *request,
                        const struct signer *signer, uint64_t created_s)
{
    uint8_t nonce[16];
    char text[2 * sizeof nonce + 1];
    char kid[65];
    char params[256];
    random_bytes(nonce, sizeof nonce);
    hex_write(text, BYTES_OF(nonce));
    hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(signer))));
    snprintf(params, sizeof params,
             ";created=%llu;nonce=\"%s\";keyid=\"%s\";alg=\"%s\";tag=\"" MSGSIG_TAG "\"",
             (unsigned long long)created_s, text, kid, message_alg_name(signer_alg(signer)));
    buf_put(out, bytes_text(LABEL "=(\"@method\" \"@authority\" \"@path\" \"@query\""));
    buf_put(out, bytes_text(request->content_digest.len > 0 ? " \"content-digest\")" : ")"));
    buf_put(out, bytes_text(params));
}

enum err request_signature_write(struct buf *input, struct buf *signature,
                                 const struct signed_request *request, const struct signer *signer,
                                 uint64_t created_s)
{
    uint8_t value[64];
    struct sf_dictionary inputs;
    struct buf base = {0};
    struct signed_request copy = *request;
    size_t start = input->len;
    input_write(input, request, signer, created_s);
    enum err err =
        sf_dictionary_parse(&inputs, (struct bytes){input->at + start, input->len - start});
    BUG_ON(err != OK);
    err = signature_base_write(&base, inputs.members, request_component, &copy);
    if (err == OK) {
        err = signer_sign(signer, value, buf_bytes(&base));
    }
    buf_clear(&base);
    if (err == OK) {
        buf_put(signature, bytes_text(LABEL "=:"));
        base64_put(signature, BYTES_OF(value));
        buf_put_byte(signature, ':');
    }
    return err;
}

/* ---- digests of bodies */

void content_digest_write(struct buf *out, struct bytes body)
{
    struct hash digest;
    sha256(&digest, body);
    buf_put(out, bytes_text("sha-256=:"));
    base64_put(out, hash_bytes(&digest));
    buf_put_byte(out, ':');
}

enum err content_digest_check(struct bytes field, struct bytes body, struct why *why)
{
    static const char help[] = "Send Content-Digest: sha-256=:BASE64: of the body (RFC 9530).";
    struct sf_dictionary digests;
    enum err err = sf_dictionary_parse(&digests, field);
    if (err != OK) {
        return why_say(why, err, "content-digest", NULL, NULL, help);
    }
    const struct sf_node *node = sf_find(digests.members, "sha-256");
    if (!node) {
        return why_say(why, ERR_UNSUPPORTED, "content-digest", NULL, "has no sha-256", help);
    }
    struct buf value = {0};
    struct hash digest;
    sha256(&digest, body);
    err = sf_bytes_append(&value, node);
    if (err == OK && !bytes_equal(buf_bytes(&value), hash_bytes(&digest))) {
        err = ERR_MISMATCH;
    }
    buf_clear(&value);
    return err == OK ? OK : why_say(why, err, "content-digest", NULL, NULL, help);
}
