#include "http/limits.h"

#include "crypto/random.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000u

static void set_default(unsigned *value, unsigned otherwise)
{
    *value = *value ? *value : otherwise;
}

void limits_complete(struct server_limits *limits)
{
    limits->memory_len = limits->memory_len ? limits->memory_len : (size_t)256 << 20;
    limits->header_max = limits->header_max ? limits->header_max : (size_t)16 << 10;
    limits->chunked_max = limits->chunked_max ? limits->chunked_max : (size_t)1 << 20;
    set_default(&limits->connections, 1024);
    set_default(&limits->connections_per_address, 256);
    set_default(&limits->requests_burst, 2 * limits->requests_per_second);
    set_default(&limits->streams, 10000);
    set_default(&limits->body_rate, 16u << 10);
    set_default(&limits->body_grace_s, 5);
    set_default(&limits->header_wait_s, 10);
    set_default(&limits->idle_s, 60);
    set_default(&limits->answer_wait_s, 30);
}

bool rate_is_kept(uint64_t done, uint64_t elapsed_ns, unsigned rate, unsigned grace_s)
{
    uint64_t grace_ns = (uint64_t)grace_s * SECOND_NS;
    if (elapsed_ns <= grace_ns) {
        return true;
    }
    uint64_t due_ms = (elapsed_ns - grace_ns) / 1000000u;
    return done / rate * 1000u + done % rate * 1000u / rate >= due_ms;
}

/* ---- bytes */

bool budget_take(struct budget *budget, size_t len)
{
    size_t used = atomic_load(&budget->used);
    do {
        if (used > budget->max || len > budget->max - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&budget->used, &used, used + len));
    return true;
}

void budget_force(struct budget *budget, size_t len)
{
    atomic_fetch_add(&budget->used, len);
}

void budget_give(struct budget *budget, size_t len)
{
    size_t before = atomic_fetch_sub(&budget->used, len);
    BUG_ON(before < len);
}

/* ---- hashing that nobody outside can aim at */

struct hash_key {
    uint8_t at[crypto_shorthash_KEYBYTES];
};

static uint64_t hash_of(const struct hash_key *key, struct bytes bytes)
{
    uint8_t out[crypto_shorthash_BYTES];
    _Static_assert(sizeof out == 8, "a short hash is a number of 64 bits");
    crypto_shorthash(out, bytes.at, bytes.len, key->at);
    return get_u64(out);
}

/* ---- connections by address */

#define CHAINS 1024u

struct address {
    struct address *next;
    unsigned count;
    char text[];
};

struct addresses {
    pthread_mutex_t lock;
    struct hash_key key;
    struct address *chains[CHAINS];
};

struct addresses *addresses_new(void)
{
    struct addresses *addresses = mem_zalloc(sizeof *addresses);
    pthread_mutex_init(&addresses->lock, NULL);
    random_bytes(addresses->key.at, sizeof addresses->key.at);
    return addresses;
}

void addresses_free(struct addresses *addresses)
{
    for (unsigned i = 0; i < CHAINS; i++) {
        BUG_ON(addresses->chains[i]);
    }
    pthread_mutex_destroy(&addresses->lock);
    free(addresses);
}

/* Where the pointer to the address stands, or would. */
static struct address **place_of(struct addresses *addresses, const char *text)
{
    uint64_t hash = hash_of(&addresses->key, bytes_text(text));
    struct address **at = &addresses->chains[hash % CHAINS];
    while (*at && strcmp((*at)->text, text) != 0) {
        at = &(*at)->next;
    }
    return at;
}

unsigned addresses_add(struct addresses *addresses, const char *address)
{
    pthread_mutex_lock(&addresses->lock);
    struct address **at = place_of(addresses, address);
    if (!*at) {
        size_t len = strlen(address) + 1;
        *at = mem_zalloc(sizeof **at + len);
        memcpy((*at)->text, address, len);
    }
    unsigned count = ++(*at)->count;
    pthread_mutex_unlock(&addresses->lock);
    return count;
}

void addresses_remove(struct addresses *addresses, const char *address)
{
    pthread_mutex_lock(&addresses->lock);
    struct address **at = place_of(addresses, address);
    BUG_ON(!*at);
    struct address *gone = *at;
    if (--gone->count == 0) {
        *at = gone->next;
        free(gone);
    }
    pthread_mutex_unlock(&addresses->lock);
}

/* ---- token buckets */

#define SETS  2048u
#define WAYS  8u
#define TOKEN 1000000u /* a millionth of one is the unit of account */

struct bucket {
    uint64_t who;   /* a keyed hash; 0: free */
    uint64_t at_ns; /* when `tokens` was right */
    uint64_t tokens;
};

struct buckets {
    pthread_mutex_t lock;
    struct hash_key key;
    uint64_t per_second;
    uint64_t burst;
    struct bucket sets[SETS][WAYS];
};

struct buckets *buckets_new(unsigned per_second, unsigned burst)
{
    struct buckets *buckets = mem_zalloc(sizeof *buckets);
    pthread_mutex_init(&buckets->lock, NULL);
    random_bytes(buckets->key.at, sizeof buckets->key.at);
    buckets->per_second = per_second;
    buckets->burst = (uint64_t)burst * TOKEN;
    return buckets;
}

void buckets_set_rate(struct buckets *buckets, unsigned per_second, unsigned burst)
{
    pthread_mutex_lock(&buckets->lock);
    buckets->per_second = per_second;
    buckets->burst = (uint64_t)burst * TOKEN;
    pthread_mutex_unlock(&buckets->lock);
}

void buckets_free(struct buckets *buckets)
{
    pthread_mutex_destroy(&buckets->lock);
    free(buckets);
}

/* Gives back what the time since has earned. */
static void refill(const struct buckets *buckets, struct bucket *bucket, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns > bucket->at_ns ? now_ns - bucket->at_ns : 0;
    if (elapsed_ns / SECOND_NS > buckets->burst / TOKEN / buckets->per_second) {
        bucket->tokens = buckets->burst;
        bucket->at_ns = now_ns;
        return;
    }
    /* In microseconds, since a token is a million. */
    uint64_t tokens = bucket->tokens + elapsed_ns / 1000u * buckets->per_second;
    bucket->tokens = tokens < buckets->burst ? tokens : buckets->burst;
    bucket->at_ns += elapsed_ns / 1000u * 1000u;
}

static struct bucket *bucket_of(struct buckets *buckets, uint64_t who, uint64_t now_ns)
{
    struct bucket *set = buckets->sets[who % SETS];
    struct bucket *fullest = NULL;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].who == who) {
            refill(buckets, &set[i], now_ns);
            return &set[i];
        }
    }
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].who == 0) {
            fullest = &set[i];
            break;
        }
        refill(buckets, &set[i], now_ns);
        if (!fullest || set[i].tokens > fullest->tokens) {
            fullest = &set[i];
        }
    }
    *fullest = (struct bucket){.who = who, .at_ns = now_ns, .tokens = buckets->burst};
    return fullest;
}

unsigned buckets_take(struct buckets *buckets, struct bytes who, uint64_t now_ns)
{
    uint64_t hash = hash_of(&buckets->key, who);
    hash = hash ? hash : 1;
    unsigned wait_s = 0;
    pthread_mutex_lock(&buckets->lock);
    if (buckets->per_second == 0) {
        pthread_mutex_unlock(&buckets->lock);
        return 0;
    }
    struct bucket *bucket = bucket_of(buckets, hash, now_ns);
    if (bucket->tokens >= TOKEN) {
        bucket->tokens -= TOKEN;
    } else {
        uint64_t missing = TOKEN - bucket->tokens;
        uint64_t rate = buckets->per_second * TOKEN;
        wait_s = (unsigned)((missing + rate - 1) / rate);
    }
    pthread_mutex_unlock(&buckets->lock);
    return wait_s;
}
