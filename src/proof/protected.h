/* What the protected headers of statements, receipts and key requests have in common. */
#ifndef CAIRN_PROOF_PROTECTED_H
#define CAIRN_PROOF_PROTECTED_H

#include "proof/statement.h"

#define LABEL_ALG          1
#define LABEL_CRIT         2
#define LABEL_CONTENT_TYPE 3
#define LABEL_KID          4
#define LABEL_CWT          15
#define LABEL_TYP          16

#define STATEMENT_TYP  "application/vnd.cairn.statement+cose"
#define RECEIPT_TYP    "application/vnd.cairn.receipt+cose"
#define POSSESSION_TYP "application/vnd.cairn.possession+cose"
#define SESSION_TYP    "application/vnd.cairn.session+cose"
#define JOIN_TYP       "application/vnd.cairn.join+cose"

#define CONTENT_TYPE_MAX 100

/* Consumes a map key that must be this label; another one is ERR_FORMAT. */
void protected_key(struct cbor_reader *reader, int64_t label);

/* CWT claims {1: iss, 2: sub, 6: iat} (RFC 9597), exactly these; iss is 1 to 64 bytes. */
void claims_read(struct cbor_reader *reader, struct bytes *iss, struct bytes *sub, uint64_t *iat);
void claims_write(struct buf *out, struct bytes iss, struct bytes sub, uint64_t iat);

/* The protected header of key requests, session statements and join files: {1 alg, 4 kid, 16 typ},
 * exactly. */
must_use enum err key_header_read(struct hash *kid, int64_t *alg, struct bytes protected,
                                  const char *typ);
void key_header_write(struct buf *out, const struct signer *signer, const char *typ);

/* Verifies what one of our own keys signed, by its kind: 64 bytes, or with alg -65538 the CBOR of
 * an assertion under the record's rp id and origins, of which nothing else is read. ERR_SIGNATURE;
 * `why` says which rule. */
must_use enum err own_signature_verify(const struct key_record *record, const struct pubkey *key,
                                       struct bytes message, struct bytes signature,
                                       struct why *why);

/* Appends a COSE_Sign1 with an empty unprotected map; a detached payload is signed, not written. */
must_use enum err sign1_sign(struct buf *out, struct bytes protected, struct bytes payload,
                             bool detached, const struct signer *signer);

/* Reads the rest of a statement whose typ is not ours, `out->sign1` being set (foreign.c). */
must_use enum err foreign_parse(struct statement *out, struct why *why);

#endif
