/* What a client got from the ledger, checked offline before it relies on it. */
#ifndef CAIRN_CLI_CHECK_H
#define CAIRN_CLI_CHECK_H

#include "cli/hashing.h"
#include "proof/trust.h"

/* Verifies a proof under a trust file, against the digests of `file` unless that is NULL.
 * ERR_MISMATCH if a check fails, ERR_FORMAT if the proof can't be read; `why` says which. */
must_use enum err proof_check(struct bytes proof, const struct trust *trust,
                              const struct file_digest *file, struct why *why);

#endif
