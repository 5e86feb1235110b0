#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/verbs.h"
#include "node/node.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_REASON "acknowledged blocks were lost"

static enum err height_parse(uint64_t *out, const char *text, struct why *why)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0') {
        return why_say(why, ERR_FORMAT, "--lost-after", text, "is not a height",
                       "Give the last height that is left.");
    }
    *out = value;
    return OK;
}

/* Opens a new key of the node, if an option names one. */
static enum err open_new(struct signer **out, const struct args *args, const char *option,
                         struct why *why)
{
    const char *name = args_text(args, option);
    return name ? key_open(out, name, args, why) : OK;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct signer *signer = NULL;
    struct signer *receipt = NULL;
    struct signer *checkpoint = NULL;
    const char *reason = args_text(args, "reason");
    struct node_resume_request request = {.dir = args->operands[0],
                                          .reason = reason ? reason : DEFAULT_REASON};
    enum err err = height_parse(&request.lost_after, args_text(args, "lost-after"), &why);
    if (err == OK) {
        err = key_open(&signer, args_text(args, "key"), args, &why);
    }
    if (err == OK) {
        err = open_new(&receipt, args, "receipt-key", &why);
    }
    if (err == OK) {
        err = open_new(&checkpoint, args, "checkpoint-key", &why);
    }
    if (err == OK) {
        request.operator_key = signer;
        request.receipt_key = receipt;
        request.checkpoint_key = checkpoint;
        err = node_resume(&request, &why);
    }
    signer_free(signer);
    signer_free(receipt);
    signer_free(checkpoint);
    if (err != OK) {
        return fail(err, &why);
    }
    printf("The ledger goes on after block %llu in a new epoch with new keys.\n"
           "Everybody needs the new trust file in %s; compare its digest out of band.\n",
           (unsigned long long)request.lost_after, request.dir);
    if (args_text(args, "receipt-key") || args_text(args, "checkpoint-key")) {
        printf("Name the new keys in %s/cairn.conf before the next run.\n", request.dir);
    }
    return STATUS_OK;
}

static const struct arg options[] = {
    {"lost-after", "HEIGHT", "the last height that is left", NULL, true, false},
    {"key", "FILE", "the operator's key", NULL, true, false},
    {"reason", "TEXT", "why, for everybody to read", NULL, false, false},
    {"receipt-key", "FILE",
     "the new key of the node's receipts, file or URI, instead of a new file", NULL, false, false},
    {"checkpoint-key", "FILE", "the same for its checkpoints", NULL, false, false},
    ARG_PASSPHRASE,
    {0},
};

const struct verb verb_resume = {
    .name = "resume",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "go on after a loss, in a new epoch",
    .text =
        "For a ledger that ends before a head it acknowledged (a restored copy, a damaged\n"
        "disk) and therefore only reads. Everything after HEIGHT is declared lost, by a\n"
        "statement of the operator that every later verdict counts. It can't be undone:\n"
        "first look for a newer copy. The node gets new keys: files in DIR/keys, or those that\n"
        "the options name, which DIR/cairn.conf must name before the next run.\n",
    .example = "cairn resume court --lost-after 4711 --key court/operator.key",
    .args = options,
    .run = run,
};
