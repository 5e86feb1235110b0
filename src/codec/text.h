/* Bytes as text: hex, base64 (RFC 4648 sections 4, 5) and Crockford's base32. */
#ifndef CAIRN_CODEC_TEXT_H
#define CAIRN_CODEC_TEXT_H

#include "base/bytes.h"

/* Appends lower-case hex; no NUL. */
void hex_put(struct buf *out, struct bytes in);
/* Writes 2 * len characters and NUL. */
void hex_write(char *out, struct bytes in);
/* Reads hex of either case into `out`. ERR_FORMAT for an odd length or another character,
 * ERR_RANGE if the text does not have exactly 2 * len characters. */
must_use enum err hex_read(uint8_t *out, size_t len, struct bytes text);
/* Appends what the hex text stands for. ERR_FORMAT; `out` is then as it was, here and below. */
must_use enum err hex_append(struct buf *out, struct bytes text);

void base64_put(struct buf *out, struct bytes in);
/* Strict: padding, no white space, zero spare bits. ERR_FORMAT. */
must_use enum err base64_append(struct buf *out, struct bytes text);
/* Without padding, URL alphabet. */
void base64url_put(struct buf *out, struct bytes in);
must_use enum err base64url_append(struct buf *out, struct bytes text);

/* Crockford's digits 0-9 A-Z without I L O U: five bits each. */
char crockford_digit(unsigned value);
/* The value of a digit, either case, I and L read as 1 and O as 0; -1 for anything else. */
int crockford_value(char digit);

#endif
