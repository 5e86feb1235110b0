/* Trust files (NAME.trust, protocol.md 5): what a verifier knows beforehand of one ledger, compared
 * out of band. Regimes say who vouches for a head, and heads are those already known. */
#ifndef CAIRN_PROOF_TRUST_H
#define CAIRN_PROOF_TRUST_H

#include "base/arena.h"
#include "crypto/key.h"
#include "proof/commit.h"
#include "proof/header.h"

#define TRUST_MAX         (1u << 20) /* bytes of a trust file */
#define TRUST_REGIMES_MAX 64
#define TRUST_KEYS_MAX    1024
#define TRUST_RANGES_MAX  1024
#define TRUST_HEADS_MAX   16384
#define TRUST_OTHERS_MAX  64 /* authorities, witnesses */
#define LEDGER_NAME_MAX   64
#define NODE_NAME_MAX     64
#define AUTHORITY_MAX     16384
#define WITNESS_MAX       256

/* Where a head stands; ordered by epoch, then height. */
struct place {
    uint64_t epoch;
    uint64_t height;
};
int place_compare(struct place a, struct place b);

enum key_status { KEY_IN_FORCE, KEY_ROTATED, KEY_STOLEN };

/* A node's receipt key and the heads it may sign. */
struct receipt_key {
    struct bytes spki;
    struct pubkey *key; /* owned by the trust file */
    struct bytes node;
    struct place from;
    bool has_to;
    struct place to; /* the last head that counts */
    bool has_ended;
    uint64_t ended_ms;
    enum key_status status;
};

/* A set of validators and the CometBFT heights it answers for. */
struct comet_range {
    uint64_t from;
    bool has_to;
    uint64_t to;
    struct validators set;
    bool has_ended;
    uint64_t ended_ms;
};

struct trust_regime {
    uint64_t from; /* height of ours */
    bool comet;
    struct bytes comet_chain;
    size_t range_count; /* of comet regimes: one or more */
    struct comet_range *ranges;
    size_t key_count;
    struct receipt_key *keys;
};

struct head {
    struct place place;
    struct hash hash;
    uint64_t size;
    struct hash root;
    bool lost;
};

struct trust {
    struct arena arena; /* holds everything below */
    struct bytes name;
    struct hash chain;
    size_t regime_count; /* one or more, the first from height 0 */
    struct trust_regime *regimes;
    size_t head_count;
    struct head *heads; /* ascending */
    size_t authority_count;
    struct bytes *authorities; /* DER certificates */
    size_t witness_count;
    struct bytes *witnesses; /* C2SP vkeys */
};

/* Reads a trust file; *out owns a copy and is freed with trust_free (NULL on error). ERR_VERSION,
 * ERR_KEY, ERR_FORMAT, reader's errors. */
must_use enum err trust_parse(struct trust **out, struct bytes in, struct why *why);
/* NULL is allowed. */
void trust_free(struct trust *trust);
void trust_write(struct buf *out, const struct trust *trust);
/* How many elements an array of keys, ranges or heads has room for that a reader made of `count`:
 * always more, a power of two. */
size_t trust_room(size_t count);

/* The regime of a height; there is always one. */
const struct trust_regime *trust_regime(const struct trust *trust, uint64_t height);
/* The listing of `kid` that covers `place`, or else any listing of it, or NULL. */
const struct receipt_key *regime_key(const struct trust_regime *regime, const struct hash *kid,
                                     struct place place);
bool receipt_key_covers(const struct receipt_key *key, struct place place);
/* The range that holds a CometBFT height, or NULL. */
const struct comet_range *regime_range(const struct trust_regime *regime, uint64_t comet_height);

struct place header_place(const struct header *header);
/* The listed head at a place, or NULL. */
const struct head *trust_head(const struct trust *trust, struct place place);
/* Whether exactly this header is a listed head. */
bool trust_lists(const struct trust *trust, const struct header *header);
/* The newest listed head that isn't lost, or NULL. */
const struct head *trust_newest(const struct trust *trust);
/* How often the ledger was restarted, as far as this trust file and `epoch` show. */
uint64_t trust_restarts(const struct trust *trust, uint64_t epoch);

#endif
