/* Byte ranges, 32-byte hashes and a growing buffer. */
#ifndef CAIRN_BASE_BYTES_H
#define CAIRN_BASE_BYTES_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* A borrowed range; whoever hands it out says what it borrows from. `at` may be NULL if len is 0.
 */
struct bytes {
    const uint8_t *at;
    size_t len;
};

/* A SHA-256 or SM3 digest, or a state-map node: a type of its own, so that it can't be confused
 * with a pointer to any other 32 bytes. */
struct hash {
    uint8_t at[32];
};

#define BYTES_OF(object) ((struct bytes){(const uint8_t *)&(object), sizeof(object)})
#define BYTES_NONE       ((struct bytes){NULL, 0})

static inline struct bytes hash_bytes(const struct hash *hash)
{
    return (struct bytes){hash->at, sizeof hash->at};
}

/* The bytes of a NUL-terminated string, without the NUL. */
struct bytes bytes_text(const char *text);
bool bytes_equal(struct bytes a, struct bytes b);
/* Memcmp order; a prefix sorts before what it begins. */
int bytes_compare(struct bytes a, struct bytes b);
bool hash_equal(const struct hash *a, const struct hash *b);
bool hash_is_zero(const struct hash *hash);
/* Whether `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool bytes_is_utf8(struct bytes text);

/* Big-endian integers, as keys on disk use them. */
void put_u16(uint8_t *out2, uint16_t value);
void put_u32(uint8_t *out4, uint32_t value);
void put_u64(uint8_t *out8, uint64_t value);
uint16_t get_u16(const uint8_t *in2);
uint32_t get_u32(const uint8_t *in4);
uint64_t get_u64(const uint8_t *in8);

/* A growing buffer. Zero-initialised is empty. Out of memory aborts. */
struct buf {
    uint8_t *at;
    size_t len;
    size_t cap;
};

void buf_put(struct buf *buf, struct bytes bytes);
void buf_put_byte(struct buf *buf, uint8_t byte);
/* Appends `len` uninitialised bytes and returns where they start. */
uint8_t *buf_grow(struct buf *buf, size_t len);
/* Makes room for `len` more bytes without changing the length. */
void buf_reserve(struct buf *buf, size_t len);
struct bytes buf_bytes(const struct buf *buf);
/* Frees the memory and leaves an empty buffer. */
void buf_clear(struct buf *buf);

/* malloc, calloc, realloc and strdup that abort when memory is exhausted. */
void *mem_alloc(size_t len);
void *mem_zalloc(size_t len);
void *mem_realloc(void *old, size_t len);
char *mem_strdup(const char *text);

#endif
