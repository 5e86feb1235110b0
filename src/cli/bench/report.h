/* What the benchmark says: rows of figures against their bars, and under what conditions. */
#ifndef CAIRN_CLI_BENCH_REPORT_H
#define CAIRN_CLI_BENCH_REPORT_H

#include "cli/bench/stats.h"

#include <jansson.h>
#include <stdio.h>

#define ROWS_MAX       40
#define CONDITIONS_MAX 24

enum bar { BAR_NONE, BAR_AT_LEAST, BAR_AT_MOST };

struct row {
    const char *name;
    const char *bar_text; /* "at least 0.65 x cores / verify" */
    enum bar bar;
    double limit; /* on the ratio */
    const char *unit;
    struct quartiles figure;
    struct quartiles ratio;
    size_t pairs;
    size_t counting; /* pairs that count */
    char note[200];
};

struct condition {
    const char *name;
    char text[160];
};

struct report {
    size_t row_count;
    struct row rows[ROWS_MAX];
    size_t condition_count;
    struct condition conditions[CONDITIONS_MAX];
    size_t million_count;
    double millions[PAIRS_MAX]; /* items a second in each million of the batch run */
};

/* Adds a row with the figures of a series; the caller sets name, bar and unit, and may set the
 * note of what is returned. */
struct row *report_add(struct report *report, const struct row *row, const struct series *series);
/* Adds a row with one figure and its ratio, where nothing was paired. */
struct row *report_single(struct report *report, const struct row *row, double figure,
                          double ratio);
void report_condition(struct report *report, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether some row had too few pairs that count. */
bool report_noisy(const struct report *report);
/* "pass", "fail", "noisy" or "-". */
const char *row_verdict(const struct row *row);

void report_text(FILE *out, const struct report *report);
json_t *report_json(const struct report *report);
void report_markdown(FILE *out, const struct report *report);

#endif
