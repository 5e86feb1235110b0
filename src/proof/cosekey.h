/* Public keys as COSE_Key (RFC 9052 section 7), in which SCRAPI publishes receipt keys. */
#ifndef CAIRN_PROOF_COSEKEY_H
#define CAIRN_PROOF_COSEKEY_H

#include "proof/keyrecord.h"

/* Curve of SM2 keys: no number is registered for it, this one is for private use. */
#define COSE_CURVE_SM2 (-65537)

/* Appends the key of a record with its kid and alg: OKP with Ed25519, or EC2 with P-256 or SM2. */
void cose_key_write(struct buf *out, const struct hash *kid, const struct key_record *record);

#endif
