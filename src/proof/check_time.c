/* What the verdict says of time, and the tokens and cosignatures that bound it. */
#include "proof/checks.h"

#define DISPUTED_MS 60000u

static void token_line(struct verdict *out, const struct proof *proof, const struct trust *trust)
{
    struct buf message = {0};
    if (!proof->file.has_token) {
        return;
    }
    cbor_put_bytes(&message, proof->file.entry.signature);
    struct token token = token_check(proof->file.token, buf_bytes(&message), trust->authorities,
                                     trust->authority_count);
    buf_clear(&message);
    switch (token.state) {
    case TOKEN_MALFORMED:
        verdict_add(out, CHECK_TOKEN, OUTCOME_FAIL, "The time-stamp token is malformed.");
        break;
    case TOKEN_WRONG:
        verdict_add(out, CHECK_TOKEN, OUTCOME_FAIL,
                    "The time-stamp token is false, or over something else.");
        break;
    case TOKEN_UNKNOWN:
        verdict_add(out, CHECK_TOKEN, OUTCOME_NOT_COUNTED,
                    "The time-stamp token is by an authority that the trust file does not list.");
        break;
    case TOKEN_GOOD:
        verdict_add(out, CHECK_TOKEN, OUTCOME_PASS,
                    "A listed authority saw the statement's signature at %s.",
                    time_text(token.time_ms).at);
        break;
    }
}

/* Compares the block's time with the validators' median clock in `commit`, known to be good. Of a
 * former set whoever has its keys by now may have made it, and no anchor covers what lies beside
 * the ledger. */
static void median_line(struct verdict *out, const struct proof *proof, const struct commit *commit,
                        const struct comet_range *range)
{
    uint64_t median_ms = comet_time_ms(&commit->header.time);
    uint64_t block_ms = proof->block.time_ms;
    uint64_t apart = median_ms > block_ms ? median_ms - block_ms : block_ms - median_ms;
    struct time_text block = time_text(block_ms);
    struct time_text median = time_text(median_ms);
    if (apart > DISPUTED_MS) {
        verdict_add(out, CHECK_TIME, OUTCOME_NOT_COUNTED,
                    "Clock disputed: the block says %s, the validators' clocks %s.", block.at,
                    median.at);
    } else if (range->has_to) {
        verdict_add(out, CHECK_TIME, OUTCOME_NOT_COUNTED,
                    "Recorded at %s by the block; clocks of a former validator set said %s.",
                    block.at, median.at);
    } else {
        verdict_add(out, CHECK_TIME, OUTCOME_PASS,
                    "Recorded at %s; the validators' clocks said %s.", block.at, median.at);
    }
}

static void comet_time_line(struct verdict *out, const struct proof *proof,
                            const struct trust_regime *regime, const struct head_finding *finding)
{
    struct why why = {0};
    const struct comet_range *range;
    if (proof->has_clock) {
        enum err err = commit_trusted(&proof->clock, regime, &proof->block, &range, &why);
        if (err == OK) {
            median_line(out, proof, &proof->clock, range);
        } else {
            verdict_fail_why(out, CHECK_TIME,
                             "The commit that shows the validators' clocks does "
                             "not hold",
                             err, &why);
        }
        return;
    }
    if (!proof->has_block && finding->commit_good) {
        median_line(out, proof, &proof->commit, regime_range(regime, proof->commit.header.height));
        return;
    }
    verdict_add(out, CHECK_TIME, OUTCOME_NOT_COUNTED,
                "Recorded at %s by the block; clock not checked.",
                time_text(proof->block.time_ms).at);
}

void time_checks(struct verdict *out, const struct proof *proof, const struct trust *trust,
                 const struct head_finding *finding)
{
    const struct trust_regime *regime = trust_regime(trust, proof->block.height);
    if (regime->comet) {
        comet_time_line(out, proof, regime, finding);
    } else {
        verdict_add(out, CHECK_TIME, OUTCOME_NOT_COUNTED,
                    "Recorded at %s, a time asserted by the operator.",
                    time_text(proof->block.time_ms).at);
        if (proof->has_clock) {
            verdict_add(out, CHECK_TIME, OUTCOME_NOT_COUNTED,
                        "A clock is there, but no validator set is listed for the block.");
        }
    }
    token_line(out, proof, trust);
}
