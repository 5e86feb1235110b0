#include "proof/header.h"

#include "crypto/digest.h"

enum err header_parse(struct header *out, struct bytes in)
{
    struct cbor_reader reader;
    if (in.len > HEADER_MAX) {
        return ERR_RANGE;
    }
    cbor_init(&reader, in);
    cbor_array(&reader, 13, 13);
    cbor_version(&reader, 1);
    out->suite = cbor_uint(&reader);
    if (reader.err == OK && out->suite != SUITE_1) {
        cbor_fail(&reader, ERR_UNSUPPORTED);
    }
    out->chain = cbor_hash(&reader);
    out->epoch = cbor_uint(&reader);
    out->height = cbor_uint(&reader);
    out->time_ms = cbor_uint(&reader);
    out->previous = cbor_hash(&reader);
    out->previous_time_ms = cbor_uint(&reader);
    out->first_index = cbor_uint(&reader);
    out->tree_size = cbor_uint(&reader);
    out->tree_root = cbor_hash(&reader);
    out->state_root = cbor_hash(&reader);
    out->history_root = cbor_hash(&reader);
    return cbor_end(&reader);
}

void header_write(struct buf *out, const struct header *header)
{
    cbor_put_array(out, 13);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, header->suite);
    cbor_put_hash(out, &header->chain);
    cbor_put_uint(out, header->epoch);
    cbor_put_uint(out, header->height);
    cbor_put_uint(out, header->time_ms);
    cbor_put_hash(out, &header->previous);
    cbor_put_uint(out, header->previous_time_ms);
    cbor_put_uint(out, header->first_index);
    cbor_put_uint(out, header->tree_size);
    cbor_put_hash(out, &header->tree_root);
    cbor_put_hash(out, &header->state_root);
    cbor_put_hash(out, &header->history_root);
}

void header_hash(struct hash *out, const struct header *header)
{
    struct buf buf = {0};
    header_write(&buf, header);
    sha256(out, buf_bytes(&buf));
    buf_clear(&buf);
}
