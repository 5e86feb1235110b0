#include "order/comet/tx.h"

#include "codec/cbor.h"

#include <string.h>

#define VERSION 1
/* What stands before the statements: array, version, kind, head of the byte string. */
#define HEAD_MAX 8
#define FRONT    16

static void read_statements(struct cbor_reader *reader, struct tx *out, size_t members)
{
    out->statements = cbor_bytes(reader, 1, TX_SEQUENCE_MAX);
    if (members == 4) {
        out->attempt = cbor_uint_max(reader, TX_ATTEMPT_MAX);
        if (out->attempt == 0) {
            cbor_fail(reader, ERR_RANGE);
        }
    }
}

static void read_body(struct cbor_reader *reader, struct tx *out, size_t members)
{
    switch (out->kind) {
    case TX_TIME:
        out->time_ms = cbor_uint_max(reader, TX_TIME_MAX);
        return;
    case TX_STATEMENTS:
        read_statements(reader, out, members);
        return;
    case TX_TICK:
        out->height = cbor_uint(reader);
        out->time_ms = cbor_uint_max(reader, TX_TIME_MAX);
        return;
    }
}

enum err tx_parse(struct tx *out, struct bytes in)
{
    struct cbor_reader reader;
    *out = (struct tx){0};
    if (in.len > TX_MAX) {
        return ERR_RANGE;
    }
    cbor_init(&reader, in);
    size_t members = cbor_array(&reader, 3, 4);
    cbor_version(&reader, VERSION);
    uint64_t kind = cbor_uint(&reader);
    if (kind > TX_TICK) {
        cbor_fail(&reader, ERR_FORMAT);
        return cbor_end(&reader);
    }
    out->kind = (enum tx_kind)kind;
    read_body(&reader, out, members);
    return cbor_end(&reader);
}

bool tx_is_statements(struct bytes in)
{
    return in.len > 3 && (in.at[0] == 0x83 || in.at[0] == 0x84) && in.at[1] == VERSION &&
           in.at[2] == TX_STATEMENTS;
}

void tx_time_write(struct buf *out, uint64_t time_ms)
{
    cbor_put_array(out, 3);
    cbor_put_uint(out, VERSION);
    cbor_put_uint(out, TX_TIME);
    cbor_put_uint(out, time_ms);
}

void tx_tick_write(struct buf *out, uint64_t height, uint64_t due_ms)
{
    cbor_put_array(out, 4);
    cbor_put_uint(out, VERSION);
    cbor_put_uint(out, TX_TICK);
    cbor_put_uint(out, height);
    cbor_put_uint(out, due_ms);
}

void tx_draft_begin(struct tx_draft *draft)
{
    draft->buf.len = 0;
    draft->len = 0;
    buf_grow(&draft->buf, FRONT);
}

/* The head depends on the length and on the attempt: it is put right before the statements, which
 * stay where they are. */
struct bytes tx_draft_close(struct tx_draft *draft, uint64_t attempt)
{
    struct buf head = {0};
    struct buf *buf = &draft->buf;
    if (draft->len == 0) {
        draft->len = buf->len - FRONT;
    }
    BUG_ON(draft->len == 0 || draft->len > TX_SEQUENCE_MAX || attempt > TX_ATTEMPT_MAX);
    buf->len = FRONT + draft->len;
    cbor_put_array(&head, attempt > 0 ? 4 : 3);
    cbor_put_uint(&head, VERSION);
    cbor_put_uint(&head, TX_STATEMENTS);
    cbor_put_bytes_head(&head, draft->len);
    BUG_ON(head.len > HEAD_MAX);
    size_t from = FRONT - head.len;
    memcpy(buf->at + from, head.at, head.len);
    buf_clear(&head);
    if (attempt > 0) {
        cbor_put_uint(buf, attempt);
    }
    return (struct bytes){buf->at + from, buf->len - from};
}

void tx_draft_clear(struct tx_draft *draft)
{
    buf_clear(&draft->buf);
    draft->len = 0;
}
