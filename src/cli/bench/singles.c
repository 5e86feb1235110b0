/* Rows about single deposits. A deposit's body and its item are 200 bytes together; it is signed
 * before the clock starts. */
#include "base/clock.h"
#include "cli/bench/bench.h"
#include "cli/bench/machine.h"
#include "cli/bench/reference.h"
#include "cli/bench/wire.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNED_LEN       400 /* of a single's Sig_structure, about */
#define REFERENCE_MS     300
#define SUBJECT_MS       1500
#define ECHO_MS          700
#define MANY_PER_REQUEST 512
#define MANY_CONNECTIONS 8
#define ONE_CONNECTIONS  64
#define FIRST_RATE       30000 /* statements a second that are expected before anything is known */
#define LATENCY_COUNT    200
#define LATENCY_PAUSE_MS 2

struct singles {
    struct bench *bench;
    struct desk desk;
    struct served server;
    struct served echo;
    double rate;           /* of the last slice */
    uint64_t generator_ns; /* CPU time of the generator in all slices */
    uint64_t server_ns;    /* of the server */
    uint64_t refused;
    int fd; /* of the latency row */
    double fsync_p99[PAIRS_MAX];
    double answer_p99[PAIRS_MAX];
    double fsync_p50[PAIRS_MAX];
    size_t slices;
};

/* ---- many in a request */

static enum err sign(struct singles *singles, size_t per_request, struct why *why)
{
    size_t count = (size_t)(singles->rate * SUBJECT_MS / 1000 * 1.2) + 4096;
    return desk_sign_singles(&singles->desk, count, per_request, why);
}

static enum err prepare_many(void *context, struct why *why)
{
    return sign(context, MANY_PER_REQUEST, why);
}

/* Loads the server and returns its CPU seconds. */
static enum err load_server(struct singles *singles, struct load_result *result, double *cpu,
                            unsigned connections, struct why *why)
{
    struct load_plan plan = {
        .port = singles->server.port,
        .path = "/v1/statements",
        .type = "application/cbor-seq",
        .file = singles->desk.requests,
        .connections = connections,
        .ms = SUBJECT_MS,
    };
    uint64_t before = process_cpu_ns(singles->server.child.pid);
    TRY(load_run(result, &plan, why));
    uint64_t used = process_cpu_ns(singles->server.child.pid) - before;
    singles->generator_ns += result->cpu_ns;
    singles->server_ns += used;
    singles->refused += result->refused;
    *cpu = (double)used / 1e9;
    if (result->units == 0) {
        return why_say(why, ERR_REFUSED, "server", NULL, "accepted no statement", NULL);
    }
    singles->rate = (double)result->units * 1e9 / (double)result->elapsed_ns;
    return OK;
}

static enum err measure_many(void *context, struct slice *out, struct why *why)
{
    struct singles *singles = context;
    struct load_result result;
    double cpu;
    double verify_cpu;
    double verify = reference_verify(SIGNED_LEN, REFERENCE_MS, &verify_cpu);
    TRY(load_server(singles, &result, &cpu, MANY_CONNECTIONS, why));
    double each = cpu / (double)result.units;
    out->reference = verify;
    out->of[0].figure = singles->rate;
    out->of[0].ratio = singles->rate * verify / singles->bench->cores;
    out->of[1].figure = each * 1e6;
    out->of[1].ratio = each / verify_cpu;
    return OK;
}

/* Notes the share of the generator, and refusals, in the rows added since `from`. */
static void note_generator(struct singles *singles, size_t from)
{
    struct report *report = &singles->bench->report;
    double share =
        (double)singles->generator_ns / (double)(singles->generator_ns + singles->server_ns + 1);
    for (size_t i = from; i < report->row_count; i++) {
        snprintf(report->rows[i].note, sizeof report->rows[i].note,
                 "the generator took %.1f %% of the CPU time of both; %llu statements refused",
                 share * 100, (unsigned long long)singles->refused);
    }
    singles->generator_ns = 0;
    singles->server_ns = 0;
    singles->refused = 0;
}

static enum err many(struct singles *singles, struct why *why)
{
    static struct series series[2];
    struct bench *bench = singles->bench;
    struct slice warm;
    bench_step("singles, %d in a request", MANY_PER_REQUEST);
    TRY(prepare_many(singles, why));
    TRY(measure_many(singles, &warm, why));
    struct trial trial = {.prepare = prepare_many,
                          .measure = measure_many,
                          .context = singles,
                          .figures = 2,
                          .tries = bench->tries,
                          .best = &bench->best_verify};
    TRY(pairs_run(series, &trial, why));
    size_t from = bench->report.row_count;
    struct row rate = {.name = "singles, many per request: rate",
                       .bar_text = "at least 0.65 x cores / verify",
                       .bar = BAR_AT_LEAST,
                       .limit = 0.65,
                       .unit = "statements/s"};
    struct row cpu = {.name = "singles, many per request: server CPU a statement",
                      .bar_text = "at most 1.45 x verify",
                      .bar = BAR_AT_MOST,
                      .limit = 1.45,
                      .unit = "us"};
    report_add(&bench->report, &rate, &series[0]);
    report_add(&bench->report, &cpu, &series[1]);
    note_generator(singles, from);
    return OK;
}

/* ---- one in a request */

static enum err prepare_one(void *context, struct why *why)
{
    return sign(context, 1, why);
}

/* CPU seconds of the echo for each request. */
static enum err measure_echo(const struct singles *singles, double *each, struct why *why)
{
    struct load_plan plan = {
        .port = singles->echo.port,
        .path = "/echo",
        .type = "application/cbor-seq",
        .file = singles->desk.requests,
        .connections = ONE_CONNECTIONS,
        .ms = ECHO_MS,
    };
    struct load_result result;
    uint64_t before = process_cpu_ns(singles->echo.child.pid);
    TRY(load_run(&result, &plan, why));
    uint64_t used = process_cpu_ns(singles->echo.child.pid) - before;
    *each = (double)used / 1e9 / (double)(result.units + !result.units);
    return OK;
}

static enum err measure_one(void *context, struct slice *out, struct why *why)
{
    struct singles *singles = context;
    struct load_result result;
    double cpu;
    double echo;
    double verify_cpu;
    double verify = reference_verify(SIGNED_LEN, REFERENCE_MS, &verify_cpu);
    TRY(measure_echo(singles, &echo, why));
    TRY(load_server(singles, &result, &cpu, ONE_CONNECTIONS, why));
    double each = cpu / (double)result.units;
    out->reference = verify + echo;
    out->of[0].figure = each * 1e6;
    out->of[0].ratio = each / (verify_cpu + echo);
    out->of[1].figure = singles->rate;
    out->of[2].figure = echo * 1e6;
    return OK;
}

static enum err one(struct singles *singles, struct why *why)
{
    static struct series series[3];
    struct bench *bench = singles->bench;
    struct slice warm;
    bench_step("singles, one in a request, %d connections", ONE_CONNECTIONS);
    TRY(prepare_one(singles, why));
    TRY(measure_one(singles, &warm, why));
    struct trial trial = {.prepare = prepare_one,
                          .measure = measure_one,
                          .context = singles,
                          .figures = 3,
                          .tries = bench->tries};
    TRY(pairs_run(series, &trial, why));
    size_t from = bench->report.row_count;
    struct row cpu = {.name = "singles, one per request, 64 connections: server CPU",
                      .bar_text = "at most 1.5 x verify + 1.5 x echo",
                      .bar = BAR_AT_MOST,
                      .limit = 1.5,
                      .unit = "us"};
    struct row rate = {.name = "singles, one per request, 64 connections: rate",
                       .unit = "statements/s"};
    struct row echo = {.name = "echo: server CPU a request", .unit = "us"};
    report_add(&bench->report, &cpu, &series[0]);
    report_add(&bench->report, &rate, &series[1]);
    note_generator(singles, from);
    report_add(&bench->report, &echo, &series[2]);
    return OK;
}

/* ---- one at a time */

/* One deposit after the other, each after a pause. */
static enum err time_answers(struct singles *singles, double *out, struct why *why)
{
    struct buf statement = {0};
    struct buf head = {0};
    struct buf in = {0};
    enum err err = OK;
    for (size_t i = 0; err == OK && i < LATENCY_COUNT; i++) {
        struct wire_reply reply;
        statement.len = 0;
        head.len = 0;
        desk_single(&singles->desk, &statement, singles->desk.singles++);
        wire_head(&head, "/v1/statements", "application/cose", statement.len);
        pause_for(LATENCY_PAUSE_MS);
        uint64_t began = clock_mono_ns();
        err = wire_call(singles->fd, buf_bytes(&head), buf_bytes(&statement), &in, &reply);
        out[i] = (double)(clock_mono_ns() - began) / 1e9;
        if (err == OK && reply.status != 201) {
            err = why_say(why, ERR_REFUSED, "server", NULL, "refused a deposit", NULL);
        }
    }
    buf_clear(&statement);
    buf_clear(&head);
    buf_clear(&in);
    return err;
}

static enum err measure_latency(void *context, struct slice *out, struct why *why)
{
    struct singles *singles = context;
    double fsyncs[LATENCY_COUNT];
    double answers[LATENCY_COUNT];
    TRY(reference_fsync(fsyncs, LATENCY_COUNT, LATENCY_PAUSE_MS, singles->bench->dir));
    TRY(time_answers(singles, answers, why));
    double fsync = percentile(fsyncs, LATENCY_COUNT, 0.5);
    double answer = percentile(answers, LATENCY_COUNT, 0.5);
    out->reference = 2 * fsync + 0.0015;
    out->of[0].figure = answer * 1e3;
    out->of[0].ratio = answer / out->reference;
    if (singles->slices < PAIRS_MAX) {
        singles->fsync_p50[singles->slices] = fsync;
        singles->fsync_p99[singles->slices] = percentile(fsyncs, LATENCY_COUNT, 0.99);
        singles->answer_p99[singles->slices++] = percentile(answers, LATENCY_COUNT, 0.99);
    }
    return OK;
}

static enum err latency(struct singles *singles, struct why *why)
{
    static struct series series;
    struct bench *bench = singles->bench;
    struct slice warm;
    bench_step("one deposit at a time");
    singles->fd = wire_open(singles->server.port);
    enum err err = singles->fd < 0 ? ERR_UNREACHABLE : measure_latency(singles, &warm, why);
    singles->slices = 0;
    struct trial trial = {
        .measure = measure_latency, .context = singles, .figures = 1, .tries = bench->tries};
    if (err == OK) {
        err = pairs_run(&series, &trial, why);
    }
    if (singles->fd >= 0) {
        close(singles->fd);
    }
    TRY(err);
    struct row row = {.name = "latency of one deposit, idle: p50",
                      .bar_text = "at most 2 fsyncs + 1.5 ms",
                      .bar = BAR_AT_MOST,
                      .limit = 1,
                      .unit = "ms"};
    struct row *added = report_add(&bench->report, &row, &series);
    size_t count = singles->slices;
    snprintf(added->note, sizeof added->note,
             "p99 %.2f ms; of fsync itself: p50 %.2f ms, p99 %.2f ms (medians over the slices)",
             quartiles_of(singles->answer_p99, count).median * 1e3,
             quartiles_of(singles->fsync_p50, count).median * 1e3,
             quartiles_of(singles->fsync_p99, count).median * 1e3);
    return OK;
}

/* ---- all of them, on one ledger */

static enum err start(struct singles *singles, struct why *why)
{
    static const char *const echo[] = {"bench", "echo", NULL};
    TRY(desk_serve(&singles->desk, &singles->server, why));
    TRY(desk_enrol(&singles->desk, singles->server.port, why));
    return served_start(&singles->echo, echo, why);
}

enum err bench_singles(struct bench *bench, struct why *why)
{
    struct singles *singles = mem_zalloc(sizeof *singles);
    singles->bench = bench;
    singles->rate = FIRST_RATE;
    enum err err = desk_open(&singles->desk, bench->dir, "singles", why);
    if (err == OK) {
        err = start(singles, why);
        if (err == OK) {
            err = latency(singles, why);
        }
        if (err == OK) {
            err = many(singles, why);
        }
        if (err == OK) {
            err = one(singles, why);
        }
        child_end(&singles->server.child, SIGTERM);
        child_end(&singles->echo.child, SIGTERM);
        desk_close(&singles->desk);
    }
    free(singles);
    return err;
}
