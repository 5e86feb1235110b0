#include "proof/keyrecord.h"

static void rp_read(struct key_record *out, struct cbor_reader *reader)
{
    if (cbor_null(reader)) {
        return;
    }
    cbor_array(reader, 2, 2);
    out->rp_id = cbor_text(reader, 1, RP_ID_MAX);
    out->origin_count = cbor_array(reader, 1, KEY_ORIGINS_MAX);
    for (size_t i = 0; i < out->origin_count; i++) {
        out->origins[i] = cbor_text(reader, 1, ORIGIN_MAX);
    }
}

static void names_read(struct key_record *out, struct cbor_reader *reader)
{
    if (cbor_null(reader)) {
        return;
    }
    out->name_count = cbor_array(reader, 1, KEY_NAMES_MAX);
    for (size_t i = 0; i < out->name_count; i++) {
        out->names[i] = cbor_bytes(reader, 1, KEY_NAME_MAX);
    }
}

static void record_read(struct key_record *out, struct cbor_reader *reader)
{
    *out = (struct key_record){0};
    cbor_array(reader, 9, 9);
    cbor_version(reader, 1);
    out->spki = cbor_bytes(reader, 1, SPKI_MAX);
    int64_t alg = cbor_int(reader);
    if (reader->err == OK) {
        cbor_fail(reader, alg_parse(&out->alg, alg));
    }
    out->purpose = (enum purpose)cbor_uint_max(reader, PURPOSE_TRANSPORT);
    if (out->purpose == 0) {
        cbor_fail(reader, ERR_RANGE);
    }
    out->member = cbor_text(reader, 1, MEMBER_ID_MAX);
    out->from = cbor_uint(reader);
    out->has_until = !cbor_null(reader);
    if (out->has_until) {
        out->until = cbor_uint(reader);
    }
    rp_read(out, reader);
    names_read(out, reader);
    if ((out->rp_id.len > 0) != (out->alg == ALG_WEBAUTHN)) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

enum err key_record_parse(struct key_record *out, struct pubkey **key, struct bytes in)
{
    struct cbor_reader reader;
    struct pubkey *parsed = NULL;
    if (key) {
        *key = NULL;
    }
    cbor_init(&reader, in);
    record_read(out, &reader);
    TRY(cbor_end(&reader));
    TRY(pubkey_parse(&parsed, out->spki));
    bool fits = pubkey_fits(parsed, out->alg);
    if (key && fits) {
        *key = parsed;
    } else {
        pubkey_free(parsed);
    }
    return fits ? OK : ERR_KEY;
}

void key_record_write(struct buf *out, const struct key_record *record)
{
    cbor_put_array(out, 9);
    cbor_put_uint(out, 1);
    cbor_put_bytes(out, record->spki);
    cbor_put_int(out, record->alg);
    cbor_put_uint(out, record->purpose);
    cbor_put_text(out, record->member);
    cbor_put_uint(out, record->from);
    if (record->has_until) {
        cbor_put_uint(out, record->until);
    } else {
        cbor_put_null(out);
    }
    if (record->rp_id.len > 0) {
        cbor_put_array(out, 2);
        cbor_put_text(out, record->rp_id);
        cbor_put_array(out, record->origin_count);
        for (size_t i = 0; i < record->origin_count; i++) {
            cbor_put_text(out, record->origins[i]);
        }
    } else {
        cbor_put_null(out);
    }
    if (record->name_count == 0) {
        cbor_put_null(out);
        return;
    }
    cbor_put_array(out, record->name_count);
    for (size_t i = 0; i < record->name_count; i++) {
        cbor_put_bytes(out, record->names[i]);
    }
}

void key_record_state_key(struct buf *out, const struct hash *kid)
{
    cbor_put_array(out, 2);
    cbor_put_literal(out, "key");
    cbor_put_hash(out, kid);
}
