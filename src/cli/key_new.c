#include "base/file.h"
#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "keystore/keystore.h"

#include <stdlib.h>
#include <string.h>

static enum alg alg_of_name(const char *name)
{
    return strcmp(name, "es256") == 0 ? ALG_ES256
           : strcmp(name, "sm2") == 0 ? ALG_SM2
                                      : ALG_ED25519;
}

static enum err generate(const struct args *args, const char *passphrase, struct why *why)
{
    const char *alg = args_text(args, "alg");
    struct buf pem = {0};
    enum err err = key_generate(&pem, alg_of_name(alg ? alg : "ed25519"), passphrase);
    if (err == OK) {
        err = file_create(args->operands[0], buf_bytes(&pem), 0600, why);
    }
    wipe(pem.at, pem.len);
    buf_clear(&pem);
    if (err == ERR_EXISTS) {
        return why_say(why, err, "file", args->operands[0], NULL, "Choose another name.");
    }
    return err;
}

static enum err generate_in_token(const struct args *args, struct why *why)
{
    const char *alg = args_text(args, "alg");
    const char *file = args_text(args, "passphrase-file");
    char *copy = file ? mem_strdup(file) : NULL;
    enum err err = keystore_generate(args->operands[0], alg_of_name(alg ? alg : "ed25519"),
                                     passphrase_ask, copy, why);
    free(copy);
    return err;
}

static enum err make(const struct args *args, struct signer **signer, struct why *why)
{
    if (keystore_is_uri(args->operands[0])) {
        TRY(generate_in_token(args, why));
        return key_open(signer, args->operands[0], args, why);
    }
    const char *file = args_text(args, "passphrase-file");
    char passphrase[PASSPHRASE_CAP];
    if (file) {
        TRY(passphrase_read(passphrase, file, why));
    }
    enum err err = generate(args, file ? passphrase : NULL, why);
    wipe(passphrase, sizeof passphrase);
    TRY(err);
    return key_open(signer, args->operands[0], args, why);
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct signer *signer = NULL;
    enum err err = make(args, &signer, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    char kid[65];
    hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(signer))));
    if (args_flag(args, "json")) {
        put_json(json_pack("{s:s, s:s, s:s}", "file", args->operands[0], "alg",
                           alg_name(signer_alg(signer)), "kid", kid));
    } else {
        printf("%s: %s key %s\n", args->operands[0], alg_name(signer_alg(signer)), kid);
    }
    signer_free(signer);
    return STATUS_OK;
}

static const struct arg options[] = {
    {"alg", "ALG", "kind of key, ed25519 unless said", "ed25519 es256 sm2", false, false},
    ARG_PASSPHRASE,
    ARG_JSON,
    {0},
};

const struct verb verb_key_new = {
    .name = "key new",
    .operands = "FILE|URI",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "make a private key",
    .text = "Writes a PKCS#8 PEM file that only you can read, encrypted if there is a passphrase.\n"
            "An existing file is never replaced. For a pkcs11: URI the key is made in the token,\n"
            "under the label that object= says; it never leaves it.",
    .example = "cairn key new alice.key\n"
               "cairn key new 'pkcs11:token=court;object=alice' --alg es256",
    .args = options,
    .run = run,
};
