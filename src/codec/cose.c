#include "codec/cose.h"

#define SIGNATURE_MAX 1024
#define MEMBERS       4

/* Another shape than a COSE_Sign1's is ERR_FORMAT; an input that ends here is told by the read. */
static void next_is(struct cbor_reader *reader, enum cbor_type type)
{
    enum cbor_type next = cbor_peek(reader);
    if (next != type && next != CBOR_NONE) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

static void sign1_read(struct sign1 *out, struct cbor_reader *reader)
{
    *out = (struct sign1){0};
    next_is(reader, CBOR_TAG);
    cbor_expect_tag(reader, COSE_SIGN1_TAG);
    if (cbor_array(reader, 0, SIZE_MAX) != MEMBERS) {
        cbor_fail(reader, ERR_FORMAT);
    }
    out->protected = cbor_bytes(reader, 0, SIZE_MAX);
    next_is(reader, CBOR_MAP);
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

/* RFC 9052 section 4.4: a message without protected parameters is signed with a zero-length
 * string there, even if it carries the encoded empty map. */
static bool is_empty_map(struct bytes map)
{
    return map.len == 1 && map.at[0] == 0xa0;
}

void sig_structure_write(struct buf *out, struct bytes protected, struct bytes payload)
{
    cbor_put_array(out, 4);
    cbor_put_literal(out, "Signature1");
    cbor_put_bytes(out, is_empty_map(protected) ? BYTES_NONE : protected);
    cbor_put_bytes(out, BYTES_NONE);
    cbor_put_bytes(out, payload);
}
