#include "cli/deposit.h"
#include "cli/evidence.h"
#include "cli/output.h"
#include "cli/said.h"
#include "cli/verbs.h"

static enum err statement_send(const struct args *args, const struct depositing *run,
                               struct evidence_supersede *body, json_t **answer, struct why *why)
{
    struct buf bytes = {0};
    TRY(record_place(&body->new, json_array_get(run->files, 0), why));
    body->reason = bytes_text(args_text(args, "reason"));
    evidence_supersede_write(&bytes, body);
    enum err err = said_send(&run->signing, EVIDENCE_TYPE("supersede"), &body->old,
                             buf_bytes(&bytes), answer, why);
    buf_clear(&bytes);
    return err;
}

/* The old evidence is looked up first: nothing is deposited to replace what is not there. */
static enum err supersede(const struct args *args, struct depositing *run, json_t **answer,
                          struct why *why)
{
    struct evidence_supersede body;
    struct client *client;
    TRY(said_text("--reason", args_text(args, "reason"), EVIDENCE_REASON_MAX, why));
    TRY(client_new(&client, args, why));
    enum err err = evidence_place_get(client, args->operands[0], &body.old, why);
    client_free(client);
    TRY(err);
    TRY(deposit_run(run, args, args->operands + 1, 1, why));
    return statement_send(args, run, &body, answer, why);
}

static void print(const struct args *args, const struct depositing *run, json_t *answer)
{
    if (args_flag(args, "json")) {
        json_object_set(answer, "new", json_array_get(run->files, 0));
    } else {
        deposit_print(run);
    }
    answer_print(args, answer);
}

static int run_supersede(const struct args *args)
{
    struct why why = {0};
    json_t *answer = NULL;
    struct depositing run = {.batches = json_array(), .files = json_array()};
    enum err err = supersede(args, &run, &answer, &why);
    if (err == OK) {
        print(args, &run, answer);
    } else if (run.stored > 0) {
        deposit_print(&run);
    }
    depositing_clear(&run);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"reason", "TEXT", "why; everybody can read it", NULL, true, false},
    ARGS_DEPOSIT,
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_supersede = {
    .name = "supersede",
    .operands = "ID FILE",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "deposit a file in place of evidence of yours",
    .text = "FILE is deposited as 'cairn deposit' does it, with the same options, and a statement\n"
            "says that it takes the place of the evidence ID. Both stay and can be proved.",
    .example = "cairn supersede R6GZPD-S69ZJ4-NRQKGY-2E6000G new.pdf --reason 'page 3 was missing' "
               "--key alice.key",
    .args = options,
    .run = run_supersede,
};
