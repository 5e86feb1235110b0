/* Invariants:
 * 1. A NULL child is an empty subtree. A subtree of one leaf is that leaf, so an inner node has at
 *    least two leaves below it; one of its children may be NULL where they share a bit.
 * 2. A node is referred to by its parents and, as a root, by versions; each holds one reference.
 * 3. A node changes only while it is reached from one version alone, whose one reference the
 * changing thread holds: every count of references from there to the node is 1. Only whoever holds
 * a reference can make a second, so nobody else can come in between.
 * 4. A node that has its hash has hashes everywhere below.
 *
 * No walk is deeper than the 256 bits of a key. */
#include "ledger/statetree.h"

#include <stdatomic.h> /* allowed: readers share nodes; a count of references is no state */
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 256 };

struct node {
    atomic_uint refs;
    bool is_leaf;
    bool is_hashed;
    struct hash hash;
    union {
        struct node *child[2];
        struct {
            struct hash key;
            struct hash value;
        } leaf;
    };
};

struct statetree {
    atomic_uint refs;
    uint64_t count;
    struct node *root;
};

#define INNER_LEN (offsetof(struct node, child) + sizeof(struct node *[2]))

static void retain(atomic_uint *refs)
{
    unsigned before = atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
    BUG_ON(before == 0 || before > UINT32_MAX / 2);
}

/* Whether that was the last reference. */
static bool let_go(atomic_uint *refs)
{
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

static bool is_sole(const atomic_uint *refs)
{
    return atomic_load_explicit(refs, memory_order_acquire) == 1;
}

static struct node *node_retain(struct node *node)
{
    if (node != NULL) {
        retain(&node->refs);
    }
    return node;
}

static void node_release(struct node *node)
{
    struct node *waiting[DEPTH_MAX + 2];
    size_t count = 0;
    waiting[count++] = node;
    while (count > 0) {
        node = waiting[--count];
        if (node == NULL || !let_go(&node->refs)) {
            continue;
        }
        if (!node->is_leaf) {
            BUG_ON(count + 2 > DEPTH_MAX + 2);
            waiting[count++] = node->child[0];
            waiting[count++] = node->child[1];
        }
        free(node);
    }
}

static struct node *leaf_new(const struct hash *key, const struct hash *value)
{
    struct node *node = mem_alloc(sizeof *node);
    atomic_init(&node->refs, 1);
    node->is_leaf = true;
    node->is_hashed = false;
    node->leaf.key = *key;
    node->leaf.value = *value;
    return node;
}

/* Whether two subtrees have one leaf between them, or none. */
static bool is_lone(const struct node *a, const struct node *b)
{
    return (a == NULL && (b == NULL || b->is_leaf)) || (b == NULL && a->is_leaf);
}

/* A subtree made of two, whose references it takes over: NULL, a leaf alone, or an inner node. */
static struct node *join(struct node *below, struct node *beside, unsigned bit_below)
{
    if (is_lone(below, beside)) {
        return below != NULL ? below : beside;
    }
    struct node *node = mem_alloc(INNER_LEN);
    atomic_init(&node->refs, 1);
    node->is_leaf = false;
    node->is_hashed = false;
    node->child[bit_below] = below;
    node->child[1 - bit_below] = beside;
    return node;
}

static struct statetree *version_new(struct node *root, uint64_t count)
{
    struct statetree *tree = mem_alloc(sizeof *tree);
    atomic_init(&tree->refs, 1);
    tree->root = root;
    tree->count = count;
    return tree;
}

struct statetree *statetree_empty(void)
{
    return version_new(NULL, 0);
}

struct statetree *statetree_retain(struct statetree *tree)
{
    retain(&tree->refs);
    return tree;
}

void statetree_release(struct statetree *tree)
{
    if (tree != NULL && let_go(&tree->refs)) {
        node_release(tree->root);
        free(tree);
    }
}

uint64_t statetree_count(const struct statetree *tree)
{
    return tree->count;
}

/* The inner nodes from the root towards a key, and what stands in its place: a leaf or nothing. */
struct walk {
    unsigned depth;
    struct node *inner[DEPTH_MAX];
    struct node *place;
};

static void walk_to(struct walk *out, const struct statetree *tree, const struct hash *key)
{
    out->depth = 0;
    out->place = tree->root;
    while (out->place != NULL && !out->place->is_leaf) {
        BUG_ON(out->depth == DEPTH_MAX);
        out->inner[out->depth] = out->place;
        out->place = out->place->child[state_bit(key, out->depth)];
        out->depth++;
    }
}

static bool walk_found(const struct walk *walk, const struct hash *key)
{
    return walk->place != NULL && hash_equal(&walk->place->leaf.key, key);
}

/* Joins a leaf and the other one that stands in its place at `depth`, down to where they part. */
static struct node *part(struct node *leaf, struct node *other, unsigned depth)
{
    const struct hash *key = &leaf->leaf.key;
    unsigned split = depth;
    while (state_bit(key, split) == state_bit(&other->leaf.key, split)) {
        split++;
    }
    struct node *node = join(leaf, other, state_bit(key, split));
    while (split-- > depth) {
        node = join(node, NULL, state_bit(key, split));
    }
    return node;
}

/* How many inner nodes of the walk, from the root down, belong to its version alone. */
static unsigned sole_depth(const struct walk *walk)
{
    unsigned depth = 0;
    while (depth < walk->depth && is_sole(&walk->inner[depth]->refs)) {
        depth++;
    }
    return depth;
}

/* Puts `node` into the walk's place, its reference with it: makes new nodes from there upwards
 * until it can hang the last of them into one that is the version's own. */
static void graft(struct statetree *tree, const struct walk *walk, const struct hash *key,
                  struct node *node)
{
    unsigned sole = sole_depth(walk);
    struct node **slot = &tree->root;
    for (unsigned depth = walk->depth; depth-- > 0;) {
        unsigned bit = state_bit(key, depth);
        struct node *inner = walk->inner[depth];
        if (depth < sole && !is_lone(node, inner->child[1 - bit])) {
            slot = &inner->child[bit];
            for (unsigned i = 0; i <= depth; i++) {
                walk->inner[i]->is_hashed = false;
            }
            break;
        }
        node = join(node, node_retain(inner->child[1 - bit]), bit);
    }
    struct node *old = *slot;
    *slot = node;
    node_release(old);
}

/* Makes *tree a version that the caller alone refers to. */
static void make_sole(struct statetree **tree)
{
    if (!is_sole(&(*tree)->refs)) {
        struct statetree *copy = version_new(node_retain((*tree)->root), (*tree)->count);
        statetree_release(*tree);
        *tree = copy;
    }
}

void statetree_set(struct statetree **tree, const struct hash *key_hash,
                   const struct hash *value_hash)
{
    struct walk walk;
    walk_to(&walk, *tree, key_hash);
    bool found = walk_found(&walk, key_hash);
    if (found && hash_equal(&walk.place->leaf.value, value_hash)) {
        return;
    }
    struct node *node = leaf_new(key_hash, value_hash);
    if (walk.place != NULL && !found) {
        node = part(node, node_retain(walk.place), walk.depth);
    }
    make_sole(tree);
    (*tree)->count += found ? 0 : 1;
    graft(*tree, &walk, key_hash, node);
}

void statetree_unset(struct statetree **tree, const struct hash *key_hash)
{
    struct walk walk;
    walk_to(&walk, *tree, key_hash);
    if (walk_found(&walk, key_hash)) {
        make_sole(tree);
        (*tree)->count--;
        graft(*tree, &walk, key_hash, NULL);
    }
}

struct statetree *statetree_put(struct statetree *tree, const struct hash *key_hash,
                                const struct hash *value_hash)
{
    struct statetree *next = statetree_retain(tree);
    statetree_set(&next, key_hash, value_hash);
    return next;
}

struct statetree *statetree_remove(struct statetree *tree, const struct hash *key_hash)
{
    struct statetree *next = statetree_retain(tree);
    statetree_unset(&next, key_hash);
    return next;
}

static bool is_hashed(const struct node *node)
{
    return node == NULL || node->is_hashed;
}

static struct hash hash_of(const struct node *node)
{
    return node == NULL ? (struct hash){0} : node->hash;
}

/* Hashes one node, whose children have theirs. */
static void node_hash_now(struct node *node)
{
    if (node->is_leaf) {
        state_leaf_hash(&node->hash, &node->leaf.key, &node->leaf.value);
    } else {
        struct hash left = hash_of(node->child[0]);
        struct hash right = hash_of(node->child[1]);
        state_node_hash(&node->hash, &left, &right);
    }
    node->is_hashed = true;
}

static void hash_all(struct node *node)
{
    struct node *open[DEPTH_MAX + 1];
    size_t count = 0;
    open[count++] = node;
    while (count > 0) {
        node = open[count - 1];
        struct node *next = NULL;
        if (!node->is_leaf) {
            next = !is_hashed(node->child[0])   ? node->child[0]
                   : !is_hashed(node->child[1]) ? node->child[1]
                                                : NULL;
        }
        if (next == NULL) {
            node_hash_now(node);
            count--;
        } else {
            BUG_ON(count > DEPTH_MAX);
            open[count++] = next;
        }
    }
}

void statetree_root(struct statetree *tree, struct hash *out)
{
    if (!is_hashed(tree->root)) {
        hash_all(tree->root);
    }
    *out = hash_of(tree->root);
}

bool statetree_find(const struct statetree *tree, const struct hash *key_hash,
                    struct hash *value_hash)
{
    struct walk walk;
    walk_to(&walk, tree, key_hash);
    if (!walk_found(&walk, key_hash)) {
        return false;
    }
    *value_hash = walk.place->leaf.value;
    return true;
}

void statetree_prove(const struct statetree *tree, const struct hash *key_hash,
                     struct state_place *out)
{
    BUG_ON(!is_hashed(tree->root));
    struct walk walk;
    walk_to(&walk, tree, key_hash);
    out->found = STATE_EMPTY;
    if (walk.place != NULL) {
        out->found = walk_found(&walk, key_hash) ? STATE_PRESENT : STATE_OTHER;
        out->leaf_key = walk.place->leaf.key;
        out->leaf_value = walk.place->leaf.value;
    }
    out->count = 0;
    for (unsigned depth = walk.depth; depth-- > 0;) {
        unsigned bit = state_bit(key_hash, depth);
        out->siblings[out->count++] = hash_of(walk.inner[depth]->child[1 - bit]);
    }
}
