/* Waking an idle consortium when a timer is due: which tick is current, who sends one, and when.
 * Pure decisions; whoever calls has the clock and the engine.
 *
 * A tick [1, 2, height, due] asks for a block and says nothing: any block whose time is not before
 * `due` fires the timer, with or without one. So every node sends the same bytes, which the engine
 * takes once; all but one wait a little, and mostly see the block come before their turn. Who goes
 * first changes with the height, so that no node is the only one to be relied on. */
#ifndef CAIRN_ORDER_COMET_TICK_H
#define CAIRN_ORDER_COMET_TICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICK_TURN_MS  250   /* that a node waits longer than the one before it */
#define TICK_TURNS    16    /* the last of these is shared by all who come later */
#define TICK_AGAIN_MS 10000 /* after which it is sent again: the engine may have lost it */

/* The head that is committed here and the earliest timer under it. */
struct tick_head {
    uint64_t height; /* of ours */
    uint64_t due_ms; /* UINT64_MAX: no timer */
};

/* Whether a tick of this height and due time may enter the mempool at `now_ms`: it is about the
 * committed head, and its timer is due. */
bool tick_is_current(const struct tick_head *head, uint64_t height, uint64_t due_ms,
                     uint64_t now_ms);
/* Whether a block of this time fires a timer; a proposal with a tick is good only then. */
bool tick_fires(const struct tick_head *head, uint64_t time_ms);

/* How many go before the validator number `position` of `count` (in CometBFT's order) under the
 * head of `height`; a node that is none, position == count, comes after all. */
size_t tick_turn(size_t position, size_t count, uint64_t height);

/* What a node has sent. Zero-initialised: nothing. Zero it when the engine has started again. */
struct ticker {
    bool sent;
    uint64_t height;
    uint64_t due_ms;
    uint64_t sent_ms;
};

/* Whether to send the tick of `head` now; then it counts as sent. Otherwise *wait_ms is how long
 * nothing has to be done, UINT64_MAX while there is no timer: ask again then, and whenever the head
 * changes. `now_ms` is the wall clock, which may step. */
bool ticker_sends(struct ticker *ticker, const struct tick_head *head, size_t turn, uint64_t now_ms,
                  uint64_t *wait_ms);

#endif
