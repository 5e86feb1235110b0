/* The state map (protocol.md 4) in memory: a compact sparse Merkle tree whose versions share what
 * they have in common.
 *
 * Putting or removing a key makes another version, which copies the nodes on the way to that key
 * and shares all others; so a block's changes are dropped by releasing one version, and readers
 * hold the version of a published head while the next is built. Hashes are computed when a root is
 * asked for, once for each node that is new since.
 *
 * Threads: one owner makes versions and asks for their roots. A version whose root has been asked
 * for may be read (find, prove, root, count, retain, release) by any thread. Nothing here fails;
 * running out of memory aborts. */
#ifndef CAIRN_LEDGER_STATETREE_H
#define CAIRN_LEDGER_STATETREE_H

#include "merkle/statemap.h"

struct statetree;

/* The caller owns what these return, and releases it. */
struct statetree *statetree_empty(void);
struct statetree *statetree_put(struct statetree *tree, const struct hash *key_hash,
                                const struct hash *value_hash);
/* Returns `tree` itself, retained, if it does not hold the key. */
struct statetree *statetree_remove(struct statetree *tree, const struct hash *key_hash);
struct statetree *statetree_retain(struct statetree *tree);
/* NULL is nothing. */
void statetree_release(struct statetree *tree);

/* The same on the caller's own reference, which moves to the new version. Where nothing else refers
 * to the old one or to a node of it, that is changed in place: after statetree_retain of the
 * committed version, a block of many changes copies each node once at most. */
void statetree_set(struct statetree **tree, const struct hash *key_hash,
                   const struct hash *value_hash);
void statetree_unset(struct statetree **tree, const struct hash *key_hash);

uint64_t statetree_count(const struct statetree *tree);
/* 32 zero bytes for the empty tree. */
void statetree_root(struct statetree *tree, struct hash *out);
/* Whether the tree holds the key; then *value_hash is what it was put with. */
bool statetree_find(const struct statetree *tree, const struct hash *key_hash,
                    struct hash *value_hash);

/* What the tree has in a key's place, and the way from there to the root: the arguments of
 * state_presence_root and state_absence_root. */
struct state_place {
    enum state_found {
        STATE_EMPTY,  /* absent: nothing stands in the place */
        STATE_OTHER,  /* absent: the leaf of another key stands there */
        STATE_PRESENT /* the key itself */
    } found;
    struct hash leaf_key;   /* of the leaf that stands there, unless empty */
    struct hash leaf_value; /* its value hash */
    size_t count;
    struct hash siblings[SIBLINGS_MAX]; /* from the leaf to the root */
};

/* The root of this version must have been asked for before. */
void statetree_prove(const struct statetree *tree, const struct hash *key_hash,
                     struct state_place *out);

#endif
