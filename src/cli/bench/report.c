#include "cli/bench/report.h"

#include "base/err.h"

#include <stdarg.h>
#include <string.h>

struct row *report_single(struct report *report, const struct row *row, double figure, double ratio)
{
    BUG_ON(report->row_count == ROWS_MAX);
    struct row *out = &report->rows[report->row_count++];
    *out = *row;
    out->figure = (struct quartiles){figure, figure, figure};
    out->ratio = (struct quartiles){ratio, ratio, ratio};
    return out;
}

struct row *report_add(struct report *report, const struct row *row, const struct series *series)
{
    struct row *out = report_single(report, row, 0, 0);
    out->figure = series_figure(series);
    out->ratio = series_ratio(series);
    out->pairs = series->count;
    out->counting = series_counting(series);
    return out;
}

void report_condition(struct report *report, const char *name, const char *format, ...)
{
    BUG_ON(report->condition_count == CONDITIONS_MAX);
    struct condition *out = &report->conditions[report->condition_count++];
    out->name = name;
    va_list args;
    va_start(args, format);
    vsnprintf(out->text, sizeof out->text, format, args);
    va_end(args);
}

static bool row_noisy(const struct row *row)
{
    return row->pairs > 0 && row->counting < PAIRS_MIN;
}

bool report_noisy(const struct report *report)
{
    for (size_t i = 0; i < report->row_count; i++) {
        if (row_noisy(&report->rows[i])) {
            return true;
        }
    }
    return false;
}

const char *row_verdict(const struct row *row)
{
    double ratio = row->ratio.median;
    switch (row->bar) {
    case BAR_NONE:
        return "-";
    case BAR_AT_LEAST:
        return row_noisy(row) ? "noisy" : ratio >= row->limit ? "pass" : "fail";
    case BAR_AT_MOST:
        return row_noisy(row) ? "noisy" : ratio <= row->limit ? "pass" : "fail";
    }
    BUG_ON(true);
}

/* Four digits that count, whatever the size. */
static void number(char out[24], double value)
{
    double size = value < 0 ? -value : value;
    int places = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
    snprintf(out, 24, "%.*f", places, value);
}

static void figure_text(char *out, size_t cap, const struct row *row)
{
    char figure[24];
    number(figure, row->figure.median);
    snprintf(out, cap, "%s %s", figure, row->unit);
}

static void ratio_text(char *out, size_t cap, const struct row *row)
{
    char median[24];
    char low[24];
    char high[24];
    if (row->bar == BAR_NONE) {
        snprintf(out, cap, "-");
        return;
    }
    number(median, row->ratio.median);
    number(low, row->ratio.low);
    number(high, row->ratio.high);
    snprintf(out, cap, row->pairs ? "%s (%s to %s)" : "%s", median, low, high);
}

static void pairs_text(char *out, size_t cap, const struct row *row)
{
    snprintf(out, cap, row->pairs ? "%zu of %zu" : "-", row->counting, row->pairs);
}

void report_text(FILE *out, const struct report *report)
{
    for (size_t i = 0; i < report->row_count; i++) {
        const struct row *row = &report->rows[i];
        char figure[64];
        char ratio[80];
        char pairs[32];
        figure_text(figure, sizeof figure, row);
        ratio_text(ratio, sizeof ratio, row);
        pairs_text(pairs, sizeof pairs, row);
        fprintf(out, "%-5s  %s\n       %s   bar: %s; ratio %s; pairs %s\n", row_verdict(row),
                row->name, figure, row->bar == BAR_NONE ? "none" : row->bar_text, ratio, pairs);
        if (row->note[0]) {
            fprintf(out, "       %s\n", row->note);
        }
    }
}

static json_t *quartiles_json(const struct quartiles *quartiles)
{
    return json_pack("{s:f,s:f,s:f}", "low", quartiles->low, "median", quartiles->median, "high",
                     quartiles->high);
}

static json_t *row_json(const struct row *row)
{
    return json_pack("{s:s,s:s,s:f,s:s,s:o,s:o,s:I,s:I,s:s,s:s}", "name", row->name, "bar",
                     row->bar == BAR_NONE ? "" : row->bar_text, "limit", row->limit, "unit",
                     row->unit, "figure", quartiles_json(&row->figure), "ratio",
                     quartiles_json(&row->ratio), "pairs", (json_int_t)row->pairs, "counting",
                     (json_int_t)row->counting, "verdict", row_verdict(row), "note", row->note);
}

json_t *report_json(const struct report *report)
{
    json_t *conditions = json_object();
    for (size_t i = 0; i < report->condition_count; i++) {
        json_object_set_new(conditions, report->conditions[i].name,
                            json_string(report->conditions[i].text));
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < report->row_count; i++) {
        json_array_append_new(rows, row_json(&report->rows[i]));
    }
    json_t *millions = json_array();
    for (size_t i = 0; i < report->million_count; i++) {
        json_array_append_new(millions, json_real(report->millions[i]));
    }
    return json_pack("{s:o,s:o,s:o,s:b}", "conditions", conditions, "rows", rows, "millions",
                     millions, "noisy", report_noisy(report));
}

static void markdown_row(FILE *out, const struct row *row)
{
    char figure[64];
    char ratio[80];
    char pairs[32];
    figure_text(figure, sizeof figure, row);
    ratio_text(ratio, sizeof ratio, row);
    pairs_text(pairs, sizeof pairs, row);
    fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", row->name,
            row->bar == BAR_NONE ? "-" : row->bar_text, figure, ratio, pairs, row_verdict(row));
}

static void markdown_notes(FILE *out, const struct report *report)
{
    for (size_t i = 0; i < report->row_count; i++) {
        if (report->rows[i].note[0]) {
            fprintf(out, "- *%s*: %s\n", report->rows[i].name, report->rows[i].note);
        }
    }
    if (report->million_count == 0) {
        return;
    }
    fputs("\nThousand items a second in each million of the batch run, in order:", out);
    for (size_t i = 0; i < report->million_count; i++) {
        fprintf(out, "%s%.0f", i % 15 == 0 ? "\n" : " ", report->millions[i] / 1000);
    }
    fputc('\n', out);
}

void report_markdown(FILE *out, const struct report *report)
{
    fputs(
        "# Benchmarks\n\n"
        "Written by `cairn bench --write docs/benchmarks.md`: not by hand. Run `make bench`, or\n"
        "`make bench-full` for the long form, to see the figures of another machine.\n\n"
        "Reference and subject alternate in slices of about two seconds at most. A ratio is the\n"
        "median of pairs, in brackets the quartiles. A pair counts if its reference is within\n"
        "10 % of the best one seen and the hypervisor took less than 2 % of the time; with fewer\n"
        "than ten pairs that count a row is *noisy*. *Verify* is one bare libsodium Ed25519\n"
        "verification on one core, *echo* the server's time for a POST of the same size that is\n"
        "answered with nothing by the same HTTP library, *hashing limit* the number of cores\n"
        "divided by the time of the two SHA-256 that RFC 9162 needs for a leaf. The load comes\n"
        "from a process of its own on the same machine.\n\n"
        "| condition | |\n|---|---|\n",
        out);
    for (size_t i = 0; i < report->condition_count; i++) {
        fprintf(out, "| %s | %s |\n", report->conditions[i].name, report->conditions[i].text);
    }
    fputs("\n| benchmark | bar | figure | ratio | pairs | |\n|---|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < report->row_count; i++) {
        markdown_row(out, &report->rows[i]);
    }
    fputc('\n', out);
    markdown_notes(out, report);
}
