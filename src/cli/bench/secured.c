/* What TLS costs: two servers with a ledger each under the same load, one statement a request over
 * connections that are kept alive, the one with TLS 1.3 and the other without. */
#include "base/file.h"
#include "cli/bench/bench.h"
#include "cli/bench/machine.h"
#include "cli/bench/secure.h"

#include <signal.h>
#include <stdlib.h>

#define CONNECTIONS 64
#define SUBJECT_MS  1500
#define FIRST_RATE  20000 /* statements a second that are expected before anything is known */

/* One of the two. */
struct side {
    bool tls;
    char *dir;
    char *certificate;
    char *key;
    struct desk desk;
    struct served server;
    double rate; /* of the last slice */
};

struct secured {
    struct bench *bench;
    struct side plain;
    struct side tls;
};

static enum err sign(struct side *side, struct why *why)
{
    size_t count = (size_t)(side->rate * SUBJECT_MS / 1000 * 1.2) + 4096;
    return desk_sign_singles(&side->desk, count, 1, why);
}

static enum err prepare(void *context, struct why *why)
{
    struct secured *secured = context;
    TRY(sign(&secured->plain, why));
    return sign(&secured->tls, why);
}

/* Loads a server; returns its CPU seconds for each statement. */
static enum err load_side(struct side *side, double *each, struct why *why)
{
    struct load_plan plan = {
        .port = side->server.port,
        .path = "/v1/statements",
        .type = "application/cbor-seq",
        .file = side->desk.requests,
        .connections = CONNECTIONS,
        .ms = SUBJECT_MS,
        .tls = side->tls,
    };
    struct load_result result;
    uint64_t before = process_cpu_ns(side->server.child.pid);
    TRY(load_run(&result, &plan, why));
    uint64_t used = process_cpu_ns(side->server.child.pid) - before;
    if (result.units == 0) {
        return why_say(why, ERR_REFUSED, "server", NULL, "accepted no statement", NULL);
    }
    side->rate = (double)result.units * 1e9 / (double)result.elapsed_ns;
    *each = (double)used / 1e9 / (double)result.units;
    return OK;
}

static enum err measure(void *context, struct slice *out, struct why *why)
{
    struct secured *secured = context;
    double plain = 0;
    double tls = 0;
    TRY(load_side(&secured->plain, &plain, why));
    TRY(load_side(&secured->tls, &tls, why));
    out->reference = plain;
    out->of[0].figure = tls * 1e6;
    out->of[0].ratio = tls / plain;
    out->of[1].figure = secured->tls.rate;
    out->of[2].figure = plain * 1e6;
    return OK;
}

static enum err run(struct secured *secured, struct why *why)
{
    static struct series series[3];
    struct bench *bench = secured->bench;
    struct slice warm;
    TRY(prepare(secured, why));
    TRY(measure(secured, &warm, why));
    struct trial trial = {.prepare = prepare,
                          .measure = measure,
                          .context = secured,
                          .figures = 3,
                          .tries = bench->tries};
    TRY(pairs_run(series, &trial, why));
    struct row cpu = {.name = "TLS 1.3, one per request, 64 connections kept alive: server CPU",
                      .bar_text = "at most 1.25 x without TLS",
                      .bar = BAR_AT_MOST,
                      .limit = 1.25,
                      .unit = "us"};
    struct row rate = {.name = "TLS 1.3, one per request, 64 connections kept alive: rate",
                       .unit = "statements/s"};
    struct row plain = {.name = "the same without TLS: server CPU", .unit = "us"};
    report_add(&bench->report, &cpu, &series[0]);
    report_add(&bench->report, &rate, &series[1]);
    report_add(&bench->report, &plain, &series[2]);
    return OK;
}

/* Makes a ledger and its member, who comes over plain HTTP, and leaves the server running. */
static enum err side_start(struct side *side, const struct bench *bench, bool tls, struct why *why)
{
    side->tls = tls;
    side->rate = FIRST_RATE;
    side->dir = path_join(bench->dir, tls ? "tls" : "plain");
    side->certificate = path_join(side->dir, "server.pem");
    side->key = path_join(side->dir, "server.key");
    TRY(dir_make(side->dir, 0700, why));
    TRY(desk_open(&side->desk, side->dir, "ledger", why));
    TRY(desk_serve(&side->desk, &side->server, why));
    TRY(desk_enrol(&side->desk, side->server.port, why));
    if (!tls) {
        return OK;
    }
    TRY(secure_identity(side->certificate, side->key, why));
    child_end(&side->server.child, SIGTERM);
    return desk_serve_tls(&side->desk, &side->server, side->certificate, side->key, why);
}

static void side_end(struct side *side)
{
    child_end(&side->server.child, SIGTERM);
    desk_close(&side->desk);
    free(side->dir);
    free(side->certificate);
    free(side->key);
}

enum err bench_tls(struct bench *bench, struct why *why)
{
    struct secured *secured = mem_zalloc(sizeof *secured);
    secured->bench = bench;
    bench_step("one in a request, %d connections, with TLS 1.3 and without", CONNECTIONS);
    enum err err = side_start(&secured->plain, bench, false, why);
    if (err == OK) {
        err = side_start(&secured->tls, bench, true, why);
    }
    if (err == OK) {
        err = run(secured, why);
    }
    side_end(&secured->plain);
    side_end(&secured->tls);
    free(secured);
    return err;
}
