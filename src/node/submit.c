/* The way of a submission: split into statements, admitted in parallel, ordered, answered once all
 * have their answer. */
#include "node/internal.h"

#include "base/metrics.h"

#include <stdlib.h>
#include <string.h>

struct request;

/* One statement of a request, as the orderer's callback sees it. */
struct slot {
    struct request *request;
    size_t number;
};

struct request {
    struct node *node;
    struct buf body; /* from which the admissions borrow, unless they borrow from the caller's */
    struct admission *admissions;
    struct slot *slots;
    struct node_answers *answers;
    bool by_member;     /* foreign statements are taken */
    atomic_size_t open; /* statements without an answer, and one while they are handed on */
    answered_fn *done;
    void *context;
};

static struct request *request_new(struct node *node, size_t count, answered_fn *done,
                                   void *context)
{
    struct request *request = mem_zalloc(sizeof *request);
    request->node = node;
    request->admissions = mem_zalloc(count * sizeof *request->admissions);
    request->slots = mem_zalloc(count * sizeof *request->slots);
    request->answers = mem_zalloc(sizeof *request->answers + count * sizeof(struct node_answer));
    request->answers->count = count;
    request->done = done;
    request->context = context;
    for (size_t i = 0; i < count; i++) {
        request->slots[i] = (struct slot){request, i};
    }
    return request;
}

static void request_close(struct request *request)
{
    if (atomic_fetch_sub(&request->open, 1) != 1) {
        return;
    }
    request->done(request->context, request->answers);
    buf_clear(&request->body);
    free(request->admissions);
    free(request->slots);
    free(request);
}

static bool take_place(void *context, struct node_found *found)
{
    struct node_answer *answer = context;
    answer->err = OK;
    answer->seen = true;
    answer->index = found->index;
    answer->height = found->height;
    return false;
}

/* Past its validity the ledger compares no ids; what was stored before is answered from the index,
 * so that resending is safe at any time. */
static void answer_old(struct node *node, struct node_answer *answer)
{
    enum err err =
        node_find(node, NODE_BY_STATEMENT, hash_bytes(&answer->id), 0, take_place, answer);
    (void)err; /* nothing found: the refusal stands */
}

static void note_refusal(struct node *node, enum err err)
{
    atomic_fetch_add(&node->refused, 1);
    metric_add(METRIC_NODE_REFUSED, metric_reason(err), 1);
}

/* On the orderer's thread, after the block is durable. */
static void ordered(void *context, struct submission *submission, const struct order_result *result)
{
    struct slot *slot = context;
    struct request *request = slot->request;
    struct node_answer *answer = &request->answers->at[slot->number];
    answer->id = submission->id;
    answer->items = submission->items ? submission->items->count : 0;
    if (result->err != OK) {
        why_say(&answer->why, result->err, "ledger", NULL,
                result->err == ERR_REFUSED ? "does not write: its clock stepped"
                                           : "does not write any more",
                result->err == ERR_REFUSED ? "Check the clock, then run 'cairn clock accept'."
                                           : "Ask the operator; nothing acknowledged is lost.");
        answer->err = result->err;
    } else {
        answer->err = result->result->err;
        answer->seen = result->result->seen;
        answer->id = result->result->id;
        answer->index = result->result->index;
        answer->height = result->result->height;
        answer->why = result->result->why;
        request->answers->head = *result->head;
    }
    if (answer->err == ERR_EXPIRED) {
        answer_old(request->node, answer);
    }
    if (answer->err != OK) {
        note_refusal(request->node, answer->err);
    }
    submission_free(submission);
    request_close(request);
}

/* Whoever brings what others signed answers for it with a session. */
static enum err foreign_check(const struct request *request, struct admission *admission)
{
    if (admission->err != OK || request->by_member || !admission->out->statement.foreign) {
        return admission->err;
    }
    submission_free(admission->out);
    admission->out = NULL;
    return why_say(
        &admission->why, ERR_SIGN_IN, "foreign statement", NULL, "is taken only from a member",
        "Sign in at POST /v1/sessions ('cairn session new') and send the session's token.");
}

/* On a verifier's thread, once all statements of the request are admitted or refused. */
static void admitted(void *context)
{
    struct request *request = context;
    struct node *node = request->node;
    for (size_t i = 0; i < request->answers->count; i++) {
        struct admission *admission = &request->admissions[i];
        struct node_answer *answer = &request->answers->at[i];
        admission->err = foreign_check(request, admission);
        if (admission->err != OK) {
            answer->err = admission->err;
            answer->why = admission->why;
            atomic_fetch_add(&node->refused, 1);
            continue;
        }
        atomic_fetch_add(&request->open, 1);
        enum err err =
            node->order->submit(node->order, admission->out, ordered, &request->slots[i]);
        if (err != OK) {
            answer->err = why_say(&answer->why, err, "queue", NULL, "takes no more statements now",
                                  "Send the same statement again in a second.");
            note_refusal(node, err);
            submission_free(admission->out);
            atomic_fetch_sub(&request->open, 1); /* never the last: this function holds one */
        }
    }
    node->order->wake(node->order);
    request_close(request);
}

static enum err check_open(struct node *node, struct why *why)
{
    if (!node->order) {
        *why = node->read_only;
        return ERR_READ_ONLY;
    }
    return node_key_failed(node, why) ? ERR_READ_ONLY : OK;
}

static void start(struct request *request)
{
    atomic_store(&request->open, 1);
    admit_group(request->node->admit, request->admissions, request->answers->count, admitted,
                request);
}

static void parts_add(struct parts *parts, struct bytes part)
{
    if (parts->count == parts->cap) {
        struct bytes *more = mem_alloc(NODE_SUBMIT_MAX * sizeof *more);
        memcpy(more, parts->at, parts->count * sizeof *more);
        parts->at = more;
        parts->cap = NODE_SUBMIT_MAX;
    }
    parts->at[parts->count++] = part;
}

void parts_clear(struct parts *parts)
{
    if (parts->at != parts->few) {
        free(parts->at);
    }
}

enum err parts_split(struct parts *parts, struct bytes body, struct why *why)
{
    parts->at = parts->few;
    parts->count = 0;
    parts->cap = PARTS_FEW;
    while (body.len > 0) {
        if (parts->count == NODE_SUBMIT_MAX) {
            return why_say(why, ERR_RANGE, "body", NULL, "holds more than 4,096 statements",
                           "Split it into several requests.");
        }
        struct sign1 sign1;
        struct bytes rest;
        enum err err = sign1_parse_first(&sign1, body, &rest);
        if (err != OK) {
            return why_sayf(why, err, "body", "is no CBOR sequence of COSE_Sign1 statements",
                            "Send statements as the protocol describes, one after another.",
                            "statement %zu", parts->count);
        }
        parts_add(parts, (struct bytes){body.at, body.len - rest.len});
        body = rest;
    }
    return parts->count > 0 ? OK
                            : why_say(why, ERR_TRUNCATED, "body", NULL, "is empty",
                                      "Send at least one statement.");
}

enum err node_submit(struct node *node, struct bytes body, bool by_member, answered_fn *done,
                     void *context, struct why *why)
{
    TRY(check_open(node, why));
    struct parts parts;
    enum err err = parts_split(&parts, body, why);
    if (err == OK) {
        struct request *request = request_new(node, parts.count, done, context);
        for (size_t i = 0; i < parts.count; i++) {
            request->admissions[i].statement = parts.at[i];
        }
        request->by_member = by_member;
        start(request);
    }
    parts_clear(&parts);
    return err;
}

enum err node_submit_one(struct node *node, struct buf *body, bool by_member, answered_fn *done,
                         void *context, struct why *why)
{
    TRY(check_open(node, why));
    struct request *request = request_new(node, 1, done, context);
    request->body = *body;
    *body = (struct buf){0};
    request->admissions[0].statement = buf_bytes(&request->body);
    request->by_member = by_member;
    start(request);
    return OK;
}

enum err node_batch_head(struct node *node, struct bytes statement, struct deposit *deposit,
                         struct why *why)
{
    TRY(check_open(node, why));
    return admit_batch_head(node->admit, statement, deposit, why);
}

enum err node_submit_batch(struct node *node, struct buf *statement, struct items *items,
                           answered_fn *done, void *context, struct why *why)
{
    TRY(check_open(node, why));
    struct request *request = request_new(node, 1, done, context);
    request->body = *statement;
    *statement = (struct buf){0};
    request->admissions[0].statement = buf_bytes(&request->body);
    request->admissions[0].items = items;
    start(request);
    return OK;
}

void node_watch(struct node *node, node_changed_fn *changed, void *context)
{
    pthread_mutex_lock(&node->watch_lock);
    BUG_ON(node->watcher_count == NODE_WATCHERS_MAX);
    node->watchers[node->watcher_count++] = (struct watcher){changed, context};
    pthread_mutex_unlock(&node->watch_lock);
}

void node_unwatch(struct node *node, void *context)
{
    pthread_mutex_lock(&node->watch_lock);
    size_t kept = 0;
    for (size_t i = 0; i < node->watcher_count; i++) {
        if (node->watchers[i].context != context) {
            node->watchers[kept++] = node->watchers[i];
        }
    }
    node->watcher_count = kept;
    pthread_mutex_unlock(&node->watch_lock);
}
