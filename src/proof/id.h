/* Names that follow from contents: evidence ids, commitments, references. */
#ifndef CAIRN_PROOF_ID_H
#define CAIRN_PROOF_ID_H

#include "base/bytes.h"

#define EVIDENCE_ID_LEN     28 /* 6-6-6-7 with its three hyphens */
#define EVIDENCE_PREFIX_LEN 13 /* bytes of the statement id that it holds */
#define REF_LEN             16
#define MEMBER_ID_MAX       64

/* Writes the evidence id of one item for people (protocol.md 3), with NUL. */
void evidence_id_write(char out[EVIDENCE_ID_LEN + 1], const struct hash *statement_id,
                       uint16_t number);
/* Reads one; hyphens, spaces and case don't matter, I and L are 1 and O is 0. ERR_FORMAT for
 * another length or character, ERR_MISMATCH if the check character differs. */
must_use enum err evidence_id_read(uint8_t prefix[EVIDENCE_PREFIX_LEN], uint16_t *number,
                                   struct bytes text);

/* First 16 bytes of HMAC-SHA-256(k, number) with k = HMAC-SHA-256(reference key, number). `k`
 * (may be NULL) receives k, which proves this one reference. */
void ref_write(uint8_t out[REF_LEN], struct hash *k, struct bytes reference_key,
               struct bytes number);

/* SHA-256(CBOR ["cairn/commit/1", kind, salt, value]); `value_cbor` is one encoded item. */
void commitment_write(struct hash *out, struct bytes kind, const struct hash *salt,
                      struct bytes value_cbor);

#endif
