/* The system's cryptographic random numbers. Code in ledger/ and modules/ may not include this. */
#ifndef CAIRN_CRYPTO_RANDOM_H
#define CAIRN_CRYPTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(uint8_t *out, size_t len);

#endif
