#include "order/comet/tick.h"

bool tick_is_current(const struct tick_head *head, uint64_t height, uint64_t due_ms,
                     uint64_t now_ms)
{
    return head->height == height && head->due_ms == due_ms && tick_fires(head, now_ms);
}

bool tick_fires(const struct tick_head *head, uint64_t time_ms)
{
    return head->due_ms != UINT64_MAX && head->due_ms <= time_ms;
}

size_t tick_turn(size_t position, size_t count, uint64_t height)
{
    if (position >= count) {
        return count;
    }
    size_t first = (size_t)(height % count);
    return position >= first ? position - first : position + count - first;
}

/* How long after its due time a node sends: turns beyond the last share it. */
static uint64_t delay_of(size_t turn)
{
    return (turn < TICK_TURNS ? turn : TICK_TURNS) * TICK_TURN_MS;
}

static uint64_t time_left(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

bool ticker_sends(struct ticker *ticker, const struct tick_head *head, size_t turn, uint64_t now_ms,
                  uint64_t *wait_ms)
{
    *wait_ms = UINT64_MAX;
    if (head->due_ms == UINT64_MAX) {
        return false;
    }
    bool sent = ticker->sent && ticker->height == head->height && ticker->due_ms == head->due_ms;
    uint64_t delay_ms = delay_of(turn);
    uint64_t at_ms = head->due_ms < UINT64_MAX - delay_ms ? head->due_ms + delay_ms : UINT64_MAX;
    if (sent && ticker->sent_ms <= now_ms) { /* else the clock was set back: as if never sent */
        uint64_t again_ms = ticker->sent_ms + TICK_AGAIN_MS;
        at_ms = again_ms > at_ms ? again_ms : at_ms;
    }
    *wait_ms = time_left(at_ms, now_ms);
    if (*wait_ms > 0) {
        return false;
    }
    *ticker = (struct ticker){true, head->height, head->due_ms, now_ms};
    return true;
}
