#include "base/file.h"
#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/verbs.h"
#include "config/config.h"
#include "keystore/keystore.h"
#include "node/node.h"

#include <stdlib.h>

/* The three keys of a new ledger: those that exist already, by their names. */
enum { KEY_OPERATOR, KEY_RECEIPT, KEY_CHECKPOINT, KEY_COUNT };
static const char *const key_options[KEY_COUNT] = {"operator-key", "receipt-key", "checkpoint-key"};

static enum err open_keys(struct signer *keys[KEY_COUNT], const struct args *args, struct why *why)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const char *name = args_text(args, key_options[i]);
        if (name) {
            TRY(key_open(&keys[i], name, args, why));
        }
    }
    return OK;
}

/* The node finds its keys from any folder. */
static void put_key_setting(struct buf *out, const char *setting, const char *name)
{
    char *path = name && !keystore_is_uri(name) ? realpath(name, NULL) : NULL;
    if (name) {
        buf_put(out, bytes_text(setting));
        buf_put(out, bytes_text(" = "));
        buf_put(out, bytes_text(path ? path : name));
        buf_put_byte(out, '\n');
    }
    free(path);
}

/* Writes DIR/cairn.conf, in which everything but given keys is a comment. */
static enum err write_settings(const struct args *args, struct why *why)
{
    struct buf text = {0};
    char *path = path_join(args->operands[0], CONFIG_FILE);
    put_key_setting(&text, "receipt_key", args_text(args, key_options[KEY_RECEIPT]));
    put_key_setting(&text, "checkpoint_key", args_text(args, key_options[KEY_CHECKPOINT]));
    config_write_sample(&text);
    enum err err = file_create(path, buf_bytes(&text), 0644, why);
    buf_clear(&text);
    free(path);
    return err == ERR_EXISTS ? OK : err;
}

static enum err create(const struct args *args, struct why *why)
{
    const char *file = args_text(args, "passphrase-file");
    char passphrase[PASSPHRASE_CAP];
    struct signer *keys[KEY_COUNT] = {NULL};
    enum err err = file ? passphrase_read(passphrase, file, why) : OK;
    if (err == OK) {
        err = open_keys(keys, args, why);
    }
    if (err == OK) {
        struct node_new wanted = {.dir = args->operands[0],
                                  .name = args_text(args, "name"),
                                  .passphrase = file ? passphrase : NULL,
                                  .operator_key = keys[KEY_OPERATOR],
                                  .receipt_key = keys[KEY_RECEIPT],
                                  .checkpoint_key = keys[KEY_CHECKPOINT]};
        err = node_create_as(&wanted, why);
    }
    wipe(passphrase, sizeof passphrase);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        signer_free(keys[i]);
    }
    return err == OK ? write_settings(args, why) : err;
}

static int run(const struct args *args)
{
    const char *dir = args->operands[0];
    const char *name = args_text(args, "name");
    const char *operator_key = args_text(args, key_options[KEY_OPERATOR]);
    struct why why = {0};
    enum err err = create(args, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    printf("%s holds the new ledger %s.\n"
           "  %s/%s.trust   what verifiers need; give it to everybody, compared out of band\n",
           dir, name, dir, name);
    if (!operator_key) {
        printf("  %s/operator.key   registers members; keep it in a safe place\n", dir);
    }
    printf("  %s/cairn.conf   the node's settings\n"
           "Run it with: cairn run %s\n",
           dir, dir);
    return STATUS_OK;
}

static const struct arg options[] = {
    {"name", "NAME", "the ledger's name: 1 to 64 of a-z 0-9 . _ -", NULL, true, false},
    {"operator-key", "FILE", "an operator's key that exists, file or URI", NULL, false, false},
    {"receipt-key", "FILE", "the same for the node's receipts", NULL, false, false},
    {"checkpoint-key", "FILE", "the same for its checkpoints, Ed25519", NULL, false, false},
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
        "--passphrase-file the operator's key is encrypted. Keys that exist, in files or in "
        "tokens,\n"
        "are not copied: DIR/cairn.conf says where the node finds its own.\n",
    .example = "cairn init court --name court\n"
               "cairn init court --name court --operator-key 'pkcs11:token=court;object=operator'",
    .args = options,
    .run = run,
};
