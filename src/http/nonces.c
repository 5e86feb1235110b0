#include "http/nonces.h"

#include "crypto/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256

/* The first half of a SHA-256; all zero is an empty slot. */
struct mark {
    uint64_t high;
    uint64_t low;
};

/* Open addressing; at most half full. */
struct generation {
    struct mark *slots;
    size_t slot_count; /* a power of two */
    size_t count;
};

struct nonces {
    pthread_mutex_t lock;
    size_t max;
    uint64_t keep_ms;
    uint64_t began_ms; /* of the younger generation */
    struct generation younger;
    struct generation elder;
};

struct nonces *nonces_new(size_t max, uint64_t keep_ms)
{
    struct nonces *nonces = mem_zalloc(sizeof *nonces);
    pthread_mutex_init(&nonces->lock, NULL);
    nonces->max = max;
    nonces->keep_ms = keep_ms;
    return nonces;
}

void nonces_free(struct nonces *nonces)
{
    if (nonces) {
        free(nonces->younger.slots);
        free(nonces->elder.slots);
        pthread_mutex_destroy(&nonces->lock);
        free(nonces);
    }
}

/* The slot that holds the mark, or the free one where it belongs. */
static struct mark *slot_of(const struct generation *generation, struct mark mark)
{
    size_t at = (size_t)mark.low & (generation->slot_count - 1);
    for (;;) {
        struct mark *slot = &generation->slots[at];
        bool free_slot = slot->high == 0 && slot->low == 0;
        if (free_slot || (slot->high == mark.high && slot->low == mark.low)) {
            return slot;
        }
        at = (at + 1) & (generation->slot_count - 1);
    }
}

static bool holds(const struct generation *generation, struct mark mark)
{
    return generation->slot_count > 0 && slot_of(generation, mark)->high == mark.high &&
           slot_of(generation, mark)->low == mark.low;
}

static void grow(struct generation *generation)
{
    struct generation old = *generation;
    generation->slot_count = old.slot_count ? 2 * old.slot_count : FIRST_SLOTS;
    generation->slots = mem_zalloc(generation->slot_count * sizeof *generation->slots);
    for (size_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i].high != 0 || old.slots[i].low != 0) {
            *slot_of(generation, old.slots[i]) = old.slots[i];
        }
    }
    free(old.slots);
}

static void turn(struct nonces *nonces, uint64_t now_ms)
{
    if (now_ms - nonces->began_ms < nonces->keep_ms) {
        return;
    }
    free(nonces->elder.slots);
    nonces->elder = nonces->younger;
    nonces->younger = (struct generation){0};
    if (now_ms - nonces->began_ms >= 2 * nonces->keep_ms) {
        free(nonces->elder.slots);
        nonces->elder = (struct generation){0};
    }
    nonces->began_ms = now_ms;
}

static struct mark mark_of(const struct hash *kid, struct bytes nonce)
{
    struct hash digest;
    struct bytes parts[] = {hash_bytes(kid), nonce};
    sha256_parts(&digest, parts, 2);
    struct mark mark = {get_u64(digest.at), get_u64(digest.at + 8)};
    mark.high |= mark.high == 0 && mark.low == 0;
    return mark;
}

enum err nonces_take(struct nonces *nonces, const struct hash *kid, struct bytes nonce,
                     uint64_t now_ms)
{
    struct mark mark = mark_of(kid, nonce);
    enum err err = OK;
    pthread_mutex_lock(&nonces->lock);
    turn(nonces, now_ms);
    struct generation *younger = &nonces->younger;
    if (holds(younger, mark) || holds(&nonces->elder, mark)) {
        err = ERR_EXISTS;
    } else if (younger->count == nonces->max) {
        err = ERR_BUSY;
    } else {
        if (2 * (younger->count + 1) > younger->slot_count) {
            grow(younger);
        }
        *slot_of(younger, mark) = mark;
        younger->count++;
    }
    pthread_mutex_unlock(&nonces->lock);
    return err;
}
