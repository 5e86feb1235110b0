#include "base/file.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/refresh.h"
#include "cli/verbs.h"
#include "proof/prooffile.h"

static enum err usage(struct why *why, const char *option, const char *problem)
{
    return why_say(why, ERR_FORMAT, option, NULL, problem, "See cairn export --help.");
}

/* ---- receipts */

static enum err receipts(const struct args *args, struct why *why)
{
    struct buf bytes = {0};
    struct buf exported = {0};
    struct proof_file file;
    const char *out = args_text(args, "out");
    if (args->operand_count != 1 || !out) {
        return usage(why, "--receipts", "takes one proof file and --out");
    }
    enum err err = file_read(&bytes, args->operands[0], PROOF_MAX, why);
    if (err == OK) {
        err = proof_file_read(&file, buf_bytes(&bytes));
        err = err == OK ? proof_file_export(&exported, &file) : err;
        if (err != OK) {
            why_say(why, err, "proof", args->operands[0], NULL, NULL);
        }
    }
    if (err == OK) {
        err = file_write(out, buf_bytes(&exported), file.salt.len ? 0600 : 0644, why);
    }
    if (err == OK) {
        printf("%s: a transparent statement of RFC 9943 with %zu receipt%s\n", out,
               file.receipt_count, file.receipt_count == 1 ? "" : "s");
    }
    buf_clear(&bytes);
    buf_clear(&exported);
    return err;
}

/* ---- refresh */

static enum err refresh(const struct args *args, struct why *why)
{
    struct client *client;
    if (args_text(args, "out")) {
        return usage(why, "--out", "goes with --receipts");
    }
    TRY(client_new(&client, args, why));
    enum err err = OK;
    for (size_t i = 0; err == OK && i < args->operand_count; i++) {
        err = proof_refresh(client, args->operands[i], why);
    }
    client_free(client);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    enum err err;
    if (args_flag(args, "receipts") == args_flag(args, "refresh")) {
        err = usage(&why, "--receipts", "or --refresh, exactly one of them, is needed");
    } else if (args_flag(args, "receipts")) {
        err = receipts(args, &why);
    } else {
        err = refresh(args, &why);
    }
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"receipts", NULL, "write --out as a transparent statement of RFC 9943", NULL, false, false},
    {"refresh", NULL, "add to each proof the path to a later head, and cosignatures of its own",
     NULL, false, false},
    {"out", "FILE", "where --receipts writes", NULL, false, false},
    ARGS_READER,
    ARG_SERVER,
    {0},
};

const struct verb verb_export = {
    .name = "export",
    .operands = "FILE.proof...",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .summary = "make proofs fit for other tools, or anchor them in a later head",
    .text =
        "With --receipts each receipt gets its inclusion path, so that tools for COSE receipts\n"
        "(RFC 9942) read it. With --refresh a proof stays good even if the key that signed its\n"
        "head is stolen later: whoever knows the later head can rely on it. Cosignatures that\n"
        "witnesses have given to its head since are added too; where that head has none, make the\n"
        "proof anew with 'cairn proof'.",
    .example = "cairn export --receipts contract.pdf.proof --out contract.pdf.cose\n"
               "cairn export --refresh *.proof",
    .args = options,
    .run = run,
};
