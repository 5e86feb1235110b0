#include "cli/said.h"
#include "cli/verbs.h"

static void write_body(struct buf *out, const struct evidence_place *place, struct bytes text)
{
    struct evidence_countersign body = {*place, text};
    evidence_countersign_write(out, &body);
}

static int run(const struct args *args)
{
    static const struct saying saying = {EVIDENCE_TYPE("countersign"), "as", "member",
                                         EVIDENCE_ROLE_MAX, write_body};
    return said_do(args, &saying);
}

static const struct arg options[] = {
    {"as", "ROLE", "what you are to this evidence: witness, counterparty, ...", NULL, true, false},
    {"member", "MEMBER", "your member id; else the ledger is asked whose key it is", NULL, false,
     false},
    ARGS_SIGNING,
    {0},
};

const struct verb verb_countersign = {
    .name = "countersign",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "put your signature beside somebody's evidence",
    .example = "cairn countersign R6GZPD-S69ZJ4-NRQKGY-2E6000G --as witness --key bob.key",
    .args = options,
    .run = run,
};
