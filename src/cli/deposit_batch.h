/* One deposit of a run of `cairn deposit`: signed, sent, proved. */
#ifndef CAIRN_CLI_DEPOSIT_BATCH_H
#define CAIRN_CLI_DEPOSIT_BATCH_H

#include "cli/bundle.h"
#include "cli/progress.h"
#include "cli/sign.h"

enum proofs { PROOFS_EACH, PROOFS_ONE, PROOFS_NONE };

/* What all deposits of a run share, and what becomes of them. */
struct depositing {
    struct signing signing;
    const char *category;
    const char *subject;
    enum proofs proofs;
    const char *dir;  /* of --out, or NULL */
    char *salts_path; /* or NULL until it is needed */
    bool salts_own;   /* the file was made by this run, under a name of its own */
    struct progress progress;
    json_t *batches; /* one object each */
    json_t *files;   /* one object each */
    size_t stored;   /* files that the ledger has */
};

/* Signs a batch, makes its salts durable, sends it, checks and writes its proofs. ERR_REFUSED,
 * ERR_UNREACHABLE (the statement is then kept in a file that `why` names), ERR_MISMATCH (stored,
 * but a proof does not hold), ERR_IO. */
must_use enum err deposit_batch(struct depositing *run, const struct bundle *batch,
                                struct why *why);

#endif
