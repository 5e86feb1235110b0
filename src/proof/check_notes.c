/* Witness cosignatures of a proof: lines of a C2SP signed note over the head's checkpoint. */
#include "proof/checks.h"
#include "proof/note.h"

bool witness_find(struct note_key *out, const struct trust *trust, const struct note_line *line)
{
    for (size_t i = 0; i < trust->witness_count; i++) {
        if (note_key_parse(out, trust->witnesses[i]) == OK && out->type == NOTE_COSIGNATURE &&
            note_line_is_by(line, out)) {
            return true;
        }
    }
    return false;
}

static void witness_check(struct verdict *out, const struct note_line *line,
                          const struct note_key *witness, struct bytes checkpoint)
{
    uint64_t seconds = 0;
    enum err err = cosignature_verify(&seconds, line, witness, checkpoint);
    if (err == ERR_FORMAT) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL,
                    "A cosignature of a listed witness is malformed.");
        return;
    }
    verdict_add(out, CHECK_RECEIPT, err == OK ? OUTCOME_PASS : OUTCOME_FAIL,
                err == OK ? "Witness %.*s cosigned the head at %s."
                          : "The cosignature of the listed witness %.*s, of %s, is false.",
                (int)line->name.len, (const char *)line->name.at,
                time_text(seconds > UINT64_MAX / 1000 ? UINT64_MAX : seconds * 1000).at);
}

static void note_check(struct verdict *out, struct bytes checkpoint, const struct trust *trust,
                       struct bytes text)
{
    struct note_line line;
    struct note_key witness;
    if (note_line_parse(&line, text) != OK) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL, "A note is not a cosignature line.");
    } else if (!witness_find(&witness, trust, &line)) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_NOT_COUNTED,
                    "A cosignature is by a witness that the trust file does not list.");
    } else {
        witness_check(out, &line, &witness, checkpoint);
    }
    buf_clear(&line.decoded);
}

void notes_check(struct verdict *out, const struct proof *proof, const struct trust *trust)
{
    struct buf checkpoint = {0};
    checkpoint_write(&checkpoint, trust->name, &proof->head);
    for (size_t i = 0; i < proof->file.note_count; i++) {
        note_check(out, buf_bytes(&checkpoint), trust, proof->file.notes[i]);
    }
    buf_clear(&checkpoint);
}
