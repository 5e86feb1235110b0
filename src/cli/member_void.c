#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "modules/member/member.h"

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    struct member_reference reference;
    enum err err = hash_read(&reference.statement, "statement", args->operands[0], &why);
    if (err == OK) {
        member_reference_write(&body, &reference);
    }
    struct matter matter = {MEMBER_TYPE("void"), args->operands[0], buf_bytes(&body)};
    int status = err == OK ? signing_do(args, "as", &matter) : fail(err, &why);
    buf_clear(&body);
    return status;
}

static const struct arg options[] = {ARGS_SIGNING, ARG_AS, {0}};

const struct verb verb_member_void = {
    .name = "member void",
    .operands = "STATEMENT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "forbid that a statement of yours is ever taken",
    .text = "A refused statement may be sent again by anybody until it expires. This ends that;\n"
            "it must be signed with the key that signed the statement.",
    .example = "cairn member void 6e1f...c0 --key alice.key",
    .args = options,
    .run = run,
};
