#include "base/clock.h"
#include "base/log.h"
#include "cli/notify.h"
#include "cli/output.h"
#include "cli/serving.h"
#include "cli/settings.h"
#include "cli/signals.h"
#include "cli/verbs.h"

#include <signal.h>
#include <stdlib.h>

#define STOP_WAIT_MS 10000
#define IDLE_WAIT_MS 3600000

static void open_log(const struct config *config)
{
    struct log_options options = {
        .level = (enum log_level)config->log_level,
        .json = config->log_format == CONFIG_LOG_JSON,
        .syslog_path = config->log_to == CONFIG_LOG_SYSLOG ? "/dev/log" : NULL,
        .journal_stream = getenv("JOURNAL_STREAM"),
    };
    log_open(&options);
}

static void say_ready(const struct serving *serving)
{
    struct why why;
    char lines[600];
    bool reads = node_read_only(serving->api.node, &why);
    log_event(LOG_INFO, "node.started", "version=%s port=%u read_only=%s", CAIRN_VERSION,
              server_port(serving->server), reads ? "yes" : "no");
    snprintf(lines, sizeof lines, "READY=1\nSTATUS=%s%s%s%s", reads ? "Read-only: " : "Serving.",
             reads ? why.field : "", reads ? " " : "", reads ? why.problem : "");
    notify(lines);
    bool tls = serving->tls != NULL;
    char host[254] = "localhost";
    if (tls && serving->config.origin[0]) {
        enum err err = origin_host(host, serving->config.origin);
        BUG_ON(err != OK); /* config_check has read it */
    }
    printf("listening on http%s://%s:%u\n", tls ? "s" : "", host, server_port(serving->server));
    fflush(stdout);
}

/* SIGHUP: settings and what they name are read anew. A file that is wrong changes nothing. */
static void reload(struct serving *serving, const struct args *args)
{
    struct config fresh;
    struct why why = {0};
    notify_reloading();
    enum err err = settings_load(&fresh, args, &why);
    if (err != OK) {
        log_event(LOG_ERROR, "config.reload_failed",
                  "field=%s value=%s problem=\"%s\" remedy=\"%s\"", why.field, why.value,
                  why.problem[0] ? why.problem : err_text(err), why.remedy);
    } else if (serving_reload(serving, &fresh)) {
        log_event(LOG_INFO, "config.reloaded", "all=yes");
    } else {
        log_event(LOG_INFO, "config.reloaded", "all=no");
    }
    config_clear(&fresh);
    notify("READY=1");
}

/* Serves until SIGTERM or SIGINT; returns its number. */
static int serve_until_stopped(struct serving *serving, const struct args *args)
{
    unsigned watchdog_ms = notify_watchdog_ms();
    for (;;) {
        int number = signals_wait(watchdog_ms ? watchdog_ms / 2 : IDLE_WAIT_MS);
        if (number == SIGHUP) {
            reload(serving, args);
        } else if (number != 0) {
            return number;
        } else if (watchdog_ms && serving_is_alive(serving)) {
            notify("WATCHDOG=1");
        }
    }
}

static int serve(struct serving *serving, const struct args *args)
{
    struct why why = {0};
    signals_block();
    open_log(&serving->config);
    enum err err = serving_start(serving, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    say_ready(serving);
    int number = serve_until_stopped(serving, args);
    uint64_t began_ns = clock_mono_ns();
    notify("STOPPING=1\nSTATUS=Answering what was taken.");
    log_event(LOG_INFO, "node.stopping", "signal=%s", number == SIGTERM ? "TERM" : "INT");
    signals_exit_at_once();
    serving_stop(serving, STOP_WAIT_MS);
    log_event(LOG_INFO, "node.stopped", "after_ms=%llu",
              (unsigned long long)((clock_mono_ns() - began_ns) / 1000000));
    return STATUS_OK;
}

static int run(const struct args *args)
{
    struct serving *serving = mem_zalloc(sizeof *serving);
    struct why why = {0};
    serving->dir = args->operands[0];
    enum err err = settings_load(&serving->config, args, &why);
    int status = err == OK ? serve(serving, args) : fail(err, &why);
    config_clear(&serving->config);
    free(serving);
    return status;
}

static const struct arg options[] = {ARG_SETTINGS{0}};

const struct verb verb_run = {
    .name = "run",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "serve a ledger until SIGTERM",
    .text =
        "Prints \"listening on http://localhost:PORT\" when it is ready, with the origin's name\n"
        "and https where there is TLS. Off the loopback interface it needs an origin and TLS, or\n"
        "plain behind a proxy that has it. Settings stand in DIR/cairn.conf; an option has the\n"
        "name of its setting and overrides it. At SIGHUP it reads settings and certificates anew.\n"
        "At SIGTERM or SIGINT it takes nothing new, commits and answers what it took, at most\n"
        "for ten seconds, and exits; at a second one it exits at once.\n",
    .example = "cairn run court --listen 127.0.0.1:8420",
    .args = options,
    .run = run,
};
