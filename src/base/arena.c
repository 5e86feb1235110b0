#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_LEN 16384

struct arena_chunk {
    struct arena_chunk *next;
    size_t used;
    size_t cap;
    alignas(max_align_t) uint8_t at[];
};

static struct arena_chunk *chunk_new(size_t len)
{
    size_t cap = len > CHUNK_LEN ? len : CHUNK_LEN;
    struct arena_chunk *chunk = mem_alloc(sizeof *chunk + cap);
    chunk->next = NULL;
    chunk->used = 0;
    chunk->cap = cap;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t len)
{
    BUG_ON(len > SIZE_MAX / 4);
    size_t rounded = (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_chunk *chunk = arena->head;
    if (!chunk || chunk->cap - chunk->used < rounded) {
        chunk = chunk_new(rounded);
        chunk->next = arena->head;
        arena->head = chunk;
    }
    void *start = chunk->at + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return memset(start, 0, rounded);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t len;
    BUG_ON(__builtin_mul_overflow(count, size, &len));
    return arena_alloc(arena, len);
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes)
{
    uint8_t *copy = arena_alloc(arena, bytes.len);
    if (bytes.len > 0) {
        memcpy(copy, bytes.at, bytes.len);
    }
    return (struct bytes){copy, bytes.len};
}

static void free_chunks(struct arena_chunk *chunk)
{
    while (chunk) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void arena_reset(struct arena *arena)
{
    if (arena->head) {
        free_chunks(arena->head->next);
        arena->head->next = NULL;
        arena->head->used = 0;
    }
    arena->used = 0;
}

void arena_clear(struct arena *arena)
{
    free_chunks(arena->head);
    *arena = (struct arena){0};
}
