/* The rule book of the ledger as such.
 *
 * restart (protocol.md 5, solo only): after a restore or a loss the operator begins a new epoch.
 * The statement is the first of its block, whose height is H + 1; it names the head that it builds
 * on and ends the receipt and checkpoint keys that may have signed heads above it. The keys of the
 * new epoch begin by member.add_key statements in the same block, behind the restart: in a block
 * before it they would need a second head of the old epoch, in a block after it the restart's own
 * head would have no receipt. */
#ifndef CAIRN_MODULES_GOVERNANCE_GOVERNANCE_H
#define CAIRN_MODULES_GOVERNANCE_GOVERNANCE_H

#include "ledger/rules.h"

extern const struct module governance_module;

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
