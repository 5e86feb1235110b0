/* Who orders a ledger that several institutions run: the regime record, module "governance", state
 * key ["regime"] (protocol.md 9). Where it stands, CometBFT orders the blocks above `from`; a
 * ledger without one is ordered by its only node.
 *
 * [1, CometBFT chain id, from height, [+ [consensus key, power, node member id]]], the validators
 * in CometBFT's own order: more power first, then the lower address. */
#ifndef CAIRN_LEDGER_REGIME_H
#define CAIRN_LEDGER_REGIME_H

#include "proof/commit.h"
#include "proof/id.h"

#define REGIME_MODULE     "governance"
#define COMET_ADDRESS_LEN 20

struct genesis;
struct view;

struct regime_validator {
    struct hash key; /* Ed25519, as it is in the end of its SPKI */
    uint64_t power;
    struct bytes node; /* member id */
};

/* About 14 KiB. */
struct regime {
    struct bytes chain; /* CometBFT's chain id, 1 to COMET_CHAIN_MAX bytes of text */
    uint64_t from;      /* the first height of ours whose head CometBFT commits */
    size_t count;
    struct regime_validator validators[VALIDATORS_MAX];
};

/* Ranges borrow. ERR_VERSION; ERR_RANGE for a power of 0 or more than CometBFT adds up; ERR_FORMAT
 * for another order or a key twice; reader's errors. */
must_use enum err regime_parse(struct regime *out, struct bytes in);
/* Writes the validators as they stand: sort first. */
void regime_write(struct buf *out, const struct regime *regime);
/* Puts the validators in CometBFT's order. */
void regime_sort(struct regime *regime);
/* Appends the state key ["regime"]; module REGIME_MODULE is not part of it. */
void regime_state_key(struct buf *out);

/* Reads the regime as of a view, which borrows from `bytes` (emptied first). ERR_NOT_FOUND in a
 * ledger that is run by one institution; regime_parse's and view_state's errors. */
must_use enum err regime_get(struct regime *out, struct buf *bytes, const struct view *view);

/* CometBFT's address of a validator or peer: the first bytes of SHA-256(key). */
void comet_address(uint8_t out[COMET_ADDRESS_LEN], const struct hash *key);
/* Appends "cairn-" and the first 16 hex digits of the ledger's chain id, then, unless `from` is 0,
 * "-" and that height in decimal. */
void regime_chain_write(struct buf *out, const struct hash *chain, uint64_t from);
/* The 32 bytes of an Ed25519 key at the end of its SPKI. */
struct hash comet_key(struct bytes spki);

/* The regime with which a ledger begins whose genesis lists consensus keys: every one with power 1,
 * from height 0. False if it lists none. `chain_text`, emptied first, holds what `out->chain`
 * borrows; the rest borrows from the genesis. */
bool regime_of_genesis(struct regime *out, const struct genesis *genesis, const struct hash *chain,
                       struct buf *chain_text);

#endif
