/* Timers as they stand in `state` (protocol.md 4): module "timer", key [due, module, id], value
 * [1]. The bytes of the keys sort them by due time, then module, then id. No rule book may be
 * called "timer". */
#ifndef CAIRN_LEDGER_TIMER_H
#define CAIRN_LEDGER_TIMER_H

#include "codec/cbor.h"

#define TIMER_MODULE "timer"
#define TIMERS_MAX   1024 /* that one block fires */

struct timer {
    uint64_t due_ms;
    struct bytes module; /* whose it is; text of 1 to 32 bytes */
    struct bytes id;     /* 1 to TIMER_ID_MAX bytes */
};

/* Writes the whole state key CBOR ["timer", [due, module, id]] into `out`, which it empties. */
void timer_key_write(struct buf *out, const struct timer *timer);
/* Appends its value. */
void timer_value_write(struct buf *out);
/* Reads one back; `out` borrows from `in`. cbor_end's errors. */
must_use enum err timer_key_parse(struct timer *out, struct bytes in);
/* Writes what every timer's key begins with that is due at `due_ms`, into `out`, which it
 * empties. */
void timer_due_prefix(struct buf *out, uint64_t due_ms);
/* Whether a whole state key is that of a timer. */
bool timer_is_key(struct bytes state_key);

#endif
