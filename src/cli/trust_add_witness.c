#include "base/file.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "proof/note.h"

static enum err check_vkey(const struct trust *trust, const char *vkey, struct why *why)
{
    struct note_key key;
    enum err err = note_key_parse(&key, bytes_text(vkey));
    if (err != OK) {
        return why_say(why, err, "VKEY", vkey, NULL,
                       "Copy it whole, as the witness publishes it: NAME+ID+KEY.");
    }
    if (key.type != NOTE_COSIGNATURE) {
        return why_say(why, ERR_KEY, "VKEY", vkey, "is the key of a log, not of a witness",
                       "A witness publishes a key of type 4 (cosignature/v1).");
    }
    for (size_t i = 0; i < trust->witness_count; i++) {
        if (bytes_equal(trust->witnesses[i], bytes_text(vkey))) {
            return why_say(why, ERR_EXISTS, "VKEY", vkey, "is listed already", NULL);
        }
    }
    return trust->witness_count < TRUST_OTHERS_MAX
               ? OK
               : why_say(why, ERR_RANGE, "witnesses", NULL, "are 64 already, the most there can be",
                         "Begin anew with the operator's trust file.");
}

static enum err add(const char *path, const char *vkey, struct trust **trust, struct why *why)
{
    TRY(trust_read(trust, path, why));
    TRY(check_vkey(*trust, vkey, why));
    struct bytes *listed =
        arena_array(&(*trust)->arena, (*trust)->witness_count + 1, sizeof *listed);
    for (size_t i = 0; i < (*trust)->witness_count; i++) {
        listed[i] = (*trust)->witnesses[i];
    }
    listed[(*trust)->witness_count++] = bytes_text(vkey);
    (*trust)->witnesses = listed;
    struct buf bytes = {0};
    trust_write(&bytes, *trust);
    enum err err = bytes.len <= TRUST_MAX ? file_write(path, buf_bytes(&bytes), 0644, why)
                                          : why_say(why, ERR_RANGE, "trust file", path,
                                                    "would be larger than 1 MiB", NULL);
    buf_clear(&bytes);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct trust *trust = NULL;
    enum err err = add(args->operands[0], args->operands[1], &trust, &why);
    if (err == OK) {
        printf("%s: %zu witness%s\n", args->operands[0], trust->witness_count,
               trust->witness_count == 1 ? "" : "es");
    }
    trust_free(trust);
    return err == OK ? STATUS_OK : fail(err, &why);
}

const struct verb verb_trust_add_witness = {
    .name = "trust add-witness",
    .operands = "NAME.trust VKEY",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "count the cosignatures of a witness from now on",
    .text =
        "It is your own choice whom you take for a witness: the file is yours, and its SHA-256\n"
        "is another one afterwards. VKEY is the verifier key that the witness publishes.",
    .example = "cairn trust add-witness court.trust w.example+6aec4c3e+BAU8FZ...",
    .run = run,
};
