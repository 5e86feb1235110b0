/* cairn inspect: what is in an artefact, unverified. */
#include "proof/inspect.h"

#include "base/file.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "proof/batchproof.h"

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf in = {0};
    struct buf out = {0};
    enum err err = file_read(&in, args->operands[0], BATCH_PROOFS_MAX, &why);
    if (err == OK) {
        err = inspect(&out, buf_bytes(&in), &why);
    }
    if (err == OK) {
        fwrite(out.at, 1, out.len, stdout);
    }
    buf_clear(&in);
    buf_clear(&out);
    return err == OK ? STATUS_OK : fail(err, &why);
}

const struct verb verb_inspect = {
    .name = "inspect",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "show what is in a proof, a trust file or any other artefact",
    .text =
        "Shows every field of a proof, state proof, batch of proofs, trust file, trust update,\n"
        "statement, key request, receipt, header, item, key record, commit or fork evidence. "
        "Nothing\n"
        "is checked.",
    .example = "cairn inspect contract.pdf.proof",
    .run = run,
};
