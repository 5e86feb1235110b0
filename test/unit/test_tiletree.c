#include "ledger/tiletree.h"
#include "seeded.h"

/* The naive model: every node of a tree of LEAVES leaves, and the root of each of its sizes as
 * merkle/tree.h appends them. */
#define LEAVES UINT64_C(70000)
enum { LEVELS = 17, TILES = 300 };

static struct hash *nodes[LEVELS];
static struct hash *roots;

static void fill_model(void)
{
    struct frontier frontier = {0};
    roots = mem_alloc((LEAVES + 1) * sizeof *roots);
    for (unsigned level = 0; level < LEVELS; level++) {
        nodes[level] = mem_alloc(((LEAVES >> level) + 1) * sizeof *nodes[level]);
        for (uint64_t i = 0; i < LEAVES >> level; i++) {
            if (level == 0) {
                leaf_hash(&nodes[0][i], BYTES_OF(i));
            } else {
                node_hash(&nodes[level][i], &nodes[level - 1][2 * i], &nodes[level - 1][2 * i + 1]);
            }
        }
    }
    frontier_root(&frontier, &roots[0]);
    for (uint64_t i = 0; i < LEAVES; i++) {
        frontier_append(&frontier, &nodes[0][i]);
        frontier_root(&frontier, &roots[i + 1]);
    }
}

static void clear_model(void)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        free(nodes[level]);
    }
    free(roots);
}

/* The store: whether each tile was put; what a tile holds follows from the model. */
struct store {
    bool has[2][TILES];
    unsigned calls_left; /* until it fails; 0 is never */
    unsigned gets;
};

static enum err failing(struct store *store)
{
    store->gets++;
    return store->calls_left != 0 && --store->calls_left == 0 ? ERR_IO : OK;
}

static enum err get_tile(void *context, unsigned level, uint64_t index,
                         struct hash out[TILE_HASHES])
{
    struct store *store = context;
    TRY(failing(store));
    if (level > 1 || index >= TILES || !store->has[level][index]) {
        return ERR_NOT_FOUND;
    }
    memcpy(out, &nodes[8 * level][index * TILE_HASHES], TILE_HASHES * sizeof *out);
    return OK;
}

static enum err get_leaf(void *context, uint64_t index, struct hash *out)
{
    TRY(failing(context));
    CHECK(index < LEAVES);
    *out = nodes[0][index];
    return OK;
}

static void put_tile(void *context, unsigned level, uint64_t index,
                     const struct hash hashes[TILE_HASHES])
{
    struct store *store = context;
    CHECK(level < 2 && index < TILES && !store->has[level][index]);
    CHECK((index + 1) * TILE_HASHES <= LEAVES >> (8 * level));
    CHECK(memcmp(hashes, &nodes[8 * level][index * TILE_HASHES], TILE_HASHES * sizeof *hashes) ==
          0);
    store->has[level][index] = true;
}

static void count_tile(void *context, unsigned level, uint64_t index,
                       const struct hash hashes[TILE_HASHES])
{
    (void)level;
    (void)index;
    (void)hashes;
    ++*(unsigned *)context;
}

static struct tiletree *open_at(struct store *store, uint64_t size)
{
    const struct tile_source source = {store, get_tile, get_leaf};
    struct tiletree *tree;
    CHECK_OK(tiletree_open(&tree, size, &source));
    CHECK_UINT(tiletree_size(tree), size);
    return tree;
}

static void append_to(struct tiletree *tree, uint64_t size)
{
    for (uint64_t i = tiletree_size(tree); i < size; i++) {
        tiletree_append(tree, &nodes[0][i]);
    }
}

static void commit(struct tiletree *tree, struct store *store)
{
    tiletree_filled(tree, put_tile, store);
    tiletree_commit(tree);
}

static void check_root(const struct tiletree *tree)
{
    struct hash got;
    tiletree_root(tree, &got);
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&roots[tiletree_size(tree)]));
}

static void check_path(const struct tileview *view, uint64_t index, uint64_t size)
{
    struct path path;
    struct hash got;
    CHECK_OK(tileview_path(view, &path, index, size));
    CHECK_OK(path_root(&got, &nodes[0][index], index, size, path.at, path.count));
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&roots[size]));
}

static void check_consistency(const struct tileview *view, uint64_t size1, uint64_t size2)
{
    struct path path;
    CHECK_OK(tileview_consistency(view, &path, size1, size2));
    CHECK_OK(consistency_check(size1, &roots[size1], size2, &roots[size2], path.at, path.count));
}

static void check_node(const struct tileview *view, unsigned level, uint64_t index)
{
    struct hash got;
    CHECK_OK(tileview_node(view, &got, level, index));
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&nodes[level][index]));
}

/* A tile of `width` hashes is there exactly if the tree has that many, and they are the model's. */
static void check_tile(const struct tileview *view, unsigned level, uint64_t number, unsigned width)
{
    struct hash got[TILE_HASHES];
    bool there = width >= 1 && width <= TILE_HASHES &&
                 number * TILE_HASHES + width <= tileview_size(view) >> (8 * level);
    if (!there) {
        CHECK_ERR(tileview_tile(view, got, level, number, width), ERR_RANGE);
        return;
    }
    CHECK_OK(tileview_tile(view, got, level, number, width));
    CHECK_BYTES(((struct bytes){got[0].at, width * sizeof *got}),
                ((struct bytes){nodes[8 * level][number * TILE_HASHES].at, width * sizeof *got}));
}

/* The last full tile of a level, the partial one and what is beyond it. */
static void check_tiles(const struct tileview *view, unsigned level)
{
    uint64_t entries = tileview_size(view) >> (8 * level);
    unsigned last = (unsigned)(entries % TILE_HASHES);
    const unsigned widths[] = {0, 1, last, last + 1, 255, 256, 257};
    for (uint64_t number = entries / TILE_HASHES ? entries / TILE_HASHES - 1 : 0;
         number <= entries / TILE_HASHES + 1; number++) {
        for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
            check_tile(view, level, number, widths[i]);
        }
    }
    check_tile(view, level, 0, 256);
    check_tile(view, level, UINT64_MAX / TILE_HASHES / 2, 256);
    struct hash none[TILE_HASHES];
    CHECK_ERR(tileview_tile(view, none, level, UINT64_MAX, 256), ERR_RANGE);
}

static void check_view(const struct tileview *view)
{
    uint64_t size = tileview_size(view);
    struct hash got;
    tileview_root(view, &got);
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&roots[size]));
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        check_tiles(view, level);
    }
    for (unsigned level = 0; level < LEVELS && size >> level > 0; level++) {
        check_node(view, level, (size >> level) - 1);
        check_node(view, level, seeded_below(size >> level));
    }
    for (unsigned round = 0; round < 6 && size > 0; round++) {
        uint64_t older = round < 2 ? size : 1 + seeded_below(size);
        check_path(view, seeded_below(older), older);
        check_path(view, older - 1, older);
        check_consistency(view, 1 + seeded_below(older), older);
        CHECK_OK(tileview_root_at(view, &got, older));
        CHECK_BYTES(hash_bytes(&got), hash_bytes(&roots[older]));
    }
}

static void every_root_is_that_of_the_frontier(void **state)
{
    (void)state;
    struct store *store = mem_zalloc(sizeof *store);
    struct tiletree *tree = open_at(store, 0);
    check_root(tree);
    for (uint64_t size = 1; size <= LEAVES; size++) {
        append_to(tree, size);
        check_root(tree);
    }
    commit(tree, store);
    for (unsigned i = 0; i < LEAVES / 256; i++) {
        CHECK(store->has[0][i]);
    }
    CHECK(store->has[1][0] && !store->has[1][1]);
    struct tileview *view = tiletree_view(tree);
    check_view(view);
    tileview_release(view);
    tileview_release(NULL);
    tiletree_free(tree);
    tiletree_free(NULL);
    free(store);
}

/* Sizes around which something fills. */
static size_t edge_sizes(uint64_t out[512])
{
    size_t count = 0;
    for (uint64_t size = 0; size <= 300; size += size < 8 ? 1 : 37) {
        out[count++] = size;
    }
    for (uint64_t middle = 256; middle <= LEAVES - 2; middle += middle < 2048 ? 256 : 4096) {
        for (uint64_t size = middle - 2; size <= middle + 2; size++) {
            out[count++] = size;
        }
    }
    for (uint64_t size = 65536 - 257; size <= 65536 + 257; size += 64) {
        out[count++] = size;
    }
    return count;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void a_tree_reopens_at_every_edge_and_goes_on_alike(void **state)
{
    (void)state;
    seeded_start("a_tree_reopens_at_every_edge_and_goes_on_alike");
    struct store *store = mem_zalloc(sizeof *store);
    uint64_t sizes[512];
    size_t count = edge_sizes(sizes);
    CHECK(count <= 512);
    qsort(sizes, count, sizeof *sizes, by_size);
    struct tiletree *tree = open_at(store, 0);
    for (size_t i = 0; i < count; i++) {
        append_to(tree, sizes[i]);
        commit(tree, store);
        tiletree_free(tree);
        tree = open_at(store, sizes[i]);
        check_root(tree);
        struct tileview *view = tiletree_view(tree);
        check_view(view);
        tileview_release(view);
    }
    tiletree_free(tree);
    for (size_t i = 0; i < count; i++) { /* older than what the store has, as after a restore */
        tree = open_at(store, sizes[i]);
        check_root(tree);
        struct store *copy = mem_zalloc(sizeof *copy);
        append_to(tree, sizes[i] + 600 < LEAVES ? sizes[i] + 600 : LEAVES);
        check_root(tree);
        tiletree_filled(tree, put_tile, copy);
        free(copy);
        tiletree_free(tree);
    }
    free(store);
}

/* A tree too large to be made: every leaf is the same, so that every subtree of a level is. */
struct alike {
    struct hash at[8 * TILE_LEVELS];
    unsigned asked_level;
    uint64_t asked_number;
    uint64_t size;
};

static enum err alike_tile(void *context, unsigned level, uint64_t number,
                           struct hash out[TILE_HASHES])
{
    struct alike *alike = context;
    CHECK((number + 1) * TILE_HASHES <= alike->size >> (8 * level));
    alike->asked_level = level;
    alike->asked_number = number;
    for (unsigned i = 0; i < TILE_HASHES; i++) {
        out[i] = alike->at[8 * level];
    }
    return OK;
}

static enum err alike_leaf(void *context, uint64_t index, struct hash *out)
{
    struct alike *alike = context;
    CHECK(index < alike->size);
    *out = alike->at[0];
    return OK;
}

static void check_alike(struct alike *alike, const struct tileview *view, unsigned level)
{
    struct hash got[TILE_HASHES];
    uint64_t entries = alike->size >> (8 * level);
    unsigned last = (unsigned)(entries % TILE_HASHES);
    uint64_t full = entries / TILE_HASHES;
    if (full > 0) {
        CHECK_OK(tileview_tile(view, got, level, full - 1, 256));
        CHECK_UINT(alike->asked_level, level);
        CHECK_UINT(alike->asked_number, full - 1);
        CHECK(hash_equal(&got[255], &alike->at[8 * level]));
    }
    CHECK_ERR(tileview_tile(view, got, level, full, last + 1), ERR_RANGE);
    if (last > 0) {
        CHECK_OK(tileview_tile(view, got, level, full, last));
        CHECK(hash_equal(&got[last - 1], &alike->at[8 * level]));
    }
}

static void tiles_end_where_the_tree_does_up_to_the_largest(void **state)
{
    (void)state;
    struct alike alike = {0};
    leaf_hash(&alike.at[0], bytes_text("leaf"));
    for (unsigned level = 1; level < 8 * TILE_LEVELS; level++) {
        node_hash(&alike.at[level], &alike.at[level - 1], &alike.at[level - 1]);
    }
    const struct tile_source source = {&alike, alike_tile, alike_leaf};
    for (unsigned power = 1; power < TILE_LEVELS; power++) {
        for (uint64_t less = 0; less < 3; less++) {
            struct tiletree *tree;
            alike.size = ((uint64_t)1 << (8 * power)) + 1 - less;
            CHECK_OK(tiletree_open(&tree, alike.size, &source));
            struct tileview *view = tiletree_view(tree);
            for (unsigned level = 0; level < TILE_LEVELS; level++) {
                check_alike(&alike, view, level);
            }
            struct hash none[TILE_HASHES];
            CHECK_ERR(tileview_tile(view, none, TILE_LEVELS, 0, 1), ERR_RANGE);
            tileview_release(view);
            tiletree_free(tree);
        }
    }
}

static void a_discarded_block_leaves_no_trace(void **state)
{
    (void)state;
    seeded_start("a_discarded_block_leaves_no_trace");
    struct store *store = mem_zalloc(sizeof *store);
    struct tiletree *tree = open_at(store, 0);
    uint64_t size = 0;
    while (size < LEAVES) {
        uint64_t next = size + 1 + seeded_below(seeded_below(3) == 0 ? 3000 : 300);
        next = next < LEAVES ? next : LEAVES;
        uint64_t junk = seeded_below(seeded_below(8) == 0 ? 70000 : 700);
        for (uint64_t i = 0; i < junk; i++) {
            struct hash leaf = {{(uint8_t)i, 0xee}};
            tiletree_append(tree, &leaf);
        }
        unsigned filled = 0;
        tiletree_filled(tree, count_tile, &filled);
        CHECK_UINT(filled, (size + junk) / 256 - size / 256 + (size + junk) / 65536 - size / 65536);
        tiletree_discard(tree);
        CHECK_UINT(tiletree_size(tree), size);
        check_root(tree);
        append_to(tree, next);
        check_root(tree);
        if (seeded_below(2) == 0) { /* executed again, with other bytes in between or not */
            tiletree_discard(tree);
            append_to(tree, next);
        }
        commit(tree, store);
        size = next;
        check_root(tree);
    }
    tiletree_free(tree);
    free(store);
}

static void a_view_stays_while_the_tree_goes_on(void **state)
{
    (void)state;
    seeded_start("a_view_stays_while_the_tree_goes_on");
    struct store *store = mem_zalloc(sizeof *store);
    struct tiletree *tree = open_at(store, 0);
    enum { VIEWS = 40 };
    struct tileview *views[VIEWS];
    uint64_t sizes[VIEWS];
    for (unsigned i = 0; i < VIEWS; i++) {
        views[i] = tiletree_view(tree);
        sizes[i] = tiletree_size(tree);
        append_to(tree, sizes[i] + seeded_below(2 * LEAVES / VIEWS - 1) % (LEAVES - sizes[i]));
        struct tileview *same = tiletree_view(tree); /* what is appended is not yet in a view */
        CHECK_UINT(tileview_size(same), sizes[i]);
        tileview_release(same);
        commit(tree, store);
    }
    tiletree_free(tree);
    for (unsigned i = 0; i < VIEWS; i++) {
        struct tileview *again = tileview_retain(views[i]);
        tileview_release(views[i]);
        CHECK_UINT(tileview_size(again), sizes[i]);
        check_view(again);
        tileview_release(again);
    }
    free(store);
}

static void what_lies_outside_a_view_is_refused(void **state)
{
    (void)state;
    struct store *store = mem_zalloc(sizeof *store);
    struct tiletree *tree = open_at(store, 0);
    append_to(tree, 1000);
    commit(tree, store);
    struct tileview *view = tiletree_view(tree);
    struct path path;
    struct hash hash;
    CHECK_ERR(tileview_node(view, &hash, 0, 1000), ERR_RANGE);
    CHECK_ERR(tileview_node(view, &hash, 9, 1), ERR_RANGE);
    CHECK_ERR(tileview_node(view, &hash, 64, 0), ERR_RANGE);
    CHECK_ERR(tileview_root_at(view, &hash, 1001), ERR_RANGE);
    CHECK_ERR(tileview_path(view, &path, 0, 1001), ERR_RANGE);
    CHECK_ERR(tileview_path(view, &path, 500, 500), ERR_RANGE);
    CHECK_ERR(tileview_consistency(view, &path, 1, 1001), ERR_RANGE);
    CHECK_ERR(tileview_consistency(view, &path, 0, 1000), ERR_RANGE);
    CHECK_ERR(tileview_consistency(view, &path, 501, 500), ERR_RANGE);
    tileview_release(view);
    tiletree_free(tree);
    const struct tile_source source = {store, get_tile, get_leaf};
    CHECK_ERR(tiletree_open(&tree, ((uint64_t)1 << 62) + 1, &source), ERR_RANGE);
    CHECK(tree == NULL);
    free(store);
}

static void a_failing_store_is_passed_on(void **state)
{
    (void)state;
    struct store *store = mem_zalloc(sizeof *store);
    struct tiletree *tree = open_at(store, 0);
    append_to(tree, LEAVES);
    commit(tree, store);
    struct tileview *view = tiletree_view(tree);
    tiletree_free(tree);
    struct path path;
    struct hash hash;
    const struct tile_source source = {store, get_tile, get_leaf};
    enum { OLDER = 769 }; /* three full tiles and one leaf */
    for (unsigned call = 1; call <= 4; call++) {
        store->calls_left = call;
        CHECK_ERR(tiletree_open(&tree, OLDER, &source), ERR_IO);
        CHECK(tree == NULL);
    }
    store->calls_left = 1;
    CHECK_ERR(tileview_node(view, &hash, 0, 0), ERR_IO);
    store->calls_left = 1;
    CHECK_ERR(tileview_root_at(view, &hash, OLDER), ERR_IO);
    for (unsigned call = 1; call <= 2; call++) {
        store->calls_left = call;
        CHECK_ERR(tileview_path(view, &path, 0, OLDER), ERR_IO);
        store->calls_left = call;
        CHECK_ERR(tileview_consistency(view, &path, 255, OLDER), ERR_IO);
    }
    store->calls_left = 0;
    store->has[0][2] = false;
    CHECK_ERR(tiletree_open(&tree, OLDER, &source), ERR_NOT_FOUND);
    tileview_release(view);
    free(store);
}

static void a_path_reads_one_tile_a_level(void **state)
{
    (void)state;
    struct store *store = mem_zalloc(sizeof *store);
    struct tiletree *tree = open_at(store, 0);
    append_to(tree, LEAVES);
    commit(tree, store);
    struct tileview *view = tiletree_view(tree);
    struct path path;
    store->gets = 0;
    CHECK_OK(tileview_path(view, &path, 1000, LEAVES));
    CHECK_UINT(store->gets, 2); /* level 0 and level 1; level 2 is not full */
    store->gets = 0;
    CHECK_OK(tileview_path(view, &path, LEAVES - 1, LEAVES));
    CHECK_UINT(store->gets, 0);
    tileview_release(view);
    tiletree_free(tree);
    free(store);
}

/* A tree so large that it is not built: every leaf is the same, so a tile follows from its level.
 */
static struct hash uniform[64];

static enum err uniform_tile(void *context, unsigned level, uint64_t index,
                             struct hash out[TILE_HASHES])
{
    CHECK((index + 1) * TILE_HASHES <= *(const uint64_t *)context >> (8 * level));
    for (unsigned i = 0; i < TILE_HASHES; i++) {
        out[i] = uniform[8 * level];
    }
    return OK;
}

static enum err uniform_leaf(void *context, uint64_t index, struct hash *out)
{
    CHECK(index < *(const uint64_t *)context);
    *out = uniform[0];
    return OK;
}

static enum err uniform_node(void *context, struct hash *out, unsigned level, uint64_t index)
{
    (void)context;
    (void)index;
    *out = uniform[level];
    return OK;
}

static void check_uniform(uint64_t size)
{
    const struct tile_source source = {&size, uniform_tile, uniform_leaf};
    struct tiletree *tree;
    struct hash want;
    struct hash got;
    CHECK_OK(tiletree_open(&tree, size, &source));
    uint64_t grown = size + 1 + seeded_below(1000);
    while (tiletree_size(tree) < grown) {
        tiletree_append(tree, &uniform[0]);
    }
    tiletree_commit(tree);
    uint64_t old = size;
    size = grown;
    CHECK_OK(tree_root(&want, size, uniform_node, NULL));
    tiletree_root(tree, &got);
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&want));
    struct tileview *view = tiletree_view(tree);
    struct path path;
    for (unsigned round = 0; round < 20; round++) {
        uint64_t index = seeded_below(size);
        CHECK_OK(tileview_path(view, &path, index, size));
        CHECK_OK(path_root(&got, &uniform[0], index, size, path.at, path.count));
        CHECK_BYTES(hash_bytes(&got), hash_bytes(&want));
    }
    struct hash old_root;
    CHECK_OK(tileview_root_at(view, &old_root, old));
    CHECK_OK(tileview_consistency(view, &path, old, size));
    CHECK_OK(consistency_check(old, &old_root, size, &want, path.at, path.count));
    tileview_release(view);
    tiletree_free(tree);
}

static void a_hundred_million_leaves_are_no_different(void **state)
{
    (void)state;
    seeded_start("a_hundred_million_leaves_are_no_different");
    leaf_hash(&uniform[0], BYTES_NONE);
    for (unsigned level = 1; level < 64; level++) {
        node_hash(&uniform[level], &uniform[level - 1], &uniform[level - 1]);
    }
    check_uniform(100000000);
    check_uniform(((uint64_t)1 << 24) - 1);
    check_uniform((uint64_t)1 << 32);
    check_uniform(((uint64_t)1 << 61) + seeded_below(1000));
}

int main(void)
{
    fill_model();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_root_is_that_of_the_frontier),
        cmocka_unit_test(a_tree_reopens_at_every_edge_and_goes_on_alike),
        cmocka_unit_test(tiles_end_where_the_tree_does_up_to_the_largest),
        cmocka_unit_test(a_discarded_block_leaves_no_trace),
        cmocka_unit_test(a_view_stays_while_the_tree_goes_on),
        cmocka_unit_test(what_lies_outside_a_view_is_refused),
        cmocka_unit_test(a_failing_store_is_passed_on),
        cmocka_unit_test(a_path_reads_one_tile_a_level),
        cmocka_unit_test(a_hundred_million_leaves_are_no_different),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clear_model();
    return failed;
}
