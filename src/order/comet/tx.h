/* Transactions as the engine orders them: one CBOR item each, deterministic.
 *
 *   [1, 0, time ms]                  the proposer's time: exactly one, first in every proposal
 *   [1, 1, statements, (attempt)]    a byte string with a CBOR sequence of statements, items in
 *                                    them; 1 to TX_STATEMENTS_MAX of them
 *   [1, 2, height, due ms]           a tick: our head's height and when its earliest timer is due
 *
 * An attempt, 1 to 65,535, makes other bytes of the same statements: an engine that once refused or
 * lost a transaction is never told of the same bytes again. */
#ifndef CAIRN_ORDER_COMET_TX_H
#define CAIRN_ORDER_COMET_TX_H

#include "base/bytes.h"

#define TX_SEQUENCE_MAX   ((size_t)704 << 10) /* bytes of statements */
#define TX_MAX            (TX_SEQUENCE_MAX + 16)
#define TX_STATEMENTS_MAX 1024
#define TX_ATTEMPT_MAX    65535
#define TX_TIME_MAX       253402300799999u /* the last millisecond of the year 9999 */

enum tx_kind { TX_TIME, TX_STATEMENTS, TX_TICK };

struct tx {
    enum tx_kind kind;
    uint64_t time_ms;        /* TX_TIME; TX_TICK: when the timer is due */
    struct bytes statements; /* TX_STATEMENTS; borrows, and is not looked into */
    uint64_t attempt;        /* TX_STATEMENTS; 0: none */
    uint64_t height;         /* TX_TICK */
};

/* Reads one transaction. ERR_RANGE: a size, a time, an attempt; ERR_FORMAT: another kind;
 * ERR_VERSION and the reader's errors. */
must_use enum err tx_parse(struct tx *out, struct bytes in);
/* Whether it can only be one of statements, by its first bytes. */
bool tx_is_statements(struct bytes in);

void tx_time_write(struct buf *out, uint64_t time_ms);
void tx_tick_write(struct buf *out, uint64_t height, uint64_t due_ms);

/* A transaction of statements that is written in place: begin, append to `buf`, then close it, as
 * often as there are attempts. */
struct tx_draft {
    struct buf buf;
    size_t len; /* of the statements; set by the first close */
};
void tx_draft_begin(struct tx_draft *draft);
/* Returns the whole transaction, which borrows from the draft until it is closed again or cleared.
 * There are statements in it, TX_SEQUENCE_MAX bytes at most. */
struct bytes tx_draft_close(struct tx_draft *draft, uint64_t attempt);
void tx_draft_clear(struct tx_draft *draft);

#endif
