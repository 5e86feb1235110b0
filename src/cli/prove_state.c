#include "base/file.h"
#include "cli/client.h"
#include "cli/jsoncbor.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "ledger/members.h"
#include "proof/stateproof.h"

#include <string.h>

/* A kind of record that is named by 32 bytes. */
static enum err hash_key(struct buf *out, const char *text,
                         void (*write)(struct buf *out, const struct hash *hash), struct why *why)
{
    struct hash hash;
    TRY(hash_read(&hash, "KEY", text, why));
    write(out, &hash);
    return OK;
}

/* Writes the encoded key that a person means. */
static enum err key_read(struct buf *out, const char *text, struct why *why)
{
    if (strncmp(text, "member:", 7) == 0) {
        member_state_key(out, bytes_text(text + 7));
        return OK;
    }
    if (strncmp(text, "key:", 4) == 0) {
        return hash_key(out, text + 4, key_record_state_key, why);
    }
    if (strncmp(text, "mandate:", 8) == 0) {
        return hash_key(out, text + 8, mandate_state_key, why);
    }
    if (text[0] == '[') {
        json_t *json = json_loads(text, 0, NULL);
        enum err err = json ? json_to_cbor(out, json, why)
                            : why_say(why, ERR_FORMAT, "KEY", text, "is not JSON", NULL);
        json_decref(json);
        return err;
    }
    return hex_append(out, bytes_text(text)) == OK
               ? OK
               : why_say(why, ERR_FORMAT, "KEY", text, "is not a state key",
                         "Give member:NAME, key:KID, mandate:STATEMENT, a JSON array, or hex.");
}

static enum err prove(struct buf *proof, const struct args *args, struct why *why)
{
    struct buf key = {0};
    struct buf path = {0};
    struct client *client = NULL;
    enum err err = key_read(&key, args->operands[1], why);
    if (err == OK) {
        buf_put(&path, bytes_text("/v1/state/"));
        path_segment(&path, args->operands[0]);
        buf_put_byte(&path, '/');
        hex_put(&path, buf_bytes(&key));
        buf_put_byte(&path, 0);
        err = client_new(&client, args, why);
    }
    if (err == OK) {
        err = client_get(client, (const char *)path.at, PROOF_MAX, proof, why);
    }
    client_free(client);
    buf_clear(&key);
    buf_clear(&path);
    return err;
}

/* Says what the proof shows; verifies it where there is a trust file. */
static enum err judge(const struct args *args, struct bytes bytes, bool *present, struct why *why)
{
    struct state_proof *proof;
    const char *path = args_text(args, "trust");
    TRY(state_proof_parse(&proof, bytes, why));
    *present = proof->present;
    enum err err = OK;
    struct trust *trust = NULL;
    if (path) {
        err = trust_read(&trust, path, why);
    }
    if (trust) {
        struct verdict verdict = {0};
        state_proof_verify(&verdict, proof, trust);
        if (verdict.status != VERDICT_PASS) {
            err = why_say(why, ERR_MISMATCH, "state proof", NULL, "does not hold", verdict.summary);
        }
        verdict_clear(&verdict);
    }
    trust_free(trust);
    state_proof_free(proof);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf proof = {0};
    bool present = false;
    enum err err = prove(&proof, args, &why);
    if (err == OK) {
        err = judge(args, buf_bytes(&proof), &present, &why);
    }
    if (err == OK) {
        err = file_write(args_text(args, "out"), buf_bytes(&proof), 0644, &why);
    }
    if (err == OK) {
        printf("%s: proves that the key %s, %s\n", args_text(args, "out"),
               present ? "is there, with its value" : "is not there",
               args_text(args, "trust") ? "verified under the trust file"
                                        : "not verified: no trust file was given (--trust)");
    }
    buf_clear(&proof);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"out", "FILE.proof", "where to write the proof", NULL, true, false},
    ARG_TRUST("verify the proof under this trust file"),
    ARGS_READER,
    ARG_SERVER,
    {0},
};

const struct verb verb_prove_state = {
    .name = "prove-state",
    .operands = "MODULE KEY",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "prove what the ledger's state holds under a key, or that it holds nothing",
    .text = "KEY is member:NAME, key:KID, mandate:STATEMENT, a JSON array in which {\"hex\": ...}\n"
            "is a byte string, or the key's CBOR in hex. The proof answers for one head only.",
    .example = "cairn prove-state member member:alice --out alice.proof",
    .args = options,
    .run = run,
};
