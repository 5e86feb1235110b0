/* A readable rendering of any artefact of ours, unverified and saying so. */
#ifndef CAIRN_PROOF_INSPECT_H
#define CAIRN_PROOF_INSPECT_H

#include "base/why.h"

#include "base/bytes.h"

/* Appends lines of "name: value" for a proof file, state proof, batch proofs, trust file, trust
 * update, statement, key request, join file, receipt, header, item, key record or commit, or for
 * any other CBOR its diagnostic notation. The reader's errors if it is none of these. */
must_use enum err inspect(struct buf *out, struct bytes in, struct why *why);

#endif
