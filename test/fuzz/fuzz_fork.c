/* Fork evidence. An input is a trust file's length and bytes, then those of the evidence. It has
 * one encoding. Of one that accuses every byte is flipped in turn, a few in each run: what then
 * still accuses is of the same two heads or checkpoints. */
#include "fuzz.h"
#include "mutate.h"
#include "proof/fork.h"

const struct fuzz_shape fuzz_shape = {2, true};

#define FLIPS 6

static enum err parse(struct bytes in)
{
    struct fork_evidence *evidence;
    enum err err = fork_evidence_parse(&evidence, in, NULL);
    BUG_ON((err == OK) != (evidence != NULL));
    fork_evidence_free(evidence);
    return err;
}

static bool accuses(const struct fork_evidence *evidence, const struct trust *trust)
{
    struct verdict verdict = {0};
    bool fails = false;
    bool named = false;
    fork_evidence_verify(&verdict, evidence, trust);
    for (size_t i = 0; i < verdict.count; i++) {
        fails = fails || verdict.lines[i].outcome == OUTCOME_FAIL;
        named = named || verdict.lines[i].check == CHECK_FORK;
        BUG_ON(!bytes_is_utf8(bytes_text(verdict.lines[i].text)));
    }
    bool pass = verdict.status == VERDICT_PASS;
    BUG_ON(pass == fails || (pass && (trust == NULL || !named)));
    verdict_clear(&verdict);
    return pass;
}

/* Up to the empty line: signatures behind it may be anybody's. */
static struct bytes checkpoint_of(struct bytes note)
{
    const uint8_t *end = note.len > 0 ? memmem(note.at, note.len, "\n\n", 2) : NULL;
    return end ? (struct bytes){note.at, (size_t)(end - note.at)} : note;
}

static void check_flipped(const struct fork_evidence *evidence, const struct trust *trust,
                          struct bytes input, size_t at, uint8_t mask)
{
    uint8_t *copy = mem_alloc(input.len);
    struct fork_evidence *other;
    memcpy(copy, input.at, input.len);
    copy[at] ^= mask;
    if (fork_evidence_parse(&other, (struct bytes){copy, input.len}, NULL) == OK &&
        accuses(other, trust)) {
        for (size_t i = 0; i < 2; i++) {
            BUG_ON(!bytes_equal(evidence->sides[i].header, other->sides[i].header));
            BUG_ON(!bytes_equal(checkpoint_of(evidence->sides[i].note),
                                checkpoint_of(other->sides[i].note)));
        }
    }
    fork_evidence_free(other);
    free(copy);
}

static void check_evidence(const struct fork_evidence *evidence, const struct trust *trust,
                           struct bytes input)
{
    struct buf out = {0};
    fork_evidence_write(&out, evidence);
    BUG_ON(!bytes_equal(buf_bytes(&out), input) || !fork_evidence_is(input));
    buf_clear(&out);
    BUG_ON(accuses(evidence, NULL));
    if (trust && accuses(evidence, trust)) {
        for (size_t i = 0; i < FLIPS; i++) {
            size_t at = (input.at[input.len / (i + 2)] * 257u + i * 7919u) % input.len;
            check_flipped(evidence, trust, input, at, (uint8_t)(1u << (i + at) % 8));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data, size};
    struct bytes trust_bytes = take_block(&rest);
    struct trust *trust;
    struct fork_evidence *evidence;
    enum err err = trust_parse(&trust, trust_bytes, NULL);
    BUG_ON((err == OK) != (trust != NULL));
    if (fork_evidence_parse(&evidence, rest, NULL) == OK) {
        check_evidence(evidence, trust, rest);
        check_whole_only(parse, rest);
    }
    fork_evidence_free(evidence);
    trust_free(trust);
    return 0;
}
