/* Join files (NAME.join, protocol.md 5): what an organisation brings to the genesis of a ledger
 * that several institutions run, signed by its operator's key, with proof that it holds every key.
 *
 * A COSE_Sign1 of typ join by the operator's key over [1, bstr body, [5 bstr COSE_Sign1]]; the five
 * are of typ join by the other keys, in the order of enum join_key, over the same body, which they
 * leave out. Body: [1, ledger name, organisation, engine's address, URL, 32 random bytes, time ms,
 * [6 [SPKI, alg]]]. */
#ifndef CAIRN_PROOF_JOIN_H
#define CAIRN_PROOF_JOIN_H

#include "base/address.h"
#include "proof/keyrecord.h"
#include "proof/trust.h"

#define JOIN_MAX 8192u /* bytes of a join file */

enum join_key {
    JOIN_OPERATOR,
    JOIN_RECEIPT,
    JOIN_CHECKPOINT,
    JOIN_CONSENSUS,
    JOIN_TRANSPORT,
    JOIN_AUDIT,
    JOIN_KEYS
};
/* "operator", "receipt", ...: the names of the key files, too. */
const char *join_key_name(enum join_key which);
enum purpose join_key_purpose(enum join_key which);

struct join_public {
    struct bytes spki;
    enum alg alg;
};

struct join {
    struct bytes ledger;
    struct bytes organisation; /* as base/address.h has it, and the next two; not -node or -audit */
    struct bytes address;      /* of its engine */
    struct bytes url;          /* of its node */
    struct bytes random32;
    uint64_t time_ms; /* when it was made, by its own clock */
    struct join_public keys[JOIN_KEYS];
};

/* Reads a join file and verifies all six signatures; ranges borrow from `in`. ERR_RANGE,
 * ERR_VERSION, ERR_FORMAT, ERR_KEY (no such key, or a header that names another), ERR_UNSUPPORTED
 * (alg), ERR_EXISTS (a key for two purposes), ERR_SIGNATURE, reader's errors; `why` (may be NULL)
 * names the part. */
must_use enum err join_parse(struct join *out, struct bytes in, struct why *why);

/* Appends a join file. `join->keys` is not read: the keys are the signers', by enum join_key.
 * signer_sign's errors. */
must_use enum err join_sign(struct buf *out, const struct join *join,
                            const struct signer *const signers[JOIN_KEYS]);

#endif
