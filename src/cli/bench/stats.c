#include "cli/bench/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the two nearest of `count` sorted values. */
static double at_share(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

struct quartiles quartiles_of(double *values, size_t count)
{
    if (count == 0) {
        return (struct quartiles){0};
    }
    qsort(values, count, sizeof *values, compare);
    return (struct quartiles){at_share(values, count, 0.25), at_share(values, count, 0.5),
                              at_share(values, count, 0.75)};
}

double percentile(double *values, size_t count, double share)
{
    if (count == 0) {
        return 0;
    }
    qsort(values, count, sizeof *values, compare);
    size_t rank = (size_t)ceil(share * (double)count);
    return values[rank > 0 ? rank - 1 : 0];
}

void series_add(struct series *series, const struct pair_sample *sample)
{
    if (series->best == 0 || sample->reference < series->best) {
        series->best = sample->reference;
    }
    if (series->count < PAIRS_MAX) {
        series->at[series->count++] = *sample;
    }
}

bool sample_counts(const struct series *series, const struct pair_sample *sample)
{
    return sample->reference <= series->best * REFERENCE_SPREAD && sample->steal < STEAL_MAX;
}

size_t series_counting(const struct series *series)
{
    size_t counting = 0;
    for (size_t i = 0; i < series->count; i++) {
        counting += sample_counts(series, &series->at[i]);
    }
    return counting;
}

static double member(const struct pair_sample *sample, bool ratio)
{
    return ratio ? sample->ratio : sample->figure;
}

static struct quartiles over(const struct series *series, bool ratio)
{
    double values[PAIRS_MAX];
    bool all = series_counting(series) < PAIRS_MIN;
    size_t count = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (all || sample_counts(series, &series->at[i])) {
            values[count++] = member(&series->at[i], ratio);
        }
    }
    return quartiles_of(values, count);
}

struct quartiles series_ratio(const struct series *series)
{
    return over(series, true);
}

struct quartiles series_figure(const struct series *series)
{
    return over(series, false);
}
