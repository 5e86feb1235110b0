/* A ledger of a few blocks in memory, made by the simplest means, for tests of what is proved about
 * one: log, state map, history and receipts. */
#ifndef CAIRN_TEST_MINI_LEDGER_H
#define CAIRN_TEST_MINI_LEDGER_H

#include "check.h"

#include "base/file.h"
#include "merkle/statemap.h"
#include "merkle/tree.h"
#include "proof/header.h"
#include "proof/keyrecord.h"
#include "proof/parts.h"
#include "proof/receipt.h"
#include "proof/statement.h"

#define MINI_MAX 16

struct mini_pair {
    struct hash key;
    struct buf value;
};

struct mini {
    struct hash chain;
    size_t size;
    struct buf entries[MINI_MAX];
    struct hash leaves[MINI_MAX];
    size_t pair_count;
    struct mini_pair pairs[MINI_MAX]; /* the state now */
    size_t height;                    /* of the next block */
    struct header headers[MINI_MAX];
    struct hash history[MINI_MAX]; /* history leaves */
};

/* With CAIRN_GOLDEN set to a folder, writes a file of test/vectors/golden/ there: artefacts as this
 * version makes them, which every later version must take. */
static inline void golden_write(const char *name, struct bytes bytes)
{
    const char *folder = getenv("CAIRN_GOLDEN");
    char path[512];
    if (folder) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        CHECK_OK(file_write(path, bytes, 0644, NULL));
    }
}

static inline void golden_read(struct buf *out, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/golden/%s", VECTORS, name);
    CHECK_OK(file_read(out, path, 1u << 20, NULL));
}

static inline struct signer *mini_signer(void)
{
    struct signer *signer;
    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    buf_clear(&pem);
    return signer;
}

/* Root of a complete subtree of an array of leaves. */
static inline enum err mini_subtree(void *context, struct hash *out, unsigned level, uint64_t index)
{
    const struct hash *leaves = context;
    struct frontier frontier = {0};
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        frontier_append(&frontier, &leaves[i]);
    }
    frontier_root(&frontier, out);
    return OK;
}

static inline struct path mini_path(struct hash *leaves, uint64_t index, uint64_t size)
{
    struct path path;
    CHECK_OK(path_build(&path, index, size, mini_subtree, leaves));
    return path;
}

/* Root of the pairs whose keys share `depth` bits, and, on the way down to `key` (or NULL), its
 * siblings from the leaf to the root. */
static inline struct hash mini_state(struct mini_pair **pairs, size_t count, unsigned depth,
                                     const struct hash *key, struct siblings *siblings)
{
    struct hash out = {0};
    struct mini_pair *side[2][MINI_MAX];
    size_t counts[2] = {0, 0};
    if (count == 1) {
        struct hash value;
        state_value_hash(&value, buf_bytes(&pairs[0]->value));
        state_leaf_hash(&out, &pairs[0]->key, &value);
    }
    if (count < 2) {
        return out;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned bit = state_bit(&pairs[i]->key, depth);
        side[bit][counts[bit]++] = pairs[i];
    }
    unsigned own = key ? state_bit(key, depth) : 2;
    struct hash roots[2];
    for (unsigned bit = 0; bit < 2; bit++) {
        roots[bit] =
            mini_state(side[bit], counts[bit], depth + 1, own == bit ? key : NULL, siblings);
    }
    if (key) {
        siblings->at[siblings->count++] = roots[1 - own];
    }
    state_node_hash(&out, &roots[0], &roots[1]);
    return out;
}

static inline struct hash mini_state_root(struct mini *mini, const struct hash *key,
                                          struct siblings *siblings)
{
    struct mini_pair *all[MINI_MAX];
    for (size_t i = 0; i < mini->pair_count; i++) {
        all[i] = &mini->pairs[i];
    }
    if (siblings) {
        siblings->count = 0;
    }
    return mini_state(all, mini->pair_count, 0, key, siblings);
}

static inline void mini_put(struct mini *mini, struct bytes module, struct bytes key,
                            struct bytes value)
{
    struct hash hash;
    size_t i = 0;
    state_key_hash(&hash, module, key);
    while (i < mini->pair_count && !hash_equal(&mini->pairs[i].key, &hash)) {
        i++;
    }
    mini->pair_count += i == mini->pair_count;
    mini->pairs[i].key = hash;
    mini->pairs[i].value.len = 0;
    buf_put(&mini->pairs[i].value, value);
}

/* Puts the record of a signer's key; an `until` of 0 is none. */
static inline void mini_put_key(struct mini *mini, const struct signer *signer, const char *member,
                                enum purpose purpose, uint64_t from, uint64_t until)
{
    struct buf key = {0};
    struct buf value = {0};
    const struct pubkey *pubkey = signer_pubkey(signer);
    struct key_record record = {
        .spki = pubkey_spki(pubkey),
        .alg = signer_alg(signer),
        .purpose = purpose,
        .member = bytes_text(member),
        .from = from,
        .has_until = until > 0,
        .until = until,
    };
    key_record_write(&value, &record);
    key_record_state_key(&key, pubkey_kid(pubkey));
    mini_put(mini, bytes_text("member"), buf_bytes(&key), buf_bytes(&value));
    buf_clear(&key);
    buf_clear(&value);
}

/* The record of a key as it stands now, and its siblings. Borrows from `mini`. */
static inline struct bytes mini_record(struct mini *mini, const struct signer *signer,
                                       struct siblings *siblings)
{
    struct buf key = {0};
    struct hash hash;
    key_record_state_key(&key, pubkey_kid(signer_pubkey(signer)));
    state_key_hash(&hash, bytes_text("member"), buf_bytes(&key));
    buf_clear(&key);
    mini_state_root(mini, &hash, siblings);
    for (size_t i = 0; i < mini->pair_count; i++) {
        if (hash_equal(&mini->pairs[i].key, &hash)) {
            return buf_bytes(&mini->pairs[i].value);
        }
    }
    return BYTES_NONE;
}

static inline void mini_entry(struct mini *mini, struct bytes entry)
{
    buf_put(&mini->entries[mini->size], entry);
    leaf_hash(&mini->leaves[mini->size], entry);
    mini->size++;
}

/* Signs a statement by member `member` and appends it to the log. */
static inline void mini_statement(struct mini *mini, const struct signer *signer,
                                  const char *member, const char *type, struct bytes body)
{
    struct buf entry = {0};
    static const uint8_t nonce[16];
    struct draft draft = {
        .content_type = type,
        .iss = bytes_text(member),
        .sub = bytes_text("test"),
        .iat = 1700000000,
        .chain = mini->chain,
        .valid_until = 1700000060000,
        .nonce16 = nonce,
        .payload = body,
    };
    CHECK_OK(statement_sign(&entry, &draft, signer));
    mini_entry(mini, buf_bytes(&entry));
    buf_clear(&entry);
}

static inline struct hash mini_tree_root(const struct hash *leaves, size_t count)
{
    struct frontier frontier = {0};
    struct hash root;
    for (size_t i = 0; i < count; i++) {
        frontier_append(&frontier, &leaves[i]);
    }
    frontier_root(&frontier, &root);
    return root;
}

/* Closes the block of all entries since the last one; returns its header. */
static inline const struct header *mini_block(struct mini *mini, uint64_t epoch)
{
    size_t height = mini->height++;
    struct header *header = &mini->headers[height];
    struct hash hash;
    *header = (struct header){
        .suite = SUITE_1,
        .chain = mini->chain,
        .epoch = epoch,
        .height = height,
        .time_ms = 1700000000000 + 1000 * height,
        .first_index = height > 0 ? header[-1].tree_size : 0,
        .tree_size = mini->size,
        .tree_root = mini_tree_root(mini->leaves, mini->size),
        .state_root = mini_state_root(mini, NULL, NULL),
        .history_root = mini_tree_root(mini->history, height),
    };
    if (height > 0) {
        header_hash(&header->previous, header - 1);
        header->previous_time_ms = header[-1].time_ms;
    }
    header_hash(&hash, header);
    leaf_hash(&mini->history[height], hash_bytes(&hash));
    return header;
}

static inline void mini_clear(struct mini *mini)
{
    for (size_t i = 0; i < MINI_MAX; i++) {
        buf_clear(&mini->entries[i]);
        buf_clear(&mini->pairs[i].value);
    }
}

#endif
