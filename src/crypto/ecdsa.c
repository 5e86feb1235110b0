#include "crypto/ecdsa.h"
#include "crypto/key.h"

#include <string.h>

#define HALF 32 /* bytes of r, and of s */

enum { DER_INTEGER = 0x02, DER_SEQUENCE = 0x30 };

/* The order n of P-256 (SP 800-186, 3.2.1.3) and (n-1)/2. */
static const uint8_t order[HALF] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t half_order[HALF] = {
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

static bool scalar_in_range(const uint8_t *scalar)
{
    static const uint8_t zero[HALF];
    return memcmp(scalar, zero, HALF) != 0 && memcmp(scalar, order, HALF) < 0;
}

bool p256_low_s(const uint8_t *rs64)
{
    return memcmp(rs64 + HALF, half_order, HALF) <= 0;
}

enum err es256_normalise(uint8_t *signature64)
{
    if (!scalar_in_range(signature64) || !scalar_in_range(signature64 + HALF)) {
        return ERR_SIGNATURE;
    }
    if (p256_low_s(signature64)) {
        return OK;
    }
    uint8_t *s = signature64 + HALF;
    int borrow = 0;
    for (size_t i = HALF; i-- > 0;) {
        int difference = order[i] - s[i] - borrow;
        borrow = difference < 0;
        s[i] = (uint8_t)(difference & 0xff);
    }
    return OK;
}

/* Writes one INTEGER: no leading zero byte unless the number would read as negative. */
static size_t integer_write(uint8_t *out, const uint8_t *scalar)
{
    size_t skip = 0;
    while (skip < HALF - 1 && scalar[skip] == 0) {
        skip++;
    }
    size_t pad = scalar[skip] >> 7;
    size_t len = HALF - skip;
    out[0] = DER_INTEGER;
    out[1] = (uint8_t)(pad + len);
    out[2] = 0;
    memcpy(out + 2 + pad, scalar + skip, len);
    return 2 + pad + len;
}

size_t ecdsa_der_write(uint8_t out[ECDSA_DER_MAX], const uint8_t *rs64)
{
    size_t len = integer_write(out + 2, rs64);
    len += integer_write(out + 2 + len, rs64 + HALF);
    out[0] = DER_SEQUENCE;
    out[1] = (uint8_t)len;
    return 2 + len;
}

/* Takes one INTEGER of 1 to 33 bytes off the front of `rest`, as a 32-byte number. */
static bool integer_read(uint8_t *scalar, struct bytes *rest)
{
    if (rest->len < 3 || rest->at[0] != DER_INTEGER) {
        return false;
    }
    size_t len = rest->at[1];
    if (len < 1 || len > HALF + 1 || len > rest->len - 2) {
        return false;
    }
    const uint8_t *at = rest->at + 2;
    *rest = (struct bytes){at + len, rest->len - 2 - len};
    if (len == HALF + 1 && *at++ != 0) {
        return false;
    }
    size_t digits = len > HALF ? HALF : len;
    memset(scalar, 0, HALF - digits);
    memcpy(scalar + HALF - digits, at, digits);
    return true;
}

enum err ecdsa_der_read(uint8_t *rs64, struct bytes der)
{
    if (der.len < 2 || der.at[0] != DER_SEQUENCE || der.at[1] != der.len - 2) {
        return ERR_SIGNATURE;
    }
    struct bytes rest = {der.at + 2, der.len - 2};
    if (!integer_read(rs64, &rest) || !integer_read(rs64 + HALF, &rest)) {
        return ERR_SIGNATURE;
    }
    /* There is one encoding: whatever was lax above, trailing bytes too, is a difference here. */
    uint8_t again[ECDSA_DER_MAX];
    struct bytes strict = {again, ecdsa_der_write(again, rs64)};
    return bytes_equal(strict, der) ? OK : ERR_SIGNATURE;
}

enum err ecdsa_der_normalise(struct buf *out, struct bytes signature_der)
{
    uint8_t rs64[2 * HALF];
    TRY(ecdsa_der_read(rs64, signature_der));
    TRY(es256_normalise(rs64));
    uint8_t der[ECDSA_DER_MAX];
    buf_put(out, (struct bytes){der, ecdsa_der_write(der, rs64)});
    return OK;
}
