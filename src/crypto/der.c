#include "crypto/der.h"

#include <string.h>

#define DEPTH_MAX      24
#define CONSTRUCTED    0x20u
#define CLASS_MASK     0xc0u
#define TAG_MASK       0x1fu
#define TAG_BOOLEAN    0x01u
#define TAG_INTEGER    0x02u
#define TAG_BIT_STRING 0x03u
#define TAG_NULL       0x05u
#define TAG_OID        0x06u
#define TAG_ENUMERATED 0x0au
#define TAG_SEQUENCE   0x10u
#define TAG_SET        0x11u
#define LEN_OCTETS_MAX 4u

/* One value, taken off the front of what is left. */
struct value {
    uint8_t tag;
    struct bytes whole;
    struct bytes content;
};

/* The length octets at the front of `rest`. */
static enum err length_read(size_t *out, struct bytes *rest)
{
    if (rest->len == 0) {
        return ERR_TRUNCATED;
    }
    size_t first = rest->at[0];
    size_t octets = first & 0x7f;
    *rest = (struct bytes){rest->at + 1, rest->len - 1};
    if (first < 0x80) {
        *out = first;
        return OK;
    }
    if (octets == 0 || octets > LEN_OCTETS_MAX) {
        return ERR_NOT_CANONICAL;
    }
    if (rest->len < octets) {
        return ERR_TRUNCATED;
    }
    size_t len = 0;
    for (size_t i = 0; i < octets; i++) {
        len = len << 8 | rest->at[i];
    }
    if (len < 0x80 || len >> 8 * (octets - 1) == 0) {
        return ERR_NOT_CANONICAL;
    }
    *rest = (struct bytes){rest->at + octets, rest->len - octets};
    *out = len;
    return OK;
}

static enum err value_read(struct value *out, struct bytes *rest)
{
    const uint8_t *start = rest->at;
    size_t len;
    if (rest->len == 0) {
        return ERR_TRUNCATED;
    }
    out->tag = rest->at[0];
    if ((out->tag & TAG_MASK) == TAG_MASK) {
        return ERR_FORMAT;
    }
    *rest = (struct bytes){rest->at + 1, rest->len - 1};
    TRY(length_read(&len, rest));
    if (rest->len < len) {
        return ERR_TRUNCATED;
    }
    out->content = (struct bytes){rest->at, len};
    *rest = (struct bytes){rest->at + len, rest->len - len};
    out->whole = (struct bytes){start, (size_t)(rest->at - start)};
    return OK;
}

static enum err integer_check(struct bytes content)
{
    if (content.len == 0) {
        return ERR_FORMAT;
    }
    bool padded = content.len > 1 && ((content.at[0] == 0x00 && content.at[1] < 0x80) ||
                                      (content.at[0] == 0xff && content.at[1] >= 0x80));
    return padded ? ERR_NOT_CANONICAL : OK;
}

static enum err bit_string_check(struct bytes content)
{
    if (content.len == 0 || content.at[0] > 7 || (content.len == 1 && content.at[0] != 0)) {
        return ERR_FORMAT;
    }
    unsigned unused = (1u << content.at[0]) - 1;
    return content.len > 1 && (content.at[content.len - 1] & unused) ? ERR_NOT_CANONICAL : OK;
}

/* Arcs in base 128, each without leading zeros, the last one complete. */
static enum err oid_check(struct bytes content)
{
    bool begins = true;
    for (size_t i = 0; i < content.len; i++) {
        if (begins && content.at[i] == 0x80) {
            return ERR_NOT_CANONICAL;
        }
        begins = content.at[i] < 0x80;
    }
    return content.len > 0 && begins ? OK : ERR_FORMAT;
}

static enum err boolean_check(struct bytes content)
{
    if (content.len != 1) {
        return ERR_FORMAT;
    }
    return content.at[0] == 0x00 || content.at[0] == 0xff ? OK : ERR_NOT_CANONICAL;
}

static enum err universal_check(const struct value *value)
{
    switch (value->tag & TAG_MASK) {
    case 0:
        return ERR_FORMAT;
    case TAG_BOOLEAN:
        return boolean_check(value->content);
    case TAG_INTEGER:
    case TAG_ENUMERATED:
        return integer_check(value->content);
    case TAG_BIT_STRING:
        return bit_string_check(value->content);
    case TAG_NULL:
        return value->content.len == 0 ? OK : ERR_FORMAT;
    case TAG_OID:
        return oid_check(value->content);
    default:
        return OK;
    }
}

/* Whether universal types are constructed exactly where they must be (X.690, 8 and 10.2). */
static bool form_ok(uint8_t tag)
{
    unsigned number = tag & TAG_MASK;
    bool constructed = (tag & CONSTRUCTED) != 0;
    return (tag & CLASS_MASK) != 0 || constructed == (number == TAG_SEQUENCE || number == TAG_SET);
}

static enum err values_check(struct bytes in, bool set, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep */
static enum err value_check(const struct value *value, unsigned depth)
{
    if (!form_ok(value->tag)) {
        return ERR_NOT_CANONICAL;
    }
    if (value->tag & CONSTRUCTED) {
        return values_check(value->content, value->tag == (TAG_SET | CONSTRUCTED), depth + 1);
    }
    return (value->tag & CLASS_MASK) == 0 ? universal_check(value) : OK;
}

/* A row of values; those of a set ascend (X.690, 11.6).
 * NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep */
static enum err values_check(struct bytes in, bool set, unsigned depth)
{
    struct bytes before = BYTES_NONE;
    if (depth > DEPTH_MAX) {
        return ERR_DEPTH;
    }
    while (in.len > 0) {
        struct value value;
        TRY(value_read(&value, &in));
        TRY(value_check(&value, depth));
        if (set && before.at && bytes_compare(before, value.whole) > 0) {
            return ERR_NOT_CANONICAL;
        }
        before = value.whole;
    }
    return OK;
}

enum err der_check(struct bytes in)
{
    struct value value;
    TRY(value_read(&value, &in));
    if (in.len > 0) {
        return ERR_TRAILING;
    }
    return value_check(&value, 0);
}
