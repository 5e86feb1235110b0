#include "cli/output.h"
#include "cli/request.h"
#include "cli/sign.h"
#include "cli/verbs.h"

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    struct member_roles roles = {.member = bytes_text(args->operands[0])};
    enum err err = roles_read(roles.roles, &roles.role_count, args, &why);
    if (err == OK) {
        member_roles_write(&body, &roles);
    }
    struct matter matter = {MEMBER_TYPE("roles"), args->operands[0], buf_bytes(&body)};
    int status = err == OK ? signing_do(args, "as", &matter) : fail(err, &why);
    buf_clear(&body);
    return status;
}

static const struct arg options[] = {
    {"role", "ROLE", "a role that the member has from now on", NULL, true, true},
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_member_roles = {
    .name = "member roles",
    .operands = "NAME",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "replace the roles of a member",
    .example = "cairn member roles alice --role depositor --role witness --key operator.key",
    .args = options,
    .run = run,
};
