#include "http/problem.h"

#include "http/concise.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER_S 1

unsigned problem_status(enum err err)
{
    switch (err) {
    case OK:
        return 200;
    case ERR_TRUNCATED:
    case ERR_TRAILING:
    case ERR_NOT_CANONICAL:
    case ERR_TYPE:
    case ERR_RANGE:
    case ERR_DEPTH:
    case ERR_FORMAT:
    case ERR_VERSION:
    case ERR_UNSUPPORTED:
        return 400;
    case ERR_SIGN_IN:
        return 401;
    case ERR_KEY:
    case ERR_PASSPHRASE:
    case ERR_SIGNATURE:
    case ERR_REFUSED:
        return 403;
    case ERR_NOT_FOUND:
        return 404;
    case ERR_EXISTS:
        return 409;
    case ERR_EXPIRED:
        return 410;
    case ERR_MISMATCH:
        return 422;
    case ERR_IO:
    case ERR_CORRUPT:
    case ERR_COUNT:
        return 500;
    case ERR_UNREACHABLE:
        return 502;
    case ERR_BUSY:
    case ERR_CLOSED:
    case ERR_READ_ONLY:
        return 503;
    case ERR_TIMEOUT:
        return 504;
    }
    BUG_ON(true);
}

void problem_type(char *out, size_t cap, enum err err)
{
    snprintf(out, cap, "%s", err_name(err) + strlen("ERR_"));
    for (char *at = out; *at; at++) {
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    }
}

static void type_of(enum err err, char *out, size_t cap)
{
    size_t len = (size_t)snprintf(out, cap, "/problems/");
    problem_type(out + len, cap - len, err);
}

static void set_text(json_t *json, const char *key, const char *text)
{
    if (text[0]) {
        /* A value that came from outside may have been cut within a character. */
        json_t *string = json_string(text);
        json_object_set_new(json, key, string ? string : json_string_nocheck("(not text)"));
    }
}

/* What a problem document says in either encoding, and where its texts stand. */
struct described {
    struct concise said;
    char type[64];
    char detail[600];
    struct why why;
};

/* Where nobody knew a remedy, the page of the type says what can be done. */
static void describe(struct described *out, enum err err, const struct why *given)
{
    struct why *why = &out->why;
    *why = *given;
    type_of(err, out->type, sizeof out->type);
    if (why->remedy[0] == '\0') {
        snprintf(why->remedy, sizeof why->remedy, "GET %s says what to do.", out->type);
    }
    why_print(why, err, out->detail, sizeof out->detail);
    out->said = (struct concise){.status = problem_status(err),
                                 .type = out->type,
                                 .title = err_text(err),
                                 .detail = out->detail,
                                 .field = why->field,
                                 .value = why->value,
                                 .problem = why->problem[0] ? why->problem : err_text(err),
                                 .remedy = why->remedy};
}

json_t *problem_json(enum err err, const struct why *given)
{
    struct described described;
    const struct concise *said = &described.said;
    describe(&described, err, given);
    json_t *json = json_object();
    json_object_set_new(json, "type", json_string(said->type));
    json_object_set_new(json, "title", json_string(said->title));
    json_object_set_new(json, "status", json_integer((json_int_t)said->status));
    set_text(json, "detail", said->detail);
    set_text(json, "field", said->field);
    set_text(json, "value", said->value);
    set_text(json, "problem", said->problem);
    set_text(json, "remedy", said->remedy);
    return json;
}

static void dump(struct exchange *exchange, json_t *json)
{
    struct response *response = exchange_response(exchange);
    char *text = json_dumps(json, JSON_COMPACT);
    BUG_ON(text == NULL);
    response->body = (struct buf){(uint8_t *)text, strlen(text), strlen(text) + 1};
    json_decref(json);
}

static void dump_concise(struct exchange *exchange, enum err err, const struct why *given)
{
    struct described described;
    describe(&described, err, given);
    exchange_response(exchange)->body.len = 0;
    concise_write(&exchange_response(exchange)->body, &described.said);
}

void respond_problem(struct exchange *exchange, enum err err, const struct why *why)
{
    struct response *response = exchange_response(exchange);
    bool concise = concise_path(exchange_path(exchange));
    if (concise) {
        dump_concise(exchange, err, why);
    } else {
        dump(exchange, problem_json(err, why));
    }
    response->status = problem_status(err);
    response->content_type = concise ? CONCISE_TYPE : "application/problem+json";
    response->retry_after_s = response->status == 503 ? RETRY_AFTER_S : 0;
}

void respond_refusal(struct exchange *exchange, enum err err, const char *field, const char *value,
                     const char *remedy)
{
    struct why why;
    why_say(&why, err, field, value, NULL, remedy);
    respond_problem(exchange, err, &why);
}

void respond_json(struct exchange *exchange, unsigned status, json_t *json)
{
    struct response *response = exchange_response(exchange);
    dump(exchange, json);
    response->status = status;
    response->content_type = "application/json";
}

void respond_bytes(struct exchange *exchange, const char *content_type, struct buf *body)
{
    struct response *response = exchange_response(exchange);
    response->body = *body;
    *body = (struct buf){0};
    response->status = 200;
    response->content_type = content_type;
}

enum err text_uint(uint64_t *out, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0) {
        return ERR_FORMAT;
    }
    *out = value;
    return OK;
}
