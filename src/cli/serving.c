#include "cli/serving.h"

#include "base/file.h"
#include "base/log.h"
#include "cli/acts.h"
#include "config/secret.h"
#include "http/events.h"
#include "keystore/keystore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the parts are told */

/* An empty setting is none. */
static const char *or_none(const char *text)
{
    return text[0] ? text : NULL;
}

struct tls_files serving_tls_files(const struct config *config, struct secrets *secrets)
{
    return (struct tls_files){
        .certificate = config->tls_certificate,
        .key = config->tls_key,
        .client_ca = or_none(config->tls_client_ca),
        .origin = or_none(config->origin),
        .ask = secrets_ask,
        .context = secrets,
    };
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

/* ---- starting */

/* Keys in files that others may read are refused before they are used. */
static enum err check_key(const char *dir, const char *name, struct why *why)
{
    bool below = name[0] != '/' && !keystore_is_uri(name);
    char *path = below ? path_join(dir, name) : mem_strdup(name);
    enum err err = keystore_is_uri(path) || !file_exists(path) ? OK : secret_file_check(path, why);
    free(path);
    return err;
}

/* The peers of the settings, which are checked; both arrays have room for `config->peer.count`. */
static void name_peers(struct node_peer *out, struct config_peer *peers,
                       const struct config *config)
{
    for (size_t i = 0; i < config->peer.count; i++) {
        enum err err = config_peer_parse(&peers[i], config->peer.at[i], NULL);
        BUG_ON(err != OK);
        out[i] = (struct node_peer){peers[i].name, peers[i].address, peers[i].url};
    }
}

enum err serving_open_node(struct node **out, const char *dir, const struct config *config,
                           struct secrets *secrets, struct why *why)
{
    TRY(check_key(dir, config->receipt_key, why));
    TRY(check_key(dir, config->checkpoint_key, why));
    TRY(check_key(dir, NODE_CONSENSUS_KEY, why));
    TRY(check_key(dir, NODE_TRANSPORT_KEY, why));
    struct config_peer *texts = mem_zalloc((config->peer.count + 1) * sizeof *texts);
    struct node_peer *peers = mem_zalloc((config->peer.count + 1) * sizeof *peers);
    name_peers(peers, texts, config);
    struct node_options options = {
        .dir = dir,
        .cache_len = config->cache,
        .verifiers = (unsigned)config->verifiers,
        .clock_step_ms = config->clock_step_s * 1000,
        .receipt_key = config->receipt_key,
        .checkpoint_key = config->checkpoint_key,
        .ask = secrets_ask,
        .ask_context = secrets,
        .engine = or_none(config->engine),
        .p2p_listen = or_none(config->p2p_listen),
        .peer_count = config->peer.count,
        .peers = peers,
    };
    enum err err = node_open(out, &options, why);
    free(peers);
    free(texts);
    return err;
}

/* Without a key the log is written all the same, only not deposited. */
static enum err start_deposits(struct serving *serving, struct secrets *secrets, struct why *why)
{
    const char *name = serving->config.audit_key;
    bool is_set = serving->config.origins[CONFIG_KEY_audit_key].from != CONFIG_FROM_DEFAULT;
    bool below = name[0] != '/' && !keystore_is_uri(name);
    char *path = below ? path_join(serving->dir, name) : mem_strdup(name);
    struct audit_deposits_options options = {.node = serving->api.node, .dir = serving->dir};
    enum err err = check_key(serving->dir, name, why);
    bool wanted = is_set || file_exists(path);
    if (err == OK && wanted) {
        err = keystore_open(&options.key, path, secrets_ask, secrets, why);
    }
    free(path);
    TRY(err);
    if (!wanted) {
        log_event(LOG_WARN, "audit.no_key", "remedy=\"cairn audit enable DIR registers one\"");
        return OK;
    }
    note_key(serving->api.node, "audit", options.key);
    TRY(audit_deposits_new(&serving->deposits, &options, why));
    return audit_deposits_start(serving->deposits, why);
}

/* What has keys, which need the secrets. */
static enum err start_with_keys(struct serving *serving, struct why *why)
{
    struct secrets secrets;
    enum err err = secrets_load(&secrets, &serving->config, why);
    if (err == OK && serving->config.tls_certificate[0]) {
        struct tls_files files = serving_tls_files(&serving->config, &secrets);
        err = tls_open(&serving->tls, &files, why);
    }
    if (err == OK) {
        err = serving_open_node(&serving->api.node, serving->dir, &serving->config, &secrets, why);
    }
    if (err == OK) {
        err = start_deposits(serving, &secrets, why);
    }
    secrets_clear(&secrets);
    return err;
}

/* A node that is read-only has nothing new to show to witnesses. */
static enum err start_witnesses(struct serving *serving, struct why *why)
{
    struct why unused;
    const struct config *config = &serving->config;
    const struct witness_options wanted = {.node = serving->api.node,
                                           .count = config->witness.count,
                                           .targets = (const char *const *)config->witness.at,
                                           .interval_s = (unsigned)config->witness_interval_s};
    serving->witnesses = NULL;
    return wanted.count == 0 || node_read_only(serving->api.node, &unused)
               ? OK
               : witness_start(&serving->witnesses, &wanted, why);
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

/* Called by each event loop once a second. */
static void beat(void *context, void *argument, unsigned loop)
{
    (void)context;
    struct serving *serving = argument;
    atomic_fetch_add(&serving->beats[loop], 1);
}

static enum err start_server(struct serving *serving, struct why *why)
{
    const struct config *config = &serving->config;
    struct config_listen listen;
    TRY(config_listen_parse(&listen, config->listen, why));
    struct server_options options = {
        .address = listen.address,
        .port = listen.port,
        .threads = (unsigned)config->http_threads,
        .limits = server_limits(config),
        .tls = serving->tls,
        .routes = api_routes,
        .guard = access_guard,
        .context = &serving->api,
    };
    struct access_options access = access_options(config);
    TRY(access_new(&serving->api.access, serving->api.node, &access, why));
    serving->api.events = events_new(serving->api.node, (unsigned)config->http_threads);
    TRY(server_start(&serving->server, &options, why));
    events_start(serving->api.events, serving->server);
    access_listening(serving->api.access, listen.address, server_port(serving->server));
    server_log_requests(serving->server, config->log_requests);
    server_every_second(serving->server, beat, serving);
    return OK;
}

static void stop_all(struct serving *serving, unsigned wait_ms)
{
    if (serving->server) {
        events_stop(serving->api.events);
        server_stop(serving->server, wait_ms);
    }
    if (serving->api.events) {
        events_free(serving->api.events);
    }
    if (serving->api.access) {
        access_free(serving->api.access);
    }
    witness_stop(serving->witnesses);
    audit_deposits_free(serving->deposits);
    if (serving->api.node) {
        node_close(serving->api.node);
    }
    if (serving->tls) {
        tls_close(serving->tls);
    }
}

static void note_config(const struct serving *serving)
{
    char *path = path_join(serving->dir, CONFIG_FILE);
    note_file(serving->api.node, AUDIT_CONFIG_LOAD, path);
    free(path);
}

static void note_certificate(const struct serving *serving)
{
    if (serving->tls) {
        note_file(serving->api.node, AUDIT_CERTIFICATE_LOAD, serving->config.tls_certificate);
    }
}

enum err serving_start(struct serving *serving, struct why *why)
{
    enum err err = start_with_keys(serving, why);
    if (err == OK) {
        err = start_witnesses(serving, why);
    }
    if (err == OK) {
        err = start_server(serving, why);
    }
    if (err == OK) {
        note_config(serving);
        note_certificate(serving);
    } else {
        stop_all(serving, 0);
    }
    return err;
}

void serving_stop(struct serving *serving, unsigned wait_ms)
{
    atomic_store(&serving->api.draining, true);
    stop_all(serving, wait_ms);
}

bool serving_is_alive(struct serving *serving)
{
    bool alive = true;
    for (unsigned i = 0; i < serving->config.http_threads; i++) {
        unsigned now = atomic_load(&serving->beats[i]);
        alive = alive && now != serving->beats_before[i];
        serving->beats_before[i] = now;
    }
    return alive;
}

/* ---- changing */

static bool changed(const struct config *a, const struct config *b, enum config_number number)
{
    return !config_same(a, b, number);
}

static void say_refused(const char *setting, enum err err, const struct why *why)
{
    log_event(LOG_ERROR, "config.refused",
              "setting=%s field=%s value=%s problem=\"%s\" remedy=\"%s\"", setting, why->field,
              why->value, why->problem[0] ? why->problem : err_text(err), why->remedy);
}

/* Certificates and keys are read anew even if their names are the old ones. Whether there is TLS,
 * and for which name, was decided at the start. */
static bool reload_tls(struct serving *serving, const struct config *before)
{
    struct config *config = &serving->config;
    bool had = before->tls_certificate[0] != 0;
    if (had != (config->tls_certificate[0] != 0)) {
        log_event(LOG_WARN, "config.needs_restart", "setting=%s", "tls_certificate");
        return false;
    }
    if (!had) {
        return true;
    }
    struct secrets secrets;
    struct why why = {0};
    enum err err = secrets_load(&secrets, config, &why);
    if (err == OK) {
        struct tls_files files = serving_tls_files(config, &secrets);
        files.origin = or_none(before->origin);
        err = tls_reload(serving->tls, &files, &why);
    }
    secrets_clear(&secrets);
    if (err != OK) {
        say_refused("tls_certificate", err, &why);
    } else {
        note_certificate(serving);
    }
    return err == OK;
}

static bool reload_access(struct serving *serving)
{
    struct access_options options = access_options(&serving->config);
    struct why why = {0};
    enum err err = access_set_policy(serving->api.access, &options, &why);
    if (err != OK) {
        say_refused("read_roles", err, &why);
    }
    return err == OK;
}

/* Asks the witnesses of the new settings instead; those of before, if that fails. */
static bool reload_witnesses(struct serving *serving, const struct config *before)
{
    if (!changed(before, &serving->config, CONFIG_KEY_witness) &&
        !changed(before, &serving->config, CONFIG_KEY_witness_interval_s)) {
        return true;
    }
    for (size_t i = 0; i < serving->config.witness.count; i++) {
        struct why why = {0};
        enum err err = witness_target_check(serving->config.witness.at[i], &why);
        if (err != OK) {
            say_refused("witness", err, &why);
            return false;
        }
    }
    struct why why = {0};
    witness_stop(serving->witnesses);
    enum err err = start_witnesses(serving, &why);
    if (err != OK) {
        say_refused("witness", err, &why);
    }
    return err == OK;
}

/* Names what has changed and can't take effect now. */
static bool say_restarts(const struct config *before, const struct config *fresh)
{
    bool all = true;
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (config_keys[i].when == CONFIG_RESTART &&
            changed(before, fresh, (enum config_number)i)) {
            log_event(LOG_WARN, "config.needs_restart", "setting=%s", config_keys[i].name);
            all = false;
        }
    }
    return all;
}

bool serving_reload(struct serving *serving, struct config *fresh)
{
    struct config before = serving->config;
    serving->config = *fresh;
    *fresh = (struct config){0};
    bool all = say_restarts(&before, &serving->config);
    log_set_level((enum log_level)serving->config.log_level);
    server_log_requests(serving->server, serving->config.log_requests);
    server_set_rate(serving->server, (unsigned)serving->config.requests_per_second,
                    (unsigned)serving->config.requests_burst);
    all &= reload_tls(serving, &before);
    all &= reload_access(serving);
    all &= reload_witnesses(serving, &before);
    note_config(serving);
    config_clear(&before);
    return all;
}
