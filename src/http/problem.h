/* Errors as RFC 9457 problem documents. */
#ifndef CAIRN_HTTP_PROBLEM_H
#define CAIRN_HTTP_PROBLEM_H

#include "http/server.h"

#include <jansson.h>

/* The HTTP status that stands for an error. */
unsigned problem_status(enum err err);
/* Writes "not-canonical" for ERR_NOT_CANONICAL: the end of its type, and the name of its page. */
void problem_type(char *out, size_t cap, enum err err);
/* A problem document; `why` gives field, value and remedy. The caller owns it. */
json_t *problem_json(enum err err, const struct why *given);
/* Makes it the response, with its status. */
void respond_problem(struct exchange *exchange, enum err err, const struct why *why);
/* The same from three texts; value and remedy may be NULL. */
void respond_refusal(struct exchange *exchange, enum err err, const char *field, const char *value,
                     const char *remedy);

/* Makes a JSON document the response and releases it. */
void respond_json(struct exchange *exchange, unsigned status, json_t *json);
/* Makes bytes the response, taking over `body`. */
void respond_bytes(struct exchange *exchange, const char *content_type, struct buf *body);

/* Reads a decimal number, digits only. ERR_FORMAT. */
must_use enum err text_uint(uint64_t *out, const char *text);

#endif
