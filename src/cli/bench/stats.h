/* Figures from machines that are never quiet: a subject is measured beside a reference, slice by
 * slice, and what is reported is the median of the pairs. */
#ifndef CAIRN_CLI_BENCH_STATS_H
#define CAIRN_CLI_BENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>

#define PAIRS_MIN        10   /* pairs that must count */
#define PAIRS_MAX        128  /* pairs that are kept */
#define REFERENCE_SPREAD 1.10 /* a reference counts up to this times the best one seen */
#define STEAL_MAX        0.02 /* share of the machine's time that the hypervisor may have taken */

struct quartiles {
    double low;
    double median;
    double high;
};

/* Sorts `values` and interpolates; all zero if there is none. */
struct quartiles quartiles_of(double *values, size_t count);
/* The value below which `share` (0 to 1) of the values lie, by the nearest rank. Sorts `values`. */
double percentile(double *values, size_t count, double share);

/* One slice of the reference and one of the subject, run after each other. */
struct pair_sample {
    double reference; /* a cost: less is better */
    double figure;    /* what the subject did, in the row's unit */
    double ratio;     /* as the row's bar is expressed */
    double steal;     /* share, over both slices */
};

struct series {
    size_t count;
    double best; /* the best reference seen, also in other series with the same reference */
    struct pair_sample at[PAIRS_MAX];
};

/* Keeps a pair; beyond PAIRS_MAX it is forgotten. */
void series_add(struct series *series, const struct pair_sample *sample);
bool sample_counts(const struct series *series, const struct pair_sample *sample);
/* How many of the pairs count. */
size_t series_counting(const struct series *series);
/* Quartiles over the pairs that count, or over all if too few do. */
struct quartiles series_ratio(const struct series *series);
struct quartiles series_figure(const struct series *series);

#endif
