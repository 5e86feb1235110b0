#include "codec/msgsig.h"

#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/random.h"

#include <stdio.h>
#include <string.h>

#define INPUT_HELP "See docs/protocol.md 8, or sign in for a session."
#define NODE_TAG   "cairn-node"
#define NEEDED_MAX 4

/* What is asked of a signature, by who makes it. The tag is our label as well. */
static const struct profile {
    const char *tag;
    const char *needed[NEEDED_MAX];
    const char *cover; /* the remedy of what covers something else */
} profiles[] = {
    [SIGNED_BY_MEMBER] = {"cairn",
                          {"@method", "@authority", "@path", "@query"},
                          "Cover @method, @authority, @path, @query, and content-digest of a "
                          "body."},
    [SIGNED_BY_NODE] = {NODE_TAG,
                        {"@method", "cairn-to", "@path", "@query"},
                        "Cover @method, cairn-to, @path, @query, and content-digest of a body."},
};

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

/* The one signature with this tag. */
static enum err find_tagged(const struct sf_node **out, const struct sf_dictionary *inputs,
                            const char *tag, struct why *why)
{
    *out = NULL;
    for (const struct sf_node *node = inputs->members; node; node = node->next) {
        if (node->type != SF_LIST || !sf_is(sf_find(node->params, "tag"), tag)) {
            continue;
        }
        if (*out) {
            return why_sayf(why, ERR_EXISTS, "signature-input", "stands there twice", "Sign once.",
                            "tag %s", tag);
        }
        *out = node;
    }
    return *out ? OK
                : why_sayf(why, ERR_NOT_FOUND, "signature-input", "is that of no signature",
                           INPUT_HELP, "tag %s", tag);
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
static enum err covered_check(const struct sf_node *input, const struct profile *profile,
                              struct why *why)
{
    for (const struct sf_node *item = input->items; item; item = item->next) {
        bool known = sf_is(item, "content-digest");
        for (size_t i = 0; i < NEEDED_MAX; i++) {
            known = known || sf_is(item, profile->needed[i]);
        }
        if (!known || item->params) {
            return why_sayf(why, ERR_UNSUPPORTED, "signature-input",
                            "is a component that is not taken", profile->cover, "%.*s",
                            (int)item->text.len, (const char *)item->text.at);
        }
    }
    for (size_t i = 0; i < NEEDED_MAX; i++) {
        const struct sf_node *item = input->items;
        while (item && !sf_is(item, profile->needed[i])) {
            item = item->next;
        }
        if (!item) {
            return why_say(why, ERR_FORMAT, "signature-input", profile->needed[i], "is not covered",
                           profile->cover);
        }
    }
    return components_check(input) == OK ? OK
                                         : why_say(why, ERR_EXISTS, "signature-input", NULL,
                                                   "covers a component twice", INPUT_HELP);
}

static enum err value_read(uint8_t signature64[64], const struct sf_node *input, struct bytes field,
                           struct why *why)
{
    struct sf_dictionary values;
    struct buf value = {0};
    enum err err = sf_dictionary_parse(&values, field);
    const struct sf_node *node = err == OK ? values.members : NULL;
    while (node && !bytes_equal(node->key, input->key)) {
        node = node->next;
    }
    if (node && sf_bytes_append(&value, node) == OK && value.len == 64) {
        memcpy(signature64, value.at, 64);
        err = OK;
    } else {
        err = why_say(why, err == OK ? ERR_FORMAT : err, "signature", NULL,
                      "has no 64 bytes under the label that signature-input has", INPUT_HELP);
    }
    buf_clear(&value);
    return err;
}

static enum err inputs_read(struct sf_dictionary *out, struct bytes input, struct why *why)
{
    enum err err = sf_dictionary_parse(out, input);
    return err == OK ? OK : why_say(why, err, "signature-input", NULL, NULL, INPUT_HELP);
}

enum err request_signature_parse(struct request_signature *out, enum signed_by by,
                                 struct bytes input, struct bytes signature, struct why *why)
{
    out->input = NULL;
    TRY(inputs_read(&out->inputs, input, why));
    TRY(find_tagged(&out->input, &out->inputs, profiles[by].tag, why));
    TRY(covered_check(out->input, &profiles[by], why));
    TRY(params_read(out, why));
    return value_read(out->signature, out->input, signature, why);
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
    } else if (sf_is(component, "cairn-to") && request->to.len > 0) {
        buf_put(out, request->to);
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

static enum err alg_check(struct bytes stated, enum alg alg, struct why *why)
{
    const char *name = message_alg_name(alg);
    if (!name) {
        return why_say(why, ERR_UNSUPPORTED, "keyid", NULL, "is a passkey, which signs no requests",
                       "Sign in for a session.");
    }
    if (stated.len > 0 && !bytes_equal(stated, bytes_text(name))) {
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
    TRY(alg_check(signature->alg, alg, why));
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

/* Appends LABEL=("a" "b"...;...;created=N;nonce="N";keyid="K";alg="A";tag="T". */
static void input_write(struct buf *out, const struct signed_request *request,
                        const struct signer *signer, uint64_t created_s)
{
    const struct profile *profile = &profiles[request->by];
    uint8_t nonce[16];
    char text[2 * sizeof nonce + 1];
    char kid[65];
    char params[256];
    random_bytes(nonce, sizeof nonce);
    hex_write(text, BYTES_OF(nonce));
    hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(signer))));
    snprintf(params, sizeof params, ";created=%llu;nonce=\"%s\";keyid=\"%s\";alg=\"%s\";tag=\"%s\"",
             (unsigned long long)created_s, text, kid, message_alg_name(signer_alg(signer)),
             profile->tag);
    buf_put(out, bytes_text(profile->tag));
    for (size_t i = 0; i < NEEDED_MAX; i++) {
        buf_put(out, bytes_text(i == 0 ? "=(\"" : "\" \""));
        buf_put(out, bytes_text(profile->needed[i]));
    }
    buf_put(out, bytes_text(request->content_digest.len > 0 ? "\" \"content-digest\")" : "\")"));
    buf_put(out, bytes_text(params));
}

/* Signs what `input` says from `start` on, and appends LABEL=:BASE64:. */
static enum err sign_input(struct buf *signature, struct bytes input, const struct signer *signer,
                           component_fn *value, void *context)
{
    uint8_t bytes[64];
    struct sf_dictionary inputs;
    struct buf base = {0};
    BUG_ON(sf_dictionary_parse(&inputs, input) != OK);
    enum err err = signature_base_write(&base, inputs.members, value, context);
    if (err == OK) {
        err = signer_sign(signer, bytes, buf_bytes(&base));
    }
    buf_clear(&base);
    if (err == OK) {
        buf_put(signature, inputs.members->key);
        buf_put(signature, bytes_text("=:"));
        base64_put(signature, BYTES_OF(bytes));
        buf_put_byte(signature, ':');
    }
    return err;
}

enum err request_signature_write(struct buf *input, struct buf *signature,
                                 const struct signed_request *request, const struct signer *signer,
                                 uint64_t created_s)
{
    struct signed_request copy = *request;
    size_t start = input->len;
    input_write(input, request, signer, created_s);
    return sign_input(signature, (struct bytes){input->at + start, input->len - start}, signer,
                      request_component, &copy);
}

void request_to_write(struct buf *out, struct bytes node, const struct hash *chain)
{
    char hex[65];
    hex_write(hex, hash_bytes(chain));
    buf_put(out, node);
    buf_put_byte(out, ' ');
    buf_put(out, bytes_text(hex));
}

/* ---- answers of nodes */

#define ANSWER_COVERED "(\"@status\" \"content-digest\" \"signature\";req;key=\"" NODE_TAG "\")"

static enum err answer_component(void *context, const struct sf_node *component, struct buf *out)
{
    const struct signed_answer *answer = context;
    char status[16];
    if (sf_is(component, "@status")) {
        snprintf(status, sizeof status, "%u", answer->status);
        buf_put(out, bytes_text(status));
    } else if (sf_is(component, "content-digest")) {
        buf_put(out, answer->content_digest);
    } else {
        buf_put_byte(out, ':');
        base64_put(out, (struct bytes){answer->request_signature, 64});
        buf_put_byte(out, ':');
    }
    return OK;
}

enum err answer_signature_write(struct buf *input, struct buf *signature,
                                const struct signed_answer *answer, const struct signer *signer,
                                uint64_t created_s)
{
    char text[400];
    char kid[65];
    struct signed_answer copy = *answer;
    hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(signer))));
    snprintf(text, sizeof text,
             NODE_TAG "=" ANSWER_COVERED ";created=%llu;keyid=\"%s\";alg=\"%s\";tag=\"" NODE_TAG
                      "\"",
             (unsigned long long)created_s, kid, message_alg_name(signer_alg(signer)));
    buf_put(input, bytes_text(text));
    return sign_input(signature, bytes_text(text), signer, answer_component, &copy);
}

/* The three components in their one order, as we write them. */
static enum err answer_covered_check(const struct sf_node *input, struct why *why)
{
    struct buf list = {0};
    BUG_ON(input == NULL); /* found before */
    struct sf_node bare = *input;
    bare.params = NULL;
    sf_write(&list, &bare);
    bool same = bytes_equal(buf_bytes(&list), bytes_text(ANSWER_COVERED));
    buf_clear(&list);
    return same ? OK
                : why_say(why, ERR_UNSUPPORTED, "signature-input", NULL,
                          "does not cover what an answer's does",
                          "Run the same version of the program on every node.");
}

enum err answer_signature_parse(struct answer_signature *out, struct bytes input,
                                struct bytes signature, struct why *why)
{
    static const char help[] = "Run the same version of the program on every node.";
    out->input = NULL;
    TRY(inputs_read(&out->inputs, input, why));
    TRY(find_tagged(&out->input, &out->inputs, NODE_TAG, why));
    TRY(answer_covered_check(out->input, why));
    const struct sf_node *params = out->input->params;
    const struct sf_node *created = sf_find(params, "created");
    const struct sf_node *keyid = sf_find(params, "keyid");
    const struct sf_node *alg = sf_find(params, "alg");
    if (!created || created->type != SF_INTEGER || created->number < 0) {
        return why_say(why, ERR_FORMAT, "signature-input created", NULL, "is not a time in seconds",
                       help);
    }
    if (!keyid || keyid->type != SF_STRING ||
        hex_read(out->kid.at, sizeof out->kid.at, keyid->text) != OK) {
        return why_say(why, ERR_FORMAT, "signature-input keyid", NULL,
                       "is not a kid: 64 hex digits", help);
    }
    if (!alg || alg->type != SF_STRING) {
        return why_say(why, ERR_FORMAT, "signature-input alg", NULL, "is not a string", help);
    }
    out->created_s = (uint64_t)created->number;
    out->alg = alg->text;
    return value_read(out->signature, out->input, signature, why);
}

enum err answer_signature_verify(const struct answer_signature *signature,
                                 const struct signed_answer *answer, const struct pubkey *key,
                                 enum alg alg, struct why *why)
{
    struct buf base = {0};
    struct signed_answer copy = *answer;
    TRY(alg_check(signature->alg, alg, why));
    enum err err = signature_base_write(&base, signature->input, answer_component, &copy);
    if (err == OK) {
        err = pubkey_verify(key, buf_bytes(&base), (struct bytes){signature->signature, 64});
    }
    buf_clear(&base);
    return err == OK
               ? OK
               : why_say(why, ERR_SIGNATURE, "signature", NULL, "of the answer does not verify",
                         "Check who answers at the address that is configured for the node.");
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
