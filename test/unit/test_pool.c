#include "check.h"
#include "order/comet/pool.h"

#include <stdlib.h>

/* A transaction of one statement that is nothing but there. */
static struct pool_tx *transaction(size_t len, void *own)
{
    struct submissions submissions = {1, mem_alloc(sizeof(struct submission *))};
    submissions.at[0] = mem_zalloc(sizeof(struct submission));
    return pool_tx_new(&submissions, len, own);
}

static struct hash named(uint8_t name)
{
    return (struct hash){{name, name, name, name}};
}

static bool has(struct pool *pool, uint8_t name)
{
    struct hash hash = named(name);
    struct pool_tx *tx = pool_find(pool, &hash);
    pool_tx_release(tx);
    return tx != NULL;
}

static bool put(struct pool *pool, uint8_t name, size_t len, void *own)
{
    struct hash hash = named(name);
    struct pool_tx *tx = transaction(len, own);
    bool added = pool_add(pool, &hash, tx);
    pool_tx_release(tx);
    return added;
}

static void what_was_put_in_is_found_until_it_is_dropped(void **state)
{
    (void)state;
    struct pool *pool = pool_new(10, 1000);
    struct hash hash = named(1);
    CHECK(put(pool, 1, 10, NULL));
    CHECK(!put(pool, 1, 10, NULL));
    struct pool_tx *tx = pool_find(pool, &hash);
    CHECK(tx != NULL);
    pool_drop(pool, tx);
    CHECK(!has(pool, 1));
    CHECK_UINT(tx->submissions.count, 1); /* held, so still whole */
    pool_tx_release(tx);
    pool_free(pool);
}

static void the_oldest_of_others_makes_room_by_count_and_by_bytes(void **state)
{
    (void)state;
    struct pool *pool = pool_new(3, 100);
    for (uint8_t name = 1; name <= 4; name++) {
        CHECK(put(pool, name, 10, NULL));
    }
    CHECK(!has(pool, 1));
    CHECK(has(pool, 2) && has(pool, 3) && has(pool, 4));
    CHECK(put(pool, 5, 85, NULL));
    CHECK(!has(pool, 2) && !has(pool, 3));
    CHECK(has(pool, 4) && has(pool, 5));
    struct pool_figures figures;
    pool_figures(pool, &figures);
    CHECK_UINT(figures.count, 2);
    CHECK_UINT(figures.len, 95);
    pool_free(pool);
}

static void a_nodes_own_stay_and_take_the_place_of_others(void **state)
{
    (void)state;
    int owner;
    struct pool *pool = pool_new(1, 100);
    struct hash hash = named(1);
    CHECK(put(pool, 1, 10, NULL));
    struct pool_tx *own = transaction(90, &owner);
    CHECK(pool_add(pool, &hash, own));
    struct hash second = named(2);
    CHECK(pool_add(pool, &second, own));
    CHECK(!put(pool, 1, 10, NULL));
    CHECK(put(pool, 3, 10, NULL));
    CHECK(put(pool, 4, 10, NULL));
    CHECK(!has(pool, 3) && has(pool, 4));
    struct pool_tx *found = pool_find(pool, &second);
    CHECK(found == own);
    pool_tx_release(found);
    pool_drop(pool, own);
    CHECK(!has(pool, 1) && !has(pool, 2));
    pool_tx_release(own);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_is_found_until_it_is_dropped),
        cmocka_unit_test(the_oldest_of_others_makes_room_by_count_and_by_bytes),
        cmocka_unit_test(a_nodes_own_stay_and_take_the_place_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
