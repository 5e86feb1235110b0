#include "order/comet/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 16384 /* a power of two */

/* One hash of one transaction. The pool holds the transaction once for each of its keys. */
struct pool_key {
    struct hash hash;
    struct pool_tx *tx;
    struct pool_key *next_in_bucket;
    struct pool_key *next_of_tx;
    struct pool_key *older; /* of those that others sent, in the order of their coming */
    struct pool_key *newer;
};

struct pool {
    size_t count_max;
    size_t len_max;
    pthread_mutex_t lock; /* guards what follows, and `keys` of what is in it */
    size_t count;         /* of those that others sent, as the next */
    size_t len;
    struct pool_key *oldest;
    struct pool_key *newest;
    struct pool_key *buckets[BUCKETS];
};

struct pool *pool_new(size_t count_max, size_t len_max)
{
    struct pool *pool = mem_zalloc(sizeof *pool);
    pool->count_max = count_max;
    pool->len_max = len_max;
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

struct pool_tx *pool_tx_new(struct submissions *submissions, size_t len, void *own)
{
    struct pool_tx *tx = mem_zalloc(sizeof *tx);
    tx->submissions = *submissions;
    tx->len = len;
    tx->own = own;
    atomic_init(&tx->holders, 1);
    *submissions = (struct submissions){0};
    return tx;
}

static void release(struct pool_tx *tx, unsigned times)
{
    if (tx != NULL && atomic_fetch_sub(&tx->holders, times) == times) {
        submissions_clear(&tx->submissions);
        free(tx);
    }
}

void pool_tx_release(struct pool_tx *tx)
{
    release(tx, 1);
}

static struct pool_key **bucket_of(struct pool *pool, const struct hash *hash)
{
    return &pool->buckets[get_u32(hash->at) % BUCKETS];
}

static struct pool_key *find(struct pool *pool, const struct hash *hash)
{
    struct pool_key *key = *bucket_of(pool, hash);
    while (key != NULL && !hash_equal(&key->hash, hash)) {
        key = key->next_in_bucket;
    }
    return key;
}

static void link_newest(struct pool *pool, struct pool_key *key)
{
    key->older = pool->newest;
    *(pool->newest ? &pool->newest->newer : &pool->oldest) = key;
    pool->newest = key;
    pool->count++;
    pool->len += key->tx->len;
}

static void unlink_key(struct pool *pool, struct pool_key *key)
{
    *(key->older ? &key->older->newer : &pool->oldest) = key->newer;
    *(key->newer ? &key->newer->older : &pool->newest) = key->older;
    pool->count--;
    pool->len -= key->tx->len;
}

/* Frees the key; its hold of the transaction is the caller's then. */
static struct pool_tx *take_key(struct pool *pool, struct pool_key *key)
{
    struct pool_key **at = bucket_of(pool, &key->hash);
    while (*at != key) {
        at = &(*at)->next_in_bucket;
    }
    *at = key->next_in_bucket;
    at = &key->tx->keys;
    while (*at != key) {
        at = &(*at)->next_of_tx;
    }
    *at = key->next_of_tx;
    if (key->tx->own == NULL) {
        unlink_key(pool, key);
    }
    struct pool_tx *tx = key->tx;
    free(key);
    return tx;
}

static void remove_key(struct pool *pool, struct pool_key *key)
{
    release(take_key(pool, key), 1);
}

void pool_free(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (pool->buckets[i] != NULL) {
            remove_key(pool, pool->buckets[i]);
        }
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

struct pool_tx *pool_find(struct pool *pool, const struct hash *hash)
{
    pthread_mutex_lock(&pool->lock);
    struct pool_key *key = find(pool, hash);
    struct pool_tx *tx = key != NULL ? key->tx : NULL;
    if (tx != NULL) {
        atomic_fetch_add(&tx->holders, 1);
    }
    pthread_mutex_unlock(&pool->lock);
    return tx;
}

static void make_room(struct pool *pool, size_t len)
{
    while (pool->oldest != NULL &&
           (pool->count >= pool->count_max || pool->len + len > pool->len_max)) {
        remove_key(pool, pool->oldest);
    }
}

static void add_key(struct pool *pool, const struct hash *hash, struct pool_tx *tx)
{
    struct pool_key *key = mem_zalloc(sizeof *key);
    struct pool_key **bucket = bucket_of(pool, hash);
    atomic_fetch_add(&tx->holders, 1);
    *key = (struct pool_key){
        .hash = *hash, .tx = tx, .next_in_bucket = *bucket, .next_of_tx = tx->keys};
    *bucket = key;
    tx->keys = key;
    if (tx->own == NULL) {
        link_newest(pool, key);
    }
}

bool pool_add(struct pool *pool, const struct hash *hash, struct pool_tx *tx)
{
    pthread_mutex_lock(&pool->lock);
    struct pool_key *there = find(pool, hash);
    bool added = there == NULL || (tx->own != NULL && there->tx->own == NULL);
    if (added && there != NULL) {
        remove_key(pool, there);
    }
    if (added) {
        if (tx->own == NULL) {
            make_room(pool, tx->len);
        }
        add_key(pool, hash, tx);
    }
    pthread_mutex_unlock(&pool->lock);
    return added;
}

void pool_drop(struct pool *pool, struct pool_tx *tx)
{
    pthread_mutex_lock(&pool->lock);
    unsigned held = 0;
    while (tx->keys != NULL) {
        /* It leaves the list. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        take_key(pool, tx->keys);
        held++;
    }
    tx->own = NULL;
    pthread_mutex_unlock(&pool->lock);
    if (held > 0) {
        release(tx, held);
    }
}

void pool_figures(struct pool *pool, struct pool_figures *out)
{
    pthread_mutex_lock(&pool->lock);
    *out = (struct pool_figures){.count = pool->count, .len = pool->len};
    pthread_mutex_unlock(&pool->lock);
}
