#include "merkle/tree.h"
#include "seeded.h"

/* The naive model: MTH, PATH and SUBPROOF as RFC 9162 2.1 defines them, by recursion over ranges
 * of leaves. */
enum { LEAVES = 300 };
static struct hash leaves[LEAVES];

static uint64_t split_of(uint64_t count)
{
    uint64_t split = 1;
    while (split * 2 < count) {
        split *= 2;
    }
    return split;
}

static struct hash naive_root(const struct hash *at, uint64_t count)
{
    struct hash root;
    if (count == 0) {
        empty_root(&root);
        return root;
    }
    if (count == 1) {
        return *at;
    }
    uint64_t split = split_of(count);
    struct hash left = naive_root(at, split);
    struct hash right = naive_root(at + split, count - split);
    node_hash(&root, &left, &right);
    return root;
}

static void naive_path(struct path *out, uint64_t index, const struct hash *at, uint64_t count)
{
    if (count == 1) {
        return;
    }
    uint64_t split = split_of(count);
    if (index < split) {
        naive_path(out, index, at, split);
        out->at[out->count++] = naive_root(at + split, count - split);
    } else {
        naive_path(out, index - split, at + split, count - split);
        out->at[out->count++] = naive_root(at, split);
    }
}

static void naive_subproof(struct path *out, uint64_t old, const struct hash *at, uint64_t count,
                           bool whole)
{
    if (old == count) {
        if (!whole) {
            out->at[out->count++] = naive_root(at, count);
        }
        return;
    }
    uint64_t split = split_of(count);
    if (old <= split) {
        naive_subproof(out, old, at, split, whole);
        out->at[out->count++] = naive_root(at + split, count - split);
    } else {
        naive_subproof(out, old - split, at + split, count - split, false);
        out->at[out->count++] = naive_root(at, split);
    }
}

/* Serves complete subtrees of the small tree. `context` is its size: asking outside is a failure.
 */
static enum err small_node(void *context, struct hash *out, unsigned level, uint64_t index)
{
    uint64_t size = *(const uint64_t *)context;
    CHECK(level < 64 && (index + 1) << level <= size);
    *out = naive_root(&leaves[index << level], (uint64_t)1 << level);
    return OK;
}

static void fill_leaves(void)
{
    for (unsigned i = 0; i < LEAVES; i++) {
        leaf_hash(&leaves[i], BYTES_OF(i));
    }
}

static void check_same(const struct path *got, const struct path *want)
{
    CHECK_UINT(got->count, want->count);
    CHECK(memcmp(got->at, want->at, got->count * sizeof *got->at) == 0);
}

static void hashes_have_the_prefixes_of_rfc_9162(void **state)
{
    (void)state;
    struct hash leaf;
    leaf_hash(&leaf, BYTES_NONE);
    CHECK_BYTES(hash_bytes(&leaf),
                hex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"));
    struct hash empty;
    empty_root(&empty);
    CHECK_BYTES(hash_bytes(&empty),
                hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    leaf_hash(&leaf, hash_bytes(&leaf)); /* in place */
    struct hash node;
    node_hash(&node, &leaf, &empty);
    node_hash(&leaf, &leaf, &empty);
    CHECK_BYTES(hash_bytes(&leaf), hash_bytes(&node));
}

static void roots_of_all_small_sizes_follow_the_definition(void **state)
{
    (void)state;
    struct frontier frontier = {0};
    for (uint64_t size = 0; size <= LEAVES; size++) {
        struct hash want = naive_root(leaves, size);
        struct hash got;
        frontier_root(&frontier, &got);
        CHECK_BYTES(hash_bytes(&got), hash_bytes(&want));
        CHECK_OK(tree_root(&got, size, small_node, &size));
        CHECK_BYTES(hash_bytes(&got), hash_bytes(&want));
        if (size < LEAVES) {
            frontier_append(&frontier, &leaves[size]);
        }
    }
}

static void paths_of_all_small_sizes_follow_the_definition(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= LEAVES; size += size < 70 ? 1 : 17) {
        struct hash root = naive_root(leaves, size);
        for (uint64_t index = 0; index < size; index++) {
            struct path want = {0};
            naive_path(&want, index, leaves, size);
            struct path got;
            CHECK_OK(path_build(&got, index, size, small_node, &size));
            check_same(&got, &want);
            struct hash found;
            CHECK_OK(path_root(&found, &leaves[index], index, size, got.at, got.count));
            CHECK_BYTES(hash_bytes(&found), hash_bytes(&root));
        }
    }
}

static void consistency_of_all_small_sizes_follows_the_definition(void **state)
{
    (void)state;
    for (uint64_t size2 = 1; size2 <= LEAVES; size2 += size2 < 70 ? 1 : 17) {
        struct hash root2 = naive_root(leaves, size2);
        for (uint64_t size1 = 1; size1 <= size2; size1++) {
            struct path want = {0};
            naive_subproof(&want, size1, leaves, size2, true);
            struct path got;
            CHECK_OK(consistency_build(&got, size1, size2, small_node, &size2));
            check_same(&got, &want);
            struct hash root1 = naive_root(leaves, size1);
            CHECK_OK(consistency_check(size1, &root1, size2, &root2, got.at, got.count));
        }
    }
}

static bool leads_to(const struct hash *root, const struct hash *leaf, uint64_t index,
                     uint64_t size, const struct path *path)
{
    struct hash got;
    enum err err = path_root(&got, leaf, index, size, path->at, path->count);
    CHECK(err == OK || err == ERR_MISMATCH || err == ERR_RANGE);
    return err == OK && hash_equal(&got, root);
}

static struct hash flipped(const struct hash *hash)
{
    struct hash out = *hash;
    uint64_t bit = seeded_below(256);
    out.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
    return out;
}

/* Whether two (index, size) pairs prescribe the same turns, so that one path fits both: then the
 * size is not bound by the path alone but by the root, which names it. */
static bool same_turns(uint64_t index1, uint64_t size1, uint64_t index2, uint64_t size2)
{
    struct path a = {0};
    struct path b = {0};
    struct hash zero[LEAVES + 2];
    memset(zero, 0, sizeof zero);
    CHECK(size1 <= LEAVES + 2 && size2 <= LEAVES + 2);
    naive_path(&a, index1, zero, size1);
    naive_path(&b, index2, zero, size2);
    if (a.count != b.count) {
        return false;
    }
    /* Climb with distinct labels: the same root means the same turns. */
    struct hash root1;
    struct hash root2;
    for (size_t i = 0; i < a.count; i++) {
        a.at[i] = (struct hash){{(uint8_t)(i + 1)}};
    }
    struct hash leaf = {{0xff}};
    CHECK_OK(path_root(&root1, &leaf, index1, size1, a.at, a.count));
    CHECK_OK(path_root(&root2, &leaf, index2, size2, a.at, a.count));
    return hash_equal(&root1, &root2);
}

static void every_changed_part_of_a_path_fails(void **state)
{
    (void)state;
    seeded_start("every_changed_part_of_a_path_fails");
    for (unsigned round = 0; round < 300; round++) {
        uint64_t size = 1 + seeded_below(LEAVES);
        uint64_t index = seeded_below(size);
        struct hash root = naive_root(leaves, size);
        struct path path;
        CHECK_OK(path_build(&path, index, size, small_node, &size));
        CHECK(leads_to(&root, &leaves[index], index, size, &path));
        struct hash other = flipped(&leaves[index]);
        CHECK(!leads_to(&root, &other, index, size, &path));
        for (size_t i = 0; i < path.count; i++) {
            struct path bad = path;
            bad.at[i] = flipped(&path.at[i]);
            CHECK(!leads_to(&root, &leaves[index], index, size, &bad));
        }
        struct path longer = path;
        longer.at[longer.count++] = root;
        struct hash got;
        CHECK_ERR(path_root(&got, &leaves[index], index, size, longer.at, longer.count),
                  ERR_MISMATCH);
        if (path.count > 0) {
            CHECK_ERR(path_root(&got, &leaves[index], index, size, path.at, path.count - 1),
                      ERR_MISMATCH);
        }
        for (uint64_t wrong = 0; wrong < size; wrong++) {
            CHECK(wrong == index || !leads_to(&root, &leaves[index], wrong, size, &path));
        }
        for (uint64_t wrong = size == 1 ? 1 : size - 1; wrong <= size + 1; wrong++) {
            bool allowed = wrong > index && same_turns(index, size, index, wrong);
            CHECK(leads_to(&root, &leaves[index], index, wrong, &path) == allowed);
        }
    }
}

static void every_changed_part_of_a_consistency_proof_fails(void **state)
{
    (void)state;
    seeded_start("every_changed_part_of_a_consistency_proof_fails");
    for (unsigned round = 0; round < 300; round++) {
        uint64_t size2 = 2 + seeded_below(LEAVES - 1);
        uint64_t size1 = 1 + seeded_below(size2 - 1);
        struct hash root1 = naive_root(leaves, size1);
        struct hash root2 = naive_root(leaves, size2);
        struct path path;
        CHECK_OK(consistency_build(&path, size1, size2, small_node, &size2));
        CHECK_OK(consistency_check(size1, &root1, size2, &root2, path.at, path.count));
        struct hash bad1 = flipped(&root1);
        struct hash bad2 = flipped(&root2);
        CHECK_ERR(consistency_check(size1, &bad1, size2, &root2, path.at, path.count),
                  ERR_MISMATCH);
        CHECK_ERR(consistency_check(size1, &root1, size2, &bad2, path.at, path.count),
                  ERR_MISMATCH);
        for (size_t i = 0; i < path.count; i++) {
            struct path bad = path;
            bad.at[i] = flipped(&path.at[i]);
            CHECK_ERR(consistency_check(size1, &root1, size2, &root2, bad.at, bad.count),
                      ERR_MISMATCH);
        }
        CHECK_ERR(consistency_check(size1, &root1, size2, &root2, path.at, path.count - 1),
                  ERR_MISMATCH);
        path.at[path.count++] = root2;
        CHECK_ERR(consistency_check(size1, &root1, size2, &root2, path.at, path.count),
                  ERR_MISMATCH);
        path.count--;
        for (uint64_t wrong = 1; wrong < size2; wrong++) {
            enum err err = consistency_check(wrong, &root1, size2, &root2, path.at, path.count);
            CHECK(err == (wrong == size1 ? OK : ERR_MISMATCH));
        }
    }
}

/* A tree of any size whose complete subtrees all have a hash that follows from their level: every
 * leaf is the same. */
static enum err uniform_node(void *context, struct hash *out, unsigned level, uint64_t index)
{
    uint64_t size = *(const uint64_t *)context;
    CHECK(level < 64 && index < size >> level);
    static struct hash cache[64];
    static bool filled;
    if (!filled) {
        cache[0] = leaves[0];
        for (unsigned i = 1; i < 64; i++) {
            node_hash(&cache[i], &cache[i - 1], &cache[i - 1]);
        }
        filled = true;
    }
    *out = cache[level];
    return OK;
}

static uint64_t random_size(void)
{
    return (seeded_u64() >> (2 + seeded_below(50))) + 2;
}

static void big_trees_prove_and_stay_consistent(void **state)
{
    (void)state;
    seeded_start("big_trees_prove_and_stay_consistent");
    for (unsigned round = 0; round < 3000; round++) {
        uint64_t size2 = random_size();
        uint64_t size1 = 1 + seeded_below(size2 - 1);
        struct hash root1;
        struct hash root2;
        CHECK_OK(tree_root(&root1, size1, uniform_node, &size1));
        CHECK_OK(tree_root(&root2, size2, uniform_node, &size2));
        struct path path;
        CHECK_OK(path_build(&path, size1 - 1, size2, uniform_node, &size2));
        CHECK(leads_to(&root2, &leaves[0], size1 - 1, size2, &path));
        CHECK_OK(path_build(&path, size2 - 1, size2, uniform_node, &size2));
        CHECK(leads_to(&root2, &leaves[0], size2 - 1, size2, &path));
        CHECK_OK(consistency_build(&path, size1, size2, uniform_node, &size2));
        CHECK_OK(consistency_check(size1, &root1, size2, &root2, path.at, path.count));
    }
}

static enum err broken_node(void *context, struct hash *out, unsigned level, uint64_t index)
{
    unsigned *left = context;
    *out = (struct hash){{(uint8_t)level, (uint8_t)index}};
    return (*left)-- == 0 ? ERR_CORRUPT : OK;
}

static void a_failing_source_is_passed_on(void **state)
{
    (void)state;
    struct path path;
    struct hash root;
    for (unsigned calls = 0; calls < 3; calls++) {
        unsigned left = calls;
        CHECK_ERR(tree_root(&root, 7, broken_node, &left), ERR_CORRUPT);
        left = calls;
        CHECK_ERR(path_build(&path, 0, 7, broken_node, &left), ERR_CORRUPT);
        left = calls;
        CHECK_ERR(consistency_build(&path, 3, 7, broken_node, &left), ERR_CORRUPT);
    }
}

static void sizes_and_indexes_outside_are_refused(void **state)
{
    (void)state;
    const uint64_t most = (uint64_t)1 << 63;
    uint64_t size = most;
    struct path path;
    struct hash root;
    CHECK_ERR(path_root(&root, &leaves[0], 0, 0, NULL, 0), ERR_RANGE);
    CHECK_ERR(path_root(&root, &leaves[0], 5, 5, NULL, 0), ERR_RANGE);
    CHECK_ERR(path_root(&root, &leaves[0], 0, most + 1, leaves, 64), ERR_RANGE);
    CHECK_ERR(path_root(&root, &leaves[0], UINT64_MAX, UINT64_MAX, leaves, 64), ERR_RANGE);
    CHECK_ERR(path_build(&path, 5, 5, uniform_node, &size), ERR_RANGE);
    CHECK_ERR(path_build(&path, 0, most + 1, uniform_node, &size), ERR_RANGE);
    CHECK_OK(path_build(&path, 0, most, uniform_node, &size));
    CHECK_UINT(path.count, PATH_MAX_LEN);
    CHECK_ERR(consistency_check(0, &root, 5, &root, NULL, 0), ERR_RANGE);
    CHECK_ERR(consistency_check(1, &root, most + 1, &root, NULL, 0), ERR_RANGE);
    CHECK_ERR(consistency_check(6, &root, 5, &root, NULL, 0), ERR_MISMATCH);
    CHECK_ERR(consistency_check(3, &root, 5, &root, NULL, 0), ERR_MISMATCH);
    CHECK_OK(consistency_check(5, &root, 5, &root, NULL, 0));
    CHECK_ERR(consistency_check(5, &root, 5, &root, leaves, 1), ERR_MISMATCH);
    CHECK_ERR(consistency_check(5, &root, 5, &leaves[0], NULL, 0), ERR_MISMATCH);
    CHECK_ERR(consistency_build(&path, 0, 5, uniform_node, &size), ERR_RANGE);
    CHECK_ERR(consistency_build(&path, 6, 5, uniform_node, &size), ERR_RANGE);
    CHECK_ERR(consistency_build(&path, 1, most + 1, uniform_node, &size), ERR_RANGE);
    CHECK_ERR(consistency_build(&path, 3, most, uniform_node, &size), ERR_RANGE); /* 64 hashes */
}

int main(void)
{
    fill_leaves();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_have_the_prefixes_of_rfc_9162),
        cmocka_unit_test(roots_of_all_small_sizes_follow_the_definition),
        cmocka_unit_test(paths_of_all_small_sizes_follow_the_definition),
        cmocka_unit_test(consistency_of_all_small_sizes_follows_the_definition),
        cmocka_unit_test(every_changed_part_of_a_path_fails),
        cmocka_unit_test(every_changed_part_of_a_consistency_proof_fails),
        cmocka_unit_test(big_trees_prove_and_stay_consistent),
        cmocka_unit_test(a_failing_source_is_passed_on),
        cmocka_unit_test(sizes_and_indexes_outside_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
