#include "http/evidence.h"

#include "base/clock.h"
#include "codec/text.h"
#include "http/access.h"
#include "http/api.h"
#include "http/problem.h"
#include "http/render.h"
#include "modules/evidence/evidence.h"

#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 100
#define LIST_MAX     1000

/* ---- what a client names */

/* A statement id in hex with perhaps ".NUMBER", or an evidence id. */
struct name {
    bool whole; /* `id` is complete */
    struct hash id;
    uint16_t number;
};

static enum err number_read(uint16_t *out, const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value > UINT16_MAX) {
        return ERR_RANGE;
    }
    *out = (uint16_t)value;
    return OK;
}

static enum err name_read(struct name *out, const char *text)
{
    *out = (struct name){0};
    size_t hex_len = strcspn(text, ".");
    if (hex_len == 2 * sizeof out->id.at) {
        out->whole = true;
        TRY(hex_read(out->id.at, sizeof out->id.at,
                     (struct bytes){(const uint8_t *)text, hex_len}));
        return text[hex_len] ? number_read(&out->number, text + hex_len + 1) : OK;
    }
    return evidence_id_read(out->id.at, &out->number, bytes_text(text));
}

static enum err find_name(struct node *node, const struct name *name, node_found_fn *each,
                          void *context)
{
    return name->whole ? node_find(node, NODE_BY_STATEMENT, hash_bytes(&name->id), name->number,
                                   each, context)
                       : node_find_prefix(node, name->id.at, name->number, each, context);
}

/* Reads the id of the path, or answers what is wrong with it. */
static bool path_name(struct exchange *exchange, struct name *name)
{
    const char *text = exchange_part(exchange, 0);
    enum err err = name_read(name, text);
    if (err != OK) {
        respond_refusal(exchange, err, "id", text,
                        "Give an evidence id (28 characters) or a statement id (64 hex digits), "
                        "copied whole.");
    }
    return err == OK;
}

static void respond_find_error(struct exchange *exchange, enum err err, const char *field,
                               const char *value)
{
    respond_refusal(exchange, err, field, value,
                    err == ERR_NOT_FOUND ? "Check it against what the depositor was given."
                                         : "Try again; if it stays, ask the operator.");
}

/* ---- records */

struct listing {
    struct exchange *exchange; /* who asks */
    struct node *node;
    json_t *list;
    size_t left;
    struct bytes submitter; /* of the evidence that is spoken about */
};

static void said_common(json_t *object, const struct node_found *found,
                        const struct statement *statement, const char *action)
{
    json_set_hex(object, "statement", hash_bytes(&found->id));
    json_object_set_new(object, "action", json_string(action));
    json_set_text(object, "by", statement->iss);
    json_set_uint(object, "index", found->index);
    json_set_uint(object, "height", found->height);
    json_set_time(object, found->time_ms);
}

/* A withdrawal or a supersession counts only from the depositor; a countersignature from anybody.
 */
static json_t *render_said(const struct node_found *found, const struct statement *statement,
                           struct bytes submitter)
{
    json_t *object = json_object();
    struct bytes payload = statement->sign1.payload;
    bool own = bytes_equal(statement->iss, submitter);
    struct evidence_supersede supersede;
    struct evidence_withdraw withdraw;
    struct evidence_countersign countersign;
    if (bytes_equal(statement->content_type, bytes_text(EVIDENCE_TYPE("supersede"))) &&
        evidence_supersede_parse(&supersede, payload) == OK) {
        said_common(object, found, statement, "supersede");
        json_set_uint(object, "number", supersede.old.number);
        json_set_text(object, "reason", supersede.reason);
        json_t *next = json_object();
        json_set_evidence(next, &supersede.new.statement, supersede.new.number);
        json_object_set_new(object, "new", next);
    } else if (bytes_equal(statement->content_type, bytes_text(EVIDENCE_TYPE("withdraw"))) &&
               evidence_withdraw_parse(&withdraw, payload) == OK) {
        said_common(object, found, statement, "withdraw");
        json_set_uint(object, "number", withdraw.place.number);
        json_set_text(object, "reason", withdraw.reason);
    } else if (evidence_countersign_parse(&countersign, payload) == OK) {
        said_common(object, found, statement, "countersign");
        json_set_uint(object, "number", countersign.place.number);
        json_set_text(object, "role", countersign.role);
        own = true;
    }
    json_object_set_new(object, "counts", json_boolean(own));
    return object;
}

static bool add_said(void *context, struct node_found *found)
{
    struct listing *listing = context;
    struct statement statement;
    if (statement_parse(&statement, buf_bytes(&found->entry), NULL) == OK) {
        json_array_append_new(listing->list, render_said(found, &statement, listing->submitter));
    }
    return --listing->left > 0;
}

static json_t *said_about(struct node *node, const struct node_found *found)
{
    struct listing listing = {.node = node, .list = json_array(), .left = LIST_MAX};
    struct statement statement;
    if (statement_parse(&statement, buf_bytes(&found->entry), NULL) == OK) {
        listing.submitter = statement.iss;
    }
    enum err err = node_find(node, NODE_BY_TARGET, hash_bytes(&found->id), 0, add_said, &listing);
    (void)err; /* nothing was said, or the list holds what could be read */
    return listing.list;
}

static bool add_record(void *context, struct node_found *found)
{
    struct listing *listing = context;
    if (!access_may_read(listing->exchange, listing->node, found)) {
        return true;
    }
    json_t *record = render_found(found);
    json_object_set_new(record, "said", said_about(listing->node, found));
    json_array_append_new(listing->list, record);
    return --listing->left > 0;
}

static void respond_listing(struct exchange *exchange, struct listing *listing)
{
    json_t *object = json_object();
    json_object_set_new(object, "evidence", listing->list);
    respond_json(exchange, 200, object);
}

void get_evidence(void *context, struct exchange *exchange)
{
    struct name name;
    if (!path_name(exchange, &name)) {
        return;
    }
    struct listing listing = {
        .exchange = exchange, .node = api_node(context), .list = json_array(), .left = LIST_MAX};
    enum err err = find_name(api_node(context), &name, add_record, &listing);
    if (err == OK && json_array_size(listing.list) == 0) {
        err = ERR_NOT_FOUND; /* for whoever asks */
    }
    if (err != OK) {
        json_decref(listing.list);
        respond_find_error(exchange, err, "id", exchange_part(exchange, 0));
        return;
    }
    respond_listing(exchange, &listing);
}

/* The one query parameter that says what to look for. */
static const char *query_key(struct exchange *exchange, enum node_find_by *by, const char **name)
{
    static const char *const names[] = {"sha256", "sm3", "ref"};
    static const enum node_find_by bys[] = {NODE_BY_SHA256, NODE_BY_SM3, NODE_BY_REF};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = exchange_query(exchange, names[i]);
        if (value) {
            *by = bys[i];
            *name = names[i];
            return value;
        }
    }
    return NULL;
}

/* How many places are asked for, 100 unless said; ERR_RANGE if that is not 1 to 1,000. */
static enum err query_limit(struct exchange *exchange, uint64_t *out)
{
    const char *text = exchange_query(exchange, "limit");
    *out = LIST_DEFAULT;
    enum err err = text ? text_uint(out, text) : OK;
    return err == OK && (*out < 1 || *out > LIST_MAX) ? ERR_RANGE : err;
}

void get_evidence_query(void *context, struct exchange *exchange)
{
    enum node_find_by by;
    const char *name;
    const char *value = query_key(exchange, &by, &name);
    if (!value) {
        respond_refusal(exchange, ERR_FORMAT, "query", NULL,
                        "Ask with ?sha256=, ?sm3= or ?ref= and hex digits.");
        return;
    }
    uint8_t key[32];
    size_t len = by == NODE_BY_REF ? REF_LEN : sizeof key;
    enum err err = hex_read(key, len, bytes_text(value));
    if (err != OK) {
        respond_refusal(exchange, err, name, value,
                        by == NODE_BY_REF ? "Give 32 hex digits." : "Give 64 hex digits.");
        return;
    }
    uint64_t limit;
    err = query_limit(exchange, &limit);
    if (err != OK) {
        respond_refusal(exchange, err, "limit", exchange_query(exchange, "limit"),
                        "Give a number from 1 to 1,000.");
        return;
    }
    struct listing listing = {.exchange = exchange,
                              .node = api_node(context),
                              .list = json_array(),
                              .left = (size_t)limit};
    err = node_find(api_node(context), by, (struct bytes){key, len}, 0, add_record, &listing);
    if (err == OK && json_array_size(listing.list) == 0) {
        err = ERR_NOT_FOUND;
    }
    if (err != OK) {
        json_decref(listing.list);
        respond_find_error(exchange, err, name, value);
        return;
    }
    respond_listing(exchange, &listing);
}

/* ---- bytes: entries, items, proofs */

struct taken {
    struct exchange *exchange; /* who asks */
    struct node *node;
    bool found;
    struct node_found place; /* its buffers were moved here */
};

static bool take_first(void *context, struct node_found *found)
{
    struct taken *taken = context;
    if (!access_may_read(taken->exchange, taken->node, found)) {
        return true;
    }
    taken->found = true;
    taken->place = *found;
    found->entry = (struct buf){0};
    found->item = (struct buf){0};
    return false;
}

/* Finds the one statement of the path, or answers why not. */
static bool take_path(struct node *node, struct exchange *exchange, const char *number,
                      struct taken *taken)
{
    struct name name;
    *taken = (struct taken){.exchange = exchange, .node = node};
    if (!path_name(exchange, &name)) {
        return false;
    }
    if (number && number_read(&name.number, number) != OK) {
        respond_refusal(exchange, ERR_RANGE, "number", number, "Give 0 to 65,535.");
        return false;
    }
    enum err err = find_name(node, &name, take_first, taken);
    err = err == OK && !taken->found ? ERR_NOT_FOUND : err;
    if (err != OK) {
        respond_find_error(exchange, err, "id", exchange_part(exchange, 0));
    }
    return err == OK;
}

void get_statement(void *context, struct exchange *exchange)
{
    struct taken taken;
    if (take_path(api_node(context), exchange, NULL, &taken)) {
        respond_bytes(exchange, "application/cose; cose-type=\"cose-sign1\"", &taken.place.entry);
        exchange_response(exchange)->caching = CACHE_FOREVER;
    }
    node_found_clear(&taken.place);
}

void get_statement_items(void *context, struct exchange *exchange)
{
    struct taken taken;
    if (take_path(api_node(context), exchange, NULL, &taken)) {
        struct buf items = {0};
        struct view *view = node_view(api_node(context));
        enum err err = taken.place.is_deposit
                           ? view_items(view, taken.place.index, taken.place.count, &items)
                           : ERR_NOT_FOUND;
        view_release(view);
        if (err == OK) {
            respond_bytes(exchange, "application/cbor-seq", &items);
            exchange_response(exchange)->caching = CACHE_FOREVER;
        } else {
            respond_find_error(exchange, err, "items", exchange_part(exchange, 0));
        }
        buf_clear(&items);
    }
    node_found_clear(&taken.place);
}

static void respond_proof(struct node *node, struct exchange *exchange, const char *number)
{
    struct taken taken;
    if (take_path(node, exchange, number, &taken)) {
        struct buf proof = {0};
        struct why why = {0};
        enum err err = node_prove(node, taken.place.index, taken.place.number,
                                  number && taken.place.is_deposit, &proof, &why);
        if (err == OK) {
            respond_bytes(exchange, "application/vnd.cairn.proof+cose", &proof);
        } else {
            respond_problem(exchange, err, &why);
        }
        buf_clear(&proof);
    }
    node_found_clear(&taken.place);
}

void get_proof(void *context, struct exchange *exchange)
{
    respond_proof(api_node(context), exchange, exchange_part(exchange, 1));
}

void get_shared_proof(void *context, struct exchange *exchange)
{
    respond_proof(api_node(context), exchange, NULL);
}
