#include "cli/output.h"
#include "cli/request.h"
#include "cli/sign.h"
#include "cli/verbs.h"

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    struct request request;
    enum err err =
        request_read(&request, args_text(args, "request"), args->operands[0], args, &why);
    if (err == OK) {
        struct member_add_key add = {bytes_text(args->operands[0]), request.key};
        member_add_key_write(&body, &add);
    }
    struct matter matter = {MEMBER_TYPE("add_key"), args->operands[0], buf_bytes(&body)};
    int status = err == OK ? signing_do(args, "as", &matter) : fail(err, &why);
    request_clear(&request);
    buf_clear(&body);
    return status;
}

static const struct arg options[] = {
    {"request", "KEY.req", "the request for the new key", NULL, true, false},
    ARGS_NEW_KEY,
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_member_add_key = {
    .name = "member add-key",
    .operands = "NAME",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "register one more key of a member",
    .example = "cairn member add-key alice --request phone.req --key operator.key",
    .args = options,
    .run = run,
};
