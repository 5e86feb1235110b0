/* Commits of CometBFT as its validators would sign them, by keys of the test's own. */
#ifndef CAIRN_TEST_COMET_MAKER_H
#define CAIRN_TEST_COMET_MAKER_H

#include "check.h"
#include "fresh_signer.h"

#include "crypto/digest.h"
#include "crypto/signer.h"
#include "proof/commit.h"
#include "proof/header.h"

#define COMET_MADE_MAX 8

struct comet_maker {
    const char *chain;
    size_t count;
    struct signer *signers[COMET_MADE_MAX];
    struct validator at[COMET_MADE_MAX];
    struct validators set;
    struct hash set_hash;
    struct hash next_hash; /* what headers name as the next set: the same unless changed */
    struct arena arena;
};

/* The raw key is the end of the SPKI (RFC 8410). */
static inline struct hash comet_raw_key(const struct signer *signer)
{
    struct hash key;
    struct bytes spki = pubkey_spki(signer_pubkey(signer));
    memcpy(key.at, spki.at + spki.len - sizeof key.at, sizeof key.at);
    return key;
}

static inline int comet_by_address(const void *a, const void *b)
{
    struct hash left;
    struct hash right;
    struct hash left_key = comet_raw_key(*(struct signer *const *)a);
    struct hash right_key = comet_raw_key(*(struct signer *const *)b);
    sha256(&left, hash_bytes(&left_key));
    sha256(&right, hash_bytes(&right_key));
    return memcmp(left.at, right.at, 20);
}

/* `count` validators of power 1 each, in CometBFT's order. */
static inline void comet_begin(struct comet_maker *maker, const char *chain, size_t count)
{
    *maker = (struct comet_maker){.chain = chain, .count = count};
    for (size_t i = 0; i < count; i++) {
        maker->signers[i] = fresh_signer();
    }
    qsort(maker->signers, count, sizeof *maker->signers, comet_by_address);
    for (size_t i = 0; i < count; i++) {
        maker->at[i] = (struct validator){comet_raw_key(maker->signers[i]), 1};
    }
    maker->set = (struct validators){count, maker->at};
    validators_hash(&maker->set_hash, &maker->set);
    maker->next_hash = maker->set_hash;
}

static inline void comet_end(struct comet_maker *maker)
{
    for (size_t i = 0; i < maker->count; i++) {
        signer_free(maker->signers[i]);
    }
    arena_clear(&maker->arena);
}

static inline struct bytes comet_keep(struct comet_maker *maker, struct bytes bytes)
{
    return arena_copy(&maker->arena, bytes);
}

/* Has validator `i` sign; what it signs follows from the commit as it stands. */
static inline void comet_vote_make(struct comet_maker *maker, struct commit *commit, size_t i)
{
    struct hash hash;
    struct buf message = {0};
    uint8_t signature[64];
    comet_header_hash(&hash, &commit->header);
    commit->votes[i].there = true;
    commit->votes[i].time = commit->header.time;
    commit->votes[i].time.nanos = (uint32_t)(1000 + i);
    comet_vote_bytes(&message, commit, &hash, i);
    CHECK_OK(signer_sign(maker->signers[i], signature, buf_bytes(&message)));
    commit->votes[i].signature = comet_keep(maker, BYTES_OF(signature));
    buf_clear(&message);
}

/* A commit at CometBFT height `height` for a header whose app hash is `app`; the first `votes`
 * validators sign. What it borrows lives as long as the maker. */
static inline struct commit comet_commit(struct comet_maker *maker, const struct hash *app,
                                         uint64_t height, uint64_t time_ms, size_t votes)
{
    struct hash any = {{0x5a}};
    struct bytes some = comet_keep(maker, hash_bytes(&any));
    struct commit commit = {
        .header = {.block_version = 11,
                   .chain = bytes_text(maker->chain),
                   .height = height,
                   .time = {(int64_t)(time_ms / 1000), (uint32_t)(time_ms % 1000) * 1000000u},
                   .has_last_block = height > 1,
                   .last_block = any,
                   .last_parts_total = 1,
                   .last_parts_hash = any},
        .parts_total = 1,
        .parts_hash = any,
        .vote_count = maker->count,
        .set = maker->set,
    };
    for (size_t i = 0; i < COMET_HEADER_HASHES; i++) {
        commit.header.hashes[i] = some;
    }
    commit.header.hashes[COMET_APP] = comet_keep(maker, hash_bytes(app));
    commit.header.hashes[COMET_VALIDATORS] = comet_keep(maker, hash_bytes(&maker->set_hash));
    commit.header.hashes[COMET_NEXT_VALIDATORS] = comet_keep(maker, hash_bytes(&maker->next_hash));
    commit.header.hashes[COMET_PROPOSER] = (struct bytes){some.at, 20};
    commit.votes = arena_array(&maker->arena, maker->count, sizeof *commit.votes);
    for (size_t i = 0; i < votes; i++) {
        comet_vote_make(maker, &commit, i);
    }
    return commit;
}

#endif
