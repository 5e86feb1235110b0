#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

struct bytes bytes_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.at, b.at, shorter);
    if (order != 0 || a.len == b.len) {
        return order;
    }
    return a.len < b.len ? -1 : 1;
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a->at, b->at, sizeof a->at) == 0;
}

bool hash_is_zero(const struct hash *hash)
{
    static const struct hash zero;
    return hash_equal(hash, &zero);
}

/* Length of the UTF-8 sequence that starts at `at`, or 0 if there is none in `left` bytes. */
static size_t utf8_sequence(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (lead == 0xe0 && at[1] < 0xa0) || (lead == 0xf0 && at[1] < 0x90);
    bool surrogate = lead == 0xed && at[1] > 0x9f;
    bool beyond = lead == 0xf4 && at[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : len;
}

bool bytes_is_utf8(struct bytes text)
{
    size_t i = 0;
    while (i < text.len) {
        size_t len = utf8_sequence(text.at + i, text.len - i);
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

void put_u16(uint8_t *out2, uint16_t value)
{
    out2[0] = (uint8_t)(value >> 8);
    out2[1] = (uint8_t)value;
}

void put_u32(uint8_t *out4, uint32_t value)
{
    put_u16(out4, (uint16_t)(value >> 16));
    put_u16(out4 + 2, (uint16_t)value);
}

void put_u64(uint8_t *out8, uint64_t value)
{
    put_u32(out8, (uint32_t)(value >> 32));
    put_u32(out8 + 4, (uint32_t)value);
}

uint16_t get_u16(const uint8_t *in2)
{
    return (uint16_t)((in2[0] << 8) | in2[1]);
}

uint32_t get_u32(const uint8_t *in4)
{
    return ((uint32_t)get_u16(in4) << 16) | get_u16(in4 + 2);
}

uint64_t get_u64(const uint8_t *in8)
{
    return ((uint64_t)get_u32(in8) << 32) | get_u32(in8 + 4);
}

void buf_reserve(struct buf *buf, size_t len)
{
    BUG_ON(len > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4);
    size_t need = buf->len + len;
    if (need <= buf->cap) {
        return;
    }
    size_t cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < need) {
        cap *= 2;
    }
    buf->at = mem_realloc(buf->at, cap);
    buf->cap = cap;
}

uint8_t *buf_grow(struct buf *buf, size_t len)
{
    buf_reserve(buf, len);
    uint8_t *start = buf->at + buf->len;
    buf->len += len;
    return start;
}

void buf_put(struct buf *buf, struct bytes bytes)
{
    if (bytes.len > 0) {
        memcpy(buf_grow(buf, bytes.len), bytes.at, bytes.len);
    }
}

void buf_put_byte(struct buf *buf, uint8_t byte)
{
    *buf_grow(buf, 1) = byte;
}

struct bytes buf_bytes(const struct buf *buf)
{
    return (struct bytes){buf->at, buf->len};
}

void buf_clear(struct buf *buf)
{
    free(buf->at);
    *buf = (struct buf){0};
}

static void *mem_check(void *memory)
{
    BUG_ON(memory == NULL);
    return memory;
}

void *mem_alloc(size_t len)
{
    return mem_check(malloc(len ? len : 1));
}

void *mem_zalloc(size_t len)
{
    return mem_check(calloc(1, len ? len : 1));
}

void *mem_realloc(void *old, size_t len)
{
    return mem_check(realloc(old, len ? len : 1));
}

char *mem_strdup(const char *text)
{
    return mem_check(strdup(text));
}
