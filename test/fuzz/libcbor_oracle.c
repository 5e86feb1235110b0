#include "libcbor_oracle.h"

#include <cbor.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8

/* The encoding of what libcbor loaded, by libcbor's own streaming encoders, which choose the
 * shortest heads. `good` turns false at anything that protocol.md does not allow. */
struct writer {
    uint8_t *at;
    size_t len;
    size_t cap;
    bool good;
};

static void put(struct writer *out, const void *bytes, size_t len)
{
    if (len > out->cap - out->len) {
        out->good = false;
        return;
    }
    if (len > 0) {
        memcpy(out->at + out->len, bytes, len);
    }
    out->len += len;
}

static void put_head(struct writer *out, size_t (*encode)(uint64_t, unsigned char *, size_t),
                     uint64_t value)
{
    unsigned char head[9];
    put(out, head, encode(value, head, sizeof head));
}

/* The library's string and container encoders take a size_t. */
static size_t bytes_start(uint64_t len, unsigned char *out, size_t cap)
{
    return cbor_encode_bytestring_start((size_t)len, out, cap);
}

static size_t text_start(uint64_t len, unsigned char *out, size_t cap)
{
    return cbor_encode_string_start((size_t)len, out, cap);
}

static size_t array_start(uint64_t len, unsigned char *out, size_t cap)
{
    return cbor_encode_array_start((size_t)len, out, cap);
}

static size_t map_start(uint64_t len, unsigned char *out, size_t cap)
{
    return cbor_encode_map_start((size_t)len, out, cap);
}

static void put_item(struct writer *out, const cbor_item_t *item, unsigned depth);

static void put_string(struct writer *out, const cbor_item_t *item)
{
    if (cbor_isa_bytestring(item)) {
        out->good = out->good && cbor_bytestring_is_definite(item);
        put_head(out, bytes_start, cbor_bytestring_length(item));
        put(out, cbor_bytestring_handle(item), cbor_bytestring_length(item));
        return;
    }
    /* libcbor keeps text that is not UTF-8, and says so by counting no code point in it. */
    bool is_utf8 = cbor_string_length(item) == 0 || cbor_string_codepoint_count(item) > 0;
    out->good = out->good && cbor_string_is_definite(item) && is_utf8;
    put_head(out, text_start, cbor_string_length(item));
    put(out, cbor_string_handle(item), cbor_string_length(item));
}

/* Keys are integers or text and ascend in the order of their encodings. */
static void put_map(struct writer *out, const cbor_item_t *item, unsigned depth)
{
    out->good = out->good && cbor_map_is_definite(item);
    put_head(out, map_start, cbor_map_size(item));
    size_t last_start = 0, last_len = 0;
    for (size_t i = 0; out->good && i < cbor_map_size(item); i++) {
        struct cbor_pair pair = cbor_map_handle(item)[i];
        size_t start = out->len;
        bool is_key =
            cbor_isa_uint(pair.key) || cbor_isa_negint(pair.key) || cbor_isa_string(pair.key);
        put_item(out, pair.key, depth);
        size_t len = out->len - start;
        size_t shorter = len < last_len ? len : last_len;
        int order = memcmp(out->at + last_start, out->at + start, shorter);
        bool ascends = i == 0 || order < 0 || (order == 0 && last_len < len);
        out->good = out->good && is_key && ascends;
        last_start = start;
        last_len = len;
        put_item(out, pair.value, depth);
    }
}

static void put_array(struct writer *out, const cbor_item_t *item, unsigned depth)
{
    out->good = out->good && cbor_array_is_definite(item);
    put_head(out, array_start, cbor_array_size(item));
    for (size_t i = 0; out->good && i < cbor_array_size(item); i++) {
        put_item(out, cbor_array_handle(item)[i], depth);
    }
}

static void put_tag(struct writer *out, const cbor_item_t *item, unsigned depth)
{
    uint64_t number = cbor_tag_value(item);
    out->good = out->good && number != 2 && number != 3;
    put_head(out, cbor_encode_tag, number);
    cbor_item_t *content = cbor_tag_item(item);
    put_item(out, content, depth);
    cbor_decref(&content);
}

static void put_simple(struct writer *out, const cbor_item_t *item)
{
    bool allowed =
        cbor_float_get_width(item) == CBOR_FLOAT_0 && (cbor_is_bool(item) || cbor_is_null(item));
    out->good = out->good && allowed;
    unsigned char byte;
    put(out, &byte, allowed ? cbor_encode_ctrl(cbor_ctrl_value(item), &byte, 1) : 0);
}

/* `depth` counts the arrays, maps and tags around the item. */
static void put_item(struct writer *out, const cbor_item_t *item, unsigned depth)
{
    bool nests = cbor_isa_array(item) || cbor_isa_map(item) || cbor_isa_tag(item);
    out->good = out->good && (!nests || depth < DEPTH_MAX);
    if (!out->good) {
        return;
    }
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        put_head(out, cbor_encode_uint, cbor_get_int(item));
        return;
    case CBOR_TYPE_NEGINT:
        put_head(out, cbor_encode_negint, cbor_get_int(item));
        return;
    case CBOR_TYPE_BYTESTRING:
    case CBOR_TYPE_STRING:
        put_string(out, item);
        return;
    case CBOR_TYPE_ARRAY:
        put_array(out, item, depth + 1);
        return;
    case CBOR_TYPE_MAP:
        put_map(out, item, depth + 1);
        return;
    case CBOR_TYPE_TAG:
        put_tag(out, item, depth + 1);
        return;
    case CBOR_TYPE_FLOAT_CTRL:
        put_simple(out, item);
        return;
    }
}

struct limit {
    uint64_t left;
    bool exceeded;
};

static void count_members(void *context, size_t count)
{
    struct limit *limit = context;
    limit->exceeded = limit->exceeded || count > limit->left;
}

/* libcbor reserves what a head announces before it looks for it, gigabytes if it says so. Walks the
 * heads with its streaming decoder first. */
static bool announces_too_much(const uint8_t *input, size_t len)
{
    struct cbor_callbacks callbacks = cbor_empty_callbacks;
    callbacks.array_start = count_members;
    callbacks.map_start = count_members;
    struct limit limit = {.left = len};
    size_t at = 0;
    while (at < len && !limit.exceeded) {
        struct cbor_decoder_result result =
            cbor_stream_decode(input + at, len - at, &callbacks, &limit);
        if (result.status != CBOR_DECODER_FINISHED) {
            break;
        }
        at += result.read;
    }
    return limit.exceeded;
}

static bool writes_the_same(const cbor_item_t *item, const uint8_t *input, size_t len)
{
    unsigned char *out = NULL;
    size_t cap = 0;
    size_t written = cbor_serialize_alloc(item, &out, &cap);
    bool same = written == len && memcmp(out, input, len) == 0;
    free(out);
    return same;
}

struct oracle oracle_ask(const uint8_t *input, size_t len)
{
    struct oracle oracle = {false, false, false, false};
    if (len == 0 || announces_too_much(input, len)) {
        return oracle;
    }
    struct cbor_load_result result;
    cbor_item_t *item = cbor_load(input, len, &result);
    if (item == NULL) {
        return oracle;
    }
    oracle.taken = result.read == len;
    if (oracle.taken) {
        oracle.same = writes_the_same(item, input, len);
        struct writer out = {.at = malloc(len), .cap = len, .good = true};
        put_item(&out, item, 0);
        oracle.in_subset = out.good;
        oracle.in_shortest = out.good && out.len == len && memcmp(out.at, input, len) == 0;
        free(out.at);
    }
    cbor_decref(&item);
    return oracle;
}
