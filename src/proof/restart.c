#include "proof/restart.h"

enum err restart_parse(struct restart *out, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    cbor_array(&reader, 5, 5);
    cbor_version(&reader, 1);
    out->height = cbor_uint(&reader);
    out->header_hash = cbor_hash(&reader);
    out->ended_count = cbor_array(&reader, 1, RESTART_KEYS_MAX);
    for (size_t i = 0; i < out->ended_count; i++) {
        out->ended[i] = cbor_hash(&reader);
        for (size_t before = 0; before < i; before++) {
            if (hash_equal(&out->ended[before], &out->ended[i])) {
                cbor_fail(&reader, ERR_EXISTS);
            }
        }
    }
    out->reason = cbor_text(&reader, 1, RESTART_REASON_MAX);
    return cbor_end(&reader);
}

void restart_write(struct buf *out, const struct restart *body)
{
    cbor_put_array(out, 5);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, body->height);
    cbor_put_hash(out, &body->header_hash);
    cbor_put_array(out, body->ended_count);
    for (size_t i = 0; i < body->ended_count; i++) {
        cbor_put_hash(out, &body->ended[i]);
    }
    cbor_put_text(out, body->reason);
}
