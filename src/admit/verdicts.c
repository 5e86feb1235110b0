#include "admit/verdicts.h"

#include <pthread.h>
#include <stdlib.h>

#define SLOTS 65536
#define LOCKS 64

struct verdict {
    struct hash digest;
    struct hash kid;
};

struct verdicts {
    pthread_mutex_t locks[LOCKS];
    struct verdict slots[SLOTS];
};

struct verdicts *verdicts_new(void)
{
    struct verdicts *verdicts = mem_zalloc(sizeof *verdicts);
    for (size_t i = 0; i < LOCKS; i++) {
        pthread_mutex_init(&verdicts->locks[i], NULL);
    }
    return verdicts;
}

void verdicts_free(struct verdicts *verdicts)
{
    for (size_t i = 0; i < LOCKS; i++) {
        pthread_mutex_destroy(&verdicts->locks[i]);
    }
    free(verdicts);
}

bool verdicts_has(struct verdicts *verdicts, const struct hash *digest, const struct hash *kid)
{
    size_t slot = get_u32(digest->at) % SLOTS;
    pthread_mutex_t *lock = &verdicts->locks[slot % LOCKS];
    pthread_mutex_lock(lock);
    const struct verdict *verdict = &verdicts->slots[slot];
    bool has = hash_equal(&verdict->digest, digest) && hash_equal(&verdict->kid, kid);
    pthread_mutex_unlock(lock);
    return has;
}

void verdicts_add(struct verdicts *verdicts, const struct hash *digest, const struct hash *kid)
{
    size_t slot = get_u32(digest->at) % SLOTS;
    pthread_mutex_t *lock = &verdicts->locks[slot % LOCKS];
    pthread_mutex_lock(lock);
    verdicts->slots[slot] = (struct verdict){*digest, *kid};
    pthread_mutex_unlock(lock);
}
