/* Firing the timers that are due, and finding the earliest one.
 *
 * 1. The timer that fires is always the one with the lowest key in the state as the block has it so
 *    far, so that one which another timer cleared does not fire, and one which it set does.
 * 2. A timer leaves the state before its rule runs, and whatever the rule does.
 * 3. A rule sets timers only for later than the one that fired, so keys ascend and firing ends. */
#include "ledger/ledger_internal.h"
#include "ledger/timer.h"

#include <string.h>

/* The timers of the committed state and of the block on top of it, in the order of their keys. */
struct walk {
    struct ledger *ledger;
    struct cursor *cursor; /* stands on a committed timer, where `there` */
    bool there;
    struct buf start; /* below every timer's key */
    struct buf key;   /* of the timer at hand */
    struct timer timer;
};

static void walk_begin(struct walk *walk, struct ledger *ledger)
{
    struct buf from = {0};
    *walk = (struct walk){.ledger = ledger};
    timer_due_prefix(&walk->start, 0);
    timer_due_prefix(&from, ledger->timer_due_ms);
    walk->cursor = cursor_open(ledger->store, NULL, FAMILY_STATE);
    walk->there = cursor_seek(walk->cursor, buf_bytes(&from));
    buf_clear(&from);
}

static void walk_end(struct walk *walk)
{
    cursor_close(walk->cursor);
    buf_clear(&walk->start);
    buf_clear(&walk->key);
}

/* The key of the first committed timer that the block has not touched; len 0 if there is none. What
 * was touched once stays so, so the cursor never goes back. */
static enum err committed_first(struct walk *walk, struct bytes *out)
{
    struct bytes value;
    const struct overlay *overlay = walk->ledger->context.overlay;
    *out = BYTES_NONE;
    while (walk->there && timer_is_key(cursor_key(walk->cursor))) {
        if (overlay_get(overlay, cursor_key(walk->cursor), &value) == CHANGE_NONE) {
            *out = cursor_key(walk->cursor);
            return OK;
        }
        walk->there = cursor_next(walk->cursor);
    }
    return walk->there ? OK : cursor_err(walk->cursor);
}

/* The key of the first timer that the block set; len 0 if there is none. */
static struct bytes set_first(const struct walk *walk)
{
    const struct overlay_entry *entry =
        overlay_seek(walk->ledger->context.overlay, buf_bytes(&walk->start));
    while (entry != NULL && timer_is_key(entry->key)) {
        if (entry->change == CHANGE_PUT) {
            return entry->key;
        }
        entry = overlay_next(entry);
    }
    return BYTES_NONE;
}

/* Finds the timer with the lowest key. ERR_NOT_FOUND if there is none, ERR_IO, ERR_CORRUPT. */
static enum err walk_first(struct walk *walk)
{
    struct bytes committed;
    TRY(committed_first(walk, &committed));
    struct bytes set = set_first(walk);
    if (committed.len == 0 && set.len == 0) {
        return ERR_NOT_FOUND;
    }
    bool first = set.len == 0 || (committed.len > 0 && bytes_compare(committed, set) < 0);
    walk->key.len = 0;
    buf_put(&walk->key, first ? committed : set);
    return timer_key_parse(&walk->timer, buf_bytes(&walk->key)) == OK ? OK : ERR_CORRUPT;
}

static void timer_begin(struct rule_context *context, const struct timer *timer)
{
    context->in_timer = true;
    context->timer_due_ms = timer->due_ms;
    context->module = timer->module;
    context->member = BYTES_NONE;
    memset(&context->kid, 0, sizeof context->kid);
    context->put_len = 0;
}

static enum err fire(struct ledger *ledger, const struct walk *walk)
{
    struct rule_context *context = &ledger->context;
    const struct timer *timer = &walk->timer;
    const struct module *module = rules_module(context->rules, timer->module);
    if (module == NULL || module->on_timer == NULL) {
        return ERR_VERSION;
    }
    timer_begin(context, timer);
    context_delete(context, buf_bytes(&walk->key));
    overlay_keep(context->overlay);
    if (module->on_timer(context, timer->due_ms, timer->id) == OK) {
        overlay_keep(context->overlay);
    } else {
        context_undo(context);
        ledger->block.failed++;
    }
    context->in_timer = false;
    ledger->block.fired++;
    ledger->block.len += context->put_len;
    return context->fault;
}

enum err timers_fire(struct ledger *ledger)
{
    struct executed *block = &ledger->block;
    struct walk walk;
    enum err err = OK;
    if (ledger->timer_due_ms > ledger->context.time_ms) {
        return OK;
    }
    walk_begin(&walk, ledger);
    while (err == OK && block->fired < TIMERS_MAX && block->len < BLOCK_LEN_MAX) {
        err = walk_first(&walk);
        if (err == OK && walk.timer.due_ms > ledger->context.time_ms) {
            err = ERR_NOT_FOUND;
        }
        if (err == OK) {
            err = fire(ledger, &walk);
        }
    }
    walk_end(&walk);
    return err == ERR_NOT_FOUND ? OK : err;
}

/* The earliest of the block's state, or of the committed one where there is no block. */
static enum err earliest(struct ledger *ledger, uint64_t *due_ms)
{
    struct walk walk;
    walk_begin(&walk, ledger);
    enum err err = walk_first(&walk);
    *due_ms = err == OK ? walk.timer.due_ms : UINT64_MAX;
    walk_end(&walk);
    return err == ERR_NOT_FOUND ? OK : err;
}

/* Whether the block set or took away any. */
static bool are_touched(const struct ledger *ledger)
{
    struct buf start = {0};
    timer_due_prefix(&start, 0);
    const struct overlay_entry *entry = overlay_seek(ledger->context.overlay, buf_bytes(&start));
    buf_clear(&start);
    return entry != NULL && timer_is_key(entry->key);
}

enum err timers_seal(struct ledger *ledger)
{
    ledger->block.timer_due_ms = ledger->timer_due_ms;
    return are_touched(ledger) ? earliest(ledger, &ledger->block.timer_due_ms) : OK;
}

enum err timers_load(struct ledger *ledger)
{
    ledger->timer_due_ms = 0;
    return earliest(ledger, &ledger->timer_due_ms);
}

uint64_t ledger_timer_due(const struct ledger *ledger)
{
    return ledger->timer_due_ms;
}
