/* Nothing in a proof can be changed without being noticed: every bit of sample proofs is flipped,
 * every byte is dropped, every part is dropped and swapped with that of another proof. Each change
 * makes the proof unreadable or a check fail, or else it leaves nothing that passes but what passed
 * before. */
#include "interop.h"

struct sample {
    const char *proof;
    const char *trust;
    const char *file;
    unsigned bits; /* flipped in each byte; the slow kinds of signature get one */
};

static const struct sample samples[] = {
    {"proofs/ed25519-0.proof", "trust/alpha.trust", "files/contract.txt", 8},
    {"proofs/es256-1.proof", "trust/alpha.trust", "files/blinded.txt", 1},
    {"proofs/sm2-2.proof", "trust/alpha.trust", "files/empty.txt", 1},
    {"proofs/webauthn-0.proof", "trust/alpha.trust", "files/contract.txt", 1},
    {"proofs/foreign.proof", "trust/alpha.trust", "files/foreign.json", 1},
    {"proofs/foreign-envelope.proof", "trust/alpha.trust", "files/foreign.json", 8},
    {"proofs/batch-65536.proof", "trust/alpha.trust", "files/six.txt", 1},
    {"proofs/anchored-later.proof", "trust/alpha-heads.trust", "files/contract.txt", 1},
    {"proofs/mandate.proof", "trust/alpha.trust", "files/lone.txt", 1},
    {"proofs/two-receipts.proof", "trust/alpha.trust", "files/contract.txt", 1},
    {"proofs/notes.proof", "trust/alpha.trust", "files/contract.txt", 1},
    {"proofs/comet-clock.proof", "trust/gamma.trust", "files/comet.txt", 1},
    {"proofs/restart-after.proof", "trust/delta.trust", "files/restart.txt", 1},
};
#define SAMPLES (sizeof samples / sizeof samples[0])

/* A sample, read once. */
struct bench {
    struct trust *trust;
    struct buf file;
    struct buf proof;
    struct verdict original;
};

static void judge(struct verdict *out, const struct bench *bench, struct bytes proof_bytes)
{
    struct proof *proof = NULL;
    struct why why = {0};
    enum err err = proof_parse(&proof, proof_bytes, &why);
    if (err != OK) {
        verdict_unreadable(out, err, &why);
        return;
    }
    struct subject subject;
    struct subject_digest *digest = subject_begin(proof);
    subject_update(digest, buf_bytes(&bench->file));
    subject_end(digest, &subject);
    proof_verify(out, proof, bench->trust, &subject);
    proof_free(proof);
}

static void bench_open(struct bench *out, const struct sample *sample)
{
    struct buf trust = {0};
    *out = (struct bench){0};
    interop_read(&trust, sample->trust);
    CHECK_OK(trust_parse(&out->trust, buf_bytes(&trust), NULL));
    interop_read(&out->file, sample->file);
    interop_read(&out->proof, sample->proof);
    judge(&out->original, out, buf_bytes(&out->proof));
    CHECK_UINT(out->original.status, VERDICT_PASS);
    buf_clear(&trust);
}

static void bench_close(struct bench *bench)
{
    trust_free(bench->trust);
    buf_clear(&bench->file);
    buf_clear(&bench->proof);
    verdict_clear(&bench->original);
}

static bool line_stands_in(const struct verdict *verdict, const struct verdict_line *line)
{
    for (size_t i = 0; i < verdict->count; i++) {
        const struct verdict_line *other = &verdict->lines[i];
        if (other->check == line->check && other->outcome == line->outcome &&
            strcmp(other->text, line->text) == 0) {
            return true;
        }
    }
    return false;
}

/* Refused, or nothing passes that did not pass before; `what` and `at` say where it happened. */
static void check_noticed(const struct bench *bench, struct bytes changed, const char *what,
                          size_t at)
{
    struct verdict verdict = {0};
    judge(&verdict, bench, changed);
    for (size_t i = 0; verdict.status == VERDICT_PASS && i < verdict.count; i++) {
        const struct verdict_line *line = &verdict.lines[i];
        if (line->outcome == OUTCOME_PASS && !line_stands_in(&bench->original, line)) {
            verdict_print(&verdict);
            fail_msg("%s at %zu is not noticed", what, at);
        }
    }
    verdict_clear(&verdict);
}

static void no_flipped_bit_goes_unnoticed(void **state)
{
    (void)state;
    for (size_t s = 0; s < SAMPLES; s++) {
        struct bench bench;
        bench_open(&bench, &samples[s]);
        for (size_t at = 0; at < bench.proof.len; at++) {
            for (unsigned bit = 0; bit < samples[s].bits; bit++) {
                uint8_t kept = bench.proof.at[at];
                bench.proof.at[at] = (uint8_t)(kept ^ 1u << (samples[s].bits == 8 ? bit : at % 8));
                check_noticed(&bench, buf_bytes(&bench.proof), samples[s].proof, at);
                bench.proof.at[at] = kept;
            }
        }
        bench_close(&bench);
    }
}

static void no_dropped_byte_goes_unnoticed(void **state)
{
    (void)state;
    for (size_t s = 0; s < SAMPLES; s++) {
        struct bench bench;
        struct buf shorter = {0};
        bench_open(&bench, &samples[s]);
        for (size_t at = 0; at < bench.proof.len; at++) {
            shorter.len = 0;
            buf_put(&shorter, (struct bytes){bench.proof.at, at});
            buf_put(&shorter, (struct bytes){bench.proof.at + at + 1, bench.proof.len - at - 1});
            check_noticed(&bench, buf_bytes(&shorter), samples[s].proof, at);
        }
        buf_clear(&shorter);
        bench_close(&bench);
    }
}

/* Where a part lies in a struct proof_file. */
struct part {
    size_t offset;
    size_t len;
};

#define PART(member)                                                                \
    {                                                                               \
        offsetof(struct proof_file, member), sizeof((struct proof_file *)0)->member \
    }

static const struct part parts[] = {
    PART(entry),         PART(entry.protected),
    PART(entry.payload), PART(entry.signature),
    PART(receipts[0]),   PART(receipt_count),
    PART(item),          PART(number),
    PART(item_path),     PART(index),
    PART(log_path),      PART(head),
    PART(block),         PART(block_path),
    PART(record),        PART(record_path),
    PART(commit),        PART(salt),
    PART(clock),         PART(anchor),
    PART(anchor_path),   PART(anchor_token),
    PART(mandate),       PART(mandate_index),
    PART(mandate_path),  PART(note_count),
    PART(notes[0]),      PART(has_token),
    PART(token),
};
#define PARTS (sizeof parts / sizeof parts[0])

/* Every part of `theirs` in turn takes the place of ours; one that is empty drops ours. */
static void swap_parts(const struct bench *bench, const struct proof_file *theirs)
{
    static struct proof_file ours;
    struct buf changed = {0};
    for (size_t part = 0; part < PARTS; part++) {
        CHECK_OK(proof_file_read(&ours, buf_bytes(&bench->proof)));
        memcpy((uint8_t *)&ours + parts[part].offset, (const uint8_t *)theirs + parts[part].offset,
               parts[part].len);
        changed.len = 0;
        proof_file_write(&changed, &ours);
        check_noticed(bench, buf_bytes(&changed), "a swapped part", part);
    }
    buf_clear(&changed);
}

static void no_part_of_another_proof_goes_unnoticed(void **state)
{
    (void)state;
    static struct proof_file theirs;
    for (size_t s = 0; s < SAMPLES; s++) {
        struct bench bench;
        bench_open(&bench, &samples[s]);
        for (size_t other = 0; other < SAMPLES; other++) {
            struct buf bytes = {0};
            interop_read(&bytes, samples[other].proof);
            CHECK_OK(proof_file_read(&theirs, buf_bytes(&bytes)));
            swap_parts(&bench, &theirs);
            buf_clear(&bytes);
        }
        theirs = (struct proof_file){0};
        swap_parts(&bench, &theirs);
        bench_close(&bench);
    }
}

static void a_proof_of_another_ledger_is_not_of_one_that_you_listed(void **state)
{
    (void)state;
    for (size_t a = 0; a < SAMPLES; a++) {
        for (size_t b = 0; b < SAMPLES; b++) {
            struct bench ours;
            struct bench theirs;
            struct verdict verdict = {0};
            bench_open(&ours, &samples[a]);
            bench_open(&theirs, &samples[b]);
            if (!hash_equal(&ours.trust->chain, &theirs.trust->chain)) {
                judge(&verdict, &ours, buf_bytes(&theirs.proof));
                CHECK_UINT(verdict.status, VERDICT_UNREADABLE);
                CHECK(strstr(verdict.summary, "not a ledger that you listed") != NULL);
            }
            verdict_clear(&verdict);
            bench_close(&ours);
            bench_close(&theirs);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_flipped_bit_goes_unnoticed),
        cmocka_unit_test(no_dropped_byte_goes_unnoticed),
        cmocka_unit_test(no_part_of_another_proof_goes_unnoticed),
        cmocka_unit_test(a_proof_of_another_ledger_is_not_of_one_that_you_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
