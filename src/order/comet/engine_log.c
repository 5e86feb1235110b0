#include "order/comet/engine_log.h"

#include "base/clock.h"
#include "base/log.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define LINES_PER_S  50
#define VALUE_MAX    200 /* bytes of one of its fields */
#define FIELDS_MAX   600 /* of all */
#define FAILED_WORDS "CONSENSUS FAILURE!!!"

/* Whether this line may be logged, and how many were not before it. */
static bool may_log(struct engine_log *log)
{
    uint64_t second = clock_mono_ns() / UINT64_C(1000000000);
    if (second != log->second) {
        if (log->omitted > 0) {
            log_event(LOG_WARN, "engine.omitted", "lines=%u", log->omitted);
        }
        log->second = second;
        log->count = 0;
        log->omitted = 0;
    }
    if (log->count >= LINES_PER_S) {
        log->omitted++;
        return false;
    }
    log->count++;
    return true;
}

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* One of its fields, unless it is one that we name ourselves, has a structure, or is a stack. */
static void put_field(struct buf *out, const char *key, json_t *value)
{
    static const char *const own[] = {"_msg", "level", "module", "ts", "stack"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(key, own[i]) == 0) {
            return;
        }
    }
    char text[VALUE_MAX];
    if (json_is_string(value)) {
        snprintf(text, sizeof text, "%s", json_string_value(value));
    } else if (json_is_integer(value)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    } else {
        return;
    }
    if (out->len + strlen(key) + strlen(text) + 2 < FIELDS_MAX) {
        buf_put(out, bytes_text(out->len > 0 ? " " : ""));
        buf_put(out, bytes_text(key));
        buf_put_byte(out, '=');
        buf_put(out, bytes_text(text));
    }
}

static void put_fields(struct buf *out, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        put_field(out, key, value);
    }
    buf_put_byte(out, 0);
}

static void log_error(struct engine_log *log, json_t *object, const char *fields)
{
    const char *message = text_of(object, "_msg");
    const char *cause = text_of(object, "err");
    snprintf(log->problem, sizeof log->problem, "%s%s%s", message, cause[0] ? ": " : "", cause);
    if (strstr(message, FAILED_WORDS)) {
        log->failed = true;
        log_event(LOG_ERROR, "engine.consensus_failed", "cause=\"%s\"", cause);
    } else if (may_log(log)) {
        log_event(LOG_WARN, "engine.error", "module=%s message=\"%s\" fields=\"%s\"",
                  text_of(object, "module"), message, fields);
    }
}

/* A line of its log. */
static void take_entry(struct engine_log *log, json_t *object)
{
    struct buf fields = {0};
    put_fields(&fields, object);
    if (strcmp(text_of(object, "level"), "error") == 0) {
        log_error(log, object, (const char *)fields.at);
    } else if (may_log(log)) {
        log_event(LOG_DEBUG, "engine.note", "module=%s message=\"%s\" fields=\"%s\"",
                  text_of(object, "module"), text_of(object, "_msg"), (const char *)fields.at);
    }
    buf_clear(&fields);
}

/* The first line of a panic says what it is about; the rest is for the engine's makers. */
static void take_text(struct engine_log *log)
{
    if (log->len > 0 && may_log(log)) {
        if (log->line[0] != '\t' && strncmp(log->line, "goroutine ", 10) != 0) {
            snprintf(log->problem, sizeof log->problem, "%.*s", (int)log->len, log->line);
        }
        log_event(LOG_WARN, "engine.output", "text=\"%.*s\"", (int)log->len, log->line);
    }
}

static void take_line(struct engine_log *log)
{
    json_t *object = log->len > 0 && log->line[0] == '{' && !log->cut
                         ? json_loadb(log->line, log->len, 0, NULL)
                         : NULL;
    if (json_is_object(object)) {
        take_entry(log, object);
    } else {
        take_text(log);
    }
    json_decref(object);
    log->len = 0;
    log->cut = false;
}

void engine_log_feed(struct engine_log *log, struct bytes part)
{
    for (size_t i = 0; i < part.len; i++) {
        if (part.at[i] == '\n') {
            take_line(log);
        } else if (log->len < sizeof log->line) {
            log->line[log->len++] = (char)part.at[i];
        } else {
            log->cut = true;
        }
    }
}

void engine_log_end(struct engine_log *log)
{
    take_line(log);
}
