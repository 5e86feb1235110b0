/* Reference and subject in turn, until enough pairs count. */
#ifndef CAIRN_CLI_BENCH_PAIRS_H
#define CAIRN_CLI_BENCH_PAIRS_H

#include "base/why.h"
#include "cli/bench/stats.h"

#define FIGURES_MAX 4

/* What one pair of slices gave: several figures may come from one subject. */
struct slice {
    double reference; /* a cost */
    struct {
        double figure;
        double ratio;
    } of[FIGURES_MAX];
};

struct trial {
    /* Signs and writes what the slices need, off the clock. May be NULL. */
    enum err (*prepare)(void *context, struct why *why);
    /* Runs the reference, then the subject. */
    enum err (*measure)(void *context, struct slice *out, struct why *why);
    void *context;
    size_t figures;
    size_t tries; /* at most PAIRS_MAX */
    size_t least; /* pairs to run even where fewer would do */
    double *best; /* the best reference that other rows with the same one saw, or NULL */
};

/* Fills one series per figure: until PAIRS_MIN pairs count, or `tries` were run. The first error of
 * the trial ends it. */
must_use enum err pairs_run(struct series *out, const struct trial *trial, struct why *why);

#endif
