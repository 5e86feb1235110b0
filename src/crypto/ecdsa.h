/* Inside crypto/ only: ECDSA and SM2 signatures as bytes. Everything here is public data, so plain
 * byte arithmetic is enough and exact. */
#ifndef CAIRN_CRYPTO_ECDSA_H
#define CAIRN_CRYPTO_ECDSA_H

#include "base/bytes.h"

/* The longest DER signature of a 256-bit curve, in bytes. */
#define ECDSA_DER_MAX 72

/* Whether s is at most (n-1)/2 for P-256. */
bool p256_low_s(const uint8_t *rs64);

/* Writes SEQUENCE { INTEGER r, INTEGER s } in DER and returns its length. */
size_t ecdsa_der_write(uint8_t out[ECDSA_DER_MAX], const uint8_t *rs64);
/* Reads what ecdsa_der_write writes and nothing else: no BER, no negative or over-long integer, no
 * trailing byte. ERR_SIGNATURE. */
must_use enum err ecdsa_der_read(uint8_t *rs64, struct bytes der);

#endif
