#include "store/delta.h"

#include <stdlib.h>
#include <string.h>

static bool below(const struct pair *a, const struct pair *b)
{
    return a->prefix < b->prefix || (a->prefix == b->prefix && a->place < b->place);
}

/* Merges two sorted ranges. */
static void merge(struct pair *out, const struct pair *a, const struct pair *a_end,
                  const struct pair *b, const struct pair *b_end)
{
    while (a < a_end && b < b_end) {
        bool second = below(b, a);
        *out++ = second ? *b : *a;
        b += second;
        a += !second;
    }
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    out += a_end - a;
    memcpy(out, b, (size_t)(b_end - b) * sizeof *b);
}

/* Sorts runs of eight by insertion. */
static void sort_runs(struct pair *pairs, size_t len)
{
    for (size_t start = 0; start < len; start += 8) {
        size_t end = len - start < 8 ? len : start + 8;
        for (size_t i = start + 1; i < end; i++) {
            struct pair pair = pairs[i];
            size_t hole = i;
            for (; hole > start && below(&pair, &pairs[hole - 1]); hole--) {
                pairs[hole] = pairs[hole - 1];
            }
            pairs[hole] = pair;
        }
    }
}

static size_t at_most(size_t value, size_t limit)
{
    return value < limit ? value : limit;
}

/* Merges runs of doubling length from `pairs` to `other` and back. Returns where the sorted pairs
 * are. */
static struct pair *sort(struct pair *pairs, struct pair *other, size_t len)
{
    sort_runs(pairs, len);
    for (size_t run = 8; run < len; run *= 2) {
        for (size_t start = 0; start < len; start += 2 * run) {
            size_t middle = at_most(start + run, len);
            size_t end = at_most(start + 2 * run, len);
            merge(other + start, pairs + start, pairs + middle, pairs + middle, pairs + end);
        }
        struct pair *sorted = other;
        other = pairs;
        pairs = sorted;
    }
    return pairs;
}

static struct chunk *chunk_new(size_t len)
{
    struct chunk *chunk = mem_alloc(sizeof *chunk + len * sizeof chunk->at[0]);
    chunk->len = len;
    return chunk;
}

size_t chunk_search(const struct chunk *chunk, struct pair pair)
{
    size_t low = 0;
    size_t high = chunk->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (below(&chunk->at[middle], &pair)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Replaces the last two chunks by one. Searches go on meanwhile. */
static void merge_last(struct delta *delta, pthread_rwlock_t *lock)
{
    struct chunk *a = delta->chunks[delta->count - 2];
    struct chunk *b = delta->chunks[delta->count - 1];
    struct chunk *both = chunk_new(a->len + b->len);
    merge(both->at, a->at, a->at + a->len, b->at, b->at + b->len);
    pthread_rwlock_wrlock(lock);
    delta->count--;
    delta->chunks[delta->count - 1] = both;
    pthread_rwlock_unlock(lock);
    free(a);
    free(b);
}

void delta_add(struct delta *delta, pthread_rwlock_t *lock, struct pair *pairs, size_t len)
{
    if (len == 0) {
        return;
    }
    struct chunk *chunk = chunk_new(len);
    struct pair *sorted = sort(pairs, chunk->at, len);
    if (sorted != chunk->at) {
        memcpy(chunk->at, sorted, len * sizeof *sorted);
    }
    BUG_ON(delta->count == DELTA_CHUNKS_MAX);
    pthread_rwlock_wrlock(lock);
    delta->chunks[delta->count++] = chunk;
    delta->len += len;
    pthread_rwlock_unlock(lock);
    while (delta->count > 1 &&
           delta->chunks[delta->count - 2]->len < 2 * delta->chunks[delta->count - 1]->len) {
        merge_last(delta, lock);
    }
}

const struct chunk *delta_fold(struct delta *delta, pthread_rwlock_t *lock)
{
    while (delta->count > 1) {
        merge_last(delta, lock);
    }
    return delta->count == 1 ? delta->chunks[0] : NULL;
}

void delta_clear(struct delta *delta)
{
    for (size_t i = 0; i < delta->count; i++) {
        free(delta->chunks[i]);
    }
    delta->count = 0;
    delta->len = 0;
}
