/* Receipts: RFC 9942 with the header hash in -65802 (protocol.md 5). One signature serves every
 * entry under its head. */
#ifndef CAIRN_PROOF_RECEIPT_H
#define CAIRN_PROOF_RECEIPT_H

#include "codec/cose.h"
#include "crypto/signer.h"
#include "merkle/tree.h"
#include "proof/header.h"

#define RECEIPT_MAX 4096

struct receipt {
    struct sign1 sign1;
    int64_t alg;
    struct hash kid;
    struct bytes iss; /* node name */
    struct bytes sub; /* hex chain id */
    uint64_t iat;     /* seconds */
    struct hash header_hash;
    bool has_path; /* label 396 is there */
    uint64_t size;
    uint64_t index;
    struct path path;
};

/* Reads one receipt exactly; ranges borrow. */
must_use enum err receipt_parse(struct receipt *out, struct bytes in);

/* Appends a receipt for `header` by node `node`, without 396. Errors of signer_sign. */
must_use enum err receipt_sign(struct buf *out, const struct header *header, struct bytes node,
                               const struct signer *signer);
/* Appends `receipt` with 396 set to the inclusion path of `index` in `size` leaves. */
void receipt_with_path(struct buf *out, const struct receipt *receipt, uint64_t size,
                       uint64_t index, const struct path *path);

/* Checks everything but whether the key is listed: sub, iat and header hash against `header`, the
 * signature over the tree root by `key`, and the path, where there is one, against `leaf` (may be
 * NULL). ERR_MISMATCH or ERR_SIGNATURE; `why` says which field. */
must_use enum err receipt_check(const struct receipt *receipt, const struct header *header,
                                const struct pubkey *key, const struct hash *leaf, struct why *why);

#endif
