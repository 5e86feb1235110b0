#include "cli/bench/pairs.h"

#include "cli/bench/machine.h"

#include <stdio.h>
#include <unistd.h>

static enum err pair_run(struct series *out, const struct trial *trial, struct why *why)
{
    if (trial->prepare) {
        TRY(trial->prepare(trial->context, why));
    }
    struct slice slice = {0};
    struct machine_ticks before = machine_ticks();
    TRY(trial->measure(trial->context, &slice, why));
    double steal = steal_share(before, machine_ticks());
    for (size_t i = 0; i < trial->figures; i++) {
        series_add(&out[i], &(struct pair_sample){.reference = slice.reference,
                                                  .figure = slice.of[i].figure,
                                                  .ratio = slice.of[i].ratio,
                                                  .steal = steal});
    }
    return OK;
}

enum err pairs_run(struct series *out, const struct trial *trial, struct why *why)
{
    bool seen = isatty(STDERR_FILENO);
    for (size_t i = 0; trial->best && i < trial->figures; i++) {
        out[i].best = *trial->best;
    }
    for (size_t i = 0; i < trial->tries; i++) {
        size_t counting = series_counting(&out[0]);
        if (counting >= PAIRS_MIN && i >= trial->least) {
            break;
        }
        if (seen) {
            fprintf(stderr, "\r  %zu pairs, %zu count ", i, counting);
        }
        TRY(pair_run(out, trial, why));
    }
    if (trial->best) {
        *trial->best = out[0].best;
    }
    if (seen) {
        fputs("\r                            \r", stderr);
    }
    return OK;
}
