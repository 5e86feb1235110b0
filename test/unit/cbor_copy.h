/* Reads every item of a reader with the typed calls and writes it again: for what is in the one
 * deterministic encoding, the output is the input. */
#ifndef CAIRN_TEST_CBOR_COPY_H
#define CAIRN_TEST_CBOR_COPY_H

#include "codec/cbor.h"

/* Negative integers below int64_t have no typed call: no format of Cairn holds one. */
static inline void cbor_copy_negative(struct buf *out, struct cbor_reader *reader)
{
    struct bytes item = cbor_item(reader);
    struct cbor_reader one;
    cbor_init_foreign(&one, item);
    int64_t value = cbor_int(&one);
    if (reader->err == OK && one.err == ERR_RANGE) {
        buf_put(out, item);
    } else {
        cbor_put_int(out, value);
    }
}

/* Frames close by themselves, so that one flat loop meets every item. False where none follows. */
static inline bool cbor_copy_next(struct buf *out, struct cbor_reader *reader)
{
    switch (cbor_peek(reader)) {
    case CBOR_UINT:
        cbor_put_uint(out, cbor_uint(reader));
        return true;
    case CBOR_NINT:
        cbor_copy_negative(out, reader);
        return true;
    case CBOR_BYTES:
        cbor_put_bytes(out, cbor_bytes(reader, 0, SIZE_MAX));
        return true;
    case CBOR_TEXT:
        cbor_put_text(out, cbor_text(reader, 0, SIZE_MAX));
        return true;
    case CBOR_ARRAY:
        cbor_put_array(out, cbor_array(reader, 0, SIZE_MAX));
        return true;
    case CBOR_MAP:
        cbor_put_map(out, cbor_map(reader, 0, SIZE_MAX));
        return true;
    case CBOR_TAG:
        cbor_put_tag(out, cbor_tag(reader));
        return true;
    case CBOR_FALSE:
    case CBOR_TRUE:
        cbor_put_bool(out, cbor_bool(reader));
        return true;
    case CBOR_NULL:
        cbor_null(reader);
        cbor_put_null(out);
        return true;
    case CBOR_NONE:
        break;
    }
    return false;
}

/* Copies until the end or an error, which stays in the reader. */
static inline void cbor_copy(struct buf *out, struct cbor_reader *reader)
{
    while (cbor_copy_next(out, reader)) {
    }
}

#endif
