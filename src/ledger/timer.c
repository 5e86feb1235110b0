#include "ledger/timer.h"

#include "ledger/rules.h"

#include <string.h>

#define MODULE_MAX 32

/* What all their keys begin with. */
static void put_start(struct buf *out)
{
    out->len = 0;
    cbor_put_array(out, 2);
    cbor_put_literal(out, TIMER_MODULE);
    cbor_put_array(out, 3);
}

void timer_key_write(struct buf *out, const struct timer *timer)
{
    timer_due_prefix(out, timer->due_ms);
    cbor_put_text(out, timer->module);
    cbor_put_bytes(out, timer->id);
}

void timer_value_write(struct buf *out)
{
    cbor_put_array(out, 1);
    cbor_put_uint(out, 1);
}

enum err timer_key_parse(struct timer *out, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    cbor_array(&reader, 2, 2);
    struct bytes name = cbor_text(&reader, 1, MODULE_MAX);
    if (reader.err == OK && !bytes_equal(name, bytes_text(TIMER_MODULE))) {
        cbor_fail(&reader, ERR_MISMATCH);
    }
    cbor_array(&reader, 3, 3);
    out->due_ms = cbor_uint(&reader);
    out->module = cbor_text(&reader, 1, MODULE_MAX);
    out->id = cbor_bytes(&reader, 1, TIMER_ID_MAX);
    return cbor_end(&reader);
}

void timer_due_prefix(struct buf *out, uint64_t due_ms)
{
    put_start(out);
    cbor_put_uint(out, due_ms);
}

bool timer_is_key(struct bytes state_key)
{
    struct buf start = {0};
    put_start(&start);
    bool is = state_key.len > start.len && memcmp(state_key.at, start.at, start.len) == 0;
    buf_clear(&start);
    return is;
}
