/* Trust updates (NAME.trust-update, protocol.md 5): what carries a trust file forward to newer
 * heads, keys and validators, each step vouched for by what the trust file already lists.
 *
 *   [1, name, chain id, [step, ...]]
 *   step = [header, history path, consistency path, [receipt, ...], commit or null,
 *           next validators or null, [[key record, siblings, ending or null], ...], restart or
 * null] ending = [entry, index, log path] restart = [entry, index, log path, key record of its
 * signer, siblings]
 *
 * A step leads from the newest known head to `header`: the history path shows that head under it,
 * the consistency path that the log only grew. Keys that began or ended did so in that very block,
 * so that their ranges are exact; the entry that ended one says whether it was rotated
 * (member.rotate) or is to be held for stolen (anything else). */
#ifndef CAIRN_PROOF_TRUSTUPDATE_H
#define CAIRN_PROOF_TRUSTUPDATE_H

#include "proof/prooffile.h"
#include "proof/trust.h"

#define TRUST_UPDATE_MAX (4u << 20) /* bytes of the file */
#define UPDATE_STEPS_MAX 1024
#define STEP_KEYS_MAX    64
#define UPDATE_KEYS_MAX  4096 /* of all steps; a trust file takes in fewer */

/* An entry and its place in the log under the step's header. */
struct logged {
    struct bytes entry; /* len 0: absent */
    uint64_t index;
    struct path path;
};

/* A key record and its place in the state under the step's header. */
struct stated {
    struct bytes record;
    struct siblings siblings;
};

struct trust_key {
    struct stated key;
    struct logged ending; /* of a record with an end */
};

struct trust_restart {
    struct logged entry; /* governance.restart, the first of its block; or absent */
    struct stated signer;
};

struct trust_step {
    struct bytes header_bytes;
    struct header header; /* a writer sets the bytes alone */
    struct path history;
    struct path consistency;
    size_t receipt_count;
    struct bytes receipts[PROOF_RECEIPTS_MAX];
    struct bytes commit; /* or len 0 */
    struct commit commit_decoded;
    bool has_next;
    struct validators next; /* the set that `commit` names as the next one */
    size_t key_count;
    struct trust_key *keys;
    struct trust_restart restart;
};

struct trust_update {
    struct arena arena;
    struct bytes name;
    struct hash chain;
    size_t step_count;
    struct trust_step *steps;
};

/* *out owns a copy and is freed with trust_update_free (NULL on error). */
must_use enum err trust_update_parse(struct trust_update **out, struct bytes in, struct why *why);
void trust_update_free(struct trust_update *update);
void trust_update_write(struct buf *out, const struct trust_update *update);

/* Makes a new trust file from `old`, which stays as it is. Steps that `old` knows already are
 * passed over. `accept_restart` (or NULL) is the header hash of a restart's first block that the
 * caller has confirmed out of band. ERR_MISMATCH: another ledger, a fork or a false path;
 * ERR_SIGNATURE: not vouched for by anything listed; ERR_REFUSED: a restart that was not accepted;
 * ERR_EXISTS: there is nothing new. The caller frees *out. */
must_use enum err trust_update_apply(struct trust **out, const struct trust *old,
                                     const struct trust_update *update,
                                     const struct hash *accept_restart, struct why *why);

#endif
