/* Pairs of one index kind that are not yet in a file: a few sorted chunks, each twice as long as
 * the next or more, so that a search looks into few and a pair is merged a few times only.
 *
 * A chunk never changes once it is in the list. One thread adds; the list itself, which is all that
 * changes, is guarded by the lock that `delta` functions are given. */
#ifndef CAIRN_STORE_DELTA_H
#define CAIRN_STORE_DELTA_H

#include "base/bytes.h"

#include <pthread.h>

/* Ordered by prefix, then place. */
struct pair {
    uint64_t prefix;
    uint64_t place; /* sequence << 16 | number */
};

struct chunk {
    size_t len;
    struct pair at[];
};

enum { DELTA_CHUNKS_MAX = 64 };

struct delta {
    struct chunk *chunks[DELTA_CHUNKS_MAX];
    size_t count;
    size_t len; /* pairs in all chunks */
};

/* Adds pairs in any order, which it sorts; keeps nothing of `pairs`. */
void delta_add(struct delta *delta, pthread_rwlock_t *lock, struct pair *pairs, size_t len);
/* Merges all chunks into one and returns it; NULL if there is none. It stays in the delta. */
const struct chunk *delta_fold(struct delta *delta, pthread_rwlock_t *lock);
/* Empties the delta. No search may be under way; the caller holds the lock for writing. */
void delta_clear(struct delta *delta);

/* The index of the first pair of the chunk that is not below `pair`. */
size_t chunk_search(const struct chunk *chunk, struct pair pair);

#endif
