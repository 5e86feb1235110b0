#include "proof/verify.h"

#include "codec/text.h"
#include "proof/checks.h"

/* Whose ledger a statement and a head are of; false (and the verdict unreadable) unless it is the
 * trust file's. */
static bool ledger_check(struct verdict *out, const struct proof *proof, const struct trust *trust)
{
    char chain[2 * sizeof proof->head.chain.at + 1];
    hex_write(chain, hash_bytes(&proof->head.chain));
    const char *fault = NULL;
    const char *after = ".";
    if (trust == NULL) {
        fault = "No trust file was given, so nothing is said to hold. The proof is of the ledger";
    } else if (!hash_equal(&proof->head.chain, &trust->chain)) {
        fault = "The proof is of the ledger";
        after = ", not a ledger that you listed.";
    } else if (!proof->statement.foreign && !hash_equal(&proof->statement.chain, &trust->chain)) {
        hex_write(chain, hash_bytes(&proof->statement.chain));
        fault = "The statement was made for another ledger,";
    }
    if (fault == NULL) {
        ledger_pass(out, trust, &proof->head);
        return true;
    }
    verdict_ledger_fails(out, fault, chain, after);
    return false;
}

static void head_checks(struct verdict *out, const struct proof *proof, const struct trust *trust)
{
    struct head_finding finding;
    const struct head_evidence evidence = {
        .head = &proof->head,
        .receipt_count = proof->file.receipt_count,
        .receipts = proof->file.receipts,
        .leaf = &proof->leaf,
        .commit = proof->has_commit ? &proof->commit : NULL,
        .anchor = proof->has_anchor ? &proof->anchor : NULL,
        .anchor_path = &proof->file.anchor_path,
        .has_anchor_token = proof->file.has_anchor_token,
        .anchor_token = proof->file.anchor_token,
        .anchor_bytes = proof->file.anchor,
    };
    head_vouched_check(out, trust, &evidence, &finding);
    notes_check(out, proof, trust);
    anchor_check(out, trust, &evidence, &finding);
    time_checks(out, proof, trust, &finding);
    fork_check(out, trust, &proof->head, "head");
    if (proof->has_block) {
        fork_check(out, trust, &proof->block, "block");
    }
    if (proof->has_anchor) {
        fork_check(out, trust, &proof->anchor, "anchor");
    }
    lost_check(out, trust, &proof->head, &finding);
}

void proof_verify(struct verdict *out, const struct proof *proof, const struct trust *trust,
                  const struct subject *subject)
{
    if (!ledger_check(out, proof, trust)) {
        return;
    }
    entry_checks(out, proof);
    file_check(out, proof, subject);
    mandate_check(out, proof);
    head_checks(out, proof, trust);
    bool compared = subject->kind != SUBJECT_NONE;
    verdict_finish(out,
                   compared ? "The proof holds, and what was given is what the ledger recorded."
                            : "The proof holds; no file was given to compare.",
                   verdict_fails(out, CHECK_LOST) ? "Acknowledged, and then declared lost."
                                                  : "The proof does not hold.");
}
