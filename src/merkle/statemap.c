#include "merkle/statemap.h"

#include "merkle/pair.h"

/* Writes the head of a CBOR text of `len` bytes (RFC 8949 3.1, shortest form); returns its size. */
static size_t text_head(uint8_t *out5, size_t len)
{
    BUG_ON(len > UINT32_MAX);
    if (len < 24) {
        out5[0] = (uint8_t)(0x60 | len);
        return 1;
    }
    if (len <= UINT8_MAX) {
        out5[0] = 0x78;
        out5[1] = (uint8_t)len;
        return 2;
    }
    if (len <= UINT16_MAX) {
        out5[0] = 0x79;
        put_u16(out5 + 1, (uint16_t)len);
        return 3;
    }
    out5[0] = 0x7a;
    put_u32(out5 + 1, (uint32_t)len);
    return 5;
}

void state_key_hash(struct hash *out, struct bytes module, struct bytes key_cbor)
{
    uint8_t head[6] = {0x82}; /* an array of two, the first a text */
    size_t head_len = 1 + text_head(head + 1, module.len);
    const struct bytes parts[] = {{head, head_len}, module, key_cbor};
    sha256_parts(out, parts, 3);
}

void state_value_hash(struct hash *out, struct bytes value)
{
    sha256(out, value);
}

void state_leaf_hash(struct hash *out, const struct hash *key_hash, const struct hash *value_hash)
{
    pair_hash(out, 0x10, key_hash, value_hash);
}

void state_node_hash(struct hash *out, const struct hash *left, const struct hash *right)
{
    pair_hash(out, 0x11, left, right);
}

unsigned state_bit(const struct hash *key_hash, unsigned depth)
{
    return (unsigned)(key_hash->at[depth / 8] >> (7 - depth % 8)) & 1;
}

/* Climbs from the node in the key's place at depth `count` to the root. */
static void climb(struct hash *out, struct hash node, const struct hash *key_hash,
                  const struct hash *siblings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (state_bit(key_hash, (unsigned)(count - 1 - i))) {
            state_node_hash(&node, &siblings[i], &node);
        } else {
            state_node_hash(&node, &node, &siblings[i]);
        }
    }
    *out = node;
}

enum err state_presence_root(struct hash *out, const struct hash *key_hash, struct bytes value,
                             const struct hash *siblings, size_t count)
{
    if (count > SIBLINGS_MAX) {
        return ERR_RANGE;
    }
    struct hash leaf;
    state_value_hash(&leaf, value);
    state_leaf_hash(&leaf, key_hash, &leaf);
    climb(out, leaf, key_hash, siblings, count);
    return OK;
}

static bool shares_leading_bits(const struct hash *a, const struct hash *b, size_t count)
{
    for (unsigned depth = 0; depth < count; depth++) {
        if (state_bit(a, depth) != state_bit(b, depth)) {
            return false;
        }
    }
    return true;
}

enum err state_absence_root(struct hash *out, const struct hash *key_hash,
                            const struct hash *other_key_hash, const struct hash *other_value_hash,
                            const struct hash *siblings, size_t count)
{
    if (count > SIBLINGS_MAX) {
        return ERR_RANGE;
    }
    BUG_ON((other_key_hash == NULL) != (other_value_hash == NULL));
    struct hash place = {0};
    if (other_key_hash != NULL) {
        if (hash_equal(other_key_hash, key_hash) ||
            !shares_leading_bits(other_key_hash, key_hash, count)) {
            return ERR_MISMATCH;
        }
        state_leaf_hash(&place, other_key_hash, other_value_hash);
    }
    climb(out, place, key_hash, siblings, count);
    return OK;
}
