/* The body of governance.restart (protocol.md 5): an operator's word that everything after one head
 * is lost, and that the ledger goes on from there in a new epoch. */
#ifndef CAIRN_PROOF_RESTART_H
#define CAIRN_PROOF_RESTART_H

#include "codec/cbor.h"

#define RESTART_TYPE       "application/vnd.cairn.governance.restart+cbor"
#define RESTART_KEYS_MAX   64
#define RESTART_REASON_MAX 200

/* restart = [1, height: uint, header-hash: digest, ended: [1*64 digest],
 *            reason: tstr .size (1..200)] */
struct restart {
    uint64_t height; /* of the head that is built on */
    struct hash header_hash;
    size_t ended_count;
    struct hash ended[RESTART_KEYS_MAX];
    struct bytes reason;
};

/* Reads one body exactly; ranges borrow. ERR_VERSION, ERR_RANGE, ERR_EXISTS for a kid that stands
 * there twice, the reader's errors. */
must_use enum err restart_parse(struct restart *out, struct bytes in);
void restart_write(struct buf *out, const struct restart *body);

#endif
