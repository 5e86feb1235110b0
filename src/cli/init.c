#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/verbs.h"
#include "node/node.h"

static int run(const struct args *args)
{
    const char *dir = args->operands[0];
    const char *name = args_text(args, "name");
    const char *file = args_text(args, "passphrase-file");
    char passphrase[PASSPHRASE_CAP];
    struct why why = {0};
    enum err err = file ? passphrase_read(passphrase, file, &why) : OK;
    if (err == OK) {
        err = node_create(dir, name, file ? passphrase : NULL, &why);
    }
    wipe(passphrase, sizeof passphrase);
    if (err != OK) {
        return fail(err, &why);
    }
    printf("%s holds the new ledger %s.\n"
           "  %s/%s.trust   what verifiers need; give it to everybody, compared out of band\n"
           "  %s/operator.key   registers members; keep it in a safe place\n"
           "Run it with: cairn run %s\n",
           dir, name, dir, name, dir, dir);
    return STATUS_OK;
}

static const struct arg options[] = {
    {"name", "NAME", "the ledger's name: 1 to 64 of a-z 0-9 . _ -", NULL, true, false},
    ARG_PASSPHRASE,
    {0},
};

const struct verb verb_init = {
    .name = "init",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "make a new ledger",
    .text =
        "Makes the folder DIR with the genesis block, the operator's key, the node's keys and\n"
        "the trust file DIR/NAME.trust. With --passphrase-file the operator's key is encrypted.\n",
    .example = "cairn init court --name court",
    .args = options,
    .run = run,
};
