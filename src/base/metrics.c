#include "base/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define HISTOGRAM_VALUES_MAX (METRIC_VALUES_MAX / 4)
#define BOUNDS               16

/* Upper bounds of the buckets; what is above the last goes into one more. */
static const uint64_t time_bounds_us[BOUNDS] = {100,     250,     500,      1000,    2500,   5000,
                                                10000,   25000,   50000,    100000,  250000, 500000,
                                                1000000, 2500000, 10000000, 60000000};
static const uint64_t size_bounds[BOUNDS] = {1,   2,   4,    8,    16,   32,    64,    128,
                                             256, 512, 1024, 2048, 4096, 16384, 65536, 262144};

static const struct metric_row rows[] = {
#define METRIC_ROW(number, kind, name, label, values, help) \
    {METRIC_KIND_##kind, name, label, values, help},
    METRIC_TABLE(METRIC_ROW)
#undef METRIC_ROW
};

/* Cells of different metrics never share a cache line: different threads count them. */
struct scalar {
    _Alignas(64) atomic_uint_fast64_t at[METRIC_VALUES_MAX];
};
struct histogram {
    _Alignas(64) atomic_uint_fast64_t buckets[BOUNDS + 1]; /* each its own, not cumulative */
    atomic_uint_fast64_t sum;
};

static struct scalar scalars[METRIC_COUNT];
static struct histogram histograms[METRIC_COUNT][HISTOGRAM_VALUES_MAX];

const struct metric_row *metric_row(enum metric metric)
{
    return &rows[metric];
}

static bool is_histogram(enum metric metric)
{
    enum metric_kind kind = rows[metric].kind;
    return kind == METRIC_KIND_TIMES || kind == METRIC_KIND_SIZES;
}

/* How many cells a metric has; counted once, and twice does no harm. */
static unsigned value_count(enum metric metric)
{
    static atomic_uchar counts[METRIC_COUNT];
    unsigned count = atomic_load_explicit(&counts[metric], memory_order_relaxed);
    if (count == 0) {
        count = 1;
        for (const char *at = rows[metric].values; *at; at++) {
            count += *at == ',';
        }
        BUG_ON(count > (is_histogram(metric) ? HISTOGRAM_VALUES_MAX : METRIC_VALUES_MAX));
        atomic_store_explicit(&counts[metric], (unsigned char)count, memory_order_relaxed);
    }
    return count;
}

static atomic_uint_fast64_t *cell_of(enum metric metric, unsigned which)
{
    BUG_ON(metric >= METRIC_COUNT || which >= value_count(metric) || is_histogram(metric));
    return &scalars[metric].at[which];
}

void metric_add(enum metric metric, unsigned which, uint64_t n)
{
    atomic_fetch_add_explicit(cell_of(metric, which), n, memory_order_relaxed);
}

void metric_sub(enum metric metric, unsigned which, uint64_t n)
{
    atomic_fetch_sub_explicit(cell_of(metric, which), n, memory_order_relaxed);
}

void metric_set(enum metric metric, unsigned which, uint64_t value)
{
    atomic_store_explicit(cell_of(metric, which), value, memory_order_relaxed);
}

static const uint64_t *bounds_of(enum metric metric)
{
    return rows[metric].kind == METRIC_KIND_TIMES ? time_bounds_us : size_bounds;
}

static void observe(enum metric metric, unsigned which, uint64_t value)
{
    BUG_ON(which >= value_count(metric));
    const uint64_t *bounds = bounds_of(metric);
    unsigned bucket = 0;
    while (bucket < BOUNDS && value > bounds[bucket]) {
        bucket++;
    }
    struct histogram *histogram = &histograms[metric][which];
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void metric_observe_us(enum metric metric, unsigned which, uint64_t us)
{
    BUG_ON(metric >= METRIC_COUNT || rows[metric].kind != METRIC_KIND_TIMES);
    observe(metric, which, us);
}

void metric_observe(enum metric metric, unsigned which, uint64_t value)
{
    BUG_ON(metric >= METRIC_COUNT || rows[metric].kind != METRIC_KIND_SIZES);
    observe(metric, which, value);
}

uint64_t metric_value(enum metric metric, unsigned which)
{
    BUG_ON(metric >= METRIC_COUNT || which >= value_count(metric));
    if (!is_histogram(metric)) {
        return atomic_load_explicit(&scalars[metric].at[which], memory_order_relaxed);
    }
    uint64_t count = 0;
    for (unsigned i = 0; i <= BOUNDS; i++) {
        count += atomic_load_explicit(&histograms[metric][which].buckets[i], memory_order_relaxed);
    }
    return count;
}

unsigned metric_reason(enum err err)
{
    enum { MALFORMED, TOO_LARGE, UNSUPPORTED, KEY, SIGNATURE, RULE, TAKEN, EXPIRED, BUSY, BROKEN };
    switch (err) {
    case ERR_TRUNCATED:
    case ERR_TRAILING:
    case ERR_NOT_CANONICAL:
    case ERR_TYPE:
    case ERR_FORMAT:
        return MALFORMED;
    case ERR_RANGE:
    case ERR_DEPTH:
        return TOO_LARGE;
    case ERR_VERSION:
    case ERR_UNSUPPORTED:
        return UNSUPPORTED;
    case ERR_KEY:
    case ERR_PASSPHRASE:
    case ERR_SIGN_IN:
        return KEY;
    case ERR_SIGNATURE:
        return SIGNATURE;
    case ERR_MISMATCH:
    case ERR_NOT_FOUND:
    case ERR_REFUSED:
        return RULE;
    case ERR_EXISTS:
        return TAKEN;
    case ERR_EXPIRED:
        return EXPIRED;
    case ERR_BUSY:
    case ERR_TIMEOUT:
    case ERR_CLOSED:
    case ERR_READ_ONLY:
    case ERR_UNREACHABLE:
        return BUSY;
    case ERR_IO:
    case ERR_CORRUPT:
        return BROKEN;
    case OK:
    case ERR_COUNT:
        break;
    }
    BUG_ON(true);
}

/* ---- printing */

__attribute__((format(printf, 2, 3))) static void print(struct buf *out, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    BUG_ON(len < 0 || (size_t)len >= sizeof line);
    buf_put(out, (struct bytes){(const uint8_t *)line, (size_t)len});
}

/* Writes a number of a unit of which `per_second` make a second, without trailing zeros. */
static void print_seconds(struct buf *out, uint64_t value, unsigned per_second)
{
    unsigned digits = per_second == 1000 ? 3 : 6;
    uint64_t part = value % per_second;
    while (digits > 0 && part % 10 == 0) {
        part /= 10;
        digits--;
    }
    print(out, "%" PRIu64, value / per_second);
    if (digits > 0) {
        print(out, ".%0*" PRIu64, (int)digits, part);
    }
}

static void print_number(struct buf *out, enum metric_kind kind, uint64_t value)
{
    switch (kind) {
    case METRIC_KIND_COUNTER:
    case METRIC_KIND_GAUGE:
    case METRIC_KIND_SIZES:
        print(out, "%" PRIu64, value);
        return;
    case METRIC_KIND_TIME_COUNTER:
    case METRIC_KIND_TIMES:
        print_seconds(out, value, 1000000);
        return;
    case METRIC_KIND_TIME_GAUGE:
        if ((int64_t)value < 0) {
            print(out, "-");
            value = 0 - value;
        }
        print_seconds(out, value, 1000);
        return;
    }
}

static const char *kind_word(enum metric_kind kind)
{
    switch (kind) {
    case METRIC_KIND_COUNTER:
    case METRIC_KIND_TIME_COUNTER:
        return "counter";
    case METRIC_KIND_GAUGE:
    case METRIC_KIND_TIME_GAUGE:
        return "gauge";
    case METRIC_KIND_TIMES:
    case METRIC_KIND_SIZES:
        return "histogram";
    }
    return NULL;
}

/* One value of a metric's label, as it stands in braces: label="value". */
struct label {
    char text[96];
};

static struct label label_of(const struct metric_row *row, unsigned which)
{
    struct label out = {""};
    if (!row->label[0]) {
        return out;
    }
    const char *at = row->values;
    for (unsigned i = 0; i < which; i++) {
        at = strchr(at, ',') + 1;
    }
    int len =
        snprintf(out.text, sizeof out.text, "%s=\"%.*s\"", row->label, (int)strcspn(at, ","), at);
    BUG_ON(len < 0 || (size_t)len >= sizeof out.text);
    return out;
}

static void print_histogram(struct buf *out, enum metric metric, unsigned which,
                            const struct label *label)
{
    const struct metric_row *row = &rows[metric];
    const uint64_t *bounds = bounds_of(metric);
    struct histogram *histogram = &histograms[metric][which];
    const char *comma = label->text[0] ? "," : "";
    uint64_t count = 0;
    for (unsigned i = 0; i <= BOUNDS; i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        print(out, "%s_bucket{%s%sle=\"", row->name, label->text, comma);
        if (i < BOUNDS) {
            print_number(out, row->kind, bounds[i]);
        } else {
            print(out, "+Inf");
        }
        print(out, "\"} %" PRIu64 "\n", count);
    }
    const char *open = label->text[0] ? "{" : "", *close = label->text[0] ? "}" : "";
    print(out, "%s_sum%s%s%s ", row->name, open, label->text, close);
    print_number(out, row->kind, atomic_load_explicit(&histogram->sum, memory_order_relaxed));
    print(out, "\n%s_count%s%s%s %" PRIu64 "\n", row->name, open, label->text, close, count);
}

static void print_metric(struct buf *out, enum metric metric)
{
    const struct metric_row *row = &rows[metric];
    print(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
          kind_word(row->kind));
    for (unsigned which = 0; which < value_count(metric); which++) {
        struct label label = label_of(row, which);
        if (is_histogram(metric)) {
            print_histogram(out, metric, which, &label);
            continue;
        }
        print(out, label.text[0] ? "%s{%s} " : "%s%s ", row->name, label.text);
        print_number(out, row->kind, metric_value(metric, which));
        print(out, "\n");
    }
}

void metrics_print(struct buf *out)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        print_metric(out, (enum metric)i);
    }
}
