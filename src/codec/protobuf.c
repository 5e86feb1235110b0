#include "codec/protobuf.h"

#define FIELD_MAX ((1u << 29) - 1)
/* Bytes of the longest varint, and what its last one may hold. */
#define VARINT_LEN_MAX 10

void pb_init(struct pb_reader *reader, struct bytes input)
{
    /* An empty range may have no address, and NULL has no place to move from. */
    static const uint8_t nothing[1];
    reader->at = input.len == 0 ? nothing : input.at;
    reader->end = reader->at + input.len;
    reader->err = OK;
}

void pb_fail(struct pb_reader *reader, enum err err)
{
    if (reader->err == OK) {
        reader->err = err;
    }
}

enum err pb_end(const struct pb_reader *reader)
{
    return reader->err == OK && reader->at != reader->end ? ERR_TRAILING : reader->err;
}

int pb_varint_parse(struct bytes input, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < input.len && i < VARINT_LEN_MAX; i++) {
        uint8_t byte = input.at[i];
        if (i == VARINT_LEN_MAX - 1 && byte > 1) {
            return -1;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            return (int)i + 1;
        }
    }
    return 0;
}

static struct bytes rest_of(const struct pb_reader *reader)
{
    return (struct bytes){reader->at, (size_t)(reader->end - reader->at)};
}

static uint64_t take_varint(struct pb_reader *reader)
{
    uint64_t value = 0;
    int len = pb_varint_parse(rest_of(reader), &value);
    if (len <= 0) {
        pb_fail(reader, len == 0 ? ERR_TRUNCATED : ERR_RANGE);
        return 0;
    }
    reader->at += len;
    return value;
}

static struct bytes take_bytes(struct pb_reader *reader, uint64_t len)
{
    struct bytes rest = rest_of(reader);
    if (reader->err != OK || len > rest.len) {
        pb_fail(reader, ERR_TRUNCATED);
        return BYTES_NONE;
    }
    reader->at += len;
    return (struct bytes){rest.at, (size_t)len};
}

static uint64_t take_fixed(struct pb_reader *reader, size_t width)
{
    struct bytes bytes = take_bytes(reader, width);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value |= (uint64_t)bytes.at[i] << (8 * i);
    }
    return value;
}

static void take_value(struct pb_reader *reader, struct pb_field *out, unsigned wire)
{
    switch (wire) {
    case PB_VARINT:
        out->value = take_varint(reader);
        return;
    case PB_FIXED64:
        out->value = take_fixed(reader, 8);
        return;
    case PB_BYTES:
        out->bytes = take_bytes(reader, take_varint(reader));
        return;
    case PB_FIXED32:
        out->value = take_fixed(reader, 4);
        return;
    default:
        pb_fail(reader, wire == 3 || wire == 4 ? ERR_UNSUPPORTED : ERR_FORMAT);
        return;
    }
}

bool pb_next(struct pb_reader *reader, struct pb_field *out)
{
    *out = (struct pb_field){0};
    if (reader->err != OK || reader->at == reader->end) {
        return false;
    }
    uint64_t tag = take_varint(reader);
    if (reader->err == OK && (tag >> 3 == 0 || tag >> 3 > FIELD_MAX)) {
        pb_fail(reader, ERR_RANGE);
    }
    if (reader->err == OK) {
        out->number = (unsigned)(tag >> 3);
        out->wire = (enum pb_wire)(tag & 7);
        take_value(reader, out, (unsigned)(tag & 7));
    }
    return reader->err == OK;
}

static bool has_form(struct pb_reader *reader, const struct pb_field *field, enum pb_wire wire)
{
    if (reader->err == OK && field->wire != wire) {
        pb_fail(reader, ERR_TYPE);
    }
    return reader->err == OK;
}

uint64_t pb_uint(struct pb_reader *reader, const struct pb_field *field, uint64_t max)
{
    if (!has_form(reader, field, PB_VARINT)) {
        return 0;
    }
    if (field->value > max) {
        pb_fail(reader, ERR_RANGE);
        return 0;
    }
    return field->value;
}

int64_t pb_int(struct pb_reader *reader, const struct pb_field *field)
{
    return has_form(reader, field, PB_VARINT) ? (int64_t)field->value : 0;
}

bool pb_bool(struct pb_reader *reader, const struct pb_field *field)
{
    return has_form(reader, field, PB_VARINT) && field->value != 0;
}

struct bytes pb_bytes(struct pb_reader *reader, const struct pb_field *field, size_t max)
{
    if (!has_form(reader, field, PB_BYTES)) {
        return BYTES_NONE;
    }
    if (field->bytes.len > max) {
        pb_fail(reader, ERR_RANGE);
        return BYTES_NONE;
    }
    return field->bytes;
}

size_t pb_count(struct bytes message, unsigned number)
{
    struct pb_reader reader;
    struct pb_field field;
    size_t count = 0;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        count += field.number == number;
    }
    return count;
}

void pb_put_varint(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_put_byte(out, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buf_put_byte(out, (uint8_t)value);
}

static void put_tag(struct buf *out, unsigned field, enum pb_wire wire)
{
    pb_put_varint(out, (uint64_t)field << 3 | (unsigned)wire);
}

void pb_put_uint(struct buf *out, unsigned field, uint64_t value)
{
    if (value != 0) {
        put_tag(out, field, PB_VARINT);
        pb_put_varint(out, value);
    }
}

void pb_put_fixed64(struct buf *out, unsigned field, uint64_t value)
{
    if (value == 0) {
        return;
    }
    put_tag(out, field, PB_FIXED64);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        buf_put_byte(out, (uint8_t)(value >> shift));
    }
}

void pb_put_message(struct buf *out, unsigned field, struct bytes value)
{
    put_tag(out, field, PB_BYTES);
    pb_put_varint(out, value.len);
    buf_put(out, value);
}

void pb_put_bytes(struct buf *out, unsigned field, struct bytes value)
{
    if (value.len > 0) {
        pb_put_message(out, field, value);
    }
}

static size_t varint_len(uint64_t value)
{
    size_t len = 1;
    for (; value >= 0x80; value >>= 7) {
        len++;
    }
    return len;
}

size_t pb_message_len(unsigned field, size_t len)
{
    return varint_len((uint64_t)field << 3) + varint_len(len) + len;
}
