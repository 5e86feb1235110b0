/* Deterministic CBOR (RFC 8949 section 4.2.1) as protocol.md allows it, and nothing else.
 *
 * Refused: indefinite lengths, integers and lengths longer than needed, floats, simple values
 * other than false, true and null, map keys other than integers and text, keys out of order or
 * twice, integers beyond 64 bits, nesting of arrays, maps and tags beyond 8, ill-formed UTF-8,
 * trailing bytes.
 *
 * The reader is sticky: after its first error every call returns zero values and changes nothing,
 * so that a parser reads straight on and asks once, with cbor_end. It borrows from its input and
 * allocates nothing. It counts what each open array and map still holds, so that reading fewer or
 * more members than it announced is an error as well. */
#ifndef CAIRN_CODEC_CBOR_H
#define CAIRN_CODEC_CBOR_H

#include "base/bytes.h"

#define CBOR_DEPTH 8

enum cbor_type {
    CBOR_UINT,
    CBOR_NINT,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_TAG,
    CBOR_FALSE,
    CBOR_TRUE,
    CBOR_NULL,
    CBOR_NONE /* at an error, or where nothing follows */
};

struct cbor_frame {
    uint64_t left;         /* data items still to be read in it (a map counts keys and values) */
    struct bytes last_key; /* encoded; of a map, to check the order */
    bool is_map;
};

struct cbor_reader {
    const uint8_t *at;
    const uint8_t *end;
    enum err err;
    bool any_order; /* tolerate map keys in any order, duplicates still refused */
    unsigned depth;
    struct cbor_frame frames[CBOR_DEPTH];
};

void cbor_init(struct cbor_reader *reader, struct bytes input);
/* As cbor_init for bytes that others encoded (foreign statements): keys may stand in any order and
 * integers and lengths may be longer than needed; every other rule stays. */
void cbor_init_foreign(struct cbor_reader *reader, struct bytes input);

/* The type of the next data item; consumes nothing. */
enum cbor_type cbor_peek(struct cbor_reader *reader);

uint64_t cbor_uint(struct cbor_reader *reader);
/* As cbor_uint; above `max` is ERR_RANGE. */
uint64_t cbor_uint_max(struct cbor_reader *reader, uint64_t max);
/* Any integer of int64_t; beyond is ERR_RANGE. */
int64_t cbor_int(struct cbor_reader *reader);
bool cbor_bool(struct cbor_reader *reader);
/* Byte string or text of `min` to `max` bytes; borrows from the input. */
struct bytes cbor_bytes(struct cbor_reader *reader, size_t min, size_t max);
struct bytes cbor_text(struct cbor_reader *reader, size_t min, size_t max);
/* A 32-byte byte string. */
struct hash cbor_hash(struct cbor_reader *reader);
/* Consumes null and returns true, or consumes nothing and returns false. */
bool cbor_null(struct cbor_reader *reader);
/* Opens an array and returns its length, or fails with ERR_RANGE outside min..max. */
size_t cbor_array(struct cbor_reader *reader, size_t min, size_t max);
/* Opens a map and returns its number of pairs; keys are then read with cbor_int or cbor_text. */
size_t cbor_map(struct cbor_reader *reader, size_t min, size_t max);
/* Reads a tag's number; the content follows. */
uint64_t cbor_tag(struct cbor_reader *reader);
/* Consumes exactly this uint, text or tag; another value is ERR_FORMAT. */
void cbor_expect_uint(struct cbor_reader *reader, uint64_t value);
/* Consumes a version number; anything but `value` is ERR_VERSION. */
void cbor_version(struct cbor_reader *reader, uint64_t value);
void cbor_expect_tag(struct cbor_reader *reader, uint64_t number);
/* Consumes one whole data item, checked to the same rules, and returns its encoding. */
struct bytes cbor_item(struct cbor_reader *reader);
/* Fails with `err` unless an error stands already. */
void cbor_fail(struct cbor_reader *reader, enum err err);
/* The sticky error, or ERR_TRUNCATED or ERR_TRAILING if the input is not read exactly to its end.
 */
must_use enum err cbor_end(struct cbor_reader *reader);
/* As cbor_end, but bytes may follow (CBOR sequences, RFC 8742); `*rest` is what follows. */
must_use enum err cbor_end_sequence(struct cbor_reader *reader, struct bytes *rest);

/* Writers append to a buffer. The caller writes map keys in their order (bytewise order of their
 * encodings). */
void cbor_put_uint(struct buf *out, uint64_t value);
void cbor_put_int(struct buf *out, int64_t value);
void cbor_put_bytes(struct buf *out, struct bytes value);
void cbor_put_hash(struct buf *out, const struct hash *value);
void cbor_put_text(struct buf *out, struct bytes value);
void cbor_put_literal(struct buf *out, const char *text);
void cbor_put_array(struct buf *out, size_t count);
void cbor_put_map(struct buf *out, size_t pairs);
void cbor_put_tag(struct buf *out, uint64_t number);
void cbor_put_bool(struct buf *out, bool value);
void cbor_put_null(struct buf *out);
/* Only the head of a byte string whose `len` bytes the caller appends next. */
void cbor_put_bytes_head(struct buf *out, size_t len);

#endif
