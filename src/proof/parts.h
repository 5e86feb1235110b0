/* Paths in CBOR: arrays of 32-byte hashes (protocol.md 3 to 5). */
#ifndef CAIRN_PROOF_PARTS_H
#define CAIRN_PROOF_PARTS_H

#include "codec/cbor.h"
#include "merkle/statemap.h"
#include "merkle/tree.h"

/* Siblings of a state proof, leaf to root. */
struct siblings {
    size_t count;
    struct hash at[SIBLINGS_MAX];
};

/* At most PATH_MAX_LEN and SIBLINGS_MAX hashes, else ERR_RANGE. */
void path_read(struct cbor_reader *reader, struct path *out);
void siblings_read(struct cbor_reader *reader, struct siblings *out);
void path_write(struct buf *out, const struct path *path);
void siblings_write(struct buf *out, const struct siblings *siblings);

#endif
