/* The two structures that execution keeps in memory, against models that are plain lists. */
#include "ledger/overlay.h"
#include "ledger/recent.h"
#include "seeded.h"

#define KEYS 300

struct cell {
    enum change change;
    uint8_t value;
};

struct touched {
    bool keys[KEYS];
};

static struct bytes key_at(unsigned number)
{
    static uint8_t slots[4][4];
    static unsigned next;
    uint8_t *out = slots[next++ % 4];
    /* Prefixes of one another too: keys of 1 to 4 bytes. */
    memset(out, 'k', 4);
    out[0] = (uint8_t)number;
    out[3] = (uint8_t)(number >> 8);
    return (struct bytes){out, number < 256 ? 1 + number % 3 : 4};
}

static void touch(void *context, struct bytes key)
{
    struct touched *touched = context;
    for (unsigned i = 0; i < KEYS; i++) {
        touched->keys[i] = touched->keys[i] || bytes_equal(key, key_at(i));
    }
}

static void check_overlay(const struct overlay *overlay, const struct cell *cells)
{
    size_t changed = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        struct bytes value = BYTES_NONE;
        CHECK(overlay_get(overlay, key_at(i), &value) == cells[i].change);
        if (cells[i].change == CHANGE_PUT) {
            CHECK_BYTES(value, BYTES_OF(cells[i].value));
        }
        changed += cells[i].change != CHANGE_NONE;
    }
    const struct overlay_entry *before = NULL;
    for (const struct overlay_entry *entry = overlay_first(overlay); entry != NULL;
         entry = overlay_next(entry)) {
        CHECK(entry->change != CHANGE_NONE);
        CHECK(before == NULL || bytes_compare(before->key, entry->key) < 0);
        before = entry;
        changed--;
    }
    CHECK_UINT(changed, 0);
}

static void change_at_random(struct overlay *overlay, struct cell *cells, bool *changed)
{
    unsigned i = (unsigned)seeded_below(KEYS);
    uint8_t value = (uint8_t)seeded_below(256);
    changed[i] = true;
    if (seeded_below(3) == 0) {
        overlay_delete(overlay, key_at(i));
        cells[i] = (struct cell){CHANGE_DELETE, 0};
    } else {
        overlay_put(overlay, key_at(i), BYTES_OF(value));
        cells[i] = (struct cell){CHANGE_PUT, value};
    }
}

static void an_overlay_undoes_exactly_what_was_not_kept(void **state)
{
    (void)state;
    seeded_start("overlay");
    struct overlay *overlay = overlay_new();
    for (unsigned block = 0; block < 20; block++) {
        struct cell kept[KEYS] = {{0}};
        for (unsigned statement = 0; statement < 40; statement++) {
            struct cell now[KEYS];
            struct touched told = {{0}};
            bool changed[KEYS] = {0};
            memcpy(now, kept, sizeof now);
            for (uint64_t i = seeded_below(20); i > 0; i--) {
                change_at_random(overlay, now, changed);
            }
            check_overlay(overlay, now);
            if (seeded_below(2) == 0) {
                overlay_keep(overlay);
                memcpy(kept, now, sizeof kept);
            } else {
                overlay_undo(overlay, touch, &told);
                CHECK(memcmp(told.keys, changed, sizeof changed) == 0);
                check_overlay(overlay, kept);
            }
        }
        struct touched all = {{0}};
        overlay_clear(overlay, touch, &all);
        for (unsigned i = 0; i < KEYS; i++) {
            CHECK(all.keys[i] || kept[i].change == CHANGE_NONE);
        }
        CHECK(overlay_first(overlay) == NULL);
    }
    overlay_free(overlay);
    overlay_free(NULL);
}

#define IDS 6000

static unsigned times_found(const struct recent *recent, const struct hash *id, uint64_t index)
{
    struct recent_search search;
    uint64_t found;
    unsigned times = 0;
    recent_find(recent, id, &search);
    while (recent_next(recent, &search, &found)) {
        times += found == index;
    }
    return times;
}

static void recent_ids_are_found_until_they_are_removed(void **state)
{
    (void)state;
    seeded_start("recent");
    struct recent *recent = recent_new();
    struct hash *ids = mem_alloc(IDS * sizeof *ids);
    bool *there = mem_zalloc(IDS * sizeof *there);
    uint64_t count = 0;
    for (unsigned i = 0; i < IDS; i++) {
        ids[i] = seeded_hash();
        /* Long runs of slots, and ids that share their first 8 bytes. */
        if (i % 3 == 0) {
            put_u64(ids[i].at, seeded_below(20) == 0 ? UINT64_MAX - seeded_below(5) : i % 64);
        }
    }
    for (unsigned round = 0; round < 60000; round++) {
        unsigned i = (unsigned)seeded_below(IDS);
        bool grow = round / 15000 % 2 == 0 ? seeded_below(4) > 0 : seeded_below(4) == 0;
        if (grow && !there[i]) {
            recent_add(recent, &ids[i], i);
            there[i] = true;
            count++;
        } else if (!grow) {
            recent_remove(recent, &ids[i], i);
            count -= there[i];
            there[i] = false;
        }
        CHECK_UINT(recent_count(recent), count);
        if (round % 5000 == 0) {
            for (unsigned j = 0; j < IDS; j++) {
                CHECK_UINT(times_found(recent, &ids[j], j), there[j]);
            }
        }
    }
    free(ids);
    free(there);
    recent_free(recent);
    recent_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overlay_undoes_exactly_what_was_not_kept),
        cmocka_unit_test(recent_ids_are_found_until_they_are_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
