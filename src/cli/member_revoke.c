#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "codec/privacy.h"
#include "modules/member/member.h"

static enum err body_make(struct buf *out, const struct args *args, struct why *why)
{
    const char *kid = args_text(args, "kid");
    struct member_revoke body = {
        .member = bytes_text(args->operands[0]),
        .has_kid = kid != NULL,
        .reason = bytes_text(args_text(args, "reason")),
    };
    TRY(clear_text_check("--reason", body.reason, why));
    if (kid) {
        TRY(hash_read(&body.kid, "--kid", kid, why));
    }
    member_revoke_write(out, &body);
    return OK;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    enum err err = body_make(&body, args, &why);
    struct matter matter = {MEMBER_TYPE("revoke"), args->operands[0], buf_bytes(&body)};
    int status = err == OK ? signing_do(args, "as", &matter) : fail(err, &why);
    buf_clear(&body);
    return status;
}

static const struct arg options[] = {
    {"reason", "TEXT", "why; everybody can read it", NULL, true, false},
    {"kid", "KID", "end this key alone, not the member", NULL, false, false},
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_member_revoke = {
    .name = "member revoke",
    .operands = "NAME",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "end a member and its keys, or one key",
    .text = "Nothing is removed: what was signed before stays as good as it was.",
    .example = "cairn member revoke alice --reason 'left the bank' --key operator.key",
    .args = options,
    .run = run,
};
