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
