/* A ledger's folder on this machine. */
#include "cli/doctor/doctor.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/doctor/growth.h"
#include "cli/secrets.h"
#include "cli/serving.h"
#include "cli/settings.h"
#include "config/secret.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DAY_MS ((uint64_t)86400000)

/* ---- secrets and certificates */

static void find_secret(struct findings *findings, const char *dir, const char *name, bool needed)
{
    struct why why = {0};
    bool below = name[0] != '/';
    if (!name[0]) {
        return;
    }
    if (keystore_is_uri(name)) {
        finding(findings, FINDING_NOTE, "secrets", NULL, "%s lies in a token", name);
        return;
    }
    char *path = below ? path_join(dir, name) : mem_strdup(name);
    enum err err = secret_file_check(path, &why);
    if (err == OK) {
        finding(findings, FINDING_OK, "secrets", NULL, "%s may be read by its owner alone", path);
    } else if (err != ERR_NOT_FOUND || needed) {
        finding_why(findings, FINDING_ERROR, "secrets", err, &why);
    }
    free(path);
}

static void find_secrets(struct findings *findings, const char *dir, const struct config *config)
{
    find_secret(findings, dir, config->receipt_key, true);
    find_secret(findings, dir, config->checkpoint_key, true);
    find_secret(findings, dir, NODE_OPERATOR_KEY, false);
    find_secret(findings, "", config->passphrase_file, true);
    find_secret(findings, "", config->pkcs11_pin_file, true);
    find_secret(findings, "", config->tls_key, true);
    char *path = path_join(dir, NODE_OPERATOR_KEY);
    if (file_exists(path)) {
        finding(findings, FINDING_NOTE, "secrets",
                "Move it to where the operator works, and keep a copy under lock and key.",
                "%s registers members, and a node does not need it", path);
    }
    free(path);
}

static void find_certificate(struct findings *findings, const struct config *config)
{
    struct why why = {0};
    struct secrets secrets;
    struct server_tls *tls = NULL;
    if (!config->tls_certificate[0]) {
        return;
    }
    enum err err = secrets_load(&secrets, config, &why);
    if (err == OK) {
        struct tls_files files = serving_tls_files(config, &secrets);
        err = tls_open(&tls, &files, &why);
    }
    secrets_clear(&secrets);
    if (err != OK) {
        finding_why(findings, FINDING_ERROR, "certificate", err, &why);
        return;
    }
    uint64_t now_ms = clock_wall_ms();
    uint64_t end_ms = tls_expiry_ms(tls);
    uint64_t days = end_ms > now_ms ? (end_ms - now_ms) / DAY_MS : 0;
    enum severity severity = days < 7 ? FINDING_ERROR : days < 21 ? FINDING_WARN : FINDING_OK;
    char when[25];
    clock_format(when, end_ms);
    finding(findings, severity, "certificate",
            severity == FINDING_OK ? NULL : "Renew it, then send the node a SIGHUP.",
            "%s is good until %s, %" PRIu64 " days", config->tls_certificate, when, days);
    tls_close(tls);
}

/* ---- the ledger, which nobody has open */

static enum err view_growth_block(void *context, uint64_t height, struct growth_block *out)
{
    struct header header;
    TRY(view_header_at(context, height, &header));
    *out = (struct growth_block){header.time_ms, header.tree_size};
    return OK;
}

static void find_growth(struct findings *findings, struct node *node, const char *dir)
{
    struct statvfs disk;
    struct view *view = node_view(node);
    struct growth_source source = {
        .block = view_growth_block,
        .context = view,
        .height = view_header(view)->height,
        .used_len = doctor_folder_len(dir),
        .free_len = statvfs(dir, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0,
    };
    growth_find(&source, findings);
    view_release(view);
}

static void find_ledger(struct findings *findings, struct node *node, const char *dir)
{
    struct why why;
    struct node_figures figures;
    node_figures(node, &figures);
    if (node_read_only(node, &why)) {
        finding_why(findings, FINDING_ERROR, "ledger", ERR_READ_ONLY, &why);
    } else {
        finding(findings, FINDING_OK, "ledger", NULL,
                "opens at height %" PRIu64 " with %" PRIu64
                " entries; head mark, trust file and the node's keys agree with it",
                figures.height, figures.tree_size);
    }
    finding(findings, FINDING_OK, "keys", NULL,
            "keys of a ledger have no date: one is good until a statement ends it");
    find_growth(findings, node, dir);
}

/* Opening repairs what a crash left; whoever does it owns the files that come of it. */
static void open_ledger(struct findings *findings, const char *dir, const struct config *config)
{
    struct stat info;
    if (stat(dir, &info) == 0 && info.st_uid != geteuid()) {
        finding(findings, FINDING_NOTE, "ledger", "Run this as the folder's owner, with sudo -u.",
                "%s belongs to another user, and opening it would leave files that the node can't "
                "write: not looked at",
                dir);
        return;
    }
    struct why why = {0};
    struct node *node = NULL;
    struct secrets secrets;
    enum err err = secrets_load(&secrets, config, &why);
    if (err == OK) {
        err = serving_open_node(&node, dir, config, &secrets, &why);
    }
    secrets_clear(&secrets);
    if (err != OK) {
        finding_why(findings, FINDING_ERROR, "ledger", err, &why);
        return;
    }
    find_ledger(findings, node, dir);
    node_close(node);
}

static bool is_open_elsewhere(const char *dir)
{
    char *path = path_join(dir, "lock");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0) {
        close(fd);
    }
    return locked;
}

/* Where the node of these settings serves; NULL if they do not say. */
static char *node_url(const struct config *config)
{
    struct config_listen listen;
    if (config->tls_certificate[0]) {
        return config->origin[0] ? mem_strdup(config->origin) : NULL;
    }
    if (config_listen_parse(&listen, config->listen, NULL) != OK || listen.port == 0) {
        return NULL;
    }
    char url[100];
    bool v6 = strchr(listen.address, ':') != NULL;
    snprintf(url, sizeof url, "http://%s%s%s:%u", v6 ? "[" : "", listen.address, v6 ? "]" : "",
             listen.port);
    return mem_strdup(url);
}

/* Sets *url if a node has the folder open and can be asked there. */
static void find_in_use(struct findings *findings, const struct config *config, char **url)
{
    *url = node_url(config);
    if (!*url) {
        finding(findings, FINDING_NOTE, "ledger", "Run 'cairn doctor URL' with the node's address.",
                "a node has it open, and the settings do not say where it serves");
    }
}

char *doctor_folder(struct findings *findings, const char *dir)
{
    struct config config;
    struct why why = {0};
    char *url = NULL;
    struct log_options quiet = {.level = LOG_ERROR};
    log_open(&quiet);
    enum err err = config_load(&config, dir, NULL, &why);
    if (err != OK) {
        finding_why(findings, FINDING_ERROR, "settings", err, &why);
        config_clear(&config);
        return NULL;
    }
    finding(findings, FINDING_OK, "settings", NULL, "%s/" CONFIG_FILE " is good", dir);
    find_secrets(findings, dir, &config);
    find_certificate(findings, &config);
    doctor_machine(findings, &config, dir);
    if (is_open_elsewhere(dir)) {
        find_in_use(findings, &config, &url);
    } else {
        open_ledger(findings, dir, &config);
    }
    config_clear(&config);
    return url;
}
