#include "proof/statement.h"

#include "crypto/digest.h"
#include "proof/protected.h"

#include <string.h>

#define LABEL_CAIRN (-65800)

/* The six labels of our own protected header, in their one order. */
static void own_read(struct statement *out, struct cbor_reader *reader)
{
    cbor_map(reader, 6, 6);
    protected_key(reader, LABEL_ALG);
    out->alg = cbor_int(reader);
    protected_key(reader, LABEL_CONTENT_TYPE);
    out->content_type = cbor_text(reader, 1, CONTENT_TYPE_MAX);
    protected_key(reader, LABEL_KID);
    out->kid = cbor_bytes(reader, sizeof(struct hash), sizeof(struct hash));
    protected_key(reader, LABEL_CWT);
    claims_read(reader, &out->iss, &out->sub, &out->iat);
    protected_key(reader, LABEL_TYP);
    cbor_text(reader, 1, CONTENT_TYPE_MAX);
    protected_key(reader, LABEL_CAIRN);
    cbor_array(reader, 5, 5);
    cbor_version(reader, 1);
    out->chain = cbor_hash(reader);
    out->valid_until = cbor_uint(reader);
    out->nonce = cbor_bytes(reader, 16, 16);
    out->has_mandate = !cbor_null(reader);
    if (out->has_mandate) {
        out->mandate = cbor_hash(reader);
    }
}

static enum err own_parse(struct statement *out, struct why *why)
{
    struct cbor_reader reader;
    struct bytes module;
    struct bytes action;
    cbor_init(&reader, out->sign1.protected);
    own_read(out, &reader);
    enum err err = cbor_end(&reader);
    if (err != OK) {
        return why_say(why, err, "protected header", NULL, NULL, NULL);
    }
    if (out->iss.len > MEMBER_ID_MAX) {
        return why_say(why, ERR_RANGE, "iss", NULL, NULL, NULL);
    }
    if (!statement_action(out, &module, &action)) {
        return why_say(why, ERR_FORMAT, "content type", NULL,
                       "is not application/vnd.cairn.MODULE.ACTION+cbor", NULL);
    }
    return OK;
}

/* Picks typ alone out of a protected header whose order is not known yet. */
static enum err typ_find(struct bytes *typ, struct bytes protected)
{
    struct cbor_reader reader;
    *typ = BYTES_NONE;
    cbor_init_foreign(&reader, protected);
    size_t pairs = cbor_map(&reader, 0, CBOR_FOREIGN_KEYS);
    for (size_t i = 0; i < pairs; i++) {
        int64_t label = 0;
        if (cbor_peek(&reader) == CBOR_TEXT) {
            cbor_text(&reader, 0, SIZE_MAX);
        } else {
            label = cbor_int(&reader);
        }
        if (label == LABEL_TYP && cbor_peek(&reader) == CBOR_TEXT) {
            *typ = cbor_text(&reader, 0, SIZE_MAX);
        } else {
            cbor_item(&reader);
        }
    }
    return cbor_end(&reader);
}

static enum err payload_check(const struct statement *statement, struct why *why)
{
    return statement->sign1.detached ? why_say(why, ERR_FORMAT, "payload", NULL, "is absent", NULL)
                                     : OK;
}

enum err statement_parse(struct statement *out, struct bytes bytes, struct why *why)
{
    struct bytes typ;
    *out = (struct statement){0};
    enum err err = sign1_parse(&out->sign1, bytes);
    bool canonical = err == OK;
    if (!canonical && sign1_parse_foreign(&out->sign1, bytes) != OK) {
        return why_say(why, err, "statement", NULL, NULL, NULL);
    }
    TRY(payload_check(out, why));
    enum err typ_err = typ_find(&typ, out->sign1.protected);
    if (typ_err != OK) {
        return why_say(why, typ_err, "protected header", NULL, NULL, NULL);
    }
    out->foreign = !bytes_equal(typ, bytes_text(STATEMENT_TYP));
    if (out->foreign) {
        return foreign_parse(out, why);
    }
    return canonical ? own_parse(out, why) : why_say(why, err, "statement", NULL, NULL, NULL);
}

enum err statement_parse_first(struct statement *out, struct bytes bytes, struct bytes *rest,
                               struct why *why)
{
    struct bytes typ;
    *out = (struct statement){0};
    enum err err = sign1_parse_first(&out->sign1, bytes, rest);
    if (err != OK) {
        return why_say(why, err, "statement", NULL, NULL, NULL);
    }
    TRY(payload_check(out, why));
    err = typ_find(&typ, out->sign1.protected);
    if (err != OK || !bytes_equal(typ, bytes_text(STATEMENT_TYP))) {
        return why_say(why, err != OK ? err : ERR_FORMAT, "typ", NULL, "is not a statement's",
                       NULL);
    }
    return own_parse(out, why);
}

/* Takes a word of [a-z0-9_-]+ off the front of `*text`. */
static bool word_take(struct bytes *word, struct bytes *text)
{
    size_t len = 0;
    while (len < text->len) {
        uint8_t c = text->at[len];
        bool in_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!in_word) {
            break;
        }
        len++;
    }
    *word = (struct bytes){text->at, len};
    *text = (struct bytes){text->at + len, text->len - len};
    return len > 0;
}

bool statement_action(const struct statement *statement, struct bytes *module, struct bytes *action)
{
    struct bytes text = statement->content_type;
    size_t prefix = strlen(STATEMENT_TYPE_PREFIX);
    if (text.len < prefix || memcmp(text.at, STATEMENT_TYPE_PREFIX, prefix) != 0) {
        return false;
    }
    text = (struct bytes){text.at + prefix, text.len - prefix};
    if (!word_take(module, &text) || text.len == 0 || text.at[0] != '.') {
        return false;
    }
    text = (struct bytes){text.at + 1, text.len - 1};
    return word_take(action, &text) && bytes_equal(text, bytes_text(STATEMENT_TYPE_SUFFIX));
}

void statement_entry(struct buf *out, const struct statement *statement)
{
    struct sign1 entry = statement->sign1;
    entry.unprotected = BYTES_NONE;
    sign1_write(out, &entry);
}

void statement_id(struct hash *out, const struct statement *statement,
                  const struct hash *record_kid)
{
    struct buf signed_bytes = {0};
    sig_structure_write(&signed_bytes, statement->sign1.protected, statement->sign1.payload);
    if (statement->foreign) {
        struct buf pair = {0};
        cbor_put_array(&pair, 2);
        cbor_put_hash(&pair, record_kid);
        cbor_put_bytes(&pair, buf_bytes(&signed_bytes));
        sha256(out, buf_bytes(&pair));
        buf_clear(&pair);
    } else {
        sha256(out, buf_bytes(&signed_bytes));
    }
    buf_clear(&signed_bytes);
}

static enum err message_verify(const struct statement *statement, const struct key_record *record,
                               const struct pubkey *key, struct bytes message, struct why *why)
{
    struct bytes signature = statement->sign1.signature;
    if (!statement->foreign) {
        return own_signature_verify(record, key, message, signature, why);
    }
    if (record->alg == ALG_WEBAUTHN) {
        return why_say(why, ERR_SIGNATURE, "signature", NULL, "is no WebAuthn assertion", NULL);
    }
    enum err err = pubkey_verify_any_s(key, message, signature);
    return err == OK ? OK : why_say(why, err, "signature", NULL, NULL, NULL);
}

enum err statement_verify(const struct statement *statement, const struct key_record *record,
                          const struct pubkey *key, struct why *why)
{
    enum alg alg;
    struct buf message = {0};
    if (alg_of_header(&alg, statement->alg) != OK || alg != record->alg) {
        return why_sayf(why, ERR_SIGNATURE, "alg", "is not the one of the key's record", NULL,
                        "%lld", (long long)statement->alg);
    }
    sig_structure_write(&message, statement->sign1.protected, statement->sign1.payload);
    enum err err = message_verify(statement, record, key, buf_bytes(&message), why);
    buf_clear(&message);
    return err;
}

static bool name_listed(const struct key_record *record, const struct hash *kid, struct bytes name)
{
    if (bytes_equal(name, hash_bytes(kid))) {
        return true;
    }
    for (size_t i = 0; i < record->name_count; i++) {
        if (bytes_equal(name, record->names[i])) {
            return true;
        }
    }
    return false;
}

/* Of a foreign statement's kid and x5t, one that the record lists is enough. */
static bool foreign_names_key(const struct statement *statement, const struct key_record *record,
                              const struct hash *kid)
{
    return (statement->kid.len > 0 && name_listed(record, kid, statement->kid)) ||
           (statement->x5t.len > 0 && name_listed(record, kid, statement->x5t));
}

static enum err signer_check(const struct statement *statement, const struct key_record *record,
                             struct why *why)
{
    struct hash kid;
    sha256(&kid, record->spki);
    if (statement->foreign) {
        if (record->purpose != PURPOSE_FOREIGN) {
            return why_say(why, ERR_KEY, "purpose", NULL, "is not foreign", NULL);
        }
        return foreign_names_key(statement, record, &kid)
                   ? OK
                   : why_say(why, ERR_KEY, "kid", NULL, "is not listed in the key's record", NULL);
    }
    if (record->purpose != PURPOSE_MEMBER) {
        return why_say(why, ERR_KEY, "purpose", NULL, "is not member", NULL);
    }
    if (!bytes_equal(statement->kid, hash_bytes(&kid))) {
        return why_say(why, ERR_KEY, "kid", NULL, "is not the record's key", NULL);
    }
    if (!bytes_equal(statement->iss, record->member)) {
        return why_sayf(why, ERR_KEY, "iss", "is not the member of the key's record", NULL, "%.*s",
                        (int)statement->iss.len, (const char *)statement->iss.at);
    }
    return OK;
}

enum err statement_key_check(const struct statement *statement, const struct key_record *record,
                             uint64_t index, struct why *why)
{
    TRY(signer_check(statement, record, why));
    if (index <= record->from) {
        return why_sayf(why, ERR_KEY, "index", "is not after the key's registration", NULL, "%llu",
                        (unsigned long long)index);
    }
    if (record->has_until && index >= record->until) {
        return why_sayf(why, ERR_KEY, "index", "is after the key's end", NULL, "%llu",
                        (unsigned long long)index);
    }
    return OK;
}

enum err statement_validity_check(const struct statement *statement, uint64_t block_time_ms,
                                  struct why *why)
{
    uint64_t until = statement->valid_until;
    uint64_t iat_ms = statement->iat > UINT64_MAX / 1000 ? UINT64_MAX : statement->iat * 1000;
    uint64_t start = iat_ms < block_time_ms ? iat_ms : block_time_ms;
    if (block_time_ms > until) {
        return why_say(why, ERR_EXPIRED, "valid-until", NULL, "lies before the block's time", NULL);
    }
    if (until > start && until - start > VALIDITY_MAX_MS) {
        return why_say(why, ERR_EXPIRED, "valid-until", NULL,
                       "lies more than 24 hours after iat or the block's time", NULL);
    }
    return OK;
}

void statement_protected(struct buf *out, const struct draft *draft, enum alg alg,
                         const struct hash *kid)
{
    cbor_put_map(out, 6);
    cbor_put_int(out, LABEL_ALG);
    cbor_put_int(out, alg);
    cbor_put_int(out, LABEL_CONTENT_TYPE);
    cbor_put_literal(out, draft->content_type);
    cbor_put_int(out, LABEL_KID);
    cbor_put_hash(out, kid);
    cbor_put_int(out, LABEL_CWT);
    claims_write(out, draft->iss, draft->sub, draft->iat);
    cbor_put_int(out, LABEL_TYP);
    cbor_put_literal(out, STATEMENT_TYP);
    cbor_put_int(out, LABEL_CAIRN);
    cbor_put_array(out, 5);
    cbor_put_uint(out, 1);
    cbor_put_hash(out, &draft->chain);
    cbor_put_uint(out, draft->valid_until);
    cbor_put_bytes(out, (struct bytes){draft->nonce16, 16});
    if (draft->mandate) {
        cbor_put_hash(out, draft->mandate);
    } else {
        cbor_put_null(out);
    }
}

enum err statement_sign(struct buf *out, const struct draft *draft, const struct signer *signer)
{
    struct buf protected = {0};
    size_t start = out->len;
    const struct hash *kid = pubkey_kid(signer_pubkey(signer));
    statement_protected(&protected, draft, signer_alg(signer), kid);
    enum err err = sign1_sign(out, buf_bytes(&protected), draft->payload, false, signer);
    buf_clear(&protected);
    if (err == OK && out->len - start > ENTRY_MAX) {
        out->len = start;
        return ERR_RANGE;
    }
    return err;
}
