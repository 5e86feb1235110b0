/* Rows about batches of 65,536 items over HTTP: rate, space and memory of one run. A slice ends
 * when everything that it sent can be found and the database has no work left; what the index keeps
 * in memory is written at the end, and that time is counted in the whole run. */
#include "base/clock.h"
#include "cli/bench/bench.h"
#include "cli/bench/machine.h"
#include "cli/bench/reference.h"
#include "cli/bench/wire.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define SLICE_BATCHES     8 /* half a million items */
#define SLICES_A_MILLION  2
#define CONNECTIONS       4
#define REFERENCE_MS      400
#define SUBJECT_MS        60000
#define SHORT_SLICES      12
#define FULL_SLICES       58 /* 30.4 million items */
#define PORTABLE_RATE_BAR 0.2
#define SETTLE_WAIT_NS    120000000000u

struct batches {
    struct bench *bench;
    struct desk *desk;
    struct served server;
    uint64_t items;
    double seconds; /* of all slices, and of the end */
    double slice_seconds[PAIRS_MAX];
    size_t slices;
    uint64_t generator_ns;
    uint64_t server_ns;
};

static uint64_t figure(const json_t *health, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(health, name));
}

static bool settled(const json_t *health)
{
    return figure(health, "queued") == 0 && figure(health, "background_jobs") == 0 &&
           figure(health, "index_pending_compaction_bytes") == 0 &&
           figure(health, "height") == figure(health, "index_height");
}

/* Asks until nothing is left to be done but what waits in the index's memory. */
static enum err settle(uint16_t port, struct why *why)
{
    struct buf head = {0};
    struct buf in = {0};
    wire_head(&head, "/healthz", NULL, 0);
    int fd = wire_open(port);
    uint64_t end = clock_mono_ns() + SETTLE_WAIT_NS;
    enum err err = fd < 0 ? ERR_UNREACHABLE : OK;
    for (bool done = false; err == OK && !done;) {
        struct wire_reply reply;
        err = wire_call(fd, buf_bytes(&head), BYTES_NONE, &in, &reply);
        if (err == OK) {
            json_t *health = json_loadb((const char *)reply.body.at, reply.body.len, 0, NULL);
            done = settled(health);
            json_decref(health);
        }
        if (err == OK && !done) {
            pause_for(5);
            err = clock_mono_ns() > end ? ERR_TIMEOUT : OK;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    buf_clear(&head);
    buf_clear(&in);
    return err == OK ? OK : why_say(why, err, "server", NULL, "does not come to rest", NULL);
}

static enum err prepare(void *context, struct why *why)
{
    struct batches *batches = context;
    return desk_sign_batches(batches->desk, SLICE_BATCHES, why);
}

static enum err send_batches(struct batches *batches, struct load_result *result, struct why *why)
{
    struct load_plan plan = {
        .port = batches->server.port,
        .path = "/v1/batches",
        .type = "application/cbor-seq",
        .file = batches->desk->requests,
        .connections = CONNECTIONS,
        .ms = SUBJECT_MS,
    };
    uint64_t cpu = process_cpu_ns(batches->server.child.pid);
    TRY(load_run(result, &plan, why));
    if (result->refused > 0) {
        return why_say(why, ERR_REFUSED, "server", NULL, "refused a batch", NULL);
    }
    uint64_t answered = clock_mono_ns();
    TRY(settle(batches->server.port, why));
    result->elapsed_ns += clock_mono_ns() - answered;
    batches->server_ns += process_cpu_ns(batches->server.child.pid) - cpu;
    batches->generator_ns += result->cpu_ns;
    return OK;
}

static enum err measure(void *context, struct slice *out, struct why *why)
{
    struct batches *batches = context;
    struct load_result result;
    struct hashing hashing = reference_hashing(BATCH_ITEM_LEN, REFERENCE_MS);
    TRY(send_batches(batches, &result, why));
    double seconds = (double)result.elapsed_ns / 1e9;
    double rate = (double)result.units / seconds;
    out->reference = hashing.portable;
    out->of[0].figure = rate;
    out->of[0].ratio = rate * hashing.portable / batches->bench->cores;
    out->of[1].figure = rate;
    out->of[1].ratio = rate * hashing.in_use / batches->bench->cores;
    batches->items += result.units;
    batches->seconds += seconds;
    if (batches->slices < PAIRS_MAX) {
        batches->slice_seconds[batches->slices++] = seconds;
    }
    return OK;
}

/* ---- what the run leaves */

/* Ends the server, which writes the index, and lets another one finish what is left. */
static enum err finish(struct batches *batches, struct why *why)
{
    uint64_t began = clock_mono_ns();
    child_end(&batches->server.child, SIGTERM);
    batches->seconds += (double)(clock_mono_ns() - began) / 1e9;
    TRY(desk_serve(batches->desk, &batches->server, why));
    began = clock_mono_ns();
    TRY(settle(batches->server.port, why));
    batches->seconds += (double)(clock_mono_ns() - began) / 1e9;
    child_end(&batches->server.child, SIGTERM);
    return OK;
}

static void report_rates(struct batches *batches, const struct series *series)
{
    struct report *report = &batches->bench->report;
    struct row portable = {
        .name = "batches of 65,536: rate, against libsodium's SHA-256",
        .bar_text = "at least 0.2 x hashing limit",
        .bar = BAR_AT_LEAST,
        .limit = PORTABLE_RATE_BAR,
        .unit = "items/s",
    };
    struct row in_use = portable;
    in_use.name = "batches of 65,536: rate, against the SHA-256 in use";
    struct row *added = report_add(report, &portable, &series[0]);
    snprintf(added->note, sizeof added->note,
             "the generator took %.1f %% of the CPU time of both; server %.2f us of CPU an item",
             (double)batches->generator_ns * 100 /
                 (double)(batches->generator_ns + batches->server_ns + 1),
             (double)batches->server_ns / 1e3 / (double)(batches->items + !batches->items));
    report_add(report, &in_use, &series[1]);
}

/* The rate of the whole run, its end included, against the best hashing limit that was seen. */
static void report_whole(struct batches *batches, const struct series *series)
{
    double rate = (double)batches->items / batches->seconds;
    double limit = (double)batches->bench->cores / series[0].best;
    struct row row = {.name = "batches: the whole run, with the index written and compacted",
                      .bar_text = "at least 0.2 x hashing limit (libsodium)",
                      .bar = BAR_AT_LEAST,
                      .limit = PORTABLE_RATE_BAR,
                      .unit = "items/s"};
    struct row *added = report_single(&batches->bench->report, &row, rate, rate / limit);
    snprintf(added->note, sizeof added->note, "%.1f million items in %.1f s",
             (double)batches->items / 1e6, batches->seconds);
}

/* Whether the ledger gets slower as it grows. */
static void report_growth(struct batches *batches)
{
    struct report *report = &batches->bench->report;
    double seconds[PAIRS_MAX];
    size_t count = batches->slices / SLICES_A_MILLION;
    for (size_t i = 0; i < count; i++) {
        seconds[i] = 0;
        for (size_t j = 0; j < SLICES_A_MILLION; j++) {
            seconds[i] += batches->slice_seconds[i * SLICES_A_MILLION + j];
        }
        report->millions[i] = SLICES_A_MILLION * SLICE_BATCHES * (double)BATCH_ITEMS / seconds[i];
    }
    report->million_count = count;
    if (count < 11) {
        return;
    }
    double last = quartiles_of(&seconds[count - 5], 5).median;
    double early = quartiles_of(&seconds[1], 5).median;
    struct row row = {.name = "batches: time of the last five millions to that of 2 to 6",
                      .bar_text = "at most 1.25",
                      .bar = BAR_AT_MOST,
                      .limit = 1.25,
                      .unit = "s"};
    report_single(report, &row, last, last / early);
}

static void report_space(struct batches *batches, uint64_t peak)
{
    struct report *report = &batches->bench->report;
    bool with_ref = batches->desk->with_ref;
    double each = (double)folder_len(batches->desk->dir) / (double)batches->items;
    double limit = with_ref ? 160 : 120;
    struct row space = {
        .name = with_ref ? "space of an item with a reference" : "space of an item",
        .bar_text = with_ref ? "at most 160 B" : "at most 120 B",
        .bar = BAR_AT_MOST,
        .limit = 1,
        .unit = "B",
    };
    struct row memory = {
        .name = with_ref ? "server memory in the run with references"
                         : "server memory in the run (peak)",
        .bar_text = "below 1.5 GB",
        .bar = BAR_AT_MOST,
        .limit = 1,
        .unit = "MB",
    };
    report_single(report, &space, each, each / limit);
    report_single(report, &memory, (double)peak / 1e6, (double)peak / 1.5e9);
}

static enum err run_slices(struct batches *batches, struct series *series, struct why *why)
{
    struct bench *bench = batches->bench;
    size_t least = bench->rough ? bench->tries : bench->full ? FULL_SLICES : SHORT_SLICES;
    struct trial trial = {.prepare = prepare,
                          .measure = measure,
                          .context = batches,
                          .figures = 2,
                          .tries = least > bench->tries ? least : bench->tries,
                          .least = least,
                          .best = &bench->best_hashing};
    TRY(desk_serve(batches->desk, &batches->server, why));
    TRY(desk_enrol(batches->desk, batches->server.port, why));
    return pairs_run(series, &trial, why);
}

/* One run on a ledger of its own, which it leaves closed. */
static enum err run(struct bench *bench, struct desk *desk, struct why *why)
{
    struct series *series = mem_zalloc(2 * sizeof *series);
    struct batches *batches = mem_zalloc(sizeof *batches);
    batches->bench = bench;
    batches->desk = desk;
    bench_step(desk->with_ref ? "batches with references" : "batches");
    enum err err = run_slices(batches, series, why);
    uint64_t peak = process_peak_len(batches->server.child.pid);
    if (err == OK) {
        err = finish(batches, why);
    }
    if (err == OK && !desk->with_ref) {
        report_rates(batches, series);
        report_whole(batches, series);
        report_growth(batches);
    }
    if (err == OK) {
        report_space(batches, peak);
    }
    child_end(&batches->server.child, SIGTERM);
    free(batches);
    free(series);
    return err;
}

enum err bench_batches(struct bench *bench, struct why *why)
{
    struct desk desk;
    TRY(desk_open(&desk, bench->dir, "references", why));
    desk.with_ref = true;
    enum err err = run(bench, &desk, why);
    desk_close(&desk);
    TRY(err);
    TRY(desk_open(&desk, bench->dir, "batches", why));
    err = run(bench, &desk, why);
    if (err == OK) {
        err = bench_queries(bench, &desk, why);
    }
    if (err == OK) {
        err = bench_lookups(bench, &desk, why);
    }
    if (err == OK) {
        err = bench_restarts(bench, &desk, why);
    }
    desk_close(&desk);
    return err;
}
