/* The reader and the writer of codec/cbor.h against each other, on arbitrary bytes:
 * - cbor_item and the typed calls take the same items and end at the same place;
 * - what the strict reader takes, the writer writes again to the same bytes;
 * - what it takes is refused when cut, and the foreign reader takes it too;
 * - what the foreign reader takes is written to something that reads as the same;
 * - calls in any order keep the reader inside its input and its frames. */
#include "cbor_copy.h"
#include "fuzz.h"

static void reader_init(struct cbor_reader *reader, struct bytes input, bool foreign)
{
    if (foreign) {
        cbor_init_foreign(reader, input);
    } else {
        cbor_init(reader, input);
    }
}

/* The first item of `input`, whole; empty if it is refused. */
static struct bytes item_of(struct bytes input, bool foreign, enum err *err)
{
    struct cbor_reader reader;
    struct bytes rest;
    reader_init(&reader, input, foreign);
    struct bytes item = cbor_item(&reader);
    *err = cbor_end_sequence(&reader, &rest);
    BUG_ON(*err == OK && item.len + rest.len != input.len);
    BUG_ON((*err == OK) != (item.len > 0));
    return item;
}

/* Copies the first item with the typed calls, which must end as cbor_item did. */
static void copy_of(struct buf *out, struct bytes input, bool foreign)
{
    enum err err;
    struct bytes item = item_of(input, foreign, &err);
    struct cbor_reader reader;
    reader_init(&reader, input, foreign);
    bool more = cbor_copy_next(out, &reader);
    while (more && reader.err == OK && reader.depth > 0) {
        more = cbor_copy_next(out, &reader);
    }
    if (err == OK) {
        BUG_ON(reader.err != OK || reader.depth != 0);
        BUG_ON((size_t)(reader.at - input.at) != item.len);
    } else {
        BUG_ON(reader.err != (more ? err : reader.err));
        BUG_ON(reader.err == OK && reader.depth == 0 && reader.at != reader.end);
    }
}

static void check_strict(struct bytes input)
{
    enum err err;
    struct bytes item = item_of(input, false, &err);
    struct buf copy = {0};
    copy_of(&copy, input, false);
    if (err == OK) {
        BUG_ON(!bytes_equal(buf_bytes(&copy), item));
        for (size_t len = item.len > 64 ? item.len - 64 : 0; len < item.len; len++) {
            (void)item_of((struct bytes){item.at, len}, false, &err);
            BUG_ON(err != ERR_TRUNCATED);
        }
        (void)item_of(input, true, &err);
        BUG_ON(err != OK && err != ERR_RANGE);
    }
    buf_clear(&copy);
}

static void check_foreign(struct bytes input)
{
    enum err err;
    (void)item_of(input, true, &err);
    struct buf once = {0}, twice = {0};
    copy_of(&once, input, true);
    if (err == OK) {
        copy_of(&twice, buf_bytes(&once), true);
        BUG_ON(!bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    }
    buf_clear(&once);
    buf_clear(&twice);
}

static void any_call(struct cbor_reader *reader, uint8_t call)
{
    size_t max = call >> 4;
    switch (call & 0x0f) {
    case 0:
        (void)cbor_uint(reader);
        return;
    case 1:
        BUG_ON(cbor_uint_max(reader, max) > max);
        return;
    case 2:
        (void)cbor_int(reader);
        return;
    case 3:
        (void)cbor_bool(reader);
        return;
    case 4:
        BUG_ON(cbor_bytes(reader, 0, max).len > max);
        return;
    case 5:
        BUG_ON(!bytes_is_utf8(cbor_text(reader, 0, max)));
        return;
    case 6:
        (void)cbor_hash(reader);
        return;
    case 7:
        (void)cbor_null(reader);
        return;
    case 8:
        BUG_ON(cbor_array(reader, 0, max) > max);
        return;
    case 9:
        BUG_ON(cbor_map(reader, 0, max) > max);
        return;
    case 10:
        (void)cbor_tag(reader);
        return;
    case 11:
        (void)cbor_peek(reader);
        return;
    case 12:
        cbor_expect_uint(reader, max);
        return;
    case 13:
        cbor_version(reader, 1);
        return;
    case 14:
        cbor_expect_tag(reader, max);
        return;
    default:
        (void)cbor_item(reader);
        return;
    }
}

/* The first byte says how many of the next ones are calls; the rest is what they read. */
static void check_calls(struct bytes input, bool foreign)
{
    size_t calls = input.len == 0 ? 0 : input.at[0] % input.len;
    struct cbor_reader reader;
    reader_init(&reader, (struct bytes){input.at + calls, input.len - calls}, foreign);
    for (size_t i = 0; i < calls; i++) {
        enum err before = reader.err;
        const uint8_t *at = reader.at;
        any_call(&reader, input.at[i]);
        BUG_ON(before != OK && (reader.err != before || reader.at != at));
        BUG_ON(reader.at < at || reader.at > reader.end || reader.depth > CBOR_DEPTH);
        BUG_ON(reader.key_count > CBOR_FOREIGN_KEYS);
    }
    enum err err = cbor_end(&reader);
    BUG_ON(err == OK && (reader.at != reader.end || reader.depth != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    check_strict(input);
    check_foreign(input);
    check_calls(input, false);
    check_calls(input, true);
    return 0;
}
