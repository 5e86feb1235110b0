/* Memory for what lives as long as one request or one block: allocated piece by piece, released
 * at once. Not thread-safe; one owner. */
#ifndef CAIRN_BASE_ARENA_H
#define CAIRN_BASE_ARENA_H

#include "base/bytes.h"

/* Zero-initialised is an empty arena. */
struct arena {
    struct arena_chunk *head;
    size_t used; /* bytes handed out since the last reset */
};

/* Returns `len` zeroed bytes, aligned for any type, valid until the next reset or clear. */
void *arena_alloc(struct arena *arena, size_t len);
/* Returns `count * size` zeroed bytes; an overflow aborts. */
void *arena_array(struct arena *arena, size_t count, size_t size);
struct bytes arena_copy(struct arena *arena, struct bytes bytes);
/* Forgets every allocation but keeps one chunk for reuse. */
void arena_reset(struct arena *arena);
/* Frees everything. */
void arena_clear(struct arena *arena);

#endif
