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
#include "proof/restart.h"

extern const struct module governance_module;

#endif
