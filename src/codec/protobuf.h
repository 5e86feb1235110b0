/* The wire format of Protocol Buffers, as far as CometBFT speaks it: varints, 64-bit and 32-bit
 * fields and length-delimited ones. Messages themselves are described where they are used.
 *
 * The reader hands out one field after the other, in whatever order they come; whoever reads skips
 * the numbers it does not know by going on. It is sticky: after its first error every call gives
 * zero values, so that a parser reads straight on and asks once, with pb_end. It borrows from its
 * input and allocates nothing. Errors:
 *   ERR_TRUNCATED    the input ends inside a field
 *   ERR_RANGE        a number beyond 64 bits, a field number of 0 or above 2^29-1, or a value
 *                    outside the caller's limits
 *   ERR_TYPE         a field on the wire in another form than the message has it
 *   ERR_UNSUPPORTED  a group (wire types 3 and 4)
 *   ERR_FORMAT       wire types 6 and 7 */
#ifndef CAIRN_CODEC_PROTOBUF_H
#define CAIRN_CODEC_PROTOBUF_H

#include "base/bytes.h"

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_reader {
    const uint8_t *at;
    const uint8_t *end;
    enum err err;
};

struct pb_field {
    unsigned number;
    enum pb_wire wire;
    uint64_t value;     /* of a varint or a fixed number */
    struct bytes bytes; /* of a length-delimited field; borrows from the input */
};

void pb_init(struct pb_reader *reader, struct bytes input);
/* Reads the next field; false at the end of the input and after an error. */
bool pb_next(struct pb_reader *reader, struct pb_field *out);
/* The sticky error, or ERR_TRAILING where the caller left fields unread. */
must_use enum err pb_end(const struct pb_reader *reader);
/* Fails with `err` unless an error stands already. */
void pb_fail(struct pb_reader *reader, enum err err);

/* The value of a field in the form that the message gives it; ERR_TYPE if it came in another one.
 * Numbers above `max` are ERR_RANGE, also the negative ones of signed fields. */
uint64_t pb_uint(struct pb_reader *reader, const struct pb_field *field, uint64_t max);
int64_t pb_int(struct pb_reader *reader, const struct pb_field *field);
bool pb_bool(struct pb_reader *reader, const struct pb_field *field);
/* Bytes, text or an embedded message of at most `max` bytes; text is not checked for UTF-8. */
struct bytes pb_bytes(struct pb_reader *reader, const struct pb_field *field, size_t max);
/* How many times field `number` stands in `message`, to size an array before it is read; the
 * first error ends the count. */
size_t pb_count(struct bytes message, unsigned number);

/* Reads a varint at the start of `input`: returns its length, 0 if the input ends inside it, -1 if
 * it is none of 64 bits. */
int pb_varint_parse(struct bytes input, uint64_t *out);

/* Writers append to a buffer. As proto3 has it, numbers that are zero and byte strings that are
 * empty are left out, but never an embedded message. */
void pb_put_varint(struct buf *out, uint64_t value);
/* A negative number is its two's complement. */
void pb_put_uint(struct buf *out, unsigned field, uint64_t value);
/* fixed64 and sfixed64, little-endian. */
void pb_put_fixed64(struct buf *out, unsigned field, uint64_t value);
void pb_put_bytes(struct buf *out, unsigned field, struct bytes value);
/* An embedded message, or one element of repeated bytes: written even if empty. */
void pb_put_message(struct buf *out, unsigned field, struct bytes value);
/* How many bytes pb_put_message appends for a value of `len` bytes. */
size_t pb_message_len(unsigned field, size_t len);

#endif
