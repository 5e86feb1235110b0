#include "cli/jsoncbor.h"

#include "codec/cbor.h"
#include "codec/text.h"

#include <string.h>

static enum err bytes_put(struct buf *out, const json_t *object, struct why *why)
{
    const json_t *hex = json_object_get(object, "hex");
    const char *text = json_string_value(hex);
    struct buf bytes = {0};
    if (!text || json_object_size(object) != 1) {
        return why_say(why, ERR_UNSUPPORTED, "body", NULL, "holds an object other than a hex one",
                       "Write a byte string as {\"hex\": \"00ff\"}.");
    }
    enum err err = hex_append(&bytes, bytes_text(text));
    cbor_put_bytes(out, buf_bytes(&bytes));
    buf_clear(&bytes);
    return err == OK ? OK : why_say(why, err, "hex", text, "is not hex", NULL);
}

static enum err scalar_put(struct buf *out, const json_t *json, struct why *why)
{
    switch (json_typeof(json)) {
    case JSON_NULL:
        cbor_put_null(out);
        return OK;
    case JSON_TRUE:
    case JSON_FALSE:
        cbor_put_bool(out, json_is_true(json));
        return OK;
    case JSON_INTEGER:
        cbor_put_int(out, json_integer_value(json));
        return OK;
    case JSON_STRING:
        cbor_put_text(out, bytes_text(json_string_value(json)));
        return OK;
    case JSON_OBJECT:
        return bytes_put(out, json, why);
    case JSON_REAL:
    case JSON_ARRAY:
        break;
    }
    return why_say(why, ERR_UNSUPPORTED, "body", NULL, "holds a fraction",
                   "Formats have integers only.");
}

/* An array that is being written. */
struct level {
    const json_t *array;
    size_t next;
};

enum err json_to_cbor(struct buf *out, const json_t *json, struct why *why)
{
    struct level levels[CBOR_DEPTH];
    unsigned depth = 0;
    for (;;) {
        if (json_is_array(json)) {
            if (depth == CBOR_DEPTH) {
                return why_say(why, ERR_DEPTH, "body", NULL, NULL, NULL);
            }
            cbor_put_array(out, json_array_size(json));
            levels[depth++] = (struct level){json, 0};
        } else {
            TRY(scalar_put(out, json, why));
        }
        while (depth > 0 && levels[depth - 1].next == json_array_size(levels[depth - 1].array)) {
            depth--;
        }
        if (depth == 0) {
            return OK;
        }
        json = json_array_get(levels[depth - 1].array, levels[depth - 1].next++);
    }
}
