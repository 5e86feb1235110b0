#include "proof/session.h"

#include "proof/protected.h"

#include <string.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.';
}

static bool is_address_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'f') || is_digit(c) || c == ':' || c == '.';
}

/* What follows the host: nothing, or a port from 1 to 65,535 that is not the scheme's own. */
static bool port_ok(struct bytes text, unsigned own)
{
    if (text.len == 0) {
        return true;
    }
    unsigned port = 0;
    if (text.len < 2 || text.len > 6 || text.at[0] != ':' || text.at[1] == '0') {
        return false;
    }
    for (size_t i = 1; i < text.len; i++) {
        if (!is_digit(text.at[i])) {
            return false;
        }
        port = port * 10 + (unsigned)(text.at[i] - '0');
    }
    return port <= UINT16_MAX && port != own;
}

bool origin_ok(struct bytes origin)
{
    bool secure = origin.len > 8 && memcmp(origin.at, "https://", 8) == 0;
    if (!secure && !(origin.len > 7 && memcmp(origin.at, "http://", 7) == 0)) {
        return false;
    }
    size_t at = secure ? 8 : 7;
    size_t start = at;
    if (origin.at[at] == '[') {
        at++;
        while (at < origin.len && is_address_byte(origin.at[at])) {
            at++;
        }
        if (at == start + 1 || at == origin.len || origin.at[at++] != ']') {
            return false;
        }
    } else {
        while (at < origin.len && is_host_byte(origin.at[at])) {
            at++;
        }
        if (at == start) {
            return false;
        }
    }
    return port_ok((struct bytes){origin.at + at, origin.len - at}, secure ? 443 : 80);
}

static enum err payload_parse(struct session_statement *out, struct hash *kid)
{
    struct cbor_reader reader;
    cbor_init(&reader, out->sign1.payload);
    cbor_array(&reader, 7, 7);
    cbor_version(&reader, 1);
    out->chain = cbor_hash(&reader);
    out->origin = cbor_text(&reader, 1, ORIGIN_MAX);
    *kid = cbor_hash(&reader);
    out->nonce = cbor_bytes(&reader, SESSION_NONCE_LEN, SESSION_NONCE_LEN);
    out->iat_ms = cbor_uint(&reader);
    out->expiry_ms = cbor_uint(&reader);
    return cbor_end(&reader);
}

enum err session_statement_parse(struct session_statement *out, struct bytes in, struct why *why)
{
    struct hash kid;
    int64_t alg;
    *out = (struct session_statement){0};
    enum err err = in.len > SESSION_STATEMENT_MAX ? ERR_RANGE : sign1_parse(&out->sign1, in);
    if (err == OK && (out->sign1.detached || out->sign1.unprotected.len != 1)) {
        err = ERR_FORMAT;
    }
    if (err == OK) {
        err = key_header_read(&out->kid, &alg, out->sign1.protected, SESSION_TYP);
    }
    if (err == OK) {
        err = payload_parse(out, &kid);
    }
    if (err != OK) {
        return why_say(why, err, "session statement", NULL, NULL,
                       "Send a COSE_Sign1 of typ session as protocol.md 2 describes it.");
    }
    if (alg_of_header(&out->alg, alg) != OK) {
        return why_sayf(why, ERR_UNSUPPORTED, "alg", NULL, NULL, "%lld", (long long)alg);
    }
    if (!hash_equal(&kid, &out->kid)) {
        return why_say(why, ERR_MISMATCH, "kid", NULL, "differs between header and payload", NULL);
    }
    if (!origin_ok(out->origin)) {
        return why_sayf(why, ERR_FORMAT, "origin", "is no origin",
                        "Write it as https://ledger.example or http://localhost:8420.", "%.*s",
                        (int)out->origin.len, (const char *)out->origin.at);
    }
    if (out->expiry_ms < out->iat_ms || out->expiry_ms - out->iat_ms > SESSION_VALID_MAX_MS) {
        return why_sayf(why, ERR_RANGE, "expiry", "is not within five minutes after iat",
                        "Sign a new statement for the next few minutes.", "%llu",
                        (unsigned long long)out->expiry_ms);
    }
    return OK;
}

enum err session_statement_verify(const struct session_statement *statement,
                                  const struct key_record *record, const struct pubkey *key,
                                  struct why *why)
{
    if (statement->alg != record->alg) {
        return why_say(why, ERR_SIGNATURE, "alg", alg_name(statement->alg),
                       "is not the one of the key's record", NULL);
    }
    struct buf message = {0};
    sig_structure_write(&message, statement->sign1.protected, statement->sign1.payload);
    enum err err =
        own_signature_verify(record, key, buf_bytes(&message), statement->sign1.signature, why);
    buf_clear(&message);
    return err;
}

enum err session_statement_sign(struct buf *out, const struct session_draft *draft,
                                const struct signer *signer)
{
    struct buf protected = {0};
    struct buf payload = {0};
    key_header_write(&protected, signer, SESSION_TYP);
    cbor_put_array(&payload, 7);
    cbor_put_uint(&payload, 1);
    cbor_put_hash(&payload, &draft->chain);
    cbor_put_text(&payload, draft->origin);
    cbor_put_hash(&payload, pubkey_kid(signer_pubkey(signer)));
    cbor_put_bytes(&payload, (struct bytes){draft->nonce16, SESSION_NONCE_LEN});
    cbor_put_uint(&payload, draft->iat_ms);
    cbor_put_uint(&payload, draft->expiry_ms);
    enum err err = sign1_sign(out, buf_bytes(&protected), buf_bytes(&payload), false, signer);
    buf_clear(&protected);
    buf_clear(&payload);
    return err;
}
