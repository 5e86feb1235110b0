/* The benchmark: each file measures some rows of the table, on real processes of this program, and
 * adds them to one report. */
#ifndef CAIRN_CLI_BENCH_BENCH_H
#define CAIRN_CLI_BENCH_BENCH_H

#include "cli/bench/desk.h"
#include "cli/bench/pairs.h"
#include "cli/bench/report.h"

struct bench {
    const char *dir; /* where ledgers are made */
    bool full;       /* the long form */
    unsigned cores;
    bool rough;          /* no row takes more than `tries` pairs, whatever it needs */
    size_t tries;        /* pairs that are tried for one row */
    double best_verify;  /* seconds, the best of the whole run */
    double best_hashing; /* the same */
    struct report report;
};

/* Says on stderr what is being measured. */
void bench_step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Single deposits: many in a request, one in a request, and the time of one on an idle ledger. */
must_use enum err bench_singles(struct bench *bench, struct why *why);
/* Single deposits with TLS 1.3 beside the same without. */
must_use enum err bench_tls(struct bench *bench, struct why *why);
/* Batches over HTTP, space and memory of that run, and on the ledger that it leaves: proofs,
 * searches and restarts. */
must_use enum err bench_batches(struct bench *bench, struct why *why);
/* What is asked of a large ledger: `desk` is closed, its batches are settled. */
must_use enum err bench_queries(struct bench *bench, struct desk *desk, struct why *why);
must_use enum err bench_lookups(struct bench *bench, struct desk *desk, struct why *why);
must_use enum err bench_restarts(struct bench *bench, struct desk *desk, struct why *why);

#endif
