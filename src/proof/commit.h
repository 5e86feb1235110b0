/* CometBFT commits, carried in CBOR so that every byte is covered, and checked by rebuilding
 * CometBFT's own bytes (protocol.md 5, "Commit").
 *
 * A commit proves that validators with more than two thirds of the voting power signed one header;
 * its app hash is the hash of a header of ours. */
#ifndef CAIRN_PROOF_COMMIT_H
#define CAIRN_PROOF_COMMIT_H

#include "base/arena.h"
#include "base/why.h"
#include "codec/cbor.h"

#define VALIDATORS_MAX      256
#define COMET_POWER_MAX     (INT64_MAX / 8) /* of a whole set, as CometBFT has it */
#define COMET_CHAIN_MAX     50
#define COMET_HASH_MAX      64 /* bytes of any hash in a CometBFT header */
#define COMET_HEADER_HASHES 9

struct validator {
    struct hash key; /* Ed25519 */
    uint64_t power;
};

struct validators {
    size_t count;
    struct validator *at;
};

struct comet_time {
    int64_t seconds;
    uint32_t nanos;
};

/* The nine hashes that end a CometBFT header, in its order. */
enum comet_hash {
    COMET_LAST_COMMIT,
    COMET_DATA,
    COMET_VALIDATORS,
    COMET_NEXT_VALIDATORS,
    COMET_CONSENSUS,
    COMET_APP,
    COMET_LAST_RESULTS,
    COMET_EVIDENCE,
    COMET_PROPOSER
};

struct comet_header {
    uint64_t block_version;
    uint64_t app_version;
    struct bytes chain;
    uint64_t height;
    struct comet_time time;
    bool has_last_block; /* false at height 1 */
    struct hash last_block;
    uint64_t last_parts_total;
    struct hash last_parts_hash;
    struct bytes hashes[COMET_HEADER_HASHES];
};

struct comet_vote {
    bool there; /* false: this validator did not sign the block */
    struct comet_time time;
    struct bytes signature; /* 64 bytes */
};

struct commit {
    struct comet_header header;
    uint64_t round;
    uint64_t parts_total;
    struct hash parts_hash;
    size_t vote_count;
    struct comet_vote *votes;
    struct validators set;
};

/* Reads one commit where the reader stands; ranges borrow from its input, arrays lie in `arena`. */
void commit_read(struct cbor_reader *reader, struct commit *out, struct arena *arena);
void commit_write(struct buf *out, const struct commit *commit);
/* Reads a whole encoded commit. */
must_use enum err commit_parse(struct commit *out, struct bytes in, struct arena *arena);

/* A set of validators, its power in CometBFT's bounds, else ERR_RANGE; `distinct` asks for every
 * key only once (trust files), else ERR_FORMAT. */
void validators_read(struct cbor_reader *reader, struct validators *out, struct arena *arena,
                     bool distinct);
void validators_write(struct buf *out, const struct validators *set);
bool validators_equal(const struct validators *a, const struct validators *b);
/* CometBFT's hash of the set in the order given. */
void validators_hash(struct hash *out, const struct validators *set);

/* CometBFT's header hash, the Merkle root of its 14 encoded fields. */
void comet_header_hash(struct hash *out, const struct comet_header *header);
/* Appends the bytes that validator number `vote` signed. */
void comet_vote_bytes(struct buf *out, const struct commit *commit, const struct hash *header_hash,
                      size_t vote);
uint64_t comet_time_ms(const struct comet_time *time);

/* Checks that `set`, which the caller trusts at this CometBFT height, signed: same set in the
 * commit and in the header, no false signature, more than two thirds of the power. ERR_MISMATCH or
 * ERR_SIGNATURE; `why` says which. Whether chain and app hash are right is the caller's question.
 */
must_use enum err commit_check(const struct commit *commit, const struct validators *set,
                               struct why *why);

#endif
