#include "ledger/statetree.h"
#include "seeded.h"

/* The naive model: a sorted array of leaves, and the root by definition. */
struct leaf {
    struct hash key;
    struct hash value;
};

struct model {
    size_t count;
    struct leaf at[4096];
};

static size_t model_place(const struct model *model, const struct hash *key)
{
    size_t place = 0;
    while (place < model->count &&
           bytes_compare(hash_bytes(&model->at[place].key), hash_bytes(key)) < 0) {
        place++;
    }
    return place;
}

static bool model_has(const struct model *model, const struct hash *key)
{
    size_t place = model_place(model, key);
    return place < model->count && hash_equal(&model->at[place].key, key);
}

static void model_put(struct model *model, const struct hash *key, const struct hash *value)
{
    size_t place = model_place(model, key);
    if (!model_has(model, key)) {
        CHECK(model->count < sizeof model->at / sizeof *model->at);
        memmove(&model->at[place + 1], &model->at[place],
                (model->count++ - place) * sizeof *model->at);
    }
    model->at[place] = (struct leaf){*key, *value};
}

static void model_remove(struct model *model, const struct hash *key)
{
    if (model_has(model, key)) {
        size_t place = model_place(model, key);
        memmove(&model->at[place], &model->at[place + 1],
                (--model->count - place) * sizeof *model->at);
    }
}

static struct hash model_subtree(const struct leaf *at, size_t count, unsigned depth)
{
    struct hash out = {0};
    if (count == 1) {
        state_leaf_hash(&out, &at->key, &at->value);
    } else if (count > 1) {
        size_t left = 0;
        while (left < count && state_bit(&at[left].key, depth) == 0) {
            left++;
        }
        struct hash children[2] = {model_subtree(at, left, depth + 1),
                                   model_subtree(at + left, count - left, depth + 1)};
        state_node_hash(&out, &children[0], &children[1]);
    }
    return out;
}

static void check_root(struct statetree *tree, const struct model *model)
{
    struct hash want = model_subtree(model->at, model->count, 0);
    struct hash got;
    statetree_root(tree, &got);
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&want));
    CHECK_UINT(statetree_count(tree), model->count);
}

/* A key of a small universe whose members share any number of leading bits with each other: a
 * prefix of one long stem, then one flipped bit, then zeros. */
static struct hash deep_key(void)
{
    static const struct hash stem = {{0xa5, 0x3c, 0x00, 0xff, 0x81}};
    struct hash key = stem;
    unsigned flip = (unsigned)(seeded_below(2) == 0 ? 250 + seeded_below(6) : seeded_below(256));
    key.at[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
    if (seeded_below(4) == 0) {
        key.at[31] ^= 1;
    }
    return key;
}

static struct hash wide_key(void)
{
    struct hash key = {{(uint8_t)seeded_u64(), (uint8_t)(seeded_u64() & 3)}};
    return key;
}

/* Changes a version as one of two callers would: by its own reference, or by making another. */
static void put(struct statetree **tree, const struct hash *key, const struct hash *value)
{
    if (seeded_below(2) == 0) {
        statetree_set(tree, key, value);
        return;
    }
    struct statetree *next = statetree_put(*tree, key, value);
    statetree_release(*tree);
    *tree = next;
}

static void cut(struct statetree **tree, const struct hash *key)
{
    if (seeded_below(2) == 0) {
        statetree_unset(tree, key);
        return;
    }
    struct statetree *next = statetree_remove(*tree, key);
    statetree_release(*tree);
    *tree = next;
}

/* The proof of any key, present or not, leads to the root through merkle/statemap.h. */
static void check_proof(struct statetree *tree, const struct model *model, const struct hash *key)
{
    struct hash root;
    struct hash got;
    struct state_place place;
    statetree_root(tree, &root);
    statetree_prove(tree, key, &place);
    struct hash value;
    CHECK(statetree_find(tree, key, &value) == model_has(model, key));
    switch (place.found) {
    case STATE_PRESENT: {
        CHECK(model_has(model, key) && hash_equal(&place.leaf_key, key));
        CHECK(hash_equal(&value, &place.leaf_value));
        /* Values here are hashes of one byte, so that the value itself can be shown. */
        bool shown = false;
        for (unsigned byte = 0; byte < 256 && !shown; byte++) {
            uint8_t bytes[1] = {(uint8_t)byte};
            state_value_hash(&got, BYTES_OF(bytes));
            if (hash_equal(&got, &value)) {
                CHECK_OK(
                    state_presence_root(&got, key, BYTES_OF(bytes), place.siblings, place.count));
                shown = true;
            }
        }
        CHECK(shown);
        break;
    }
    case STATE_OTHER:
        CHECK(!model_has(model, key) && model_has(model, &place.leaf_key));
        CHECK_OK(state_absence_root(&got, key, &place.leaf_key, &place.leaf_value, place.siblings,
                                    place.count));
        break;
    case STATE_EMPTY:
        CHECK(!model_has(model, key));
        CHECK_OK(state_absence_root(&got, key, NULL, NULL, place.siblings, place.count));
        break;
    }
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&root));
}

static struct hash random_value(void)
{
    uint8_t byte[1] = {(uint8_t)seeded_u64()};
    struct hash out;
    state_value_hash(&out, BYTES_OF(byte));
    return out;
}

static void random_changes_follow_the_definition(struct hash (*key_of)(void), unsigned rounds)
{
    struct model *model = mem_zalloc(sizeof *model);
    struct statetree *tree = statetree_empty();
    for (unsigned round = 0; round < rounds; round++) {
        struct hash key = key_of();
        if (seeded_below(5) < 3) {
            struct hash value = random_value();
            put(&tree, &key, &value);
            model_put(model, &key, &value);
        } else {
            cut(&tree, &key);
            model_remove(model, &key);
        }
        CHECK_UINT(statetree_count(tree), model->count);
        if (seeded_below(8) == 0) { /* else the hashing is left for later */
            check_root(tree, model);
            struct hash other = key_of();
            check_proof(tree, model, &key);
            check_proof(tree, model, &other);
        }
    }
    check_root(tree, model);
    while (model->count > 0) {
        struct hash key = model->at[seeded_below(model->count)].key;
        cut(&tree, &key);
        model_remove(model, &key);
        if (seeded_below(8) == 0) {
            check_root(tree, model);
        }
    }
    check_root(tree, model);
    statetree_release(tree);
    free(model);
}

static void the_empty_tree_proves_that_nothing_is_there(void **state)
{
    (void)state;
    struct statetree *tree = statetree_empty();
    struct hash root;
    statetree_root(tree, &root);
    CHECK(hash_is_zero(&root));
    struct hash key = {{1}};
    struct state_place place;
    statetree_prove(tree, &key, &place);
    CHECK(place.found == STATE_EMPTY && place.count == 0);
    struct statetree *same = statetree_remove(tree, &key);
    CHECK(same == tree);
    statetree_release(same);
    statetree_release(tree);
    statetree_release(NULL);
}

static void two_keys_that_differ_in_the_last_bit_stand_256_deep(void **state)
{
    (void)state;
    struct model *model = mem_zalloc(sizeof *model);
    struct statetree *tree = statetree_empty();
    struct hash value = {{7}};
    struct hash keys[2] = {{{0x55}}, {{0x55}}};
    keys[1].at[31] = 1;
    for (unsigned i = 0; i < 2; i++) {
        put(&tree, &keys[i], &value);
        model_put(model, &keys[i], &value);
        check_root(tree, model);
    }
    struct state_place place;
    statetree_prove(tree, &keys[0], &place);
    CHECK_UINT(place.count, 256);
    CHECK(!hash_is_zero(&place.siblings[0]) && hash_is_zero(&place.siblings[255]));
    cut(&tree, &keys[1]);
    model_remove(model, &keys[1]);
    check_root(tree, model);
    statetree_prove(tree, &keys[0], &place);
    CHECK_UINT(place.count, 0);
    statetree_release(tree);
    free(model);
}

static void deep_trees_follow_the_definition(void **state)
{
    (void)state;
    seeded_start("deep_trees_follow_the_definition");
    random_changes_follow_the_definition(deep_key, 3000);
}

static void wide_trees_follow_the_definition(void **state)
{
    (void)state;
    seeded_start("wide_trees_follow_the_definition");
    random_changes_follow_the_definition(wide_key, 6000);
    random_changes_follow_the_definition(seeded_hash, 3000);
}

enum { SHUFFLED = 200 };

static void shuffle(struct hash *keys)
{
    for (size_t i = SHUFFLED - 1; i > 0; i--) {
        size_t j = seeded_below(i + 1);
        struct hash kept = keys[i];
        keys[i] = keys[j];
        keys[j] = kept;
    }
}

/* Half of the keys stay; the others come and go between them. */
static void the_order_of_changes_does_not_matter(void **state)
{
    (void)state;
    seeded_start("the_order_of_changes_does_not_matter");
    struct hash staying[SHUFFLED];
    struct hash passing[SHUFFLED];
    for (size_t i = 0; i < SHUFFLED; i++) {
        staying[i] = i % 2 == 0 ? seeded_hash() : deep_key();
        staying[i].at[30] &= (uint8_t)~0x40;
        passing[i] = staying[i]; /* a close neighbour, told apart by this one bit */
        passing[i].at[30] |= 0x40;
    }
    struct hash want = {0};
    for (unsigned round = 0; round < 20; round++) {
        struct statetree *tree = statetree_empty();
        struct hash got;
        shuffle(staying);
        shuffle(passing);
        for (size_t i = 0; i < SHUFFLED; i++) {
            put(&tree, &staying[i], &staying[i]);
            put(&tree, &passing[i], &staying[i]);
            if (seeded_below(20) == 0) {
                statetree_root(tree, &got);
            }
        }
        shuffle(passing);
        for (size_t i = 0; i < SHUFFLED; i++) {
            cut(&tree, &passing[i]);
        }
        statetree_root(tree, &got);
        if (round == 0) {
            want = got;
        }
        CHECK_BYTES(hash_bytes(&got), hash_bytes(&want));
        statetree_release(tree);
    }
}

static void the_same_value_again_is_the_same_version(void **state)
{
    (void)state;
    struct statetree *tree = statetree_empty();
    struct hash key = {{1}};
    struct hash value = {{2}};
    put(&tree, &key, &value);
    struct statetree *same = statetree_put(tree, &key, &value);
    CHECK(same == tree);
    statetree_release(same);
    struct hash root1;
    struct hash root2;
    statetree_root(tree, &root1);
    value.at[0] = 3;
    put(&tree, &key, &value);
    statetree_root(tree, &root2);
    CHECK(!hash_equal(&root1, &root2));
    CHECK_UINT(statetree_count(tree), 1);
    statetree_release(tree);
}

static void a_change_in_place_spares_what_others_hold(void **state)
{
    (void)state;
    struct statetree *tree = statetree_empty();
    struct hash keys[3] = {{{0x00}}, {{0x01}}, {{0x80}}};
    struct hash value = {{1}};
    for (unsigned i = 0; i < 3; i++) {
        struct statetree *before = tree;
        statetree_set(&tree, &keys[i], &value);
        CHECK(tree == before); /* nobody else would notice */
    }
    struct hash old_root;
    statetree_root(tree, &old_root);
    struct statetree *held = statetree_retain(tree);
    struct hash absent = {{0x02}};
    statetree_unset(&tree, &absent);
    statetree_set(&tree, &keys[0], &value);
    CHECK(tree == held); /* these change nothing */
    statetree_unset(&tree, &keys[2]);
    CHECK(tree != held);
    value.at[0] = 2;
    statetree_set(&tree, &keys[0], &value);
    struct hash root;
    statetree_root(held, &root);
    CHECK_BYTES(hash_bytes(&root), hash_bytes(&old_root));
    CHECK_UINT(statetree_count(held), 3);
    CHECK_UINT(statetree_count(tree), 2);
    statetree_root(tree, &root);
    CHECK(!hash_equal(&root, &old_root));
    statetree_release(held);
    statetree_release(tree);
}

static void older_versions_stay_as_they_were(void **state)
{
    (void)state;
    seeded_start("older_versions_stay_as_they_were");
    enum { VERSIONS = 120 };
    struct statetree *versions[VERSIONS];
    struct model *models = mem_zalloc(VERSIONS * sizeof *models);
    versions[0] = statetree_empty();
    for (unsigned i = 1; i < VERSIONS; i++) {
        unsigned from = (unsigned)seeded_below(i); /* versions branch, as discarded blocks do */
        versions[i] = statetree_retain(versions[from]);
        models[i] = models[from];
        for (unsigned change = 0; change < 12; change++) {
            struct hash key = seeded_below(2) == 0 ? deep_key() : wide_key();
            struct hash value = random_value();
            if (seeded_below(3) == 0) {
                cut(&versions[i], &key);
                model_remove(&models[i], &key);
            } else {
                put(&versions[i], &key, &value);
                model_put(&models[i], &key, &value);
            }
        }
    }
    for (unsigned left = VERSIONS; left > 0; left--) {
        unsigned i = (unsigned)seeded_below(left);
        check_root(versions[i], &models[i]);
        struct hash key = deep_key();
        check_proof(versions[i], &models[i], &key);
        statetree_release(versions[i]);
        versions[i] = versions[left - 1];
        models[i] = models[left - 1];
    }
    free(models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_empty_tree_proves_that_nothing_is_there),
        cmocka_unit_test(two_keys_that_differ_in_the_last_bit_stand_256_deep),
        cmocka_unit_test(deep_trees_follow_the_definition),
        cmocka_unit_test(wide_trees_follow_the_definition),
        cmocka_unit_test(the_order_of_changes_does_not_matter),
        cmocka_unit_test(the_same_value_again_is_the_same_version),
        cmocka_unit_test(a_change_in_place_spares_what_others_hold),
        cmocka_unit_test(older_versions_stay_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
