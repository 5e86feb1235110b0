/* State proofs: each has one encoding. */
#include "fuzz.h"
#include "proof/stateproof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct state_proof *proof;
    struct buf out = {0};
    if (state_proof_parse(&proof, input, NULL) == OK) {
        struct verdict verdict = {0};
        state_proof_write(&out, proof);
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
        state_proof_verify(&verdict, proof, NULL);
        BUG_ON(verdict.status != VERDICT_UNREADABLE);
        verdict_clear(&verdict);
        state_proof_free(proof);
    }
    buf_clear(&out);
    return 0;
}
