/* What the program counts, for whoever watches it: one table (metric_table.h), one cell for each
 * value of a metric's label, printed in the text format that Prometheus reads (0.0.4).
 *
 * Any thread may call anything at any time; nothing blocks and nothing is lost. Cells are read one
 * after the other, so that two of them need not belong to one moment. */
#ifndef CAIRN_BASE_METRICS_H
#define CAIRN_BASE_METRICS_H

#include "base/bytes.h"
#include "base/metric_table.h"

enum metric_kind {
    METRIC_KIND_COUNTER,      /* only grows */
    METRIC_KIND_GAUGE,        /* as it is now */
    METRIC_KIND_TIME_COUNTER, /* a counter of microseconds, printed in seconds */
    METRIC_KIND_TIME_GAUGE,   /* signed milliseconds as two's complement, printed in seconds */
    METRIC_KIND_TIMES,        /* histogram of durations in microseconds, printed in seconds:
                                 metric_observe_us */
    METRIC_KIND_SIZES         /* histogram of numbers, in powers of two: metric_observe */
};

#define METRIC_NUMBER(number, kind, name, label, values, help) number,
enum metric { METRIC_TABLE(METRIC_NUMBER) METRIC_COUNT };
#undef METRIC_NUMBER

/* A label has at most so many values, that of a histogram METRIC_VALUES_MAX / 4. */
#define METRIC_VALUES_MAX 32

/* Content-Type of what metrics_print makes. */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* `which` is the place of the label's value in its list, 0 where there is no label. */

/* A counter or a gauge up. */
void metric_add(enum metric metric, unsigned which, uint64_t n);
/* A gauge down. */
void metric_sub(enum metric metric, unsigned which, uint64_t n);
/* A gauge, or a counter that somebody else keeps. */
void metric_set(enum metric metric, unsigned which, uint64_t value);
/* One more duration, one more number, of a histogram. */
void metric_observe_us(enum metric metric, unsigned which, uint64_t us);
void metric_observe(enum metric metric, unsigned which, uint64_t value);
/* What a cell holds; of a histogram the count of its observations. */
uint64_t metric_value(enum metric metric, unsigned which);
/* The place of an error's kind in METRIC_REASONS. */
unsigned metric_reason(enum err err);
/* Appends everything. */
void metrics_print(struct buf *out);

/* One row of the table, for the tests and for tools. */
struct metric_row {
    enum metric_kind kind;
    const char *name, *label, *values, *help;
};
const struct metric_row *metric_row(enum metric metric);

#endif
