/* What the ledger holds, as JSON. Every function returns a new object that the caller owns. */
#ifndef CAIRN_HTTP_RENDER_H
#define CAIRN_HTTP_RENDER_H

#include "ledger/members.h"
#include "node/node.h"

#include <jansson.h>

/* Sets `key` to lower-case hex, to null where the range is empty, or to text. */
void json_set_hex(json_t *object, const char *key, struct bytes value);
void json_set_text(json_t *object, const char *key, struct bytes value);
void json_set_uint(json_t *object, const char *key, uint64_t value);
/* Sets "time" (RFC 3339) and "time_ms". */
void json_set_time(json_t *object, uint64_t time_ms);
/* Sets "evidence", "statement" and "number". */
void json_set_evidence(json_t *object, const struct hash *statement, uint16_t number);

json_t *render_header(const struct header *header);
json_t *render_item(const struct item *item);
/* One place of evidence without what was said about it. */
json_t *render_found(const struct node_found *found);
json_t *render_member(struct bytes id, const struct member_record *record);
json_t *render_key(const struct hash *kid, const struct key_record *record);

/* Appends what became of a submission: {"answers":[...],"head":{...}}. As text and not by way of
 * objects, since there may be thousands of answers, and this is on the path of every statement. */
void render_answers(struct buf *out, const struct node_answers *answers);

#endif
