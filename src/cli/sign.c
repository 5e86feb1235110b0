#include "cli/sign.h"

#include "base/clock.h"
#include "base/file.h"
#include "cli/output.h"
#include "codec/privacy.h"
#include "codec/text.h"
#include "crypto/random.h"

#include <string.h>

enum err trust_read(struct trust **out, const char *path, struct why *why)
{
    struct buf bytes = {0};
    *out = NULL;
    enum err err = file_read(&bytes, path, TRUST_MAX, why);
    if (err == OK) {
        err = trust_parse(out, buf_bytes(&bytes), why);
    }
    buf_clear(&bytes);
    return err;
}

enum err hash_read(struct hash *out, const char *field, const char *text, struct why *why)
{
    if (hex_read(out->at, sizeof out->at, bytes_text(text)) != OK) {
        return why_say(why, ERR_FORMAT, field, text, "is not 64 hex digits",
                       "Copy the whole number.");
    }
    return OK;
}

static enum err chain_get(struct signing *out, struct why *why)
{
    json_t *ledger;
    TRY(client_get_json(out->client, "/v1/ledger", &ledger, why));
    enum err err = hash_read(&out->chain, "chain id", json_member(ledger, "chain"), why);
    if (err == OK && out->trust && !hash_equal(&out->chain, &out->trust->chain)) {
        err = why_sayf(why, ERR_MISMATCH, "ledger", "is not the one of the trust file",
                       "Check --server and --trust.", "%s", json_member(ledger, "name"));
    }
    json_decref(ledger);
    return err;
}

static enum err member_get(struct signing *out, struct why *why)
{
    char path[16 + 65];
    char kid[65];
    hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(out->signer))));
    snprintf(path, sizeof path, "/v1/keys/%s", kid);
    json_t *key;
    TRY(client_get_json(out->client, path, &key, why));
    snprintf(out->member, sizeof out->member, "%s", json_member(key, "member"));
    json_decref(key);
    return OK;
}

/* What needs no node. */
static enum err open_local(struct signing *out, const struct args *args, const char *member,
                           struct why *why)
{
    const char *mandate = args_text(args, "mandate");
    const char *trust = args_text(args, "trust");
    *out = (struct signing){0};
    if (mandate) {
        TRY(hash_read(&out->mandate, "--mandate", mandate, why));
        out->has_mandate = true;
    }
    if (member && (!member[0] || strlen(member) > MEMBER_ID_MAX)) {
        return why_say(why, ERR_RANGE, "member", member, "is not 1 to 64 bytes long", NULL);
    }
    snprintf(out->member, sizeof out->member, "%s", member ? member : "");
    if (trust) {
        TRY(trust_read(&out->trust, trust, why));
    }
    return key_open(&out->signer, args_text(args, "key"), args, why);
}

enum err signing_open(struct signing *out, const struct args *args, const char *member_option,
                      struct why *why)
{
    const char *member = args_text(args, member_option);
    TRY(open_local(out, args, member, why));
    TRY(client_new(&out->client, args, why));
    client_use_signer(out->client, out->signer);
    if (out->trust) {
        client_expect_chain(out->client, &out->trust->chain);
    }
    TRY(chain_get(out, why));
    return member ? OK : member_get(out, why);
}

enum err signing_open_offline(struct signing *out, const struct args *args, struct why *why)
{
    TRY(open_local(out, args, args_text(args, "as"), why));
    out->chain = out->trust->chain;
    return OK;
}

void signing_close(struct signing *signing)
{
    client_free(signing->client);
    signer_free(signing->signer);
    trust_free(signing->trust);
    *signing = (struct signing){0};
}

enum err signing_sign(const struct signing *signing, const struct matter *matter, struct buf *out,
                      struct hash *id, struct why *why)
{
    uint8_t nonce[16];
    random_bytes(nonce, sizeof nonce);
    TRY(clear_text_check("subject", bytes_text(matter->subject), why));
    uint64_t now = clock_wall_ms();
    struct draft draft = {
        .content_type = matter->content_type,
        .iss = bytes_text(signing->member),
        .sub = bytes_text(matter->subject),
        .iat = now / 1000,
        .chain = signing->chain,
        .valid_until = now + SIGN_VALID_MS,
        .nonce16 = nonce,
        .mandate = signing->has_mandate ? &signing->mandate : NULL,
        .payload = matter->body,
    };
    size_t start = out->len;
    enum err err = statement_sign(out, &draft, signing->signer);
    struct statement statement;
    if (err == OK) {
        struct bytes bytes = {out->at + start, out->len - start};
        err = statement_parse(&statement, bytes, why);
    }
    if (err != OK) {
        return why_say(why, err, "statement", NULL, NULL, NULL);
    }
    statement_id(id, &statement, NULL);
    return OK;
}

enum err statement_post(struct client *client, const char *path, const char *content_type,
                        struct bytes body, json_t **answer, struct why *why)
{
    json_t *all;
    *answer = NULL;
    TRY(client_post(client, path, content_type, body, &all, why));
    json_t *first = json_array_get(json_object_get(all, "answers"), 0);
    enum err err = OK;
    if (!json_is_object(first)) {
        err = why_say(why, ERR_FORMAT, "server", NULL, "answered without a place",
                      "Check that it is a node of Cairn.");
    } else if (!json_is_true(json_object_get(first, "ok"))) {
        problem_read(why, json_object_get(first, "problem"), 0);
        err = ERR_REFUSED;
    } else {
        json_object_set(first, "head", json_object_get(all, "head"));
        *answer = json_incref(first);
    }
    json_decref(all);
    return err;
}

void answer_print(const struct args *args, json_t *answer)
{
    if (args_flag(args, "json")) {
        put_json(answer);
        return;
    }
    json_t *head = json_object_get(answer, "head");
    put_coloured(stdout, COLOUR_GOOD,
                 json_is_true(json_object_get(answer, "seen")) ? "stored before" : "stored");
    printf(" at index %lld, block %lld of %s\nstatement %s\n",
           json_integer_value(json_object_get(answer, "index")),
           json_integer_value(json_object_get(answer, "height")), json_member(head, "time"),
           json_member(answer, "statement"));
    json_decref(answer);
}

int signing_do(const struct args *args, const char *member_option, const struct matter *matter)
{
    struct signing signing;
    struct why why = {0};
    struct buf statement = {0};
    struct hash id;
    json_t *answer = NULL;
    enum err err = signing_open(&signing, args, member_option, &why);
    if (err == OK) {
        err = signing_sign(&signing, matter, &statement, &id, &why);
    }
    if (err == OK) {
        err = statement_post(signing.client, "/v1/statements", "application/cose",
                             buf_bytes(&statement), &answer, &why);
    }
    if (err == OK) {
        answer_print(args, answer);
    }
    buf_clear(&statement);
    signing_close(&signing);
    return err == OK ? STATUS_OK : fail(err, &why);
}
