#include "cli/output.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "http/api.h"
#include "node/node.h"
#include "service/witness/witness.h"

#include <signal.h>
#include <unistd.h>

#define STOP_WAIT_MS 10000

/* Everybody who reaches the socket may read: until connections are encrypted and readers known,
 * that must be this machine alone. */
static enum err check_loopback(const struct config_listen *listen, struct why *why)
{
    return config_listen_is_loopback(listen)
               ? OK
               : why_say(
                     why, ERR_REFUSED, "--listen", listen->address,
                     "is not the loopback interface, the only one that is served",
                     "Use 127.0.0.1, and a reverse proxy with TLS and access control for others.");
}

static void say_state(struct node *node, const struct server *server)
{
    struct why why;
    if (node_read_only(node, &why)) {
        fprintf(stderr, "cairn: read-only: %s %s. %s\n", why.field, why.problem, why.remedy);
    }
    printf("listening on http://localhost:%u\n", server_port(server));
    fflush(stdout);
}

/* Blocks the signals that stop the program, so that only wait_signal sees them. */
static sigset_t block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    return set;
}

static struct server_limits server_limits(const struct config *config)
{
    return (struct server_limits){
        .memory_len = config->memory,
        .connections = (unsigned)config->connections,
        .connections_per_address = (unsigned)config->connections_per_address,
        .requests_per_second = (unsigned)config->requests_per_second,
        .requests_burst = (unsigned)config->requests_burst,
        .streams = (unsigned)config->streams,
        .header_max = config->header_max,
        .chunked_max = config->chunked_max,
        .body_rate = (unsigned)config->body_rate,
        .body_grace_s = (unsigned)config->body_grace_s,
        .header_wait_s = (unsigned)config->header_wait_s,
        .idle_s = (unsigned)config->idle_s,
        .answer_wait_s = (unsigned)config->answer_wait_s,
    };
}

/* A node that is read-only has nothing new to show to witnesses. */
static enum err start_witnesses(struct witnesses **out, struct node *node,
                                const struct config *config, struct why *why)
{
    struct why unused;
    const struct witness_options wanted = {.node = node,
                                           .count = config->witness.count,
                                           .targets = (const char *const *)config->witness.at,
                                           .interval_s = (unsigned)config->witness_interval_s};
    *out = NULL;
    return wanted.count == 0 || node_read_only(node, &unused) ? OK
                                                              : witness_start(out, &wanted, why);
}

static int serve(const char *dir, const struct config *config, const struct config_listen *listen)
{
    sigset_t stop = block_signals();
    struct why why = {0};
    struct node *node;
    struct server *server;
    struct witnesses *witnesses;
    struct node_options options = {
        .dir = dir,
        .cache_len = config->cache,
        .verifiers = (unsigned)config->verifiers,
    };
    enum err err = node_open(&node, &options, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    struct api api = {.node = node};
    struct server_options http = {
        .address = listen->address,
        .port = listen->port,
        .threads = (unsigned)config->http_threads,
        .limits = server_limits(config),
        .routes = api_routes,
        .context = &api,
    };
    err = start_witnesses(&witnesses, node, config, &why);
    if (err == OK) {
        err = server_start(&server, &http, &why);
    }
    if (err != OK) {
        witness_stop(witnesses);
        node_close(node);
        return fail(err, &why);
    }
    say_state(node, server);
    int signal_number;
    sigwait(&stop, &signal_number);
    atomic_store(&api.draining, true);
    server_stop(server, STOP_WAIT_MS);
    witness_stop(witnesses);
    node_close(node);
    return STATUS_OK;
}

/* Settings that nothing reads yet are refused, not passed over. */
static enum err check_served(const struct config *config, struct why *why)
{
    static const enum config_number served[] = {CONFIG_KEY_listen,
                                                CONFIG_KEY_cache,
                                                CONFIG_KEY_verifiers,
                                                CONFIG_KEY_http_threads,
                                                CONFIG_KEY_memory,
                                                CONFIG_KEY_connections,
                                                CONFIG_KEY_connections_per_address,
                                                CONFIG_KEY_requests_per_second,
                                                CONFIG_KEY_requests_burst,
                                                CONFIG_KEY_streams,
                                                CONFIG_KEY_header_max,
                                                CONFIG_KEY_chunked_max,
                                                CONFIG_KEY_body_rate,
                                                CONFIG_KEY_body_grace_s,
                                                CONFIG_KEY_header_wait_s,
                                                CONFIG_KEY_idle_s,
                                                CONFIG_KEY_answer_wait_s,
                                                CONFIG_KEY_witness,
                                                CONFIG_KEY_witness_interval_s};
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        bool known = config->origins[i].from == CONFIG_FROM_DEFAULT;
        for (size_t n = 0; n < sizeof served / sizeof served[0]; n++) {
            known |= served[n] == i;
        }
        if (!known) {
            return why_say(why, ERR_UNSUPPORTED, config_keys[i].name, NULL,
                           "has no effect in this version", "Leave it out.");
        }
    }
    return OK;
}

static int run(const struct args *args)
{
    struct config config;
    struct config_listen listen;
    struct why why = {0};
    enum err err = settings_load(&config, args, &why);
    if (err == OK) {
        err = config_listen_parse(&listen, config.listen, &why);
    }
    if (err == OK) {
        err = check_loopback(&listen, &why);
    }
    if (err == OK) {
        err = check_served(&config, &why);
    }
    int status = err == OK ? serve(args->operands[0], &config, &listen) : fail(err, &why);
    config_clear(&config);
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
        "Prints \"listening on http://localhost:PORT\" when it is ready. Serves the loopback\n"
        "interface only. Settings stand in DIR/cairn.conf; an option has the name of its setting\n"
        "and overrides it. At SIGTERM or SIGINT it commits what it took, answers, and exits.\n",
    .example = "cairn run court --listen 127.0.0.1:8420",
    .args = options,
    .run = run,
};
