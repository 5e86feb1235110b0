#include "http/queries.h"

#include "codec/text.h"
#include "http/access.h"
#include "http/api.h"
#include "http/negotiate.h"
#include "http/problem.h"
#include "http/render.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX 1000

/* The API's description, as the file docs/openapi.yaml stands. */
extern const char openapi_text[];

void get_openapi(void *context, struct exchange *exchange)
{
    (void)context;
    struct buf body = {0};
    buf_put(&body, bytes_text(openapi_text));
    respond_bytes(exchange, "application/yaml", &body);
    exchange_response(exchange)->caching = CACHE_REVALIDATE;
}

static json_t *render_read_only(struct node *node)
{
    struct why why;
    if (!node_read_only(node, &why)) {
        return json_null();
    }
    json_t *object = json_object();
    json_object_set_new(object, "field", json_string(why.field));
    json_object_set_new(object, "problem", json_string(why.problem));
    json_object_set_new(object, "remedy", json_string(why.remedy));
    return object;
}

/* The vkey by which others check the checkpoints; null where the node signs none. */
static json_t *render_checkpoint_key(struct node *node)
{
    struct why why;
    struct buf vkey = {0};
    enum err err = node_checkpoint_key(node, &vkey, &why);
    json_t *text = err == OK ? json_stringn((const char *)vkey.at, vkey.len) : json_null();
    buf_clear(&vkey);
    return text;
}

void get_ledger(void *context, struct exchange *exchange)
{
    struct node *node = api_node(context);
    struct view *view = node_view(node);
    json_t *object = json_object();
    json_set_text(object, "name", node_ledger_name(node));
    json_set_hex(object, "chain", hash_bytes(node_chain(node)));
    json_set_text(object, "node", node_name(node));
    json_object_set_new(object, "version", json_string(CAIRN_VERSION));
    json_object_set_new(object, "checkpoint_key", render_checkpoint_key(node));
    json_object_set_new(object, "read_only", render_read_only(node));
    json_object_set_new(object, "head", render_header(view_header(view)));
    view_release(view);
    respond_json(exchange, 200, object);
}

static void respond_block(struct exchange *exchange, struct buf *bytes)
{
    struct header header;
    response_header(exchange, "Vary", "Accept");
    if (exchange_choose(exchange, BLOCK_TYPES) == 1) {
        respond_bytes(exchange, "application/cbor", bytes);
    } else if (header_parse(&header, buf_bytes(bytes)) == OK) {
        respond_json(exchange, 200, render_header(&header));
    } else {
        respond_refusal(exchange, ERR_CORRUPT, "block", NULL, "Ask the operator.");
    }
}

void get_block(void *context, struct exchange *exchange)
{
    const char *text = exchange_part(exchange, 0);
    bool latest = strcmp(text, "latest") == 0;
    struct view *view = node_view(api_node(context));
    uint64_t height = view_header(view)->height;
    enum err err = latest ? OK : text_uint(&height, text);
    struct buf bytes = {0};
    if (err == OK) {
        err = view_block(view, height, &bytes);
    }
    if (err == OK) {
        respond_block(exchange, &bytes);
        exchange_response(exchange)->caching = latest ? CACHE_REVALIDATE : CACHE_FOREVER;
    } else {
        respond_refusal(exchange, err == ERR_RANGE ? ERR_NOT_FOUND : err, "height", text,
                        "Give a height up to that of the newest block, or 'latest'.");
    }
    view_release(view);
    buf_clear(&bytes);
}

/* ---- members */

static bool add_member(void *context, struct bytes key, struct bytes value)
{
    json_t *list = context;
    struct cbor_reader reader;
    struct member_record record;
    cbor_init(&reader, key);
    cbor_array(&reader, 2, 2);
    struct bytes family = cbor_text(&reader, 1, 16);
    if (!bytes_equal(family, bytes_text("member"))) {
        return false; /* the members stand together in key order */
    }
    struct bytes id = cbor_text(&reader, 1, MEMBER_ID_MAX);
    if (cbor_end(&reader) == OK && member_record_parse(&record, value) == OK) {
        json_array_append_new(list, render_member(id, &record));
    }
    return json_array_size(list) < MEMBERS_MAX;
}

void get_members(void *context, struct exchange *exchange)
{
    struct buf after = {0};
    const char *text = exchange_query(exchange, "after");
    member_state_key(&after, bytes_text(text ? text : ""));
    json_t *list = json_array();
    struct view *view = node_view(api_node(context));
    enum err err = view_state_scan(view, bytes_text(MEMBER_MODULE), buf_bytes(&after), SIZE_MAX,
                                   add_member, list);
    view_release(view);
    buf_clear(&after);
    if (err != OK) {
        json_decref(list);
        respond_refusal(exchange, err, "members", NULL,
                        "Try again; if it stays, ask the operator.");
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "members", list);
    respond_json(exchange, 200, object);
}

/* Reads one state value of module member. */
static enum err member_value(struct node *node, struct bytes key, struct buf *value)
{
    struct state_answer answer = {0};
    struct view *view = node_view(node);
    enum err err = view_state(view, bytes_text(MEMBER_MODULE), key, &answer);
    view_release(view);
    *value = answer.value;
    answer.value = (struct buf){0};
    state_answer_clear(&answer);
    return err;
}

void get_member(void *context, struct exchange *exchange)
{
    const char *id = exchange_part(exchange, 0);
    struct buf key = {0};
    struct buf value = {0};
    struct member_record record;
    member_state_key(&key, bytes_text(id));
    enum err err = member_value(api_node(context), buf_bytes(&key), &value);
    if (err == OK) {
        err = member_record_parse(&record, buf_bytes(&value));
    }
    if (err == OK && !access_reads_about(exchange, bytes_text(id))) {
        err = ERR_NOT_FOUND; /* for whoever asks */
    }
    if (err == OK) {
        respond_json(exchange, 200, render_member(bytes_text(id), &record));
    } else {
        respond_refusal(exchange, err, "member", id, "See 'cairn member list'.");
    }
    buf_clear(&key);
    buf_clear(&value);
}

void get_key(void *context, struct exchange *exchange)
{
    const char *text = exchange_part(exchange, 0);
    struct hash kid;
    struct buf key = {0};
    struct buf value = {0};
    struct key_record record;
    enum err err = hex_read(kid.at, sizeof kid.at, bytes_text(text));
    if (err == OK) {
        key_record_state_key(&key, &kid);
        err = member_value(api_node(context), buf_bytes(&key), &value);
    }
    if (err == OK) {
        err = key_record_parse(&record, NULL, buf_bytes(&value));
    }
    if (err == OK && !access_reads_about(exchange, record.member)) {
        err = ERR_NOT_FOUND; /* for whoever asks */
    }
    if (err == OK) {
        respond_json(exchange, 200, render_key(&kid, &record));
    } else {
        respond_refusal(
            exchange, err, "kid", text,
            "Give the 64 hex digits that 'cairn key show' prints; a key counts once its "
            "member was added.");
    }
    buf_clear(&key);
    buf_clear(&value);
}
