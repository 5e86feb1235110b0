#include "codec/cose.h"

#define SIGNATURE_MAX 1024
#define MEMBERS       4

static void sign1_read(struct sign1 *out, struct cbor_reader *reader)
{
    *out = (struct sign1){0};
    if (cbor_peek(reader) != CBOR_TAG) {
        cbor_fail(reader, ERR_FORMAT);
    }
    cbor_expect_tag(reader, COSE_SIGN1_TAG);
    if (cbor_array(reader, 0, SIZE_MAX) != MEMBERS) {
        cbor_fail(reader, ERR_FORMAT);
    }
    out->protected = cbor_bytes(reader, 0, SIZE_MAX);
    if (cbor_peek(reader) != CBOR_MAP) {
        cbor_fail(reader, ERR_FORMAT);
    }
    out->unprotected = cbor_item(reader);
    out->detached = cbor_null(reader);
    if (!out->detached) {
        out->payload = cbor_bytes(reader, 0, SIZE_MAX);
    }
    out->signature = cbor_bytes(reader, 0, SIGNATURE_MAX);
}

enum err sign1_parse(struct sign1 *out, struct bytes input)
{
    struct cbor_reader reader;
    cbor_init(&reader, input);
    sign1_read(out, &reader);
    return cbor_end(&reader);
}

enum err sign1_parse_foreign(struct sign1 *out, struct bytes input)
{
    struct cbor_reader reader;
    cbor_init_foreign(&reader, input);
    sign1_read(out, &reader);
    return cbor_end(&reader);
}

enum err sign1_parse_first(struct sign1 *out, struct bytes input, struct bytes *rest)
{
    struct cbor_reader reader;
    cbor_init(&reader, input);
    sign1_read(out, &reader);
    return cbor_end_sequence(&reader, rest);
}

void sign1_write(struct buf *out, const struct sign1 *sign1)
{
    cbor_put_tag(out, COSE_SIGN1_TAG);
    cbor_put_array(out, MEMBERS);
    cbor_put_bytes(out, sign1->protected);
    if (sign1->unprotected.len == 0) {
        cbor_put_map(out, 0);
    } else {
        buf_put(out, sign1->unprotected);
    }
    if (sign1->detached) {
        cbor_put_null(out);
    } else {
        cbor_put_bytes(out, sign1->payload);
    }
    cbor_put_bytes(out, sign1->signature);
}

void sig_structure_write(struct buf *out, struct bytes protected, struct bytes payload)
{
    cbor_put_array(out, 4);
    cbor_put_literal(out, "Signature1");
    cbor_put_bytes(out, protected);
    cbor_put_bytes(out, BYTES_NONE);
    cbor_put_bytes(out, payload);
}
