/* A skip list whose nodes lie in an arena. Levels come from a generator that starts anew with each
 * block; they decide only how fast a key is found. */
#include "ledger/overlay.h"

#include <stdlib.h>
#include <string.h>

#define LEVELS 12

struct undo {
    struct overlay_entry *entry;
    struct bytes value;
    enum change change;
};

struct overlay {
    struct arena arena;
    struct overlay_entry *head[LEVELS];
    uint64_t random;
    struct undo *undo;
    size_t undo_count;
    size_t undo_cap;
};

#define RANDOM_START 0x9e3779b97f4a7c15u

struct overlay *overlay_new(void)
{
    struct overlay *overlay = mem_zalloc(sizeof *overlay);
    overlay->random = RANDOM_START;
    return overlay;
}

void overlay_free(struct overlay *overlay)
{
    if (overlay != NULL) {
        arena_clear(&overlay->arena);
        free(overlay->undo);
        free(overlay);
    }
}

/* The entry of a key or NULL; links[level] is the pointer that an entry of this key hangs on, or
 * would hang on. */
static struct overlay_entry *find(struct overlay *overlay, struct bytes key,
                                  struct overlay_entry **links[LEVELS])
{
    struct overlay_entry **row = overlay->head;
    for (unsigned level = LEVELS; level-- > 0;) {
        while (row[level] != NULL && bytes_compare(row[level]->key, key) < 0) {
            row = row[level]->next;
        }
        links[level] = &row[level];
    }
    struct overlay_entry *entry = row[0];
    return entry != NULL && bytes_equal(entry->key, key) ? entry : NULL;
}

static unsigned level_next(struct overlay *overlay)
{
    uint64_t x = overlay->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    overlay->random = x;
    unsigned levels = 1;
    for (uint64_t bits = x >> 32; levels < LEVELS && (bits & 3) == 0; bits >>= 2) {
        levels++;
    }
    return levels;
}

static struct overlay_entry *insert(struct overlay *overlay, struct bytes key,
                                    struct overlay_entry **links[LEVELS])
{
    unsigned levels = level_next(overlay);
    struct overlay_entry *entry =
        arena_alloc(&overlay->arena, sizeof *entry + levels * sizeof entry->next[0]);
    entry->key = arena_copy(&overlay->arena, key);
    for (unsigned level = 0; level < levels; level++) {
        entry->next[level] = *links[level];
        *links[level] = entry;
    }
    return entry;
}

static void undo_note(struct overlay *overlay, struct overlay_entry *entry)
{
    if (overlay->undo_count == overlay->undo_cap) {
        overlay->undo_cap = overlay->undo_cap == 0 ? 64 : 2 * overlay->undo_cap;
        overlay->undo = mem_realloc(overlay->undo, overlay->undo_cap * sizeof *overlay->undo);
    }
    overlay->undo[overlay->undo_count++] = (struct undo){entry, entry->value, entry->change};
}

static void set(struct overlay *overlay, struct bytes key, enum change change, struct bytes value)
{
    struct overlay_entry **links[LEVELS];
    struct overlay_entry *entry = find(overlay, key, links);
    if (entry == NULL) {
        entry = insert(overlay, key, links);
    }
    undo_note(overlay, entry);
    entry->change = change;
    entry->value = arena_copy(&overlay->arena, value);
}

/* The first entry that is not below a key. */
static const struct overlay_entry *seek(const struct overlay *overlay, struct bytes key)
{
    struct overlay_entry *const *row = overlay->head;
    for (unsigned level = LEVELS; level-- > 0;) {
        while (row[level] != NULL && bytes_compare(row[level]->key, key) < 0) {
            row = row[level]->next;
        }
    }
    return row[0];
}

enum change overlay_get(const struct overlay *overlay, struct bytes key, struct bytes *value)
{
    const struct overlay_entry *entry = seek(overlay, key);
    if (entry == NULL || !bytes_equal(entry->key, key)) {
        return CHANGE_NONE;
    }
    *value = entry->value;
    return entry->change;
}

void overlay_put(struct overlay *overlay, struct bytes key, struct bytes value)
{
    set(overlay, key, CHANGE_PUT, value);
}

void overlay_delete(struct overlay *overlay, struct bytes key)
{
    set(overlay, key, CHANGE_DELETE, BYTES_NONE);
}

void overlay_keep(struct overlay *overlay)
{
    overlay->undo_count = 0;
}

void overlay_undo(struct overlay *overlay, overlay_key_fn *each, void *context)
{
    while (overlay->undo_count > 0) {
        const struct undo *undo = &overlay->undo[--overlay->undo_count];
        undo->entry->value = undo->value;
        undo->entry->change = undo->change;
        if (each != NULL) {
            each(context, undo->entry->key);
        }
    }
}

void overlay_clear(struct overlay *overlay, overlay_key_fn *each, void *context)
{
    for (struct overlay_entry *entry = overlay->head[0]; entry != NULL && each != NULL;
         entry = entry->next[0]) {
        each(context, entry->key);
    }
    arena_reset(&overlay->arena);
    memset(overlay->head, 0, sizeof overlay->head);
    overlay->random = RANDOM_START;
    overlay->undo_count = 0;
}

static const struct overlay_entry *skip_unchanged(const struct overlay_entry *entry)
{
    while (entry != NULL && entry->change == CHANGE_NONE) {
        entry = entry->next[0];
    }
    return entry;
}

const struct overlay_entry *overlay_first(const struct overlay *overlay)
{
    return skip_unchanged(overlay->head[0]);
}

const struct overlay_entry *overlay_next(const struct overlay_entry *entry)
{
    return skip_unchanged(entry->next[0]);
}

const struct overlay_entry *overlay_seek(const struct overlay *overlay, struct bytes key)
{
    return skip_unchanged(seek(overlay, key));
}
