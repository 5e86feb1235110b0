#include "http/scitt.h"

#include "base/log.h"
#include "codec/text.h"
#include "http/access.h"
#include "http/api.h"
#include "http/negotiate.h"
#include "http/problem.h"
#include "proof/cosekey.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES       "/entries/"
#define BASE64URL_KID 43 /* characters of 32 bytes */

/* ---- entries */

static void set_location(struct exchange *exchange, const struct hash *id)
{
    char location[sizeof ENTRIES + 2 * sizeof id->at] = ENTRIES;
    hex_write(location + strlen(ENTRIES), hash_bytes(id));
    response_header(exchange, "Location", location);
}

enum entry_form { FORM_COSE, FORM_RECEIPT, FORM_STATEMENT }; /* as SCITT_TYPES has them */

static void respond_entry(struct node *node, struct exchange *exchange, uint64_t index)
{
    struct buf body = {0};
    struct why why = {0};
    static const char *const types[] = {"application/cose", "application/scitt-receipt+cose",
                                        "application/scitt-statement+cose"};
    int form = exchange_choose(exchange, SCITT_TYPES);
    enum err err = form == FORM_STATEMENT ? node_transparent(node, index, &body, &why)
                                          : node_entry_receipt(node, index, &body, &why);
    if (err == OK) {
        respond_bytes(exchange, types[form < 0 ? FORM_COSE : form], &body);
        exchange_response(exchange)->caching = CACHE_REVALIDATE;
        response_header(exchange, "Vary", "Accept");
    } else {
        respond_problem(exchange, err, &why);
    }
    buf_clear(&body);
}

struct registering {
    struct exchange *exchange;
    struct node_answers *answers; /* one */
};

static void registering_free(void *kept)
{
    struct registering *registering = kept;
    free(registering->answers);
    free(registering);
}

/* Who brought it: the ledger knows only who signed. */
static void say_registered(const struct exchange *exchange, const struct hash *statement)
{
    char id[2 * sizeof statement->at + 1];
    const struct reader *reader = access_member(exchange);
    if (reader) {
        hex_write(id, hash_bytes(statement));
        log_event(LOG_INFO, "scitt.registered", "member=%s statement=%s request=%s", reader->member,
                  id, exchange_request_id(exchange));
    }
}

static void finish(void *context, struct exchange *exchange)
{
    const struct registering *registering = exchange_kept(exchange);
    const struct node_answer *answer = &registering->answers->at[0];
    if (answer->err != OK) {
        access_respond(exchange, api_access(context), answer->err, &answer->why);
        return;
    }
    say_registered(exchange, &answer->id);
    respond_entry(api_node(context), exchange, answer->index);
    if (exchange_response(exchange)->status == 200) {
        exchange_response(exchange)->status = 201;
        set_location(exchange, &answer->id);
    }
}

/* On a thread of the node. */
static void answered(void *context, struct node_answers *answers)
{
    struct registering *registering = context;
    registering->answers = answers;
    exchange_resume(registering->exchange, finish);
}

static void fail_now(void *context, struct exchange *exchange)
{
    (void)context;
    (void)exchange; /* the response is set */
}

void post_entry(void *context, struct exchange *exchange)
{
    struct why why = {0};
    struct registering *registering = mem_zalloc(sizeof *registering);
    registering->exchange = exchange;
    exchange_keep(exchange, registering, registering_free);
    exchange_suspend(exchange, NULL);
    enum err err = node_submit_one(api_node(context), exchange_body(exchange),
                                   access_member(exchange) != NULL, answered, registering, &why);
    if (err != OK) {
        respond_problem(exchange, err, &why);
        exchange_resume(exchange, fail_now);
    }
}

struct place_of {
    struct exchange *exchange; /* who asks */
    struct node *node;
    bool found;
    struct hash id;
    uint64_t index;
};

static bool take_place(void *context, struct node_found *found)
{
    struct place_of *place = context;
    if (!access_may_read(place->exchange, place->node, found)) {
        return true;
    }
    place->found = true;
    place->id = found->id;
    place->index = found->index;
    return false;
}

void get_entry(void *context, struct exchange *exchange)
{
    const char *text = exchange_part(exchange, 0);
    struct place_of place = {.exchange = exchange, .node = api_node(context)};
    struct hash id;
    enum err err = hex_read(id.at, sizeof id.at, bytes_text(text));
    if (err == OK) {
        err =
            node_find(api_node(context), NODE_BY_STATEMENT, hash_bytes(&id), 0, take_place, &place);
    }
    err = err == OK && !place.found ? ERR_NOT_FOUND : err;
    if (err == OK) {
        respond_entry(api_node(context), exchange, place.index);
        set_location(exchange, &place.id);
    } else {
        respond_refusal(exchange, err, "entry", text,
                        "Give the 64 hex digits of the Location header that its registration got.");
    }
}

/* ---- keys */

static void add_key(void *context, const struct hash *kid, const struct key_record *record)
{
    cose_key_write(context, kid, record);
}

struct key_set {
    struct buf keys;
    size_t count;
};

static void add_to_set(void *context, const struct hash *kid, const struct key_record *record)
{
    struct key_set *set = context;
    cose_key_write(&set->keys, kid, record);
    set->count++;
}

void get_scitt_keys(void *context, struct exchange *exchange)
{
    struct key_set set = {0};
    struct buf body = {0};
    enum err err = node_receipt_keys(api_node(context), add_to_set, &set);
    if (err == OK) {
        cbor_put_array(&body, set.count);
        buf_put(&body, buf_bytes(&set.keys));
        respond_bytes(exchange, "application/cbor", &body);
        exchange_response(exchange)->caching = CACHE_REVALIDATE;
    } else {
        respond_refusal(exchange, err, "keys", NULL, "Try again; if it stays, ask the operator.");
    }
    buf_clear(&set.keys);
    buf_clear(&body);
}

/* A kid in base64url or in hex. */
static enum err kid_read(struct hash *out, const char *text)
{
    struct buf bytes = {0};
    if (strlen(text) != BASE64URL_KID) {
        return hex_read(out->at, sizeof out->at, bytes_text(text));
    }
    TRY(base64url_append(&bytes, bytes_text(text)));
    memcpy(out->at, bytes.at, sizeof out->at);
    buf_clear(&bytes);
    return OK;
}

void get_scitt_key(void *context, struct exchange *exchange)
{
    const char *text = exchange_part(exchange, 0);
    struct buf body = {0};
    struct hash kid;
    enum err err = kid_read(&kid, text);
    if (err == OK) {
        err = node_receipt_key(api_node(context), &kid, add_key, &body);
    }
    if (err == OK) {
        respond_bytes(exchange, "application/cbor", &body);
        exchange_response(exchange)->caching = CACHE_FOREVER;
    } else {
        respond_refusal(exchange, err, "kid", text,
                        "Give the kid of a receipt, in base64url without padding or in hex.");
    }
    buf_clear(&body);
}
