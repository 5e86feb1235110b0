#include "base/file.h"
#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "node/node.h"

#include <stdlib.h>

/* Writes DIR/cairn.conf, in which everything is a comment, unless somebody wrote one before. */
static enum err write_settings(const char *dir, struct why *why)
{
    struct buf text = {0};
    char *path = path_join(dir, CONFIG_FILE);
    config_write_sample(&text);
    enum err err = file_create(path, buf_bytes(&text), 0644, why);
    buf_clear(&text);
    free(path);
    return err == ERR_EXISTS ? OK : err;
}

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
    if (err == OK) {
        err = write_settings(dir, &why);
    }
    if (err != OK) {
        return fail(err, &why);
    }
    printf("%s holds the new ledger %s.\n"
           "  %s/%s.trust   what verifiers need; give it to everybody, compared out of band\n"
           "  %s/operator.key   registers members; keep it in a safe place\n"
           "  %s/cairn.conf   the node's settings\n"
           "Run it with: cairn run %s\n",
           dir, name, dir, name, dir, dir, dir);
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
        "Makes the folder DIR with the genesis block, the operator's key, the node's keys,\n"
        "the trust file DIR/NAME.trust, and DIR/cairn.conf with every setting as a comment. With\n"
        "--passphrase-file the operator's key is encrypted.\n",
    .example = "cairn init court --name court",
    .args = options,
    .run = run,
};
