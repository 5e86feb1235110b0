/* CBOR that people write as JSON: null, true, false, integers, text and arrays stand for
 * themselves, {"hex": "00ff"} is a byte string. */
#ifndef CAIRN_CLI_JSONCBOR_H
#define CAIRN_CLI_JSONCBOR_H

#include "base/bytes.h"
#include "base/why.h"

#include <jansson.h>

/* Appends the encoding. ERR_UNSUPPORTED (fractions, other objects), ERR_DEPTH, ERR_FORMAT (hex);
 * `out` is then unspecified. */
must_use enum err json_to_cbor(struct buf *out, const json_t *json, struct why *why);

#endif
