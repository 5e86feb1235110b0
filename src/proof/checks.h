/* The parts that a verdict is put together from. Each check adds lines of its own name. */
#ifndef CAIRN_PROOF_CHECKS_H
#define CAIRN_PROOF_CHECKS_H

#include "crypto/timestamp.h"
#include "proof/note.h"
#include "proof/verify.h"

/* A head and what vouches for it, in a proof or a state proof. */
struct head_evidence {
    const struct header *head;
    size_t receipt_count;
    const struct bytes *receipts;
    const struct hash *leaf;     /* for receipts that carry a path; or NULL */
    const struct commit *commit; /* or NULL */
    const struct header *anchor; /* or NULL */
    const struct path *anchor_path;
    bool has_anchor_token;
    struct bytes anchor_token;
    struct bytes anchor_bytes; /* the anchor header's encoding */
};

/* What the checks of a head found, for those that come after. */
struct head_finding {
    bool commit_good;
    const struct receipt_key *by; /* a key whose receipt is good, the best there is; or NULL */
    bool needs_anchor;            /* rests on a stolen key or a former set */
    bool has_ended;               /* of that key or set */
    uint64_t ended_ms;
    bool rests_on_set; /* a set of validators, not a key */
};

/* Receipts or commit, by the regime of the head. */
void head_vouched_check(struct verdict *out, const struct trust *trust,
                        const struct head_evidence *evidence, struct head_finding *finding);
void anchor_check(struct verdict *out, const struct trust *trust,
                  const struct head_evidence *evidence, const struct head_finding *finding);
/* One header against the listed heads; `what` names it in the text. */
void fork_check(struct verdict *out, const struct trust *trust, const struct header *header,
                const char *what);
void lost_check(struct verdict *out, const struct trust *trust, const struct header *head,
                const struct head_finding *finding);
/* Whether a header is, or surely lies under, a head that a restart left behind. */
bool header_is_lost(const struct trust *trust, const struct header *header);
void ledger_pass(struct verdict *out, const struct trust *trust, const struct header *head);

/* Whether `commit` is one by a listed set for the header of hash `app`, of regime `regime`. On OK
 * *range is the set's. ERR_MISMATCH, ERR_SIGNATURE, ERR_NOT_FOUND (no set at that height). */
must_use enum err commit_trusted(const struct commit *commit, const struct trust_regime *regime,
                                 const struct header *header, const struct comet_range **range,
                                 struct why *why);

/* Whether `header` of height h lies in the history under `later`. */
bool history_holds(const struct header *header, const struct path *path,
                   const struct header *later);

/* The witness that a signature line names, if the trust file lists it; borrows from that. */
bool witness_find(struct note_key *out, const struct trust *trust, const struct note_line *line);
/* Witness cosignatures (C2SP tlog-cosignature) over the head's checkpoint. */
void notes_check(struct verdict *out, const struct proof *proof, const struct trust *trust);

/* Statement signature, signer key, validity, item, file, mandate, log, head, history. */
void entry_checks(struct verdict *out, const struct proof *proof);
void file_check(struct verdict *out, const struct proof *proof, const struct subject *subject);
void mandate_check(struct verdict *out, const struct proof *proof);
/* Time and token. */
void time_checks(struct verdict *out, const struct proof *proof, const struct trust *trust,
                 const struct head_finding *finding);

/* Milliseconds as RFC 3339 text in memory of the caller. */
struct time_text {
    char at[25];
};
struct time_text time_text(uint64_t time_ms);

#endif
