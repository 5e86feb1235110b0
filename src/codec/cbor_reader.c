#include "codec/cbor.h"

#include <string.h>

/* The first bytes of a data item: its type and its argument. */
struct head {
    const uint8_t *start;
    enum cbor_type type;
    uint64_t value; /* number, length, count or tag; 0 for false, true and null */
    size_t len;     /* of the head alone */
};

/* The three simple values that are allowed, by their initial byte; else CBOR_NONE. */
static inline enum cbor_type simple_type(uint8_t byte)
{
    return byte >= 0xf4 && byte <= 0xf6 ? (enum cbor_type)(CBOR_FALSE + (byte - 0xf4)) : CBOR_NONE;
}

/* Why an initial byte of major type 7 is refused: a reserved value or a stray break is
 * ill-formed, a float or another simple value is merely outside of what protocol.md allows. */
static inline enum err simple_err(uint8_t byte)
{
    return byte >= 0xfc ? ERR_FORMAT : ERR_UNSUPPORTED;
}

/* Reads the argument of a head whose initial byte announces 1, 2, 4 or 8 bytes for it. */
static enum err wide_argument(struct head *head, const uint8_t *end, bool foreign)
{
    static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
    unsigned info = head->start[0] & 0x1f;
    if (info > 27) {
        bool indefinite = info == 31 && (head->type == CBOR_BYTES || head->type == CBOR_TEXT ||
                                         head->type == CBOR_ARRAY || head->type == CBOR_MAP);
        return indefinite ? ERR_NOT_CANONICAL : ERR_FORMAT;
    }
    size_t width = (size_t)1 << (info - 24);
    if ((size_t)(end - head->start) - 1 < width) {
        return ERR_TRUNCATED;
    }
    head->value = 0;
    for (size_t i = 1; i <= width; i++) {
        head->value = head->value << 8 | head->start[i];
    }
    head->len = 1 + width;
    return !foreign && head->value < least[info - 24] ? ERR_NOT_CANONICAL : OK;
}

static inline enum err head_parse(struct head *out, const uint8_t *at, const uint8_t *end,
                                  bool foreign)
{
    if (at == end) {
        return ERR_TRUNCATED;
    }
    out->start = at;
    out->len = 1;
    if (*at >= 0xe0) {
        out->type = simple_type(*at);
        out->value = 0;
        return out->type == CBOR_NONE ? simple_err(*at) : OK;
    }
    out->type = (enum cbor_type)(*at >> 5);
    out->value = *at & 0x1f;
    if (out->value >= 24) {
        TRY(wide_argument(out, end, foreign));
    }
    bool bignum = out->type == CBOR_TAG && (out->value == 2 || out->value == 3);
    return bignum ? ERR_UNSUPPORTED : OK;
}

static inline size_t bytes_left(const struct cbor_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* Whether two keys are the same value; they may be encoded in different lengths. */
static bool same_key(const struct head *a, const struct head *b)
{
    return a->type == b->type && a->value == b->value &&
           (a->type != CBOR_TEXT ||
            memcmp(a->start + a->len, b->start + b->len, (size_t)a->value) == 0);
}

static enum err foreign_key_check(struct cbor_reader *reader, const struct cbor_frame *frame,
                                  const struct head *key)
{
    for (unsigned i = frame->first_key; i < reader->key_count; i++) {
        struct head earlier;
        TRY(head_parse(&earlier, reader->keys[i], reader->end, true));
        if (same_key(&earlier, key)) {
            return ERR_FORMAT;
        }
    }
    if (reader->key_count == CBOR_FOREIGN_KEYS) {
        return ERR_RANGE;
    }
    reader->keys[reader->key_count++] = key->start;
    return OK;
}

static enum err key_check(struct cbor_reader *reader, struct cbor_frame *frame,
                          const struct head *head)
{
    size_t len = head->len;
    if (head->type == CBOR_TEXT) {
        if (head->value > bytes_left(reader)) {
            return ERR_TRUNCATED;
        }
        len += (size_t)head->value;
    } else if (head->type != CBOR_UINT && head->type != CBOR_NINT) {
        return ERR_TYPE;
    }
    if (reader->foreign) {
        return foreign_key_check(reader, frame, head);
    }
    struct bytes key = {head->start, len};
    int order = bytes_compare(frame->last_key, key);
    frame->last_key = key;
    return order < 0 ? OK : order == 0 ? ERR_FORMAT : ERR_NOT_CANONICAL;
}

/* Reads the next head and counts the item as a member of its frame. */
static inline bool head_take(struct cbor_reader *reader, struct head *out)
{
    if (reader->err != OK) {
        return false;
    }
    reader->err = head_parse(out, reader->at, reader->end, reader->foreign);
    if (reader->err != OK) {
        return false;
    }
    reader->at += out->len;
    if (reader->depth == 0) {
        return true;
    }
    struct cbor_frame *frame = &reader->frames[reader->depth - 1];
    if (frame->is_map && frame->left % 2 == 0) {
        reader->err = key_check(reader, frame, out);
    }
    frame->left--;
    return reader->err == OK;
}

/* As head_take for an item that must be of `type`; 0 on an error, which the caller sees by
 * reader->err. */
static inline uint64_t typed_take(struct cbor_reader *reader, enum cbor_type type)
{
    struct head head;
    if (!head_take(reader, &head)) {
        return 0;
    }
    if (head.type != type) {
        reader->err = ERR_TYPE;
        return 0;
    }
    return head.value;
}

/* An item is complete: closes every frame whose last member it was. */
static inline void item_done(struct cbor_reader *reader)
{
    while (reader->depth > 0 && reader->frames[reader->depth - 1].left == 0) {
        reader->depth--;
        reader->key_count = reader->frames[reader->depth].first_key;
    }
}

static void frame_open(struct cbor_reader *reader, uint64_t members, bool is_map)
{
    if (reader->depth == CBOR_DEPTH) {
        reader->err = ERR_DEPTH;
        return;
    }
    reader->frames[reader->depth++] =
        (struct cbor_frame){.left = members, .first_key = reader->key_count, .is_map = is_map};
    item_done(reader);
}

/* Every member takes at least one byte, so that a count beyond them is known to be cut short
 * before a caller could reserve anything for it. */
static void array_open(struct cbor_reader *reader, uint64_t count)
{
    if (count > bytes_left(reader)) {
        reader->err = ERR_TRUNCATED;
        return;
    }
    frame_open(reader, count, false);
}

static void map_open(struct cbor_reader *reader, uint64_t pairs)
{
    if (pairs > bytes_left(reader) / 2) {
        reader->err = ERR_TRUNCATED;
        return;
    }
    frame_open(reader, 2 * pairs, true);
}

/* The content of a string whose head is read. */
static struct bytes string_content(struct cbor_reader *reader, uint64_t len, bool is_text)
{
    if (len > bytes_left(reader)) {
        reader->err = ERR_TRUNCATED;
        return BYTES_NONE;
    }
    struct bytes content = {reader->at, (size_t)len};
    if (is_text && !bytes_is_utf8(content)) {
        reader->err = ERR_FORMAT;
        return BYTES_NONE;
    }
    reader->at += content.len;
    item_done(reader);
    return content;
}

static struct bytes string_take(struct cbor_reader *reader, enum cbor_type type, size_t min,
                                size_t max)
{
    uint64_t len = typed_take(reader, type);
    if (reader->err == OK && (len < min || len > max)) {
        reader->err = ERR_RANGE;
    }
    return reader->err == OK ? string_content(reader, len, type == CBOR_TEXT) : BYTES_NONE;
}

static void init(struct cbor_reader *reader, struct bytes input, bool foreign)
{
    static const uint8_t nothing[1];
    reader->at = input.len > 0 ? input.at : nothing;
    reader->end = reader->at + input.len;
    reader->err = OK;
    reader->foreign = foreign;
    reader->depth = 0;
    reader->key_count = 0;
}

void cbor_init(struct cbor_reader *reader, struct bytes input)
{
    init(reader, input, false);
}

void cbor_init_foreign(struct cbor_reader *reader, struct bytes input)
{
    init(reader, input, true);
}

enum cbor_type cbor_peek(struct cbor_reader *reader)
{
    if (reader->err != OK || reader->at == reader->end) {
        return CBOR_NONE;
    }
    uint8_t byte = *reader->at;
    if (byte < 0xe0) {
        return (enum cbor_type)(byte >> 5);
    }
    enum cbor_type type = simple_type(byte);
    if (type == CBOR_NONE) {
        reader->err = simple_err(byte);
    }
    return type;
}

uint64_t cbor_uint(struct cbor_reader *reader)
{
    uint64_t value = typed_take(reader, CBOR_UINT);
    if (reader->err == OK) {
        item_done(reader);
    }
    return value;
}

uint64_t cbor_uint_max(struct cbor_reader *reader, uint64_t max)
{
    uint64_t value = cbor_uint(reader);
    if (value > max) {
        cbor_fail(reader, ERR_RANGE);
        return 0;
    }
    return value;
}

int64_t cbor_int(struct cbor_reader *reader)
{
    struct head head;
    if (!head_take(reader, &head)) {
        return 0;
    }
    if (head.type != CBOR_UINT && head.type != CBOR_NINT) {
        reader->err = ERR_TYPE;
        return 0;
    }
    if (head.value > INT64_MAX) {
        reader->err = ERR_RANGE;
        return 0;
    }
    item_done(reader);
    return head.type == CBOR_UINT ? (int64_t)head.value : -1 - (int64_t)head.value;
}

bool cbor_bool(struct cbor_reader *reader)
{
    struct head head;
    if (!head_take(reader, &head)) {
        return false;
    }
    if (head.type != CBOR_FALSE && head.type != CBOR_TRUE) {
        reader->err = ERR_TYPE;
        return false;
    }
    item_done(reader);
    return head.type == CBOR_TRUE;
}

struct bytes cbor_bytes(struct cbor_reader *reader, size_t min, size_t max)
{
    return string_take(reader, CBOR_BYTES, min, max);
}

struct bytes cbor_text(struct cbor_reader *reader, size_t min, size_t max)
{
    return string_take(reader, CBOR_TEXT, min, max);
}

struct hash cbor_hash(struct cbor_reader *reader)
{
    struct hash hash = {0};
    struct bytes content = cbor_bytes(reader, sizeof hash.at, sizeof hash.at);
    if (reader->err == OK) {
        memcpy(hash.at, content.at, sizeof hash.at);
    }
    return hash;
}

bool cbor_null(struct cbor_reader *reader)
{
    if (cbor_peek(reader) != CBOR_NULL) {
        return false;
    }
    (void)typed_take(reader, CBOR_NULL);
    if (reader->err != OK) {
        return false;
    }
    item_done(reader);
    return true;
}

size_t cbor_array(struct cbor_reader *reader, size_t min, size_t max)
{
    uint64_t count = typed_take(reader, CBOR_ARRAY);
    if (reader->err == OK && (count < min || count > max)) {
        reader->err = ERR_RANGE;
    }
    if (reader->err == OK) {
        array_open(reader, count);
    }
    return reader->err == OK ? (size_t)count : 0;
}

size_t cbor_map(struct cbor_reader *reader, size_t min, size_t max)
{
    uint64_t pairs = typed_take(reader, CBOR_MAP);
    if (reader->err == OK && (pairs < min || pairs > max)) {
        reader->err = ERR_RANGE;
    }
    if (reader->err == OK) {
        map_open(reader, pairs);
    }
    return reader->err == OK ? (size_t)pairs : 0;
}

uint64_t cbor_tag(struct cbor_reader *reader)
{
    uint64_t number = typed_take(reader, CBOR_TAG);
    if (reader->err == OK) {
        frame_open(reader, 1, false);
    }
    return reader->err == OK ? number : 0;
}

void cbor_expect_uint(struct cbor_reader *reader, uint64_t value)
{
    if (cbor_uint(reader) != value) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

void cbor_version(struct cbor_reader *reader, uint64_t value)
{
    if (cbor_uint(reader) != value) {
        cbor_fail(reader, ERR_VERSION);
    }
}

void cbor_expect_tag(struct cbor_reader *reader, uint64_t number)
{
    if (cbor_tag(reader) != number) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

/* Reads one head of any type, and a string's content with it. */
static void step(struct cbor_reader *reader)
{
    struct head head;
    if (!head_take(reader, &head)) {
        return;
    }
    switch (head.type) {
    case CBOR_UINT:
    case CBOR_NINT:
    case CBOR_FALSE:
    case CBOR_TRUE:
    case CBOR_NULL:
        item_done(reader);
        return;
    case CBOR_BYTES:
    case CBOR_TEXT:
        (void)string_content(reader, head.value, head.type == CBOR_TEXT);
        return;
    case CBOR_ARRAY:
        array_open(reader, head.value);
        return;
    case CBOR_MAP:
        map_open(reader, head.value);
        return;
    case CBOR_TAG:
        frame_open(reader, 1, false);
        return;
    case CBOR_NONE:
        break;
    }
    BUG_ON(true);
}

struct bytes cbor_item(struct cbor_reader *reader)
{
    const uint8_t *start = reader->at;
    unsigned depth = reader->depth;
    do {
        step(reader);
    } while (reader->err == OK && reader->depth > depth);
    if (reader->err != OK) {
        return BYTES_NONE;
    }
    return (struct bytes){start, (size_t)(reader->at - start)};
}

void cbor_fail(struct cbor_reader *reader, enum err err)
{
    if (reader->err == OK) {
        reader->err = err;
    }
}

enum err cbor_end(struct cbor_reader *reader)
{
    struct bytes rest;
    TRY(cbor_end_sequence(reader, &rest));
    return rest.len == 0 ? OK : ERR_TRAILING;
}

enum err cbor_end_sequence(struct cbor_reader *reader, struct bytes *rest)
{
    *rest = BYTES_NONE;
    TRY(reader->err);
    if (reader->depth > 0) {
        return ERR_FORMAT;
    }
    *rest = (struct bytes){reader->at, bytes_left(reader)};
    return OK;
}
