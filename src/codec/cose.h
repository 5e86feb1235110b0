/* COSE_Sign1 (RFC 9052 section 4.2), its four members and its Sig_structure. */
#ifndef CAIRN_CODEC_COSE_H
#define CAIRN_CODEC_COSE_H

#include "codec/cbor.h"

#define COSE_SIGN1_TAG 18

struct sign1 {
    struct bytes protected;   /* content of the protected byte string: an encoded map */
    struct bytes unprotected; /* encoded map, its head included */
    struct bytes payload;     /* content of the payload byte string */
    bool detached;            /* payload is nil */
    struct bytes signature;   /* content of the signature byte string */
};

/* Reads a tagged COSE_Sign1 that fills `input` exactly; all members borrow from it. The signature
 * is at most 1,024 bytes. The unprotected map is checked as CBOR and not interpreted. ERR_FORMAT
 * for another tag or shape, or the reader's errors. */
must_use enum err sign1_parse(struct sign1 *out, struct bytes input);
/* As sign1_parse for bytes that others encoded; see cbor_init_foreign. */
must_use enum err sign1_parse_foreign(struct sign1 *out, struct bytes input);
/* Reads one from the front of a CBOR sequence; *rest is what follows. */
must_use enum err sign1_parse_first(struct sign1 *out, struct bytes input, struct bytes *rest);

/* Appends the tagged encoding; an empty `unprotected` range is written as the empty map. */
void sign1_write(struct buf *out, const struct sign1 *sign1);

/* Appends ["Signature1", protected, external_aad = h'', payload] (RFC 9052 section 4.4). Protected
 * bytes that are the encoded empty map count as empty. */
void sig_structure_write(struct buf *out, struct bytes protected, struct bytes payload);

#endif
