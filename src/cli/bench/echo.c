/* The echo: a server that takes a body and answers with nothing, on the library that serves the
 * ledger. What it costs is what HTTP costs. */
#include "cli/output.h"
#include "cli/verbs.h"
#include "http/server.h"

#include <signal.h>

#define BODY_MAX     ((size_t)32 << 20)
#define STOP_WAIT_MS 1000

static void answer(void *context, struct exchange *exchange)
{
    (void)context;
    exchange_response(exchange)->status = 200;
}

static const struct route routes[] = {
    {"POST", "/echo", answer, BODY_MAX, NULL, ROUTE_OPEN},
    {0},
};

static int run(const struct args *args)
{
    (void)args;
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    struct why why = {0};
    struct server *server;
    struct server_options options = {.address = "127.0.0.1", .routes = routes};
    enum err err = server_start(&server, &options, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    printf("listening on http://localhost:%u\n", server_port(server));
    fflush(stdout);
    int signal_number;
    sigwait(&stop, &signal_number);
    server_stop(server, STOP_WAIT_MS);
    return STATUS_OK;
}

const struct verb verb_bench_echo = {
    .name = "bench echo",
    .operands = "",
    .summary = "a server that answers POST /echo with nothing, until SIGTERM",
    .example = "cairn bench echo",
    .run = run,
    .hidden = true,
};
