/* The one shape in which this layer hashes: a prefix byte and two hashes, 65 bytes. A fixed buffer
 * and one call are faster than feeding three parts to an incremental state. */
#ifndef CAIRN_MERKLE_PAIR_H
#define CAIRN_MERKLE_PAIR_H

#include "crypto/digest.h"

#include <string.h>

/* `out` may be one of the inputs. */
static inline void pair_hash(struct hash *out, uint8_t prefix, const struct hash *left,
                             const struct hash *right)
{
    uint8_t input[1 + 2 * sizeof(struct hash)];
    input[0] = prefix;
    memcpy(input + 1, left->at, sizeof left->at);
    memcpy(input + 1 + sizeof left->at, right->at, sizeof right->at);
    sha256(out, BYTES_OF(input));
}

#endif
