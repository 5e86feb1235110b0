/* Hashing rules of the state map, a compact sparse Merkle tree (protocol.md 4): what a verifier
 * needs. The tree itself is kept by the ledger.
 *
 * Bits of a key hash are taken from the most significant. leaf = SHA-256(0x10 || key hash ||
 * SHA-256(value)), node = SHA-256(0x11 || left || right), empty = 32 zero bytes; a subtree of one
 * leaf is that leaf. */
#ifndef CAIRN_MERKLE_STATEMAP_H
#define CAIRN_MERKLE_STATEMAP_H

#include "base/bytes.h"

#define SIBLINGS_MAX 256

/* `key_cbor` is the encoded key; key hash = SHA-256(CBOR [module, key]). */
void state_key_hash(struct hash *out, struct bytes module, struct bytes key_cbor);
void state_value_hash(struct hash *out, struct bytes value);
void state_leaf_hash(struct hash *out, const struct hash *key_hash, const struct hash *value_hash);
void state_node_hash(struct hash *out, const struct hash *left, const struct hash *right);
/* Bit `depth` (0 = most significant) of a key hash. */
unsigned state_bit(const struct hash *key_hash, unsigned depth);

/* Computes the root that a presence proof leads to; siblings go from the leaf to the root.
 * ERR_RANGE for more than 256 siblings. */
must_use enum err state_presence_root(struct hash *out, const struct hash *key_hash,
                                      struct bytes value, const struct hash *siblings,
                                      size_t count);

/* Computes the root that an absence proof leads to. `other` is the leaf that stands in the key's
 * place, or both pointers are NULL where the place is empty. ERR_RANGE; ERR_MISMATCH if the other
 * key hash is the same or shares fewer than `count` leading bits. */
must_use enum err state_absence_root(struct hash *out, const struct hash *key_hash,
                                     const struct hash *other_key_hash,
                                     const struct hash *other_value_hash,
                                     const struct hash *siblings, size_t count);

#endif
