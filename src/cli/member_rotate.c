#include "cli/output.h"
#include "cli/request.h"
#include "cli/sign.h"
#include "cli/verbs.h"

/* The key that ends: --kid, or the one that signs. */
static enum err old_kid(struct hash *out, const struct args *args, struct why *why)
{
    const char *kid = args_text(args, "kid");
    if (kid) {
        return hash_read(out, "--kid", kid, why);
    }
    struct signer *signer;
    TRY(key_open(&signer, args_text(args, "key"), args, why));
    *out = *pubkey_kid(signer_pubkey(signer));
    signer_free(signer);
    return OK;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    struct request request;
    struct member_rotate rotate;
    enum err err =
        request_read(&request, args_text(args, "request"), args->operands[0], args, &why);
    if (err == OK) {
        err = old_kid(&rotate.kid, args, &why);
    }
    if (err == OK) {
        rotate.key = request.key;
        member_rotate_write(&body, &rotate);
    }
    struct matter matter = {MEMBER_TYPE("rotate"), args->operands[0], buf_bytes(&body)};
    int status = err == OK ? signing_do(args, "as", &matter) : fail(err, &why);
    request_clear(&request);
    buf_clear(&body);
    return status;
}

static const struct arg options[] = {
    {"request", "KEY.req", "the request for the new key", NULL, true, false},
    {"kid", "KID", "the key that ends; else the one that signs", NULL, false, false},
    ARGS_NEW_KEY,
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_member_rotate = {
    .name = "member rotate",
    .operands = "NAME",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "end a key of a member and begin another",
    .text = "What the old key signed before stays as good as it was.",
    .example = "cairn member rotate alice --request new.req --key alice.key",
    .args = options,
    .run = run,
};
