#include "codec/text.h"

static const char hex_digits[] = "0123456789abcdef";

static void hex_encode(uint8_t *out, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        out[2 * i] = (uint8_t)hex_digits[in.at[i] >> 4];
        out[2 * i + 1] = (uint8_t)hex_digits[in.at[i] & 0x0f];
    }
}

/* The value of a hex digit of either case, or -1. */
static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    uint8_t lower = digit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes an even number of digits. */
static enum err hex_decode(uint8_t *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.at[i]);
        int low = hex_value(text.at[i + 1]);
        if (high < 0 || low < 0) {
            return ERR_FORMAT;
        }
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return OK;
}

void hex_put(struct buf *out, struct bytes in)
{
    if (in.len > 0) {
        hex_encode(buf_grow(out, 2 * in.len), in);
    }
}

void hex_write(char *out, struct bytes in)
{
    hex_encode((uint8_t *)out, in);
    out[2 * in.len] = 0;
}

enum err hex_read(uint8_t *out, size_t len, struct bytes text)
{
    if (text.len % 2 != 0) {
        return ERR_FORMAT;
    }
    if (text.len / 2 != len) {
        return ERR_RANGE;
    }
    return hex_decode(out, text);
}

enum err hex_append(struct buf *out, struct bytes text)
{
    if (text.len % 2 != 0) {
        return ERR_FORMAT;
    }
    if (text.len == 0) {
        return OK;
    }
    size_t before = out->len;
    enum err err = hex_decode(buf_grow(out, text.len / 2), text);
    if (err != OK) {
        out->len = before;
    }
    return err;
}

/* The two alphabets of RFC 4648 differ in their last two digits. */
struct base64 {
    uint8_t digit62;
    uint8_t digit63;
    bool padded;
};

static const struct base64 plain = {'+', '/', true};
static const struct base64 url = {'-', '_', false};

static uint8_t base64_digit(const struct base64 *kind, unsigned value)
{
    if (value < 26) {
        return (uint8_t)('A' + value);
    }
    if (value < 52) {
        return (uint8_t)('a' + (value - 26));
    }
    if (value < 62) {
        return (uint8_t)('0' + (value - 52));
    }
    return value == 62 ? kind->digit62 : kind->digit63;
}

static int base64_value(const struct base64 *kind, uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == kind->digit62 ? 62 : digit == kind->digit63 ? 63 : -1;
}

/* Encodes one to three bytes as two to four digits. */
static void base64_put_group(struct buf *out, const struct base64 *kind, const uint8_t *at,
                             size_t len)
{
    unsigned group = (unsigned)at[0] << 16;
    group |= len > 1 ? (unsigned)at[1] << 8 : 0;
    group |= len > 2 ? at[2] : 0;
    for (size_t i = 0; i < 4; i++) {
        if (i <= len) {
            buf_put_byte(out, base64_digit(kind, group >> (18 - 6 * i) & 0x3f));
        } else if (kind->padded) {
            buf_put_byte(out, '=');
        }
    }
}

static void base64_encode(struct buf *out, const struct base64 *kind, struct bytes in)
{
    buf_reserve(out, in.len / 3 * 4 + 4);
    for (size_t i = 0; i < in.len; i += 3) {
        base64_put_group(out, kind, in.at + i, in.len - i < 3 ? in.len - i : 3);
    }
}

/* Decodes two to four digits to one to three bytes; bits that no byte takes must be zero. */
static enum err base64_append_group(struct buf *out, const struct base64 *kind, const uint8_t *at,
                                    size_t len)
{
    unsigned group = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < len ? base64_value(kind, at[i]) : 0;
        if (value < 0) {
            return ERR_FORMAT;
        }
        group = group << 6 | (unsigned)value;
    }
    if (len < 2 || (len == 2 && (group & 0xffff) != 0) || (len == 3 && (group & 0xff) != 0)) {
        return ERR_FORMAT;
    }
    for (size_t i = 0; i + 1 < len; i++) {
        buf_put_byte(out, (uint8_t)(group >> (16 - 8 * i)));
    }
    return OK;
}

static enum err base64_decode(struct buf *out, const struct base64 *kind, struct bytes digits)
{
    size_t before = out->len;
    buf_reserve(out, digits.len / 4 * 3 + 3);
    for (size_t i = 0; i < digits.len; i += 4) {
        size_t len = digits.len - i < 4 ? digits.len - i : 4;
        enum err err = base64_append_group(out, kind, digits.at + i, len);
        if (err != OK) {
            out->len = before;
            return err;
        }
    }
    return OK;
}

void base64_put(struct buf *out, struct bytes in)
{
    base64_encode(out, &plain, in);
}

enum err base64_append(struct buf *out, struct bytes text)
{
    if (text.len % 4 != 0) {
        return ERR_FORMAT;
    }
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.at[text.len - 1 - padding] == '=') {
        padding++;
    }
    return base64_decode(out, &plain, (struct bytes){text.at, text.len - padding});
}

void base64url_put(struct buf *out, struct bytes in)
{
    base64_encode(out, &url, in);
}

enum err base64url_append(struct buf *out, struct bytes text)
{
    return base64_decode(out, &url, text);
}

static const char crockford_digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

char crockford_digit(unsigned value)
{
    BUG_ON(value >= 32);
    return crockford_digits[value];
}

int crockford_value(char digit)
{
    switch (digit) {
    case 'I':
    case 'i':
    case 'L':
    case 'l':
        return 1;
    case 'O':
    case 'o':
        return 0;
    default:
        break;
    }
    for (unsigned value = 0; value < 32; value++) {
        char upper = crockford_digits[value];
        bool is_letter = upper >= 'A';
        if (digit == upper || (is_letter && digit == (upper | 0x20))) {
            return (int)value;
        }
    }
    return -1;
}
