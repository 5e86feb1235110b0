/* Deterministic CBOR (RFC 8949 section 4.2.1) as protocol.md allows it, and nothing else.
 *
 * Refused, and with which error:
 *   ERR_TRUNCATED      the input ends inside an item, or where one is asked for
 *   ERR_TRAILING       bytes follow the last item
 *   ERR_NOT_CANONICAL  integers and lengths longer than needed, indefinite lengths, map keys out of
 *                      order (bytewise order of their encodings)
 *   ERR_FORMAT         ill-formed heads and UTF-8, a map key twice in a row, members left unread
 *   ERR_UNSUPPORTED    floats, simple values other than false, true and null, integers beyond 64
 *                      bits (the bignum tags 2 and 3)
 *   ERR_DEPTH          arrays, maps and tags nested more than 8 deep together
 *   ERR_TYPE           another type than asked for; map keys other than integers and text
 *   ERR_RANGE          a value, length or count outside the caller's limits
 *
 * The reader is sticky: after its first error every call returns zero values and changes nothing,
 * so that a parser reads straight on and asks once, with cbor_end. It borrows from its input and
 * allocates nothing.
 *
 * An array, map or tag is a frame; it counts the members still to be read and closes by itself
 * after the last one. A parser therefore takes the number of members from cbor_array and cbor_map:
 * who reads on after the last member reads what follows the frame. Members left unread at cbor_end
 * are ERR_FORMAT. */
#ifndef CAIRN_CODEC_CBOR_H
#define CAIRN_CODEC_CBOR_H

#include "base/bytes.h"

#define CBOR_DEPTH 8
/* How many keys the open maps of a foreign reader may have shown together, so that the search for
 * a duplicate stays short. One more is ERR_RANGE. */
#define CBOR_FOREIGN_KEYS 64

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
    unsigned first_key;    /* where its keys start in the reader's `keys` */
    bool is_map;
};

struct cbor_reader {
    const uint8_t *at;
    const uint8_t *end;
    enum err err;
    bool foreign; /* set by cbor_init_foreign */
    unsigned depth;
    unsigned key_count;
    struct cbor_frame frames[CBOR_DEPTH];
    const uint8_t *keys[CBOR_FOREIGN_KEYS]; /* of the open maps; a foreign reader's only */
};

void cbor_init(struct cbor_reader *reader, struct bytes input);
/* As cbor_init for bytes that others encoded (foreign statements): keys may stand in any order and
 * integers and lengths may be longer than needed; every other rule stays. Two keys of one value
 * are the same key, however long their encodings are; they are ERR_FORMAT. */
void cbor_init_foreign(struct cbor_reader *reader, struct bytes input);

/* The type of the next data item; consumes nothing. Where nothing follows this is no error yet; an
 * item that the reader would refuse by its first byte is. */
enum cbor_type cbor_peek(struct cbor_reader *reader);

uint64_t cbor_uint(struct cbor_reader *reader);
/* As cbor_uint; above `max` is ERR_RANGE. */
uint64_t cbor_uint_max(struct cbor_reader *reader, uint64_t max);
/* Any integer of int64_t; beyond is ERR_RANGE. */
int64_t cbor_int(struct cbor_reader *reader);
bool cbor_bool(struct cbor_reader *reader);
/* Byte string or text of `min` to `max` bytes, else ERR_RANGE; borrows from the input. */
struct bytes cbor_bytes(struct cbor_reader *reader, size_t min, size_t max);
struct bytes cbor_text(struct cbor_reader *reader, size_t min, size_t max);
/* A 32-byte byte string; another length is ERR_RANGE. */
struct hash cbor_hash(struct cbor_reader *reader);
/* Consumes null and returns true, or consumes nothing and returns false. */
bool cbor_null(struct cbor_reader *reader);
/* Opens an array and returns its length, or fails with ERR_RANGE outside min..max. */
size_t cbor_array(struct cbor_reader *reader, size_t min, size_t max);
/* Opens a map and returns its number of pairs, or fails with ERR_RANGE outside min..max; keys are
 * then read with cbor_int or cbor_text, each followed by its value. */
size_t cbor_map(struct cbor_reader *reader, size_t min, size_t max);
/* Reads a tag's number; its content, one item, follows. */
uint64_t cbor_tag(struct cbor_reader *reader);
/* Consumes exactly this uint or tag; another value is ERR_FORMAT. */
void cbor_expect_uint(struct cbor_reader *reader, uint64_t value);
/* Consumes a version number; anything but `value` is ERR_VERSION. */
void cbor_version(struct cbor_reader *reader, uint64_t value);
void cbor_expect_tag(struct cbor_reader *reader, uint64_t number);
/* Consumes one whole data item, checked to the same rules, and returns its encoding. */
struct bytes cbor_item(struct cbor_reader *reader);
/* Fails with `err` unless an error stands already. */
void cbor_fail(struct cbor_reader *reader, enum err err);
/* The sticky error, or ERR_FORMAT if members are left unread, or ERR_TRAILING if bytes are. */
must_use enum err cbor_end(struct cbor_reader *reader);
/* As cbor_end, but bytes may follow (CBOR sequences, RFC 8742); `*rest` is what follows, empty on
 * an error. */
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
