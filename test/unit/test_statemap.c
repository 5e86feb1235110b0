#include "merkle/statemap.h"
#include "seeded.h"

static void bits_are_taken_from_the_most_significant(void **state)
{
    (void)state;
    struct hash key = {{0x80, 0x01}};
    key.at[31] = 0x01;
    for (unsigned depth = 0; depth < 256; depth++) {
        CHECK_UINT(state_bit(&key, depth), depth == 0 || depth == 15 || depth == 255);
    }
}

static void hashes_have_their_own_prefixes(void **state)
{
    (void)state;
    struct hash zero = {0};
    struct hash got;
    state_leaf_hash(&got, &zero, &zero);
    CHECK_BYTES(hash_bytes(&got),
                hex("fc41b6eae4ac303a39aab634ea618594b5d2056349974fb0aa41d54eb16fb1d5"));
    state_node_hash(&got, &zero, &zero);
    CHECK_BYTES(hash_bytes(&got),
                hex("3abddd594d884ff661d24666372d9fe669a1ec9e616401db6bd2edeb3c397143"));
    state_value_hash(&got, bytes_text("abc"));
    CHECK_BYTES(hash_bytes(&got),
                hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

/* The key hash covers a two-element array whose text head grows with its length. */
static void long_module_names_keep_the_shortest_head(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *hash;
    } cases[] = {
        {0, "91ee85c0f1263b0587c6bc76aef1fa6072856f5b44f0e63843c68f2f6f678442"},
        {23, "fbc21e9d3a9a416d790677b6ebf4a1fae2afc207da0d9debc5e552843c4d1445"},
        {24, "1bcd11829d95cb6dcd76050d35154d08ab3140f669e66d4b08190e3c2aaf291a"},
        {255, "22530fe63cbe03496b5813167281fd389d4be90204fcfcd945952ca1fdce280a"},
        {256, "251fe1740c002b7ac04cff90c5d3f18377ea47290aa35096b361604fc47d28f0"},
        {65535, "627e82d2a77509d42958d18f22d62b9682f7392fc46ce6d3ef788fee34df15f5"},
        {65536, "764c24a9191a9531bb10038ffb6f745cfd795123f764295412a794122a7f116f"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *name = mem_alloc(cases[i].len + 1);
        memset(name, 'a', cases[i].len);
        struct hash got;
        state_key_hash(&got, (struct bytes){name, cases[i].len}, hex("01"));
        CHECK_BYTES(hash_bytes(&got), hex(cases[i].hash));
        free(name);
    }
}

static void a_proof_has_at_most_256_siblings(void **state)
{
    (void)state;
    static const struct hash siblings[SIBLINGS_MAX + 1];
    struct hash key = {{1}};
    struct hash other = {{1, 1}};
    struct hash root;
    CHECK_OK(state_presence_root(&root, &key, BYTES_NONE, siblings, SIBLINGS_MAX));
    CHECK_ERR(state_presence_root(&root, &key, BYTES_NONE, siblings, SIBLINGS_MAX + 1), ERR_RANGE);
    CHECK_OK(state_absence_root(&root, &key, NULL, NULL, siblings, SIBLINGS_MAX));
    CHECK_ERR(state_absence_root(&root, &key, NULL, NULL, siblings, SIBLINGS_MAX + 1), ERR_RANGE);
    CHECK_ERR(state_absence_root(&root, &key, &other, &other, siblings, SIBLINGS_MAX + 1),
              ERR_RANGE);
}

static void another_leaf_must_be_another_key_in_the_same_place(void **state)
{
    (void)state;
    static const struct hash siblings[SIBLINGS_MAX];
    struct hash key = {{0xf0}};
    struct hash root;
    CHECK_ERR(state_absence_root(&root, &key, &key, &key, siblings, 0), ERR_MISMATCH);
    for (unsigned shared = 0; shared < 256; shared++) {
        struct hash other = key;
        other.at[shared / 8] ^= (uint8_t)(0x80 >> shared % 8);
        CHECK_OK(state_absence_root(&root, &key, &other, &key, siblings, shared));
        CHECK_ERR(state_absence_root(&root, &key, &other, &key, siblings, shared + 1),
                  ERR_MISMATCH);
    }
}

static void a_proof_climbs_by_the_bits_of_its_key(void **state)
{
    (void)state;
    seeded_start("a_proof_climbs_by_the_bits_of_its_key");
    for (unsigned round = 0; round < 200; round++) {
        struct hash key = seeded_hash();
        struct hash siblings[SIBLINGS_MAX];
        size_t count = seeded_below(SIBLINGS_MAX + 1);
        struct hash node;
        state_value_hash(&node, BYTES_OF(round));
        state_leaf_hash(&node, &key, &node);
        for (size_t i = 0; i < count; i++) {
            siblings[i] = seeded_below(4) == 0 ? (struct hash){0} : seeded_hash();
            bool right = state_bit(&key, (unsigned)(count - 1 - i));
            const struct hash *pair[2] = {right ? &siblings[i] : &node,
                                          right ? &node : &siblings[i]};
            state_node_hash(&node, pair[0], pair[1]);
        }
        struct hash got;
        CHECK_OK(state_presence_root(&got, &key, BYTES_OF(round), siblings, count));
        CHECK_BYTES(hash_bytes(&got), hash_bytes(&node));
        if (count > 0) {
            siblings[seeded_below(count)].at[seeded_below(32)] ^= 0x10;
            CHECK_OK(state_presence_root(&got, &key, BYTES_OF(round), siblings, count));
            CHECK(!hash_equal(&got, &node));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_taken_from_the_most_significant),
        cmocka_unit_test(hashes_have_their_own_prefixes),
        cmocka_unit_test(long_module_names_keep_the_shortest_head),
        cmocka_unit_test(a_proof_has_at_most_256_siblings),
        cmocka_unit_test(another_leaf_must_be_another_key_in_the_same_place),
        cmocka_unit_test(a_proof_climbs_by_the_bits_of_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
