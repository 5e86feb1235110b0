#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "config/config.h"
#include "node/node.h"

#include <string.h>

static enum err which_key(bool *checkpoint, const char *word, struct why *why)
{
    *checkpoint = strcmp(word, "checkpoint") == 0;
    return *checkpoint || strcmp(word, "receipt") == 0
               ? OK
               : why_say(why, ERR_FORMAT, "key", word, "is not one of the node's",
                         "Say receipt or checkpoint.");
}

/* A key that the settings name elsewhere is not ours to replace. */
static enum err check_settings(const char *dir, bool checkpoint, struct why *why)
{
    struct config config;
    enum err err = config_load(&config, dir, NULL, why);
    if (err == OK) {
        const char *name = checkpoint ? config.checkpoint_key : config.receipt_key;
        err = strcmp(name, checkpoint ? NODE_CHECKPOINT_KEY : NODE_RECEIPT_KEY) == 0
                  ? OK
                  : why_say(why, ERR_REFUSED, checkpoint ? "checkpoint_key" : "receipt_key", name,
                            "is not a file that this command may replace",
                            "Register the next key with 'cairn member rotate node-1 --kid ...' and "
                            "name it in cairn.conf.");
    }
    config_clear(&config);
    return err;
}

static enum err rotate(const struct args *args, struct hash *kid, struct why *why)
{
    struct signer *signer;
    struct node_rotate_request request = {.options = {.dir = args->operands[0]}};
    TRY(which_key(&request.checkpoint, args->operands[1], why));
    TRY(check_settings(args->operands[0], request.checkpoint, why));
    TRY(key_open(&signer, args_text(args, "key"), args, why));
    request.operator_key = signer;
    enum err err = node_rotate(&request, kid, why);
    signer_free(signer);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct hash kid;
    char hex[65];
    enum err err = rotate(args, &kid, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    hex_write(hex, hash_bytes(&kid));
    printf("%s: the %s key is %s from now on\n", args->operands[0], args->operands[1], hex);
    return STATUS_OK;
}

static const struct arg options[] = {
    {"key", "FILE", "the operator's key", NULL, true, false},
    ARG_PASSPHRASE,
    {0},
};

const struct verb verb_key_rotate_node = {
    .name = "key rotate-node",
    .operands = "DIR receipt|checkpoint",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "give a node another receipt or checkpoint key",
    .text =
        "Of a ledger that is not being served. What the old key signed stays good. Trust files\n"
        "learn a new receipt key by 'cairn trust update'. A new checkpoint key has another\n"
        "vkey, which its witnesses need (GET /v1/ledger).",
    .example = "cairn key rotate-node court receipt --key court/operator.key",
    .args = options,
    .run = run,
};
