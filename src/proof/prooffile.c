#include "proof/prooffile.h"

#include "proof/protected.h"
#include "proof/receipt.h"

#define LABEL_TOKEN    270
#define LABEL_RECEIPTS 394
#define LABEL_PROOF    (-65803)
#define PARTS          12

enum part {
    PART_VERSION,
    PART_ITEM,
    PART_LOG,
    PART_HEAD,
    PART_BLOCK,
    PART_KEY,
    PART_COMMIT,
    PART_NOTES,
    PART_SALT,
    PART_CLOCK,
    PART_ANCHOR,
    PART_MANDATE
};

static void anchor_read(struct proof_file *out, struct cbor_reader *reader)
{
    cbor_array(reader, 3, 3);
    out->anchor = cbor_bytes(reader, 1, HEADER_MAX);
    path_read(reader, &out->anchor_path);
    out->has_anchor_token = !cbor_null(reader);
    if (out->has_anchor_token) {
        out->anchor_token = cbor_bytes(reader, 0, SIZE_MAX);
    }
}

static void notes_read(struct proof_file *out, struct cbor_reader *reader)
{
    out->note_count = cbor_array(reader, 1, PROOF_NOTES_MAX);
    for (size_t i = 0; i < out->note_count; i++) {
        out->notes[i] = cbor_text(reader, 1, NOTE_MAX);
    }
}

static void part_read(struct proof_file *out, enum part part, struct cbor_reader *reader)
{
    switch (part) {
    case PART_VERSION:
        cbor_version(reader, 1);
        break;
    case PART_ITEM:
        cbor_array(reader, 3, 3);
        out->number = (uint16_t)cbor_uint_max(reader, UINT16_MAX);
        out->item = cbor_bytes(reader, 1, ITEM_MAX);
        path_read(reader, &out->item_path);
        break;
    case PART_LOG:
        cbor_array(reader, 2, 2);
        out->index = cbor_uint(reader);
        path_read(reader, &out->log_path);
        break;
    case PART_HEAD:
        out->head = cbor_bytes(reader, 1, HEADER_MAX);
        break;
    case PART_BLOCK:
        cbor_array(reader, 2, 2);
        out->block = cbor_bytes(reader, 1, HEADER_MAX);
        path_read(reader, &out->block_path);
        break;
    case PART_KEY:
        cbor_array(reader, 2, 2);
        out->record = cbor_bytes(reader, 1, SIZE_MAX);
        siblings_read(reader, &out->record_path);
        break;
    case PART_COMMIT:
        out->commit = cbor_item(reader);
        break;
    case PART_NOTES:
        notes_read(out, reader);
        break;
    case PART_SALT:
        out->salt = cbor_bytes(reader, 32, 32);
        break;
    case PART_CLOCK:
        out->clock = cbor_item(reader);
        break;
    case PART_ANCHOR:
        anchor_read(out, reader);
        break;
    case PART_MANDATE:
        cbor_array(reader, 3, 3);
        out->mandate = cbor_bytes(reader, 1, ENTRY_MAX);
        out->mandate_index = cbor_uint(reader);
        path_read(reader, &out->mandate_path);
        break;
    }
}

/* Parts 0, 2, 3 and 5 are in every proof file. */
static void parts_read(struct proof_file *out, struct cbor_reader *reader)
{
    const unsigned required =
        1u << PART_VERSION | 1u << PART_LOG | 1u << PART_HEAD | 1u << PART_KEY;
    unsigned seen = 0;
    size_t count = cbor_map(reader, 1, PARTS);
    for (size_t i = 0; i < count; i++) {
        unsigned part = (unsigned)cbor_uint_max(reader, PARTS - 1);
        if (reader->err != OK || (i == 0 && part != PART_VERSION)) {
            cbor_fail(reader, ERR_VERSION);
            return;
        }
        seen |= 1u << part;
        part_read(out, (enum part)part, reader);
    }
    if ((seen & required) != required) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

static void receipts_read(struct proof_file *out, struct cbor_reader *reader)
{
    out->receipt_count = cbor_array(reader, 1, PROOF_RECEIPTS_MAX);
    for (size_t i = 0; i < out->receipt_count; i++) {
        out->receipts[i] = cbor_bytes(reader, 0, SIZE_MAX);
    }
}

static void unprotected_read(struct proof_file *out, struct cbor_reader *reader)
{
    bool has_proof = false;
    size_t count = cbor_map(reader, 1, 3);
    for (size_t i = 0; i < count; i++) {
        switch (cbor_int(reader)) {
        case LABEL_TOKEN:
            out->token = cbor_bytes(reader, 0, SIZE_MAX);
            out->has_token = true;
            break;
        case LABEL_RECEIPTS:
            receipts_read(out, reader);
            break;
        case LABEL_PROOF:
            has_proof = true;
            parts_read(out, reader);
            break;
        default:
            cbor_fail(reader, ERR_FORMAT);
            break;
        }
    }
    if (!has_proof) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

enum err proof_file_read(struct proof_file *out, struct bytes in)
{
    struct cbor_reader reader;
    *out = (struct proof_file){0};
    if (in.len > PROOF_MAX) {
        return ERR_RANGE;
    }
    TRY(sign1_parse(&out->entry, in));
    cbor_init(&reader, out->entry.unprotected);
    unprotected_read(out, &reader);
    out->entry.unprotected = BYTES_NONE;
    return cbor_end(&reader);
}

static void header_part_write(struct buf *out, enum part part, struct bytes header,
                              const struct path *path)
{
    if (header.len > 0) {
        cbor_put_uint(out, part);
        cbor_put_array(out, 2);
        cbor_put_bytes(out, header);
        path_write(out, path);
    }
}

static void item_write_part(struct buf *out, const struct proof_file *file)
{
    if (file->item.len > 0) {
        cbor_put_uint(out, PART_ITEM);
        cbor_put_array(out, 3);
        cbor_put_uint(out, file->number);
        cbor_put_bytes(out, file->item);
        path_write(out, &file->item_path);
    }
}

static void encoded_write(struct buf *out, enum part part, struct bytes encoded)
{
    if (encoded.len > 0) {
        cbor_put_uint(out, part);
        buf_put(out, encoded);
    }
}

/* Notes, salt, clock, anchor and mandate: parts 7 to 11. */
static void late_parts_write(struct buf *out, const struct proof_file *file)
{
    if (file->note_count > 0) {
        cbor_put_uint(out, PART_NOTES);
        cbor_put_array(out, file->note_count);
        for (size_t i = 0; i < file->note_count; i++) {
            cbor_put_text(out, file->notes[i]);
        }
    }
    if (file->salt.len > 0) {
        cbor_put_uint(out, PART_SALT);
        cbor_put_bytes(out, file->salt);
    }
    encoded_write(out, PART_CLOCK, file->clock);
    if (file->anchor.len > 0) {
        cbor_put_uint(out, PART_ANCHOR);
        cbor_put_array(out, 3);
        cbor_put_bytes(out, file->anchor);
        path_write(out, &file->anchor_path);
        if (file->has_anchor_token) {
            cbor_put_bytes(out, file->anchor_token);
        } else {
            cbor_put_null(out);
        }
    }
    if (file->mandate.len > 0) {
        cbor_put_uint(out, PART_MANDATE);
        cbor_put_array(out, 3);
        cbor_put_bytes(out, file->mandate);
        cbor_put_uint(out, file->mandate_index);
        path_write(out, &file->mandate_path);
    }
}

static size_t part_count(const struct proof_file *file)
{
    const struct bytes optional[] = {file->item,  file->block,  file->commit, file->salt,
                                     file->clock, file->anchor, file->mandate};
    size_t count = file->note_count > 0 ? 5 : 4;
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        count += optional[i].len > 0;
    }
    return count;
}

static void parts_write(struct buf *out, const struct proof_file *file)
{
    cbor_put_map(out, part_count(file));
    cbor_put_uint(out, PART_VERSION);
    cbor_put_uint(out, 1);
    item_write_part(out, file);
    cbor_put_uint(out, PART_LOG);
    cbor_put_array(out, 2);
    cbor_put_uint(out, file->index);
    path_write(out, &file->log_path);
    cbor_put_uint(out, PART_HEAD);
    cbor_put_bytes(out, file->head);
    header_part_write(out, PART_BLOCK, file->block, &file->block_path);
    cbor_put_uint(out, PART_KEY);
    cbor_put_array(out, 2);
    cbor_put_bytes(out, file->record);
    siblings_write(out, &file->record_path);
    encoded_write(out, PART_COMMIT, file->commit);
    late_parts_write(out, file);
}

void proof_file_write(struct buf *out, const struct proof_file *file)
{
    struct buf unprotected = {0};
    cbor_put_map(&unprotected, 1u + (file->receipt_count > 0) + file->has_token);
    if (file->has_token) {
        cbor_put_int(&unprotected, LABEL_TOKEN);
        cbor_put_bytes(&unprotected, file->token);
    }
    if (file->receipt_count > 0) {
        cbor_put_int(&unprotected, LABEL_RECEIPTS);
        cbor_put_array(&unprotected, file->receipt_count);
        for (size_t i = 0; i < file->receipt_count; i++) {
            cbor_put_bytes(&unprotected, file->receipts[i]);
        }
    }
    cbor_put_int(&unprotected, LABEL_PROOF);
    parts_write(&unprotected, file);
    struct sign1 entry = file->entry;
    entry.unprotected = buf_bytes(&unprotected);
    sign1_write(out, &entry);
    buf_clear(&unprotected);
}

enum err proof_file_export(struct buf *out, const struct proof_file *file)
{
    struct header head;
    struct arena arena = {0};
    struct proof_file whole = *file;
    enum err err = header_parse(&head, file->head);
    for (size_t i = 0; i < file->receipt_count && err == OK; i++) {
        struct receipt receipt;
        struct buf with_path = {0};
        err = receipt_parse(&receipt, file->receipts[i]);
        if (err == OK) {
            receipt_with_path(&with_path, &receipt, head.tree_size, file->index, &file->log_path);
            whole.receipts[i] = arena_copy(&arena, buf_bytes(&with_path));
        }
        buf_clear(&with_path);
    }
    if (err == OK) {
        proof_file_write(out, &whole);
    }
    arena_clear(&arena);
    return err;
}
