#include "base/log.h"
#include "cli/output.h"
#include "cli/secrets.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "http/api.h"
#include "http/tls.h"
#include "node/node.h"
#include "service/witness/witness.h"

#include <signal.h>
#include <unistd.h>

#define STOP_WAIT_MS 10000

static void say_state(struct node *node, const struct server *server, const struct config *config)
{
    struct why why;
    char host[254] = "localhost";
    bool tls = config->tls_certificate[0] != 0;
    if (node_read_only(node, &why)) {
        fprintf(stderr, "cairn: read-only: %s %s. %s\n", why.field, why.problem, why.remedy);
    }
    if (tls && config->origin[0]) {
        enum err err = origin_host(host, config->origin);
        BUG_ON(err != OK); /* config_check has read it */
    }
    printf("listening on http%s://%s:%u\n", tls ? "s" : "", host, server_port(server));
    fflush(stdout);
}

/* Blocks the signals that are for us, so that only sigwait sees them. */
static sigset_t block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
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

static enum err open_node(struct node **out, const char *dir, const struct config *config,
                          struct why *why)
{
    struct secrets secrets;
    struct node_options options = {
        .dir = dir,
        .cache_len = config->cache,
        .verifiers = (unsigned)config->verifiers,
        .receipt_key = config->receipt_key,
        .checkpoint_key = config->checkpoint_key,
        .ask = secrets_ask,
        .ask_context = &secrets,
    };
    enum err err = secrets_load(&secrets, config, why);
    if (err == OK) {
        err = node_open(out, &options, why);
    }
    secrets_clear(&secrets);
    return err;
}

/* An empty setting is none. */
static const char *or_none(const char *text)
{
    return text[0] ? text : NULL;
}

static struct tls_files tls_files(const struct config *config)
{
    return (struct tls_files){
        .certificate = config->tls_certificate,
        .key = config->tls_key,
        .client_ca = or_none(config->tls_client_ca),
        .origin = or_none(config->origin),
    };
}

static enum err open_tls(struct server_tls **out, const struct config *config, struct why *why)
{
    struct tls_files files = tls_files(config);
    *out = NULL;
    return config->tls_certificate[0] ? tls_open(out, &files, why) : OK;
}

/* The words of both tables stand in one order. */
static struct access_options access_options(const struct config *config)
{
    return (struct access_options){
        .read = (enum read_policy)config->read,
        .read_roles = config->read_roles,
        .watch = (enum watch_policy)config->metrics,
        .origin = or_none(config->origin),
    };
}

/* Reads settings and certificates anew; what is wrong with them changes nothing. Whether there is
 * TLS, and for which name, was decided at the start. */
static void reload(struct access *access, struct server_tls *tls, const struct args *args,
                   const struct config *before)
{
    struct config config;
    struct why why = {0};
    enum err err = settings_load(&config, args, &why);
    if (err == OK && tls) {
        struct tls_files files = tls_files(&config);
        files.origin = or_none(before->origin);
        err = tls_reload(tls, &files, &why);
    }
    if (err == OK) {
        struct access_options options = access_options(&config);
        err = access_set_policy(access, &options, &why);
    }
    if (err != OK) {
        char text[600];
        why_print(&why, err, text, sizeof text);
        log_event(LOG_ERROR, "run.reload_refused", "reason=\"%s\"", text);
    } else {
        log_event(LOG_INFO, "run.reloaded", "tls=%s", tls ? "yes" : "no");
    }
    config_clear(&config);
}

/* Until a signal stops the program. */
static void wait_signals(const sigset_t *set, struct access *access, struct server_tls *tls,
                         const struct args *args, const struct config *config)
{
    int signal_number = SIGHUP;
    while (signal_number == SIGHUP) {
        sigwait(set, &signal_number);
        if (signal_number == SIGHUP) {
            reload(access, tls, args, config);
        }
    }
}

static enum err serve_node(struct node *node, struct server_tls *tls, const struct args *args,
                           const struct config *config, const sigset_t *signals, struct why *why)
{
    struct config_listen listen;
    struct server *server;
    struct witnesses *witnesses;
    struct api api = {.node = node};
    struct access_options access = access_options(config);
    TRY(config_listen_parse(&listen, config->listen, why));
    struct server_options http = {
        .address = listen.address,
        .port = listen.port,
        .threads = (unsigned)config->http_threads,
        .limits = server_limits(config),
        .tls = tls,
        .routes = api_routes,
        .guard = access_guard,
        .context = &api,
    };
    TRY(start_witnesses(&witnesses, node, config, why));
    enum err err = access_new(&api.access, node, &access, why);
    if (err == OK) {
        err = server_start(&server, &http, why);
    }
    if (err == OK) {
        access_listening(api.access, listen.address, server_port(server));
        say_state(node, server, config);
        wait_signals(signals, api.access, tls, args, config);
        atomic_store(&api.draining, true);
        server_stop(server, STOP_WAIT_MS);
    }
    access_free(api.access);
    witness_stop(witnesses);
    return err;
}

static enum err serve(const struct args *args, const struct config *config, struct why *why)
{
    sigset_t signals = block_signals();
    struct node *node;
    struct server_tls *tls;
    TRY(open_tls(&tls, config, why));
    enum err err = open_node(&node, args->operands[0], config, why);
    if (err == OK) {
        err = serve_node(node, tls, args, config, &signals, why);
        node_close(node);
    }
    tls_close(tls);
    return err;
}

/* Settings that nothing reads yet are refused, not passed over. */
static enum err check_served(const struct config *config, struct why *why)
{
    static const enum config_number served[] = {CONFIG_KEY_listen,
                                                CONFIG_KEY_origin,
                                                CONFIG_KEY_plain,
                                                CONFIG_KEY_tls_certificate,
                                                CONFIG_KEY_tls_key,
                                                CONFIG_KEY_tls_client_ca,
                                                CONFIG_KEY_read,
                                                CONFIG_KEY_read_roles,
                                                CONFIG_KEY_metrics,
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
                                                CONFIG_KEY_witness_interval_s,
                                                CONFIG_KEY_receipt_key,
                                                CONFIG_KEY_checkpoint_key,
                                                CONFIG_KEY_passphrase_file,
                                                CONFIG_KEY_pkcs11_pin_file};
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
    struct why why = {0};
    enum err err = settings_load(&config, args, &why);
    if (err == OK) {
        err = check_served(&config, &why);
    }
    if (err == OK) {
        err = serve(args, &config, &why);
    }
    config_clear(&config);
    return err == OK ? STATUS_OK : fail(err, &why);
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
        "name of its setting and overrides it. At SIGHUP it reads certificates anew; at SIGTERM "
        "or\n"
        "SIGINT it commits what it took, answers, and exits.\n",
    .example = "cairn run court --listen 127.0.0.1:8420",
    .args = options,
    .run = run,
};
