/* POST /v1/statements and POST /v1/batches. Both suspend until the ledger has answered; the answer
 * is rendered on the loop thread, so that the ledger's own thread goes on. */
#include "http/submit.h"

#include "codec/text.h"
#include "http/api.h"
#include "http/problem.h"
#include "http/render.h"

#include <stdlib.h>

/* ---- answers */

struct pending {
    struct exchange *exchange;
    struct node_answers *answers;
    /* Of a batch: */
    struct hash id;
    struct buf head; /* the statement, or as much of it as has come */
    bool head_done;
    struct items *items;
};

static void pending_free(void *kept)
{
    struct pending *pending = kept;
    free(pending->answers);
    buf_clear(&pending->head);
    if (pending->items) {
        items_free(pending->items);
    }
    free(pending);
}

static struct pending *pending_of(struct exchange *exchange)
{
    struct pending *pending = exchange_kept(exchange);
    if (!pending) {
        pending = mem_zalloc(sizeof *pending);
        pending->exchange = exchange;
        exchange_keep(exchange, pending, pending_free);
    }
    return pending;
}

static void finish(void *context, struct exchange *exchange)
{
    const struct node_answers *answers = pending_of(exchange)->answers;
    size_t refused = 0;
    for (size_t i = 0; i < answers->count; i++) {
        refused += answers->at[i].err != OK;
    }
    if (answers->count == 1 && refused == 1) {
        access_respond(exchange, api_access(context), answers->at[0].err, &answers->at[0].why);
        return;
    }
    struct response *response = exchange_response(exchange);
    render_answers(&response->body, answers);
    response->status = refused ? 207 : 201;
    response->content_type = "application/json";
}

/* On a thread of the node. */
static void answered(void *context, struct node_answers *answers)
{
    struct pending *pending = context;
    pending->answers = answers;
    exchange_resume(pending->exchange, finish);
}

/* Ids of what was submitted, for whoever asks later; the body is what the node borrows. */
static json_t *statement_ids(struct exchange *exchange)
{
    const struct pending *pending = pending_of(exchange);
    struct bytes rest = buf_bytes(exchange_body(exchange));
    json_t *ids = json_array();
    struct statement statement;
    struct hash id = pending->id;
    char text[2 * sizeof id.at + 1] = {0};
    if (pending->head_done) {
        hex_write(text, hash_bytes(&id));
        json_array_append_new(ids, json_string(text));
    }
    while (rest.len > 0 && statement_parse_first(&statement, rest, &rest, NULL) == OK) {
        statement_id(&id, &statement, NULL);
        hex_write(text, hash_bytes(&id));
        json_array_append_new(ids, json_string(text));
    }
    return ids;
}

/* The ledger has not answered in time; what became of the statements can be asked for. */
static void late(void *context, struct exchange *exchange)
{
    (void)context;
    struct why why;
    why_say(&why, ERR_TIMEOUT, "statements", NULL, "are not decided yet",
            "Send them again, which is always safe, or ask for their ids in a while.");
    json_t *problem = problem_json(ERR_TIMEOUT, &why);
    json_object_set_new(problem, "statements", statement_ids(exchange));
    respond_json(exchange, problem_status(ERR_TIMEOUT), problem);
    exchange_response(exchange)->content_type = "application/problem+json";
}

static void fail_now(void *context, struct exchange *exchange)
{
    (void)context;
    (void)exchange; /* the response is set */
}

void post_statements(void *context, struct exchange *exchange)
{
    struct why why = {0};
    struct pending *pending = pending_of(exchange);
    exchange_suspend(exchange, late);
    struct bytes body = buf_bytes(exchange_body(exchange));
    enum err err = node_submit(api_node(context), body, access_member(exchange) != NULL, answered,
                               pending, &why);
    if (err != OK) {
        respond_problem(exchange, err, &why);
        exchange_resume(exchange, fail_now);
    }
}

/* ---- batches */

/* Gathers the statement; returns what of the part comes after it. */
static struct bytes take_head(struct node *node, struct exchange *exchange, struct pending *pending,
                              struct bytes part)
{
    struct sign1 sign1;
    struct bytes rest;
    buf_put(&pending->head, part);
    enum err err = sign1_parse_first(&sign1, buf_bytes(&pending->head), &rest);
    if (err == ERR_TRUNCATED && pending->head.len <= ENTRY_MAX) {
        return BYTES_NONE;
    }
    struct deposit deposit;
    struct why why = {0};
    if (err != OK) {
        why_say(&why, err, "statement", NULL, "does not begin the body as a COSE_Sign1",
                "Send the deposit's statement, then its items.");
    } else {
        size_t len = pending->head.len - rest.len;
        err = node_batch_head(node, (struct bytes){pending->head.at, len}, &deposit, &why);
    }
    if (err != OK) {
        respond_problem(exchange, err, &why);
        return BYTES_NONE;
    }
    pending->head_done = true;
    pending->items = items_new(deposit.count);
    pending->head.len -= rest.len;
    return (struct bytes){part.at + part.len - rest.len, rest.len};
}

void stream_batch(void *context, struct exchange *exchange, struct bytes part)
{
    struct pending *pending = pending_of(exchange);
    if (!pending->head_done) {
        part = take_head(api_node(context), exchange, pending, part);
    }
    struct why why = {0};
    if (pending->head_done && part.len > 0) {
        enum err err = items_feed(pending->items, part, &why);
        if (err != OK) {
            respond_problem(exchange, err, &why);
        }
    }
}

void post_batch(void *context, struct exchange *exchange)
{
    struct pending *pending = pending_of(exchange);
    if (!pending->head_done) {
        respond_refusal(exchange, ERR_TRUNCATED, "statement", NULL,
                        "Send the deposit's statement, then its items.");
        return;
    }
    struct why why = {0};
    struct items *items = pending->items;
    struct statement statement;
    if (statement_parse(&statement, buf_bytes(&pending->head), NULL) == OK) {
        statement_id(&pending->id, &statement, NULL);
    }
    pending->items = NULL;
    exchange_suspend(exchange, late);
    enum err err =
        node_submit_batch(api_node(context), &pending->head, items, answered, pending, &why);
    if (err != OK) {
        pending->items = items;
        respond_problem(exchange, err, &why);
        exchange_resume(exchange, fail_now);
    }
}
