/* POST /v1/digests: up to 1,000 look-ups in one request. The answer is put together as text and not
 * by way of objects: it is what a look-up would mostly cost. */
#include "http/evidence.h"

#include "codec/text.h"
#include "http/access.h"
#include "http/api.h"
#include "http/problem.h"
#include "proof/id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGESTS_MAX       1000
#define DIGEST_PLACES_MAX 16 /* places given per digest; the rest by /v1/evidence?sha256= */
#define HELP              "Send {\"sha256\": [...]} or {\"sm3\": [...]}."

struct question {
    enum node_find_by by;
    const json_t *list;
    size_t count;
    struct hash digests[DIGESTS_MAX];
    const char *texts[DIGESTS_MAX]; /* as they were written, perhaps in upper case */
};

/* The places of the digest at hand, and what was said of those before. */
struct answering {
    struct exchange *exchange; /* who asks */
    struct node *node;
    const struct question *question;
    size_t at;      /* number of the digest */
    unsigned given; /* places of it */
    struct buf found;
    struct buf absent;
};

static void put(struct buf *out, const char *text)
{
    buf_put(out, bytes_text(text));
}

static void put_digest(struct buf *out, const struct answering *answering)
{
    buf_put_byte(out, '"');
    put(out, answering->question->texts[answering->at]);
    buf_put_byte(out, '"');
}

static void put_place(struct buf *out, const struct node_found *found)
{
    char evidence[EVIDENCE_ID_LEN + 1];
    char number[32];
    evidence_id_write(evidence, &found->id, found->number);
    snprintf(number, sizeof number, "\",\"number\":%u}", found->number);
    put(out, "{\"evidence\":\"");
    put(out, evidence);
    put(out, "\",\"statement\":\"");
    hex_put(out, hash_bytes(&found->id));
    put(out, number);
}

/* The end of one digest's places. */
static void close_digest(struct answering *answering)
{
    if (answering->given > 0) {
        buf_put_byte(&answering->found, ']');
    } else {
        if (answering->absent.len > 0) {
            buf_put_byte(&answering->absent, ',');
        }
        put_digest(&answering->absent, answering);
    }
    answering->given = 0;
    answering->at++;
}

static bool take(void *context, struct node_found *found)
{
    struct answering *answering = context;
    if (!found) {
        close_digest(answering);
        return true;
    }
    if (!access_may_read(answering->exchange, answering->node, found)) {
        return true;
    }
    struct buf *out = &answering->found;
    if (answering->given == 0) {
        if (out->len > 0) {
            buf_put_byte(out, ',');
        }
        put_digest(out, answering);
        put(out, ":[");
    } else {
        buf_put_byte(out, ',');
    }
    put_place(out, found);
    return ++answering->given < DIGEST_PLACES_MAX;
}

/* By digest, then by place. */
static int compare(const void *a, const void *b)
{
    const struct hash *const *one = a;
    const struct hash *const *two = b;
    int order = memcmp(*one, *two, sizeof **one);
    return order != 0 ? order : (*one > *two) - (*one < *two);
}

/* A digest that is asked for twice is answered once. */
static void drop_repeats(struct question *question)
{
    const struct hash *sorted[DIGESTS_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < question->count; i++) {
        sorted[i] = &question->digests[i];
    }
    qsort(sorted, question->count, sizeof *sorted, compare);
    for (size_t i = 1; i < question->count; i++) {
        if (hash_equal(sorted[i - 1], sorted[i])) {
            question->texts[sorted[i] - question->digests] = NULL;
        }
    }
    for (size_t i = 0; i < question->count; i++) {
        if (question->texts[i]) {
            question->digests[kept] = question->digests[i];
            question->texts[kept++] = question->texts[i];
        }
    }
    question->count = kept;
}

static enum err question_read(struct question *out, const json_t *json, struct why *why)
{
    const json_t *list = json_object_get(json, "sha256");
    out->by = list ? NODE_BY_SHA256 : NODE_BY_SM3;
    out->list = list ? list : json_object_get(json, "sm3");
    out->count = json_array_size(out->list);
    if (json_object_size(json) != 1) {
        return why_say(why, ERR_FORMAT, "body", NULL, "is not one list of one kind of digests",
                       HELP);
    }
    if (out->count == 0 || out->count > DIGESTS_MAX) {
        return why_sayf(why, ERR_RANGE, "digests", "must be 1 to 1,000", HELP, "%zu", out->count);
    }
    for (size_t i = 0; i < out->count; i++) {
        const char *hex = json_string_value(json_array_get(out->list, i));
        enum err err =
            hex ? hex_read(out->digests[i].at, sizeof out->digests[i].at, bytes_text(hex))
                : ERR_TYPE;
        if (err != OK) {
            return why_say(why, err, "digest", hex, NULL, "Give 64 hex digits each.");
        }
        out->texts[i] = hex;
    }
    drop_repeats(out);
    return OK;
}

static void respond(struct exchange *exchange, const struct answering *answering)
{
    struct response *response = exchange_response(exchange);
    put(&response->body, "{\"found\":{");
    buf_put(&response->body, buf_bytes(&answering->found));
    put(&response->body, "},\"absent\":[");
    buf_put(&response->body, buf_bytes(&answering->absent));
    put(&response->body, "]}");
    response->status = 200;
    response->content_type = "application/json";
}

static enum err look_up(struct node *node, struct exchange *exchange, const json_t *json,
                        struct why *why)
{
    struct question *question = mem_zalloc(sizeof *question);
    struct answering answering = {.exchange = exchange, .node = node, .question = question};
    enum err err = question_read(question, json, why);
    if (err == OK) {
        err = node_find_each(node, question->by, question->digests, question->count, take,
                             &answering);
        if (err != OK) {
            why_say(why, err, "digests", NULL, NULL, "Try again; if it stays, ask the operator.");
        }
    }
    if (err == OK) {
        respond(exchange, &answering);
    }
    free(question);
    buf_clear(&answering.found);
    buf_clear(&answering.absent);
    return err;
}

void post_digests(void *context, struct exchange *exchange)
{
    const struct buf *body = exchange_body(exchange);
    json_t *json = json_loadb((const char *)body->at, body->len, JSON_REJECT_DUPLICATES, NULL);
    struct why why = {0};
    enum err err = json ? look_up(api_node(context), exchange, json, &why)
                        : why_say(&why, ERR_FORMAT, "body", NULL, "is not JSON", HELP);
    json_decref(json);
    if (err != OK) {
        respond_problem(exchange, err, &why);
    }
}
