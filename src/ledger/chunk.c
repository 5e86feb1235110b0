#include "ledger/chunk.h"

#include <string.h>

enum { CHUNK_FORMAT = 1, WORD_NEW = 255 };

enum flag {
    FLAG_BLINDED = 1,
    FLAG_SIZE = 2,
    FLAG_MEDIA_TYPE = 4,
    FLAG_REF = 8,
    FLAG_PHASE = 16,
    FLAG_COMMITMENT = 32,
    FLAGS_KNOWN = 63
};

/* An item never takes more: its fields, their flags, and two new texts. */
#define PACKED_MAX 320

static uint8_t *put(uint8_t *at, struct bytes bytes)
{
    if (bytes.len > 0) {
        memcpy(at, bytes.at, bytes.len);
    }
    return at + bytes.len;
}

static uint8_t *put_size(uint8_t *at, uint64_t size)
{
    while (size >= 0x80) {
        *at++ = (uint8_t)(size | 0x80);
        size >>= 7;
    }
    *at++ = (uint8_t)size;
    return at;
}

static void word_note(struct chunk_words *words, size_t start, size_t len)
{
    if (words->count < CHUNK_WORDS) {
        words->start[words->count] = (uint32_t)start;
        words->len[words->count] = (uint8_t)len;
        words->count++;
    }
}

static uint8_t *put_word(uint8_t *at, const uint8_t *chunk, struct chunk_words *words,
                         struct bytes text)
{
    for (unsigned i = 0; i < words->count; i++) {
        if (words->len[i] == text.len && memcmp(chunk + words->start[i], text.at, text.len) == 0) {
            *at++ = (uint8_t)i;
            return at;
        }
    }
    *at++ = WORD_NEW;
    *at++ = (uint8_t)text.len;
    word_note(words, (size_t)(at - chunk), text.len);
    return put(at, text);
}

static uint8_t flags_of(const struct item *item)
{
    unsigned flags = 0;
    flags |= item->form == ITEM_BLINDED ? FLAG_BLINDED : 0;
    flags |= item->has_size ? FLAG_SIZE : 0;
    flags |= item->media_type.len > 0 ? FLAG_MEDIA_TYPE : 0;
    flags |= item->ref.len > 0 ? FLAG_REF : 0;
    flags |= item->phase.len > 0 ? FLAG_PHASE : 0;
    flags |= item->has_commitment ? FLAG_COMMITMENT : 0;
    return (uint8_t)flags;
}

void chunk_pack(struct buf *chunk, struct chunk_words *words, const struct item *item)
{
    BUG_ON(item->media_type.len > MEDIA_TYPE_MAX || item->phase.len > PHASE_MAX);
    BUG_ON(item->ref.len > 0 && item->ref.len != REF_LEN);
    if (chunk->len == 0) {
        buf_put_byte(chunk, CHUNK_FORMAT);
    }
    buf_reserve(chunk, PACKED_MAX);
    uint8_t *at = chunk->at + chunk->len;
    *at++ = flags_of(item);
    at = put(at, hash_bytes(&item->sha256));
    at = put(at, hash_bytes(&item->sm3));
    if (item->has_size) {
        at = put_size(at, item->size);
    }
    if (item->media_type.len > 0) {
        at = put_word(at, chunk->at, words, item->media_type);
    }
    at = put(at, item->ref);
    if (item->phase.len > 0) {
        at = put_word(at, chunk->at, words, item->phase);
    }
    if (item->has_commitment) {
        at = put(at, hash_bytes(&item->commitment));
    }
    chunk->len = (size_t)(at - chunk->at);
}

enum err chunk_open(struct chunk_reader *out, struct bytes packed)
{
    if (packed.len == 0 || packed.at[0] != CHUNK_FORMAT) {
        return ERR_CORRUPT;
    }
    out->packed = packed;
    out->at = 1;
    out->words.count = 0;
    return OK;
}

/* The next `len` bytes, or NULL where the chunk ends before. */
static const uint8_t *take(struct chunk_reader *reader, size_t len)
{
    if (reader->packed.len - reader->at < len) {
        return NULL;
    }
    const uint8_t *start = reader->packed.at + reader->at;
    reader->at += len;
    return start;
}

static enum err take_hash(struct chunk_reader *reader, struct hash *out)
{
    const uint8_t *at = take(reader, sizeof out->at);
    if (at == NULL) {
        return ERR_CORRUPT;
    }
    memcpy(out->at, at, sizeof out->at);
    return OK;
}

static enum err take_size(struct chunk_reader *reader, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t *at = take(reader, 1);
        if (at == NULL || (shift == 63 && *at > 1)) {
            return ERR_CORRUPT;
        }
        *out |= (uint64_t)(*at & 0x7f) << shift;
        if (*at < 0x80) {
            return OK;
        }
    }
    return ERR_CORRUPT;
}

static enum err take_word(struct chunk_reader *reader, struct bytes *out, size_t max)
{
    const uint8_t *number = take(reader, 1);
    if (number == NULL) {
        return ERR_CORRUPT;
    }
    if (*number != WORD_NEW) {
        if (*number >= reader->words.count || reader->words.len[*number] > max) {
            return ERR_CORRUPT;
        }
        *out = (struct bytes){reader->packed.at + reader->words.start[*number],
                              reader->words.len[*number]};
        return OK;
    }
    const uint8_t *len = take(reader, 1);
    if (len == NULL || *len == 0 || *len > max) {
        return ERR_CORRUPT;
    }
    size_t start = reader->at;
    *out = (struct bytes){take(reader, *len), *len};
    word_note(&reader->words, start, *len);
    return out->at == NULL ? ERR_CORRUPT : OK;
}

static enum err take_texts(struct chunk_reader *reader, unsigned flags, struct item *out)
{
    if (flags & FLAG_MEDIA_TYPE) {
        TRY(take_word(reader, &out->media_type, MEDIA_TYPE_MAX));
    }
    if (flags & FLAG_REF) {
        out->ref = (struct bytes){take(reader, REF_LEN), REF_LEN};
        if (out->ref.at == NULL) {
            return ERR_CORRUPT;
        }
    }
    if (flags & FLAG_PHASE) {
        TRY(take_word(reader, &out->phase, PHASE_MAX));
    }
    return OK;
}

enum err chunk_next(struct chunk_reader *reader, struct item *out)
{
    const uint8_t *flags_at = take(reader, 1);
    if (flags_at == NULL) {
        return ERR_NOT_FOUND;
    }
    unsigned flags = *flags_at;
    if (flags & ~(unsigned)FLAGS_KNOWN) {
        return ERR_CORRUPT;
    }
    *out = (struct item){.form = flags & FLAG_BLINDED ? ITEM_BLINDED : ITEM_PLAIN,
                         .has_size = flags & FLAG_SIZE,
                         .has_commitment = flags & FLAG_COMMITMENT};
    TRY(take_hash(reader, &out->sha256));
    TRY(take_hash(reader, &out->sm3));
    if (out->has_size) {
        TRY(take_size(reader, &out->size));
    }
    TRY(take_texts(reader, flags, out));
    return out->has_commitment ? take_hash(reader, &out->commitment) : OK;
}

enum err chunk_item(struct buf *out, struct bytes packed, uint32_t number)
{
    struct chunk_reader reader;
    struct item item;
    TRY(chunk_open(&reader, packed));
    for (uint32_t i = 0; i <= number; i++) {
        TRY(chunk_next(&reader, &item));
    }
    item_write(out, &item);
    return OK;
}

enum err chunk_items(struct buf *out, struct bytes packed)
{
    struct chunk_reader reader;
    struct item item;
    TRY(chunk_open(&reader, packed));
    enum err err;
    while ((err = chunk_next(&reader, &item)) == OK) {
        item_write(out, &item);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err chunk_leaves(struct hash leaves[CHUNK_ITEMS], uint32_t *count, struct bytes packed)
{
    struct chunk_reader reader;
    struct item item;
    struct buf encoded = {0};
    TRY(chunk_open(&reader, packed));
    enum err err;
    for (*count = 0; (err = chunk_next(&reader, &item)) == OK; (*count)++) {
        if (*count == CHUNK_ITEMS) {
            err = ERR_CORRUPT;
            break;
        }
        encoded.len = 0;
        item_write(&encoded, &item);
        leaf_hash(&leaves[*count], buf_bytes(&encoded));
    }
    buf_clear(&encoded);
    return err == ERR_NOT_FOUND ? OK : err;
}

void item_prefixes(struct item_prefixes *out, const struct item *item)
{
    out->sha256 = get_u64(item->sha256.at);
    out->sm3 = get_u64(item->sm3.at);
    out->has_ref = item->ref.len > 0;
    out->ref = out->has_ref ? get_u64(item->ref.at) : 0;
}

enum err chunk_prefixes(struct item_prefixes prefixes[CHUNK_ITEMS], uint32_t *count,
                        struct bytes packed)
{
    struct chunk_reader reader;
    struct item item;
    TRY(chunk_open(&reader, packed));
    enum err err;
    for (*count = 0; (err = chunk_next(&reader, &item)) == OK; (*count)++) {
        if (*count == CHUNK_ITEMS) {
            return ERR_CORRUPT;
        }
        item_prefixes(&prefixes[*count], &item);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}
