#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/verbs.h"
#include "codec/text.h"

static int run(const struct args *args)
{
    struct why why = {0};
    struct signer *signer;
    enum err err = key_open(&signer, args->operands[0], args, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    const struct pubkey *key = signer_pubkey(signer);
    char kid[65];
    char spki[2 * SPKI_MAX + 1];
    hex_write(kid, hash_bytes(pubkey_kid(key)));
    hex_write(spki, pubkey_spki(key));
    if (args_flag(args, "json")) {
        put_json(json_pack("{s:s, s:s, s:s}", "alg", alg_name(signer_alg(signer)), "kid", kid,
                           "spki", spki));
    } else {
        printf("alg         %s\nkid         %s\npublic key  %s\n", alg_name(signer_alg(signer)),
               kid, spki);
    }
    signer_free(signer);
    return STATUS_OK;
}

static const struct arg options[] = {ARG_PASSPHRASE, ARG_JSON, {0}};

const struct verb verb_key_show = {
    .name = "key show",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "show the public part of a key",
    .text = "The kid, by which the ledger knows the key, is the SHA-256 of its public key\n"
            "(SubjectPublicKeyInfo, DER).",
    .example = "cairn key show alice.key",
    .args = options,
    .run = run,
};
