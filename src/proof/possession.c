/* Key requests: proof that whoever asks for a key to be registered holds it (protocol.md 1). */
#include "proof/keyrecord.h"

#include "proof/protected.h"

static enum err body_parse(struct possession *out)
{
    struct cbor_reader reader;
    cbor_init(&reader, out->sign1.payload);
    cbor_array(&reader, 5, 5);
    cbor_version(&reader, 1);
    out->chain = cbor_hash(&reader);
    out->member = cbor_text(&reader, 1, MEMBER_ID_MAX);
    out->purpose = (enum purpose)cbor_uint_max(&reader, PURPOSE_TRANSPORT);
    if (out->purpose == 0) {
        cbor_fail(&reader, ERR_RANGE);
    }
    out->spki = cbor_bytes(&reader, 1, SPKI_MAX);
    return cbor_end(&reader);
}

/* Everything but the signature. */
static enum err request_parse(struct possession *out, struct pubkey **key, struct bytes in,
                              struct why *why)
{
    struct hash kid;
    int64_t alg;
    *out = (struct possession){0};
    enum err err = sign1_parse(&out->sign1, in);
    if (err == OK && (out->sign1.detached || out->sign1.unprotected.len != 1)) {
        err = ERR_FORMAT;
    }
    if (err == OK) {
        err = key_header_read(&kid, &alg, out->sign1.protected, POSSESSION_TYP);
    }
    if (err == OK) {
        err = body_parse(out);
    }
    if (err != OK) {
        return why_say(why, err, "key request", NULL, NULL, NULL);
    }
    if (pubkey_parse(key, out->spki) != OK) {
        return why_say(why, ERR_KEY, "public key", NULL, NULL, NULL);
    }
    if (alg_of_header(&out->alg, alg) != OK || !pubkey_fits(*key, out->alg) ||
        !hash_equal(&kid, pubkey_kid(*key))) {
        out->alg = (enum alg)0;
        pubkey_free(*key);
        *key = NULL;
        return why_say(why, ERR_KEY, "public key", NULL, "is not the one that the header names",
                       NULL);
    }
    return OK;
}

/* `rp` holds the relying party of a WebAuthn key, or is NULL for the other kinds. */
static enum err request_verify(struct possession *out, struct bytes in, const struct key_record *rp,
                               struct why *why)
{
    struct pubkey *key = NULL;
    struct buf message = {0};
    TRY(request_parse(out, &key, in, why));
    enum err err;
    sig_structure_write(&message, out->sign1.protected, out->sign1.payload);
    if ((out->alg == ALG_WEBAUTHN) != (rp != NULL)) {
        err = why_say(why, ERR_UNSUPPORTED, "alg", alg_name(out->alg), NULL, NULL);
    } else if (rp) {
        err = own_signature_verify(rp, key, buf_bytes(&message), out->sign1.signature, why);
    } else {
        err = pubkey_verify(key, buf_bytes(&message), out->sign1.signature);
        err = err == OK ? OK : why_say(why, err, "key request", NULL, NULL, NULL);
    }
    buf_clear(&message);
    pubkey_free(key);
    return err;
}

enum err possession_parse(struct possession *out, struct bytes in, struct why *why)
{
    return request_verify(out, in, NULL, why);
}

enum err possession_parse_webauthn(struct possession *out, struct bytes in, struct bytes rp_id,
                                   const struct bytes *origins, size_t origin_count,
                                   struct why *why)
{
    struct key_record rp = {.alg = ALG_WEBAUTHN, .rp_id = rp_id, .origin_count = origin_count};
    if (origin_count > KEY_ORIGINS_MAX) {
        return why_say(why, ERR_RANGE, "origins", NULL, NULL, NULL);
    }
    for (size_t i = 0; i < origin_count; i++) {
        rp.origins[i] = origins[i];
    }
    return request_verify(out, in, &rp, why);
}

enum err possession_sign(struct buf *out, const struct hash *chain, struct bytes member,
                         enum purpose purpose, const struct signer *signer)
{
    struct buf protected = {0};
    struct buf body = {0};
    key_header_write(&protected, signer, POSSESSION_TYP);
    cbor_put_array(&body, 5);
    cbor_put_uint(&body, 1);
    cbor_put_hash(&body, chain);
    cbor_put_text(&body, member);
    cbor_put_uint(&body, purpose);
    cbor_put_bytes(&body, pubkey_spki(signer_pubkey(signer)));
    enum err err = sign1_sign(out, buf_bytes(&protected), buf_bytes(&body), false, signer);
    buf_clear(&protected);
    buf_clear(&body);
    return err;
}
