#include "cli/check.h"

#include "proof/verify.h"

/* The first line that fails, else the summary. */
static enum err verdict_why(const struct verdict *verdict, struct why *why)
{
    for (size_t i = 0; i < verdict->count; i++) {
        const struct verdict_line *line = &verdict->lines[i];
        if (line->outcome == OUTCOME_FAIL) {
            return why_say(why, ERR_MISMATCH, "proof", check_name(line->check),
                           "is a check that fails", line->text);
        }
    }
    return why_say(why, ERR_FORMAT, "proof", NULL, "can't be verified", verdict->summary);
}

enum err proof_check(struct bytes proof, const struct trust *trust, const struct file_digest *file,
                     struct why *why)
{
    struct proof *parsed;
    TRY(proof_parse(&parsed, proof, why));
    struct subject subject = {.kind = file ? SUBJECT_FILE : SUBJECT_NONE};
    if (file) {
        subject.sha256 = file->sha256;
        subject.sm3 = file->sm3;
        subject.size = file->size;
    }
    struct verdict verdict = {0};
    proof_verify(&verdict, parsed, trust, &subject);
    enum err err = verdict.status == VERDICT_PASS ? OK : verdict_why(&verdict, why);
    verdict_clear(&verdict);
    proof_free(parsed);
    return err;
}
