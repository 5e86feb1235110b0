#include "proof/id.h"

#include "codec/cbor.h"
#include "codec/text.h"
#include "crypto/digest.h"

#include <string.h>

#define DIGITS ((size_t)24)

/* Multiplies by a = 2 in GF(32) with x^5 + x^2 + 1. */
static unsigned field_double(unsigned value)
{
    value <<= 1;
    return value & 32 ? value ^ 0x25 : value;
}

/* The check digit: the sum of a^i * d_i for i = 1..24, by Horner's rule from d_24. */
static unsigned check_digit(const uint8_t digits[DIGITS])
{
    unsigned sum = 0;
    for (size_t i = DIGITS; i > 0; i--) {
        sum = field_double(sum ^ digits[i - 1]);
    }
    return sum;
}

void evidence_id_write(char out[EVIDENCE_ID_LEN + 1], const struct hash *statement_id,
                       uint16_t number)
{
    uint8_t raw[EVIDENCE_PREFIX_LEN + 2];
    uint8_t digits[DIGITS + 1];
    memcpy(raw, statement_id->at, EVIDENCE_PREFIX_LEN);
    put_u16(raw + EVIDENCE_PREFIX_LEN, number);
    for (size_t i = 0; i < DIGITS; i++) {
        size_t bit = 5 * i;
        unsigned pair = (unsigned)raw[bit / 8] << 8;
        pair |= bit / 8 + 1 < sizeof raw ? raw[bit / 8 + 1] : 0u;
        digits[i] = pair >> (11 - bit % 8) & 31;
    }
    digits[DIGITS] = (uint8_t)check_digit(digits);
    size_t at = 0;
    for (size_t i = 0; i <= DIGITS; i++) {
        if (i == 6 || i == 12 || i == 18) {
            out[at++] = '-';
        }
        out[at++] = crockford_digit(digits[i]);
    }
    out[at] = 0;
}

enum err evidence_id_read(uint8_t prefix[EVIDENCE_PREFIX_LEN], uint16_t *number, struct bytes text)
{
    uint8_t digits[DIGITS + 1];
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.at[i];
        if (c == '-' || c == ' ') {
            continue;
        }
        int value = crockford_value(c);
        if (value < 0 || count > DIGITS) {
            return ERR_FORMAT;
        }
        digits[count++] = (uint8_t)value;
    }
    if (count != DIGITS + 1) {
        return ERR_FORMAT;
    }
    if (check_digit(digits) != digits[DIGITS]) {
        return ERR_MISMATCH;
    }
    uint8_t raw[EVIDENCE_PREFIX_LEN + 2] = {0};
    for (size_t bit = 0; bit < 5 * DIGITS; bit++) {
        unsigned value = digits[bit / 5] >> (4 - bit % 5) & 1;
        raw[bit / 8] = (uint8_t)(raw[bit / 8] | value << (7 - bit % 8));
    }
    memcpy(prefix, raw, EVIDENCE_PREFIX_LEN);
    *number = get_u16(raw + EVIDENCE_PREFIX_LEN);
    return OK;
}

void ref_write(uint8_t out[REF_LEN], struct hash *k, struct bytes reference_key,
               struct bytes number)
{
    struct hash own_k;
    struct hash full;
    hmac_sha256(&own_k, reference_key, number);
    hmac_sha256(&full, hash_bytes(&own_k), number);
    memcpy(out, full.at, REF_LEN);
    if (k) {
        *k = own_k;
    }
}

void commitment_write(struct hash *out, struct bytes kind, const struct hash *salt,
                      struct bytes value_cbor)
{
    struct buf buf = {0};
    cbor_put_array(&buf, 4);
    cbor_put_literal(&buf, "cairn/commit/1");
    cbor_put_text(&buf, kind);
    cbor_put_hash(&buf, salt);
    buf_put(&buf, value_cbor);
    sha256(out, buf_bytes(&buf));
    buf_clear(&buf);
}
