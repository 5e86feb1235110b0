/* Open addressing with linear probing; a removal moves later slots of the run back, so that no
 * tombstones gather. The ids are hashes, so their own bytes choose the slot. */
#include "ledger/recent.h"

#include <stdlib.h>

#define SLOTS_MIN 1024

struct slot {
    uint64_t prefix;
    uint64_t place; /* log index + 1; 0 where the slot is free */
};

struct recent {
    struct slot *slots;
    uint64_t mask;
    uint64_t count;
};

struct recent *recent_new(void)
{
    struct recent *recent = mem_zalloc(sizeof *recent);
    recent->slots = mem_zalloc(SLOTS_MIN * sizeof *recent->slots);
    recent->mask = SLOTS_MIN - 1;
    return recent;
}

void recent_free(struct recent *recent)
{
    if (recent != NULL) {
        free(recent->slots);
        free(recent);
    }
}

static void place(struct recent *recent, struct slot entry)
{
    uint64_t at = entry.prefix & recent->mask;
    while (recent->slots[at].place != 0) {
        at = (at + 1) & recent->mask;
    }
    recent->slots[at] = entry;
}

static void resize(struct recent *recent, uint64_t slots)
{
    struct slot *old = recent->slots;
    uint64_t old_slots = recent->mask + 1;
    recent->slots = mem_zalloc(slots * sizeof *recent->slots);
    recent->mask = slots - 1;
    for (uint64_t i = 0; i < old_slots; i++) {
        if (old[i].place != 0) {
            place(recent, old[i]);
        }
    }
    free(old);
}

void recent_add(struct recent *recent, const struct hash *id, uint64_t index)
{
    if (recent->count >= (recent->mask + 1) / 4 * 3) {
        resize(recent, 2 * (recent->mask + 1));
    }
    place(recent, (struct slot){get_u64(id->at), index + 1});
    recent->count++;
}

/* Frees a slot and closes the gap: an entry moves back unless it would pass its own first slot. */
static void free_slot(struct recent *recent, uint64_t gap)
{
    uint64_t at = gap;
    for (;;) {
        at = (at + 1) & recent->mask;
        if (recent->slots[at].place == 0) {
            break;
        }
        uint64_t home = recent->slots[at].prefix & recent->mask;
        if (((at - home) & recent->mask) >= ((at - gap) & recent->mask)) {
            recent->slots[gap] = recent->slots[at];
            gap = at;
        }
    }
    recent->slots[gap] = (struct slot){0};
}

void recent_remove(struct recent *recent, const struct hash *id, uint64_t index)
{
    uint64_t prefix = get_u64(id->at);
    for (uint64_t at = prefix & recent->mask; recent->slots[at].place != 0;
         at = (at + 1) & recent->mask) {
        if (recent->slots[at].prefix == prefix && recent->slots[at].place == index + 1) {
            free_slot(recent, at);
            recent->count--;
            break;
        }
    }
    if (recent->mask + 1 > SLOTS_MIN && recent->count < (recent->mask + 1) / 8) {
        resize(recent, (recent->mask + 1) / 2);
    }
}

uint64_t recent_count(const struct recent *recent)
{
    return recent->count;
}

void recent_find(const struct recent *recent, const struct hash *id, struct recent_search *out)
{
    out->prefix = get_u64(id->at);
    out->slot = out->prefix & recent->mask;
}

bool recent_next(const struct recent *recent, struct recent_search *search, uint64_t *index)
{
    for (;;) {
        struct slot slot = recent->slots[search->slot];
        if (slot.place == 0) {
            return false;
        }
        search->slot = (search->slot + 1) & recent->mask;
        if (slot.prefix == search->prefix) {
            *index = slot.place - 1;
            return true;
        }
    }
}
