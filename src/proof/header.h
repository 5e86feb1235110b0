/* Block headers (protocol.md 4). */
#ifndef CAIRN_PROOF_HEADER_H
#define CAIRN_PROOF_HEADER_H

#include "codec/cbor.h"

#define SUITE_1    1
#define HEADER_MAX 320 /* bytes, encoded */

struct header {
    uint64_t suite;
    struct hash chain;
    uint64_t epoch;
    uint64_t height;
    uint64_t time_ms;
    struct hash previous;
    uint64_t previous_time_ms;
    uint64_t first_index;
    uint64_t tree_size;
    struct hash tree_root;
    struct hash state_root;
    struct hash history_root;
};

/* Reads one encoded header exactly. ERR_VERSION, ERR_UNSUPPORTED (suite), reader's errors. */
must_use enum err header_parse(struct header *out, struct bytes in);
void header_write(struct buf *out, const struct header *header);
/* SHA-256 of the encoding. */
void header_hash(struct hash *out, const struct header *header);

#endif
