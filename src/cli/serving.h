/* What 'cairn run' consists of: certificates, node, witnesses, access, server, by the settings;
 * started in order, stopped in the opposite one, and brought up to date when the settings change.
 */
#ifndef CAIRN_CLI_SERVING_H
#define CAIRN_CLI_SERVING_H

#include "cli/secrets.h"
#include "config/config.h"
#include "http/access.h"
#include "http/api.h"
#include "http/tls.h"
#include "service/audit/deposits.h"
#include "service/witness/witness.h"

#include <stdatomic.h>

#define SERVING_LOOPS_MAX 64

struct serving {
    const char *dir;
    struct config config;
    struct api api;
    struct server_tls *tls;          /* NULL: plain */
    struct witnesses *witnesses;     /* NULL: none */
    struct audit_deposits *deposits; /* NULL: no key for them */
    struct server *server;
    atomic_uint beats[SERVING_LOOPS_MAX]; /* seconds that each event loop has seen */
    unsigned beats_before[SERVING_LOOPS_MAX];
};

/* Opens the node of a folder alone. Keys in files that others may read are refused. */
must_use enum err serving_open_node(struct node **out, const char *dir, const struct config *config,
                                    struct secrets *secrets, struct why *why);
/* The files that the settings name; they borrow from both. */
struct tls_files serving_tls_files(const struct config *config, struct secrets *secrets);

/* Starts everything; `serving->dir` and `serving->config` are set. On an error nothing runs. */
must_use enum err serving_start(struct serving *serving, struct why *why);
/* /readyz says no, no new connections, everything taken is committed and answered (at most
 * `wait_ms`), then the rest stops. */
void serving_stop(struct serving *serving, unsigned wait_ms);
/* Takes over `fresh`: what can change while it serves does, what can't is named in the log. Where
 * something in it can't be used, that is logged and stays as it was. True if all is as `fresh`
 * says. */
bool serving_reload(struct serving *serving, struct config *fresh);
/* Whether every event loop went on since the last call. */
bool serving_is_alive(struct serving *serving);

#endif
