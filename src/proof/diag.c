#include "proof/diag.h"

#include "codec/cbor.h"
#include "codec/privacy.h"
#include "codec/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HEX_SHOWN  32
#define FORMAT_MAX 1024

void text_tame(uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t bad = unprintable_len((struct bytes){text + i, len - i});
        for (size_t k = i; k < i + bad; k++) {
            text[k] = '?';
        }
    }
}

void diag_put_format(struct buf *out, const char *format, ...)
{
    char text[FORMAT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buf_put(out, bytes_text(text));
}

void diag_put_text(struct buf *out, struct bytes text)
{
    if (text.len > 0) {
        uint8_t *copy = buf_grow(out, text.len);
        memcpy(copy, text.at, text.len);
        text_tame(copy, text.len);
    }
}

void diag_put_hex(struct buf *out, struct bytes bytes)
{
    if (bytes.len <= HEX_SHOWN) {
        hex_put(out, bytes);
        return;
    }
    hex_put(out, (struct bytes){bytes.at, 16});
    diag_put_format(out, "... (%zu bytes)", bytes.len);
}

/* What is open: an array, a map or a tag, and how many members are still to come. */
struct open {
    char close;
    bool is_map;
    uint64_t left;
};

/* Before a member: a colon after a map's key, else a comma unless it is the first. */
static void separate(struct buf *out, const struct open *open, bool first)
{
    if (open->is_map && open->left % 2 == 1) {
        buf_put(out, bytes_text(": "));
    } else if (!first) {
        buf_put(out, bytes_text(", "));
    }
}

/* Writes a scalar, or the opening of a container into `*open`. */
static bool item_put(struct buf *out, struct cbor_reader *reader, struct open *open)
{
    uint64_t count;
    switch (cbor_peek(reader)) {
    case CBOR_UINT:
        diag_put_format(out, "%" PRIu64, cbor_uint(reader));
        return false;
    case CBOR_NINT:
        diag_put_format(out, "%" PRId64, cbor_int(reader));
        return false;
    case CBOR_BYTES:
        buf_put(out, bytes_text("h'"));
        diag_put_hex(out, cbor_bytes(reader, 0, SIZE_MAX));
        buf_put(out, bytes_text("'"));
        return false;
    case CBOR_TEXT:
        buf_put(out, bytes_text("\""));
        diag_put_text(out, cbor_text(reader, 0, SIZE_MAX));
        buf_put(out, bytes_text("\""));
        return false;
    case CBOR_ARRAY:
        count = cbor_array(reader, 0, SIZE_MAX);
        buf_put(out, bytes_text("["));
        *open = (struct open){']', false, count};
        return true;
    case CBOR_MAP:
        count = cbor_map(reader, 0, SIZE_MAX);
        buf_put(out, bytes_text("{"));
        *open = (struct open){'}', true, 2 * count};
        return true;
    case CBOR_TAG:
        diag_put_format(out, "%" PRIu64 "(", cbor_tag(reader));
        *open = (struct open){')', false, 1};
        return true;
    case CBOR_FALSE:
    case CBOR_TRUE:
        buf_put(out, bytes_text(cbor_bool(reader) ? "true" : "false"));
        return false;
    case CBOR_NULL:
        cbor_null(reader);
        buf_put(out, bytes_text("null"));
        return false;
    case CBOR_NONE:
        cbor_fail(reader, ERR_TRUNCATED);
        return false;
    }
    return false;
}

void diag_put(struct buf *out, struct bytes cbor)
{
    struct cbor_reader reader;
    struct open stack[CBOR_DEPTH + 1];
    size_t depth = 0;
    size_t start = out->len;
    bool first = true;
    cbor_init(&reader, cbor);
    do {
        if (depth > 0) {
            separate(out, &stack[depth - 1], first);
            stack[depth - 1].left--;
        }
        first = depth < CBOR_DEPTH + 1 && item_put(out, &reader, &stack[depth]);
        depth += first;
        while (reader.err == OK && depth > 0 && stack[depth - 1].left == 0) {
            buf_put_byte(out, (uint8_t)stack[--depth].close);
            first = false;
        }
    } while (reader.err == OK && depth > 0);
    if (cbor_end(&reader) != OK) {
        out->len = start;
        buf_put(out, bytes_text("(unreadable)"));
    }
}
