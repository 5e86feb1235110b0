/* ASN.1 values in DER (X.690): what is signed has one encoding, so nothing else is read. */
#ifndef CAIRN_CRYPTO_DER_H
#define CAIRN_CRYPTO_DER_H

#include "base/bytes.h"

/* Whether `in` is exactly one value in DER: definite lengths in their shortest form, tags below 31,
 * universal types primitive or constructed as they must be, sets in order, and the contents of
 * BOOLEAN, INTEGER, BIT STRING, NULL and OBJECT IDENTIFIER as DER writes them. What stands inside
 * an OCTET STRING or a primitive value of another class is not looked at.
 * ERR_TRUNCATED, ERR_TRAILING, ERR_NOT_CANONICAL, ERR_DEPTH (more than 24), ERR_FORMAT (an empty
 * INTEGER or the like). */
must_use enum err der_check(struct bytes in);

#endif
