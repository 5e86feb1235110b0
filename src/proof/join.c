#include "proof/join.h"

#include "proof/protected.h"

static const struct {
    const char *name;
    enum purpose purpose;
    bool ed25519; /* CometBFT and signed notes take no other */
} kinds[JOIN_KEYS] = {
    [JOIN_OPERATOR] = {"operator", PURPOSE_MEMBER, false},
    [JOIN_RECEIPT] = {"receipt", PURPOSE_RECEIPT, false},
    [JOIN_CHECKPOINT] = {"checkpoint", PURPOSE_CHECKPOINT, true},
    [JOIN_CONSENSUS] = {"consensus", PURPOSE_CONSENSUS, true},
    [JOIN_TRANSPORT] = {"transport", PURPOSE_TRANSPORT, true},
    [JOIN_AUDIT] = {"audit", PURPOSE_MEMBER, false},
};

const char *join_key_name(enum join_key which)
{
    return kinds[which].name;
}

enum purpose join_key_purpose(enum join_key which)
{
    return kinds[which].purpose;
}

/* ---- reading */

/* The parts of a file. */
struct parts {
    struct bytes body;
    struct bytes signatures[JOIN_KEYS]; /* of JOIN_OPERATOR: the whole file */
};

static enum err payload_read(struct parts *out, struct bytes in)
{
    struct sign1 sign1;
    struct cbor_reader reader;
    TRY(sign1_parse(&sign1, in));
    if (sign1.detached) {
        return ERR_FORMAT;
    }
    cbor_init(&reader, sign1.payload);
    cbor_array(&reader, 3, 3);
    cbor_version(&reader, 1);
    out->body = cbor_bytes(&reader, 1, JOIN_MAX);
    cbor_array(&reader, JOIN_KEYS - 1, JOIN_KEYS - 1);
    out->signatures[JOIN_OPERATOR] = in;
    for (size_t i = JOIN_OPERATOR + 1; i < JOIN_KEYS; i++) {
        out->signatures[i] = cbor_bytes(&reader, 1, JOIN_MAX);
    }
    return cbor_end(&reader);
}

static void key_read(struct cbor_reader *reader, struct join_public *out)
{
    cbor_array(reader, 2, 2);
    out->spki = cbor_bytes(reader, 1, SPKI_MAX);
    int64_t alg = cbor_int(reader);
    if (reader->err == OK) {
        cbor_fail(reader, alg_parse(&out->alg, alg));
    }
}

static enum err body_read(struct join *out, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    cbor_array(&reader, 8, 8);
    cbor_version(&reader, 1);
    out->ledger = cbor_text(&reader, 1, LEDGER_NAME_MAX);
    out->organisation = cbor_text(&reader, 1, ORGANISATION_MAX);
    out->address = cbor_text(&reader, 1, ADDRESS_MAX);
    out->url = cbor_text(&reader, 1, NODE_URL_MAX);
    out->random32 = cbor_bytes(&reader, 32, 32);
    out->time_ms = cbor_uint(&reader);
    cbor_array(&reader, JOIN_KEYS, JOIN_KEYS);
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        key_read(&reader, &out->keys[i]);
    }
    return cbor_end(&reader);
}

static enum err say_text(struct why *why, const char *field, const char *problem, struct bytes text)
{
    return why_sayf(why, ERR_FORMAT, field, problem, NULL, "%.*s", (int)text.len,
                    (const char *)text.at);
}

/* The organisation's node and its application have its name and one of these. */
static bool ends_as_member(struct bytes name)
{
    static const char *const ends[] = {"-node", "-audit"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct bytes end = bytes_text(ends[i]);
        if (name.len >= end.len &&
            bytes_equal((struct bytes){name.at + name.len - end.len, end.len}, end)) {
            return true;
        }
    }
    return false;
}

static enum err texts_check(const struct join *join, struct why *why)
{
    if (!organisation_ok(join->organisation)) {
        return say_text(why, "organisation", "is no name of an organisation", join->organisation);
    }
    if (ends_as_member(join->organisation)) {
        return say_text(why, "organisation", "ends as the name of its node or application does",
                        join->organisation);
    }
    if (!host_port_ok(join->address)) {
        return say_text(why, "address", "is not HOST:PORT", join->address);
    }
    return node_url_ok(join->url) ? OK : say_text(why, "URL", "is not http(s)://HOST", join->url);
}

/* Checks one key and its signature over the body, which only the operator's holds. */
static enum err signature_check(const struct parts *parts, enum join_key which,
                                const struct join_public *public, const struct pubkey *key)
{
    struct sign1 sign1;
    struct hash kid;
    enum alg alg;
    int64_t number;
    struct buf message = {0};
    bool is_operator = which == JOIN_OPERATOR;
    TRY(sign1_parse(&sign1, parts->signatures[which]));
    if (sign1.detached == is_operator || sign1.unprotected.len != 1) {
        return ERR_FORMAT;
    }
    TRY(key_header_read(&kid, &number, sign1.protected, JOIN_TYP));
    if (alg_of_header(&alg, number) != OK || alg != public->alg ||
        !hash_equal(&kid, pubkey_kid(key))) {
        return ERR_KEY;
    }
    sig_structure_write(&message, sign1.protected, is_operator ? sign1.payload : parts->body);
    enum err err = pubkey_verify(key, buf_bytes(&message), sign1.signature);
    buf_clear(&message);
    return err;
}

static enum err key_check(const struct join *join, const struct parts *parts, enum join_key which,
                          struct why *why)
{
    const struct join_public *public = &join->keys[which];
    struct pubkey *key = NULL;
    for (size_t i = 0; i < which; i++) {
        if (bytes_equal(join->keys[i].spki, public->spki)) {
            return why_sayf(why, ERR_EXISTS, "key", "is given for another purpose, too", NULL, "%s",
                            join_key_name(which));
        }
    }
    if (public->alg == ALG_WEBAUTHN || (kinds[which].ed25519 && public->alg != ALG_ED25519)) {
        return why_sayf(why, ERR_UNSUPPORTED, "key", "is of a kind that is not for its purpose",
                        NULL, "%s (%s)", join_key_name(which), alg_name(public->alg));
    }
    enum err err = pubkey_parse(&key, public->spki);
    if (err == OK) {
        err = pubkey_fits(key, public->alg) ? signature_check(parts, which, public, key) : ERR_KEY;
        pubkey_free(key);
    }
    return err == OK
               ? OK
               : why_sayf(why, err, "signature", err == ERR_SIGNATURE ? "does not verify" : NULL,
                          NULL, "of the %s key", join_key_name(which));
}

enum err join_parse(struct join *out, struct bytes in, struct why *why)
{
    struct parts parts;
    *out = (struct join){0};
    enum err err = in.len > JOIN_MAX ? ERR_RANGE : payload_read(&parts, in);
    if (err == OK) {
        err = body_read(out, parts.body);
    }
    if (err != OK) {
        return why_say(why, err, "join file", NULL, NULL, NULL);
    }
    TRY(texts_check(out, why));
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        TRY(key_check(out, &parts, (enum join_key)i, why));
    }
    return OK;
}

/* ---- writing */

static void body_write(struct buf *out, const struct join *join,
                       const struct signer *const signers[JOIN_KEYS])
{
    cbor_put_array(out, 8);
    cbor_put_uint(out, 1);
    cbor_put_text(out, join->ledger);
    cbor_put_text(out, join->organisation);
    cbor_put_text(out, join->address);
    cbor_put_text(out, join->url);
    cbor_put_bytes(out, join->random32);
    cbor_put_uint(out, join->time_ms);
    cbor_put_array(out, JOIN_KEYS);
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        cbor_put_array(out, 2);
        cbor_put_bytes(out, pubkey_spki(signer_pubkey(signers[i])));
        cbor_put_int(out, signer_alg(signers[i]));
    }
}

static enum err sign_join(struct buf *out, struct bytes payload, bool detached,
                          const struct signer *signer)
{
    struct buf protected = {0};
    key_header_write(&protected, signer, JOIN_TYP);
    enum err err = sign1_sign(out, buf_bytes(&protected), payload, detached, signer);
    buf_clear(&protected);
    return err;
}

enum err join_sign(struct buf *out, const struct join *join,
                   const struct signer *const signers[JOIN_KEYS])
{
    struct buf body = {0};
    struct buf payload = {0};
    struct buf one = {0};
    enum err err = OK;
    body_write(&body, join, signers);
    cbor_put_array(&payload, 3);
    cbor_put_uint(&payload, 1);
    cbor_put_bytes(&payload, buf_bytes(&body));
    cbor_put_array(&payload, JOIN_KEYS - 1);
    for (size_t i = JOIN_OPERATOR + 1; i < JOIN_KEYS && err == OK; i++) {
        one.len = 0;
        err = sign_join(&one, buf_bytes(&body), true, signers[i]);
        cbor_put_bytes(&payload, buf_bytes(&one));
    }
    if (err == OK) {
        err = sign_join(out, buf_bytes(&payload), false, signers[JOIN_OPERATOR]);
    }
    buf_clear(&body);
    buf_clear(&payload);
    buf_clear(&one);
    return err;
}
