#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "modules/member/member.h"

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    struct member_reference reference;
    enum err err = hash_read(&reference.statement, "mandate", args->operands[0], &why);
    if (err == OK) {
        member_reference_write(&body, &reference);
    }
    struct matter matter = {MEMBER_TYPE("end_mandate"), args->operands[0], buf_bytes(&body)};
    int status = err == OK ? signing_do(args, "as", &matter) : fail(err, &why);
    buf_clear(&body);
    return status;
}

static const struct arg options[] = {ARGS_SIGNING, ARG_AS, {0}};

const struct verb verb_member_end_mandate = {
    .name = "member end-mandate",
    .operands = "STATEMENT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "end a mandate",
    .example = "cairn member end-mandate 6e1f...c0 --key alice.key",
    .args = options,
    .run = run,
};
