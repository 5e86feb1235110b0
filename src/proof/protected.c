#include "proof/protected.h"

void protected_key(struct cbor_reader *reader, int64_t label)
{
    if (cbor_int(reader) != label) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

void claims_read(struct cbor_reader *reader, struct bytes *iss, struct bytes *sub, uint64_t *iat)
{
    cbor_map(reader, 3, 3);
    protected_key(reader, 1);
    *iss = cbor_text(reader, 1, MEMBER_ID_MAX);
    protected_key(reader, 2);
    *sub = cbor_text(reader, 0, SIZE_MAX);
    protected_key(reader, 6);
    *iat = cbor_uint(reader);
}

void claims_write(struct buf *out, struct bytes iss, struct bytes sub, uint64_t iat)
{
    cbor_put_map(out, 3);
    cbor_put_int(out, 1);
    cbor_put_text(out, iss);
    cbor_put_int(out, 2);
    cbor_put_text(out, sub);
    cbor_put_int(out, 6);
    cbor_put_uint(out, iat);
}

enum err key_header_read(struct hash *kid, int64_t *alg, struct bytes protected, const char *typ)
{
    struct cbor_reader reader;
    cbor_init(&reader, protected);
    cbor_map(&reader, 3, 3);
    protected_key(&reader, LABEL_ALG);
    *alg = cbor_int(&reader);
    protected_key(&reader, LABEL_KID);
    *kid = cbor_hash(&reader);
    protected_key(&reader, LABEL_TYP);
    if (!bytes_equal(cbor_text(&reader, 1, CONTENT_TYPE_MAX), bytes_text(typ))) {
        cbor_fail(&reader, ERR_FORMAT);
    }
    return cbor_end(&reader);
}

void key_header_write(struct buf *out, const struct signer *signer, const char *typ)
{
    cbor_put_map(out, 3);
    cbor_put_int(out, LABEL_ALG);
    cbor_put_int(out, signer_alg(signer));
    cbor_put_int(out, LABEL_KID);
    cbor_put_hash(out, pubkey_kid(signer_pubkey(signer)));
    cbor_put_int(out, LABEL_TYP);
    cbor_put_literal(out, typ);
}

/* A WebAuthn signature is CBOR [authenticatorData, clientDataJSON, DER signature]. */
static enum err assertion_parse(struct webauthn *out, struct bytes signature)
{
    struct cbor_reader reader;
    cbor_init(&reader, signature);
    cbor_array(&reader, 3, 3);
    out->authenticator_data = cbor_bytes(&reader, 0, SIZE_MAX);
    out->client_data_json = cbor_bytes(&reader, 0, SIZE_MAX);
    out->signature_der = cbor_bytes(&reader, 0, SIZE_MAX);
    return cbor_end(&reader);
}

enum err own_signature_verify(const struct key_record *record, const struct pubkey *key,
                              struct bytes message, struct bytes signature, struct why *why)
{
    if (record->alg == ALG_WEBAUTHN) {
        struct webauthn assertion;
        if (assertion_parse(&assertion, signature) != OK) {
            return why_say(why, ERR_SIGNATURE, "signature", NULL, "is no WebAuthn assertion", NULL);
        }
        struct relying_party party = {record->rp_id, record->origins, record->origin_count};
        return webauthn_verify(key, &party, message, &assertion, why);
    }
    enum err err = pubkey_verify(key, message, signature);
    return err == OK ? OK : why_say(why, err, "signature", NULL, NULL, NULL);
}

enum err sign1_sign(struct buf *out, struct bytes protected, struct bytes payload, bool detached,
                    const struct signer *signer)
{
    uint8_t signature[64];
    struct buf message = {0};
    sig_structure_write(&message, protected, payload);
    enum err err = signer_sign(signer, signature, buf_bytes(&message));
    buf_clear(&message);
    TRY(err);
    struct sign1 sign1 = {
        .protected = protected,
        .payload = payload,
        .detached = detached,
        .signature = {signature, sizeof signature},
    };
    sign1_write(out, &sign1);
    return OK;
}
