#include "http/render.h"

#include "base/clock.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "http/problem.h"

#include <inttypes.h>
#include <stdlib.h>

void json_set_hex(json_t *object, const char *key, struct bytes value)
{
    if (value.len == 0) {
        json_object_set_new(object, key, json_null());
        return;
    }
    struct buf text = {0};
    hex_put(&text, value);
    json_object_set_new(object, key, json_stringn((const char *)text.at, text.len));
    buf_clear(&text);
}

void json_set_text(json_t *object, const char *key, struct bytes value)
{
    json_object_set_new(object, key,
                        value.len ? json_stringn((const char *)value.at, value.len) : json_null());
}

void json_set_uint(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

void json_set_time(json_t *object, uint64_t time_ms)
{
    char text[25];
    clock_format(text, time_ms);
    json_object_set_new(object, "time", json_string(text));
    json_set_uint(object, "time_ms", time_ms);
}

void json_set_evidence(json_t *object, const struct hash *statement, uint16_t number)
{
    char id[EVIDENCE_ID_LEN + 1];
    evidence_id_write(id, statement, number);
    json_object_set_new(object, "evidence", json_string(id));
    json_set_hex(object, "statement", hash_bytes(statement));
    json_set_uint(object, "number", number);
}

json_t *render_header(const struct header *header)
{
    struct hash hash;
    header_hash(&hash, header);
    json_t *object = json_object();
    json_set_uint(object, "epoch", header->epoch);
    json_set_uint(object, "height", header->height);
    json_set_time(object, header->time_ms);
    json_set_uint(object, "size", header->tree_size);
    json_set_hex(object, "root", hash_bytes(&header->tree_root));
    json_set_hex(object, "header_hash", hash_bytes(&hash));
    json_set_hex(object, "previous", hash_bytes(&header->previous));
    json_set_uint(object, "first_index", header->first_index);
    json_set_hex(object, "state_root", hash_bytes(&header->state_root));
    json_set_hex(object, "history_root", hash_bytes(&header->history_root));
    json_set_hex(object, "chain", hash_bytes(&header->chain));
    return object;
}

json_t *render_item(const struct item *item)
{
    json_t *object = json_object();
    json_object_set_new(object, "form",
                        json_string(item->form == ITEM_PLAIN ? "plain" : "blinded"));
    json_set_hex(object, "sha256", hash_bytes(&item->sha256));
    json_set_hex(object, "sm3", hash_bytes(&item->sm3));
    json_object_set_new(object, "size",
                        item->has_size ? json_integer((json_int_t)item->size) : json_null());
    json_set_text(object, "media_type", item->media_type);
    json_set_hex(object, "ref", item->ref);
    json_set_text(object, "phase", item->phase);
    json_set_hex(object, "commitment",
                 item->has_commitment ? hash_bytes(&item->commitment) : BYTES_NONE);
    return object;
}

static void set_statement(json_t *object, const struct statement *statement)
{
    json_set_text(object, "content_type", statement->content_type);
    json_set_text(object, "submitter", statement->iss);
    json_set_text(object, "subject", statement->sub);
    json_set_hex(object, "signer", statement->kid);
    json_set_hex(object, "mandate",
                 statement->has_mandate ? hash_bytes(&statement->mandate) : BYTES_NONE);
    json_object_set_new(object, "foreign", json_boolean(statement->foreign));
}

json_t *render_found(const struct node_found *found)
{
    json_t *object = json_object();
    json_set_evidence(object, &found->id, found->number);
    json_set_uint(object, "index", found->index);
    json_set_uint(object, "height", found->height);
    json_set_time(object, found->time_ms);
    struct statement statement;
    struct deposit deposit;
    struct item item;
    if (statement_parse(&statement, buf_bytes(&found->entry), NULL) != OK) {
        return object; /* the genesis document: an entry that is no statement */
    }
    set_statement(object, &statement);
    if (found->is_deposit && deposit_parse(&deposit, statement.sign1.payload) == OK &&
        item_parse(&item, buf_bytes(&found->item)) == OK) {
        json_set_text(object, "category", deposit.category);
        json_set_uint(object, "count", deposit.count);
        json_object_set_new(object, "item", render_item(&item));
    }
    return object;
}

json_t *render_member(struct bytes id, const struct member_record *record)
{
    static const char *const kinds[] = {"", "institution", "person", "application", "node"};
    json_t *object = json_object();
    json_set_text(object, "id", id);
    json_object_set_new(object, "kind", json_string(kinds[record->kind]));
    json_set_text(object, "institution", record->institution);
    json_t *roles = json_array();
    for (size_t i = 0; i < record->role_count; i++) {
        json_array_append_new(
            roles, json_stringn((const char *)record->roles[i].at, record->roles[i].len));
    }
    json_object_set_new(object, "roles", roles);
    json_t *keys = json_array();
    for (size_t i = 0; i < record->key_count; i++) {
        char hex[65];
        hex_write(hex, hash_bytes(&record->keys[i]));
        json_array_append_new(keys, json_string(hex));
    }
    json_object_set_new(object, "keys", keys);
    json_set_uint(object, "from", record->from);
    json_object_set_new(object, "until",
                        record->has_until ? json_integer((json_int_t)record->until) : json_null());
    return object;
}

json_t *render_key(const struct hash *kid, const struct key_record *record)
{
    static const char *const purposes[] = {"",           "member",    "foreign",  "receipt",
                                           "checkpoint", "consensus", "transport"};
    json_t *object = json_object();
    json_set_hex(object, "kid", hash_bytes(kid));
    json_object_set_new(object, "alg", json_string(alg_name(record->alg)));
    json_object_set_new(object, "purpose", json_string(purposes[record->purpose]));
    json_set_text(object, "member", record->member);
    json_set_hex(object, "spki", record->spki);
    json_set_uint(object, "from", record->from);
    json_object_set_new(object, "until",
                        record->has_until ? json_integer((json_int_t)record->until) : json_null());
    return object;
}

/* ---- answers of a submission */

/* Of one answer that is OK, with every number at its longest. */
#define ANSWER_MAX 384

static void put_literal(struct buf *out, const char *text)
{
    buf_put(out, bytes_text(text));
}

static void put_json_object(struct buf *out, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    BUG_ON(text == NULL);
    put_literal(out, text);
    free(text);
    json_decref(object);
}

/* What stands behind "ok" of a statement that is stored. */
static void render_place(struct buf *out, const struct node_answer *answer)
{
    char text[ANSWER_MAX];
    int len = snprintf(text, sizeof text, ",\"seen\":%s", answer->seen ? "true" : "false");
    if (answer->items > 0) {
        char id[EVIDENCE_ID_LEN + 1];
        evidence_id_write(id, &answer->id, 0);
        len += snprintf(text + len, sizeof text - (size_t)len,
                        ",\"evidence\":\"%s\",\"items\":%" PRIu32, id, answer->items);
    }
    len += snprintf(text + len, sizeof text - (size_t)len,
                    ",\"index\":%" PRIu64 ",\"height\":%" PRIu64, answer->index, answer->height);
    BUG_ON(len >= (int)sizeof text);
    buf_put(out, (struct bytes){(const uint8_t *)text, (size_t)len});
}

static void render_answer(struct buf *out, const struct node_answer *answer)
{
    put_literal(out, answer->err == OK ? "{\"ok\":true" : "{\"ok\":false");
    if (!hash_is_zero(&answer->id)) {
        put_literal(out, ",\"statement\":\"");
        hex_put(out, hash_bytes(&answer->id));
        put_literal(out, "\"");
    }
    if (answer->err == OK) {
        render_place(out, answer);
    } else {
        put_literal(out, ",\"problem\":");
        put_json_object(out, problem_json(answer->err, &answer->why));
    }
    put_literal(out, "}");
}

static void put_hex(struct buf *out, const char *before, const struct hash *hash)
{
    put_literal(out, before);
    hex_put(out, hash_bytes(hash));
}

/* What render_header says, without its objects: every answer carries it. */
static void put_header(struct buf *out, const struct header *header)
{
    struct hash hash;
    char time[25];
    char text[ANSWER_MAX];
    header_hash(&hash, header);
    clock_format(time, header->time_ms);
    int len = snprintf(text, sizeof text,
                       "{\"epoch\":%" PRIu64 ",\"height\":%" PRIu64
                       ",\"time\":\"%s\",\"time_ms\":%" PRIu64 ",\"size\":%" PRIu64
                       ",\"first_index\":%" PRIu64,
                       header->epoch, header->height, time, header->time_ms, header->tree_size,
                       header->first_index);
    BUG_ON(len >= (int)sizeof text);
    buf_put(out, (struct bytes){(const uint8_t *)text, (size_t)len});
    put_hex(out, ",\"root\":\"", &header->tree_root);
    put_hex(out, "\",\"header_hash\":\"", &hash);
    put_hex(out, "\",\"previous\":\"", &header->previous);
    put_hex(out, "\",\"state_root\":\"", &header->state_root);
    put_hex(out, "\",\"history_root\":\"", &header->history_root);
    put_hex(out, "\",\"chain\":\"", &header->chain);
    put_literal(out, "\"}");
}

void render_answers(struct buf *out, const struct node_answers *answers)
{
    put_literal(out, "{\"answers\":[");
    for (size_t i = 0; i < answers->count; i++) {
        put_literal(out, i > 0 ? "," : "");
        render_answer(out, &answers->at[i]);
    }
    put_literal(out, "]");
    if (answers->head.suite != 0) {
        put_literal(out, ",\"head\":");
        put_header(out, &answers->head);
    }
    put_literal(out, "}");
}
