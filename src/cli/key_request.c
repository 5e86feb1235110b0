#include "base/file.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "proof/keyrecord.h"

#include <string.h>

static enum purpose purpose_of(const char *name)
{
    if (!name || strcmp(name, "member") == 0) {
        return PURPOSE_MEMBER;
    }
    return strcmp(name, "foreign") == 0   ? PURPOSE_FOREIGN
           : strcmp(name, "receipt") == 0 ? PURPOSE_RECEIPT
                                          : PURPOSE_CHECKPOINT;
}

static enum err key_path(const char **path, const struct args *args, struct why *why)
{
    const char *option = args_text(args, "key");
    const char *operand = args->operand_count ? args->operands[0] : NULL;
    if (!option == !operand) {
        return why_say(why, ERR_FORMAT, "key file", NULL, option ? "is given twice" : "is missing",
                       "See cairn key request --help.");
    }
    *path = option ? option : operand;
    return OK;
}

static enum err make(const struct args *args, struct signer **signer, struct trust **trust,
                     struct why *why)
{
    const char *path = NULL;
    const char *member = args_text(args, "member");
    TRY(key_path(&path, args, why));
    if (!member[0] || strlen(member) > MEMBER_ID_MAX) {
        return why_say(why, ERR_RANGE, "--member", member, "is not 1 to 64 bytes long", NULL);
    }
    TRY(trust_read(trust, args_text(args, "for"), why));
    TRY(key_open(signer, path, args, why));
    struct buf request = {0};
    enum err err = possession_sign(&request, &(*trust)->chain, bytes_text(member),
                                   purpose_of(args_text(args, "purpose")), *signer);
    err = err == OK ? file_write(args_text(args, "out"), buf_bytes(&request), 0644, why)
                    : why_say(why, err, "key", path, "can't sign", NULL);
    buf_clear(&request);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct signer *signer = NULL;
    struct trust *trust = NULL;
    enum err err = make(args, &signer, &trust, &why);
    if (err == OK && trust) {
        char kid[65];
        hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(signer))));
        printf("%s: member %s asks %.*s for key %s\n", args_text(args, "out"),
               args_text(args, "member"), (int)trust->name.len, (const char *)trust->name.at, kid);
    }
    signer_free(signer);
    trust_free(trust);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"member", "MEMBER", "the member id that the key shall have", NULL, true, false},
    {"for", "NAME.trust", "the ledger", NULL, true, false},
    {"out", "KEY.req", "where to write the request", NULL, true, false},
    {"key", "FILE", "the private key, if it isn't the argument", NULL, false, false},
    {"purpose", "WHAT", "what the key is for, member unless said",
     "member foreign receipt checkpoint", false, false},
    ARG_PASSPHRASE,
    {0},
};

const struct verb verb_key_request = {
    .name = "key request",
    .operands = "[FILE]",
    .operands_min = 0,
    .operands_max = 1,
    .summary = "ask a ledger to register a key",
    .text = "The request proves that you hold the private key and names the ledger and the\n"
            "member; it holds no secret. An operator registers it with 'cairn member add'.",
    .example = "cairn key request alice.key --member alice --for court.trust --out alice.req",
    .args = options,
    .run = run,
};
