#include "proof/deposit.h"

enum err deposit_parse(struct deposit *out, struct bytes payload)
{
    struct cbor_reader reader;
    *out = (struct deposit){0};
    cbor_init(&reader, payload);
    cbor_array(&reader, 6, 6);
    cbor_version(&reader, 1);
    out->items_root = cbor_hash(&reader);
    out->count = (uint32_t)cbor_uint_max(&reader, DEPOSIT_ITEMS_MAX);
    if (out->count == 0) {
        cbor_fail(&reader, ERR_RANGE);
    }
    out->category = cbor_text(&reader, 1, CATEGORY_MAX);
    out->has_capture = !cbor_null(&reader);
    if (out->has_capture) {
        out->capture = cbor_hash(&reader);
    }
    out->flags = cbor_uint(&reader);
    return cbor_end(&reader);
}

static void put_hash_or_null(struct buf *out, bool there, const struct hash *hash)
{
    if (there) {
        cbor_put_hash(out, hash);
    } else {
        cbor_put_null(out);
    }
}

void deposit_write(struct buf *out, const struct deposit *deposit)
{
    cbor_put_array(out, 6);
    cbor_put_uint(out, 1);
    cbor_put_hash(out, &deposit->items_root);
    cbor_put_uint(out, deposit->count);
    cbor_put_text(out, deposit->category);
    put_hash_or_null(out, deposit->has_capture, &deposit->capture);
    cbor_put_uint(out, deposit->flags);
}

/* Reads the nine members; form 1 has neither size nor media type, form 0 always a size. */
static void item_read(struct item *out, struct cbor_reader *reader)
{
    *out = (struct item){0};
    cbor_array(reader, 9, 9);
    cbor_version(reader, 1);
    out->form = cbor_uint_max(reader, 1) == 0 ? ITEM_PLAIN : ITEM_BLINDED;
    out->sha256 = cbor_hash(reader);
    out->sm3 = cbor_hash(reader);
    out->has_size = !cbor_null(reader);
    if (out->has_size) {
        out->size = cbor_uint(reader);
    }
    if (!cbor_null(reader)) {
        out->media_type = cbor_text(reader, 1, MEDIA_TYPE_MAX);
    }
    if (!cbor_null(reader)) {
        out->ref = cbor_bytes(reader, REF_LEN, REF_LEN);
    }
    if (!cbor_null(reader)) {
        out->phase = cbor_text(reader, 1, PHASE_MAX);
    }
    out->has_commitment = !cbor_null(reader);
    if (out->has_commitment) {
        out->commitment = cbor_hash(reader);
    }
    if (out->has_size != (out->form == ITEM_PLAIN) ||
        (out->form == ITEM_BLINDED && out->media_type.len > 0)) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

enum err item_parse(struct item *out, struct bytes in)
{
    struct cbor_reader reader;
    if (in.len > ITEM_MAX) {
        return ERR_RANGE;
    }
    cbor_init(&reader, in);
    item_read(out, &reader);
    return cbor_end(&reader);
}

enum err item_parse_first(struct item *out, struct bytes in, struct bytes *rest)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    item_read(out, &reader);
    TRY(cbor_end_sequence(&reader, rest));
    return in.len - rest->len > ITEM_MAX ? ERR_RANGE : OK;
}

static void put_text_or_null(struct buf *out, struct bytes text)
{
    if (text.len > 0) {
        cbor_put_text(out, text);
    } else {
        cbor_put_null(out);
    }
}

void item_write(struct buf *out, const struct item *item)
{
    cbor_put_array(out, 9);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, item->form);
    cbor_put_hash(out, &item->sha256);
    cbor_put_hash(out, &item->sm3);
    if (item->has_size) {
        cbor_put_uint(out, item->size);
    } else {
        cbor_put_null(out);
    }
    put_text_or_null(out, item->media_type);
    if (item->ref.len > 0) {
        cbor_put_bytes(out, item->ref);
    } else {
        cbor_put_null(out);
    }
    put_text_or_null(out, item->phase);
    put_hash_or_null(out, item->has_commitment, &item->commitment);
}
