/* CBOR as text for people (after RFC 8949 section 8), in one line. */
#ifndef CAIRN_PROOF_DIAG_H
#define CAIRN_PROOF_DIAG_H

#include "base/bytes.h"

/* Appends one encoded item, byte strings of over 32 bytes cut short with their length;
 * "(unreadable)" if it is none of ours. */
void diag_put(struct buf *out, struct bytes cbor);
/* Appends hex, cut short with the length if there are more than 32 bytes. */
void diag_put_hex(struct buf *out, struct bytes bytes);
/* Appends text so that nothing in it moves a cursor or turns the direction of writing. */
void diag_put_text(struct buf *out, struct bytes text);
/* Appends as printf does. */
void diag_put_format(struct buf *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes characters that move a cursor or turn the direction of writing into '?', in place. */
void text_tame(uint8_t *text, size_t len);

#endif
