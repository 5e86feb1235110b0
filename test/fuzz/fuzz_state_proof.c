/* State proofs. An input is a trust file's length and bytes, then those of a proof. A proof has one
 * encoding. Of one that passes every byte is flipped in turn, a few in each run: what then passes
 * is under the same head, and a presence is of the same value under the same key. (One place in the
 * map can show that many keys are absent.) */
#include "fuzz.h"
#include "mutate.h"
#include "proof/stateproof.h"

const struct fuzz_shape fuzz_shape = {2, true};

#define FLIPS 6

static enum err parse(struct bytes in)
{
    struct state_proof *proof;
    enum err err = state_proof_parse(&proof, in, NULL);
    BUG_ON((err == OK) != (proof != NULL));
    state_proof_free(proof);
    return err;
}

static bool passes(const struct state_proof *proof, const struct trust *trust)
{
    struct verdict verdict = {0};
    bool fails = false;
    state_proof_verify(&verdict, proof, trust);
    for (size_t i = 0; i < verdict.count; i++) {
        fails = fails || verdict.lines[i].outcome == OUTCOME_FAIL;
        BUG_ON(!bytes_is_utf8(bytes_text(verdict.lines[i].text)));
    }
    bool pass = verdict.status == VERDICT_PASS;
    BUG_ON(pass == fails || (pass && trust == NULL));
    verdict_clear(&verdict);
    return pass;
}

static void check_flipped(const struct state_proof *proof, const struct trust *trust,
                          struct bytes input, size_t at, uint8_t mask)
{
    uint8_t *copy = mem_alloc(input.len);
    struct state_proof *other;
    memcpy(copy, input.at, input.len);
    copy[at] ^= mask;
    if (state_proof_parse(&other, (struct bytes){copy, input.len}, NULL) == OK &&
        passes(other, trust)) {
        BUG_ON(proof->present != other->present || !bytes_equal(proof->head, other->head));
        bool same = bytes_equal(proof->module, other->module) &&
                    bytes_equal(proof->key, other->key) && bytes_equal(proof->value, other->value);
        BUG_ON(proof->present && !same);
    }
    state_proof_free(other);
    free(copy);
}

static void check_proof(const struct state_proof *proof, const struct trust *trust,
                        struct bytes input)
{
    struct buf out = {0};
    state_proof_write(&out, proof);
    BUG_ON(!bytes_equal(buf_bytes(&out), input) || !state_proof_is(input));
    buf_clear(&out);
    BUG_ON(passes(proof, NULL));
    if (trust && passes(proof, trust)) {
        for (size_t i = 0; i < FLIPS; i++) {
            size_t at = (input.at[input.len / (i + 2)] * 257u + i * 7919u) % input.len;
            check_flipped(proof, trust, input, at, (uint8_t)(1u << (i + at) % 8));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data, size};
    struct bytes trust_bytes = take_block(&rest);
    struct trust *trust;
    struct state_proof *proof;
    struct why why = {0};
    enum err err = trust_parse(&trust, trust_bytes, &why);
    BUG_ON((err == OK) != (trust != NULL));
    if (state_proof_parse(&proof, rest, &why) == OK) {
        check_proof(proof, trust, rest);
        check_whole_only(parse, rest);
    }
    state_proof_free(proof);
    trust_free(trust);
    return 0;
}
