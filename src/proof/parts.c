#include "proof/parts.h"

static size_t hashes_read(struct cbor_reader *reader, struct hash *out, size_t max)
{
    size_t count = cbor_array(reader, 0, max);
    for (size_t i = 0; i < count; i++) {
        out[i] = cbor_hash(reader);
    }
    return reader->err == OK ? count : 0;
}

static void hashes_write(struct buf *out, const struct hash *hashes, size_t count)
{
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        cbor_put_hash(out, &hashes[i]);
    }
}

void path_read(struct cbor_reader *reader, struct path *out)
{
    out->count = hashes_read(reader, out->at, PATH_MAX_LEN);
}

void siblings_read(struct cbor_reader *reader, struct siblings *out)
{
    out->count = hashes_read(reader, out->at, SIBLINGS_MAX);
}

void path_write(struct buf *out, const struct path *path)
{
    hashes_write(out, path->at, path->count);
}

void siblings_write(struct buf *out, const struct siblings *siblings)
{
    hashes_write(out, siblings->at, siblings->count);
}
