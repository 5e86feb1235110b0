/* Rows about a start on a ledger that holds many items, with nothing of it in memory: after a clean
 * stop, and after a kill that left the index's memory unwritten. */
#include "cli/bench/bench.h"
#include "cli/bench/machine.h"
#include "cli/bench/reference.h"

#include <signal.h>

#define SIGNED_LEN    400
#define REFERENCE_MS  300
#define CLEAN_LIMIT_S 2.0
#define KILL_LIMIT_S  10.0
#define FULL_BATCHES  56 /* 3.7 million items: the index's memory is nearly full */
#define SHORT_BATCHES 8
#define CONNECTIONS   4
#define LOAD_MS       120000

struct restarts {
    struct bench *bench;
    struct desk *desk;
    bool kill;
    bool cold; /* the page cache was emptied each time */
};

static enum err measure(void *context, struct slice *out, struct why *why)
{
    struct restarts *restarts = context;
    struct served server;
    out->reference = reference_verify(SIGNED_LEN, REFERENCE_MS, NULL);
    restarts->cold = drop_page_cache() && restarts->cold;
    TRY(desk_serve(restarts->desk, &server, why));
    double seconds = (double)server.start_ns / 1e9;
    child_end(&server.child, restarts->kill ? SIGKILL : SIGTERM);
    out->of[0].figure = seconds;
    out->of[0].ratio = seconds / (restarts->kill ? KILL_LIMIT_S : CLEAN_LIMIT_S);
    return OK;
}

static enum err starts(struct restarts *restarts, struct why *why)
{
    static struct series series[2];
    struct series *own = &series[restarts->kill];
    struct bench *bench = restarts->bench;
    restarts->cold = true;
    bench_step(restarts->kill ? "starts after a kill" : "starts after a clean stop");
    struct trial trial = {.measure = measure,
                          .context = restarts,
                          .figures = 1,
                          .tries = bench->tries,
                          .best = &bench->best_verify};
    TRY(pairs_run(own, &trial, why));
    struct row row = {.name = restarts->kill ? "ready after a kill" : "ready after a clean stop",
                      .bar_text = restarts->kill ? "at most 10 s" : "at most 2 s",
                      .bar = BAR_AT_MOST,
                      .limit = 1,
                      .unit = "s"};
    struct row *added = report_add(&bench->report, &row, own);
    snprintf(added->note, sizeof added->note, "%s; %.1f million items",
             restarts->cold ? "cold page cache" : "WARM page cache: emptying it needs root",
             (double)restarts->desk->batches * BATCH_ITEMS / 1e6);
    return OK;
}

/* Fills the index's memory and kills the server; it stays as full until a clean stop. */
static enum err kill_under_load(struct restarts *restarts, struct why *why)
{
    struct served server;
    struct load_result result;
    size_t count = restarts->bench->full ? FULL_BATCHES : SHORT_BATCHES;
    TRY(desk_sign_batches(restarts->desk, count, why));
    TRY(desk_serve(restarts->desk, &server, why));
    struct load_plan plan = {
        .port = server.port,
        .path = "/v1/batches",
        .type = "application/cbor-seq",
        .file = restarts->desk->requests,
        .connections = CONNECTIONS,
        .ms = LOAD_MS,
    };
    enum err err = load_run(&result, &plan, why);
    child_end(&server.child, SIGKILL);
    if (err == OK && result.units != count * BATCH_ITEMS) {
        err = why_say(why, ERR_REFUSED, "server", NULL, "refused a batch", NULL);
    }
    return err;
}

enum err bench_restarts(struct bench *bench, struct desk *desk, struct why *why)
{
    struct restarts restarts = {.bench = bench, .desk = desk};
    TRY(starts(&restarts, why));
    TRY(kill_under_load(&restarts, why));
    restarts.kill = true;
    return starts(&restarts, why);
}
