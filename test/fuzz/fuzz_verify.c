/* The whole verdict: a proof, and the trust file made from its own head, so that the checks are
 * reached. Nothing that passes rests on a key that nobody holds. */
#include "fuzz.h"
#include "mutate.h"
#include "proof/verify.h"

const struct fuzz_shape fuzz_shape = {0, false};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct proof *proof;
    struct subject subject = {.kind = SUBJECT_NONE};
    if (proof_parse(&proof, input, NULL) != OK) {
        return 0;
    }
    struct trust_regime regimes[2] = {{0}, {.comet = true, .comet_chain = bytes_text("gamma-1")}};
    struct comet_range range = {.set = proof->commit.set};
    regimes[1].range_count = 1;
    regimes[1].ranges = &range;
    for (size_t i = 0; i < 2; i++) {
        struct verdict verdict = {0};
        struct trust trust = {.name = bytes_text("fuzz"),
                              .chain = proof->head.chain,
                              .regime_count = 1,
                              .regimes = &regimes[i]};
        proof_verify(&verdict, proof, &trust, &subject);
        BUG_ON(i == 0 && verdict.status == VERDICT_PASS);
        verdict_clear(&verdict);
    }
    proof_free(proof);
    return 0;
}
