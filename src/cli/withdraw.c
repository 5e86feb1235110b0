#include "cli/said.h"
#include "cli/verbs.h"

static void write_body(struct buf *out, const struct evidence_place *place, struct bytes text)
{
    struct evidence_withdraw body = {*place, text};
    evidence_withdraw_write(out, &body);
}

static int run(const struct args *args)
{
    static const struct saying saying = {EVIDENCE_TYPE("withdraw"), "reason", "as",
                                         EVIDENCE_REASON_MAX, write_body};
    return said_do(args, &saying);
}

static const struct arg options[] = {
    {"reason", "TEXT", "why; everybody can read it", NULL, true, false},
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_withdraw = {
    .name = "withdraw",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "say that you no longer stand by evidence",
    .text = "The evidence stays and can be proved; the withdrawal stands beside it.",
    .example = "cairn withdraw R6GZPD-S69ZJ4-NRQKGY-2E6000G --reason 'wrong file' --key alice.key",
    .args = options,
    .run = run,
};
