/* A node that serves, from outside. */
#include "cli/client.h"
#include "cli/doctor/doctor.h"
#include "cli/doctor/growth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_MAX ((size_t)4 << 20)

/* ---- figures of /metrics */

/* The value of a line that begins with `name` and a blank; 0 if there is none. */
static uint64_t figure(const char *text, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + len, name)) {
        if ((at == text || at[-1] == '\n') && at[len] == ' ') {
            return (uint64_t)strtod(at + len + 1, NULL);
        }
    }
    return 0;
}

/* Reasons for which the server refuses what is over a limit, and the setting that is the limit. */
static const struct {
    const char *reason;
    const char *setting;
} limits[] = {{"body", "none: a body has the bound of its path"},
              {"chunked", "chunked_max"},
              {"memory", "memory"},
              {"header", "header_max"},
              {"slow_header", "header_wait_s"},
              {"slow_body", "body_rate"},
              {"slow_reader", "body_rate"},
              {"address", "connections_per_address"},
              {"rate", "requests_per_second"},
              {"connections", "connections"},
              {"streams", "streams"},
              {"late", "answer_wait_s"}};

static void find_limits(struct findings *findings, const char *text)
{
    bool any = false;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        char name[100];
        snprintf(name, sizeof name, "cairn_http_refusals_total{reason=\"%s\"}", limits[i].reason);
        uint64_t hits = figure(text, name);
        if (hits > 0) {
            any = true;
            finding(findings, FINDING_NOTE, "limits",
                    "If they were honest clients, raise the setting; else leave it.",
                    "%" PRIu64 " refused since the start for %s (setting: %s)", hits,
                    limits[i].reason, limits[i].setting);
        }
    }
    if (!any) {
        finding(findings, FINDING_OK, "limits", NULL, "no limit was hit since the start");
    }
}

static void find_files(struct findings *findings, const char *text)
{
    uint64_t open = figure(text, "cairn_process_open_fds");
    uint64_t most = figure(text, "cairn_process_max_fds");
    bool fits = open < most / 10 * 8;
    finding(findings, fits ? FINDING_OK : FINDING_WARN, "files",
            fits ? NULL : "Raise LimitNOFILE of the service.",
            "the node has %" PRIu64 " files open of %" PRIu64, open, most);
}

static void find_store(struct findings *findings, const char *text)
{
    uint64_t errors = figure(text, "cairn_store_errors_total{kind=\"io\"}") +
                      figure(text, "cairn_store_errors_total{kind=\"corrupt\"}");
    uint64_t free_len = figure(text, "cairn_node_disk_free_bytes");
    uint64_t lag = figure(text, "cairn_node_index_lag_blocks");
    if (errors > 0) {
        finding(findings, FINDING_ERROR, "store", "Look at the disk and its log (dmesg) today.",
                "the database reported %" PRIu64 " failures", errors);
    }
    finding(findings, lag > 500 ? FINDING_WARN : FINDING_OK, "index",
            lag > 500 ? "Wait; if it stays, look at disk and processor." : NULL,
            "searches lack %" PRIu64 " blocks", lag);
    finding(findings,
            free_len < (uint64_t)512 << 20 ? FINDING_ERROR
            : free_len < (uint64_t)5 << 30 ? FINDING_WARN
                                           : FINDING_OK,
            "disk", free_len < (uint64_t)5 << 30 ? "Make room or enlarge it." : NULL,
            "%" PRIu64 " MiB free on the node's disk", free_len >> 20);
}

/* ---- growth */

static enum err get_growth_block(void *context, uint64_t height, struct growth_block *out)
{
    json_t *block;
    char path[64];
    struct why why;
    snprintf(path, sizeof path, "/v1/blocks/%" PRIu64, height);
    TRY(client_get_json(context, path, &block, &why));
    out->time_ms = (uint64_t)json_integer_value(json_object_get(block, "time_ms"));
    out->size = (uint64_t)json_integer_value(json_object_get(block, "size"));
    json_decref(block);
    return OK;
}

static void find_growth(struct findings *findings, struct client *client, const char *text)
{
    struct growth_source source = {
        .block = get_growth_block,
        .context = client,
        .height = figure(text, "cairn_node_height_blocks"),
        .used_len = figure(text, "cairn_store_files_bytes") + figure(text, "cairn_store_wal_bytes"),
        .free_len = figure(text, "cairn_node_disk_free_bytes"),
    };
    growth_find(&source, findings);
}

static void find_metrics(struct findings *findings, struct client *client)
{
    struct buf text = {0};
    struct why why = {0};
    enum err err = client_get(client, "/metrics", METRICS_MAX, &text, &why);
    buf_put_byte(&text, 0);
    if (err == OK) {
        find_limits(findings, (const char *)text.at);
        find_files(findings, (const char *)text.at);
        find_store(findings, (const char *)text.at);
        find_growth(findings, client, (const char *)text.at);
    } else {
        finding(findings, FINDING_NOTE, "metrics",
                "Run this on the node's machine, or change the setting metrics.",
                "/metrics can't be read from here: limits, files, disk and growth are not known");
    }
    buf_clear(&text);
}

/* ---- what it says of itself */

static void find_health(struct findings *findings, const json_t *health)
{
    const json_t *read_only = json_object_get(health, "read_only");
    if (!json_is_object(read_only)) {
        finding(findings, FINDING_OK, "ledger", NULL,
                "takes statements; height %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
                " entries",
                json_integer_value(json_object_get(health, "height")),
                json_integer_value(json_object_get(health, "tree_size")));
        return;
    }
    finding(findings, FINDING_ERROR, "ledger",
            json_string_value(json_object_get(read_only, "remedy")),
            "the node only reads: %s %s %s", json_string_value(json_object_get(read_only, "field")),
            json_is_string(json_object_get(read_only, "value"))
                ? json_string_value(json_object_get(read_only, "value"))
                : "",
            json_string_value(json_object_get(read_only, "problem")));
}

static void find_version(struct findings *findings, struct client *client)
{
    json_t *ledger;
    struct why why = {0};
    enum err err = client_get_json(client, "/v1/ledger", &ledger, &why);
    if (err != OK) {
        finding_why(findings, FINDING_NOTE, "version", err, &why);
        return;
    }
    const char *version = json_string_value(json_object_get(ledger, "version"));
    bool same = version && strcmp(version, CAIRN_VERSION) == 0;
    finding(findings, same ? FINDING_OK : FINDING_WARN, "version",
            same ? NULL : "If this program is the newer one, restart the node.",
            "the node runs %s, this program is " CAIRN_VERSION,
            version ? version : "an unknown one");
    json_decref(ledger);
}

void doctor_running(struct findings *findings, const struct args *args, const char *url)
{
    struct client *client = NULL;
    struct why why = {0};
    json_t *health;
    enum err err = client_new_to(&client, url, args, &why);
    if (err == OK) {
        err = client_get_json(client, "/healthz", &health, &why);
    }
    if (err != OK) {
        finding_why(findings, FINDING_ERROR, "node", err, &why);
        client_free(client);
        return;
    }
    finding(findings, FINDING_OK, "node", NULL, "%s answers", url);
    find_health(findings, health);
    json_decref(health);
    find_version(findings, client);
    find_metrics(findings, client);
    client_free(client);
}
