#include "codec/cbor.h"

/* A head in the shortest encoding of its argument. */
static void put_head(struct buf *out, enum cbor_type type, uint64_t value)
{
    uint8_t major = (uint8_t)((unsigned)type << 5);
    if (value < 24) {
        buf_put_byte(out, (uint8_t)(major | value));
    } else if (value <= UINT8_MAX) {
        uint8_t *at = buf_grow(out, 2);
        at[0] = major | 24;
        at[1] = (uint8_t)value;
    } else if (value <= UINT16_MAX) {
        uint8_t *at = buf_grow(out, 3);
        at[0] = major | 25;
        put_u16(at + 1, (uint16_t)value);
    } else if (value <= UINT32_MAX) {
        uint8_t *at = buf_grow(out, 5);
        at[0] = major | 26;
        put_u32(at + 1, (uint32_t)value);
    } else {
        uint8_t *at = buf_grow(out, 9);
        at[0] = major | 27;
        put_u64(at + 1, value);
    }
}

void cbor_put_uint(struct buf *out, uint64_t value)
{
    put_head(out, CBOR_UINT, value);
}

void cbor_put_int(struct buf *out, int64_t value)
{
    if (value >= 0) {
        put_head(out, CBOR_UINT, (uint64_t)value);
    } else {
        put_head(out, CBOR_NINT, (uint64_t)(-1 - value));
    }
}

void cbor_put_bytes(struct buf *out, struct bytes value)
{
    cbor_put_bytes_head(out, value.len);
    buf_put(out, value);
}

void cbor_put_hash(struct buf *out, const struct hash *value)
{
    cbor_put_bytes(out, hash_bytes(value));
}

void cbor_put_text(struct buf *out, struct bytes value)
{
    put_head(out, CBOR_TEXT, value.len);
    buf_put(out, value);
}

void cbor_put_literal(struct buf *out, const char *text)
{
    cbor_put_text(out, bytes_text(text));
}

void cbor_put_array(struct buf *out, size_t count)
{
    put_head(out, CBOR_ARRAY, count);
}

void cbor_put_map(struct buf *out, size_t pairs)
{
    put_head(out, CBOR_MAP, pairs);
}

void cbor_put_tag(struct buf *out, uint64_t number)
{
    put_head(out, CBOR_TAG, number);
}

void cbor_put_bool(struct buf *out, bool value)
{
    buf_put_byte(out, value ? 0xf5 : 0xf4);
}

void cbor_put_null(struct buf *out)
{
    buf_put_byte(out, 0xf6);
}

void cbor_put_bytes_head(struct buf *out, size_t len)
{
    put_head(out, CBOR_BYTES, len);
}
