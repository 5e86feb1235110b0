#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_LEN ((size_t)1 << 20)
#define RETRY_MS     2000
#define RETRY_MS_MAX 60000

/* A reader of server-sent events (WHATWG HTML, 9.2.6). */
struct watching {
    struct buf line;
    struct buf data;
    char kind[32];
    char id[64];   /* of what comes */
    char last[64]; /* of the last event: where to go on */
    unsigned retry_ms;
    uint64_t left; /* events to show; 0: without end */
    bool counts;
    bool json;
    bool unreadable; /* what came is not such a stream */
};

/* ---- what is shown */

static void print_block(const json_t *data)
{
    printf("block %s %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " entries, root %.16s\n",
           json_member(data, "time"), json_integer_value(json_object_get(data, "height")),
           json_integer_value(json_object_get(data, "size")), json_member(data, "root"));
}

static void print_statement(const json_t *data)
{
    printf("statement %s %s, ", json_member(data, "time"), json_member(data, "evidence"));
    put_coloured(stdout, COLOUR_NONE, json_member(data, "content_type"));
    printf(", about ");
    put_coloured(stdout, COLOUR_NONE, json_member(data, "subject"));
    printf("\n");
}

static void print_event(const struct watching *watching, json_t *data)
{
    if (watching->json) {
        json_t *event = json_pack("{s:s, s:s, s:o}", "event", watching->kind, "id", watching->last,
                                  "data", data);
        json_dumpf(event, stdout, JSON_COMPACT);
        printf("\n");
        json_decref(event);
    } else {
        if (strcmp(watching->kind, "block") == 0) {
            print_block(data);
        } else if (strcmp(watching->kind, "statement") == 0) {
            print_statement(data);
        } else {
            printf("blocks before %" JSON_INTEGER_FORMAT " are not told\n",
                   json_integer_value(json_object_get(data, "next")));
        }
        json_decref(data);
    }
    fflush(stdout);
}

/* ---- what comes */

static bool dispatch(struct watching *watching)
{
    bool goes_on = true;
    memcpy(watching->last, watching->id, sizeof watching->last);
    if (watching->data.len > 0) {
        json_t *data = json_loadb((const char *)watching->data.at, watching->data.len, 0, NULL);
        if (!json_is_object(data)) {
            json_decref(data);
            watching->unreadable = true;
            return false;
        }
        print_event(watching, data);
        goes_on = !watching->counts || --watching->left > 0;
    }
    watching->data.len = 0;
    watching->kind[0] = '\0';
    return goes_on;
}

static void take_field(struct watching *watching, const char *name, const char *value)
{
    if (strcmp(name, "event") == 0) {
        snprintf(watching->kind, sizeof watching->kind, "%s", value);
    } else if (strcmp(name, "id") == 0) {
        snprintf(watching->id, sizeof watching->id, "%s", value);
    } else if (strcmp(name, "data") == 0) {
        buf_put(&watching->data, bytes_text(watching->data.len > 0 ? "\n" : ""));
        buf_put(&watching->data, bytes_text(value));
    } else if (strcmp(name, "retry") == 0) {
        unsigned long ms = strtoul(value, NULL, 10);
        watching->retry_ms = ms < RETRY_MS_MAX ? (unsigned)ms : RETRY_MS_MAX;
    }
}

/* One line without its end; a line that begins with ':' is a comment. */
static bool take_line(struct watching *watching, char *line)
{
    if (line[0] == '\0') {
        return dispatch(watching);
    }
    char *value = strchr(line, ':');
    if (value == line) {
        return true;
    }
    if (value) {
        *value++ = '\0';
        value += *value == ' ';
    }
    take_field(watching, line, value ? value : "");
    return true;
}

static bool take_part(void *context, struct bytes part)
{
    struct watching *watching = context;
    for (size_t i = 0; i < part.len; i++) {
        if (part.at[i] != '\n') {
            buf_put_byte(&watching->line, part.at[i]);
            continue;
        }
        buf_put_byte(&watching->line, 0);
        bool goes_on = take_line(watching, (char *)watching->line.at);
        watching->line.len = 0;
        if (!goes_on) {
            return false;
        }
    }
    watching->unreadable = watching->line.len + watching->data.len > LINE_MAX_LEN;
    return !watching->unreadable;
}

/* ---- again and again */

static void wait_ms(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static enum err listen_once(struct client *client, struct watching *watching, struct why *why)
{
    struct buf path = {0};
    buf_put(&path, bytes_text("/v1/events"));
    if (watching->last[0]) {
        buf_put(&path, bytes_text("?after="));
        path_segment(&path, watching->last);
    }
    buf_put_byte(&path, 0);
    watching->line.len = 0;
    watching->data.len = 0;
    watching->kind[0] = '\0';
    memcpy(watching->id, watching->last, sizeof watching->id);
    enum err err = client_stream(client, (const char *)path.at, take_part, watching, why);
    buf_clear(&path);
    return watching->unreadable
               ? why_say(why, ERR_FORMAT, "server", NULL, "did not answer with events",
                         "Check that it is a node of Cairn.")
               : err;
}

/* What breaks once it worked is tried again, for as long as it takes; so is a busy server. */
static enum err listen(struct client *client, struct watching *watching, struct why *why)
{
    enum err err = listen_once(client, watching, why);
    bool worked = err == OK || watching->last[0];
    while (worked && !(watching->counts && watching->left == 0) &&
           (err == OK || err == ERR_UNREACHABLE || client_status(client) == 503)) {
        if (err != OK) {
            fprintf(stderr, "%s; trying again in %u ms\n", why->problem, watching->retry_ms);
        }
        wait_ms(watching->retry_ms);
        err = listen_once(client, watching, why);
    }
    return err;
}

static enum err options_read(struct watching *watching, const struct args *args, struct why *why)
{
    const char *after = args_text(args, "after");
    const char *count = args_text(args, "count");
    watching->json = args_flag(args, "json");
    watching->retry_ms = RETRY_MS;
    snprintf(watching->last, sizeof watching->last, "%s", after ? after : "");
    watching->counts = count != NULL;
    if (count) {
        char *end;
        watching->left = strtoull(count, &end, 10);
        if (*count < '0' || *count > '9' || *end != '\0' || watching->left == 0) {
            return why_say(why, ERR_RANGE, "--count", count, "is not a number above 0", NULL);
        }
    }
    return OK;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct client *client = NULL;
    struct watching watching = {0};
    enum err err = options_read(&watching, args, &why);
    if (err == OK) {
        err = client_new(&client, args, &why);
    }
    if (err == OK) {
        err = listen(client, &watching, &why);
    }
    client_free(client);
    buf_clear(&watching.line);
    buf_clear(&watching.data);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {{"after", "ID",
                                      "go on after this event, EPOCH.HEIGHT or EPOCH.HEIGHT.INDEX",
                                      NULL, false, false},
                                     {"count", "N", "end after so many events", NULL, false, false},
                                     ARGS_READER,
                                     ARG_SERVER,
                                     ARG_JSON,
                                     {0}};

const struct verb verb_watch = {
    .name = "watch",
    .operands = "",
    .operands_min = 0,
    .operands_max = 0,
    .summary = "show new blocks, and one's own statements, as they come",
    .text =
        "Goes on where it was when the connection breaks, at most 10,000 blocks back. With a key\n"
        "the statements of its member are shown too. With --json every event is one line, with\n"
        "its id for --after.\n",
    .example = "cairn watch --key alice.key --json",
    .args = options,
    .run = run,
};
