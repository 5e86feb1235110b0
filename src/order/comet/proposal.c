/* Which transactions may stand in a block: what the mempool takes, what we propose, and what we say
 * of the proposals of others. */
#include "order/comet/internal.h"
#include "order/comet/tick.h"

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/digest.h"

#include <stdio.h>
#include <string.h>

/* Places in the labels of METRIC_ORDER_PROPOSALS (from the first) and METRIC_ORDER_CHECKED. */
#define FAULT_TABLE(X)               \
    X(FAULT_NONE, "accepted")        \
    X(FAULT_MALFORMED, "malformed")  \
    X(FAULT_RULE, "rule")            \
    X(FAULT_KEY, "key")              \
    X(FAULT_SIGNATURE, "signature")  \
    X(FAULT_NO_TIME, "no_time")      \
    X(FAULT_TIME, "second_time")     \
    X(FAULT_TICK, "tick")            \
    X(FAULT_NOT_LATER, "not_later")  \
    X(FAULT_ENGINE, "before_engine") \
    X(FAULT_AHEAD, "ahead")          \
    X(FAULT_BEHIND, "behind")        \
    X(FAULT_HEIGHT, "height")        \
    X(FAULT_BROKEN, "broken")

#define FAULT_NUMBER(number, name) number,
enum fault { FAULT_TABLE(FAULT_NUMBER) FAULT_COUNT };

static const char *fault_name(enum fault fault)
{
#define FAULT_NAME(number, name) name,
    static const char *const names[] = {FAULT_TABLE(FAULT_NAME)};
    return names[fault];
}

/* Some places in METRIC_REASONS. */
enum { REASON_MALFORMED, REASON_TOO_LARGE, REASON_UNSUPPORTED, REASON_KEY, REASON_SIGNATURE };
enum { REASON_BROKEN = 9 };

static enum fault fault_of_err(enum err err)
{
    switch (metric_reason(err)) {
    case REASON_MALFORMED:
    case REASON_TOO_LARGE:
    case REASON_UNSUPPORTED:
        return FAULT_MALFORMED;
    case REASON_KEY:
        return FAULT_KEY;
    case REASON_SIGNATURE:
        return FAULT_SIGNATURE;
    case REASON_BROKEN:
        return FAULT_BROKEN;
    default:
        return FAULT_RULE;
    }
}

static enum fault fault_of_time(enum time_fault fault)
{
    switch (fault) {
    case TIME_GOOD:
        return FAULT_NONE;
    case TIME_NOT_LATER:
        return FAULT_NOT_LATER;
    case TIME_BEFORE_ENGINE:
        return FAULT_ENGINE;
    case TIME_AHEAD:
        return FAULT_AHEAD;
    case TIME_BEHIND:
        return FAULT_BEHIND;
    }
    BUG_ON(true);
}

enum err comet_decode(struct comet *comet, struct bytes bytes, const struct tx *tx,
                      struct pool_tx **out, struct why *why)
{
    struct hash hash;
    sha256(&hash, bytes);
    *out = pool_find(comet->pool, &hash);
    if (*out != NULL) {
        return OK;
    }
    struct submissions submissions = {0};
    enum err err = comet->app.admit(comet->app.context, tx->statements, &submissions, why);
    if (submissions.count > TX_STATEMENTS_MAX) {
        submissions_clear(&submissions);
        return why_sayf(why, ERR_RANGE, "transaction", "holds more than 1,024", NULL,
                        "%zu statements", submissions.count);
    }
    if (submissions.count == 0) {
        return err;
    }
    *out = pool_tx_new(&submissions, bytes.len, NULL);
    if (err == OK) {
        pool_add(comet->pool, &hash, *out);
    }
    return err;
}

static enum fault judge_statements(struct comet *comet, struct bytes bytes, const struct tx *tx,
                                   struct why *why)
{
    struct pool_tx *decoded;
    enum err err = comet_decode(comet, bytes, tx, &decoded, why);
    pool_tx_release(decoded);
    return err == OK ? FAULT_NONE : fault_of_err(err);
}

/* ---- CheckTx */

/* A tick is taken for the head that stands, once its timer is due here. */
static enum fault check_tick(struct comet *comet, const struct tx *tx)
{
    struct comet_head head = comet_head(comet);
    struct tick_head tick = {head.header.height, head.due_ms};
    return tick_is_current(&tick, tx->height, tx->time_ms, comet->options.wall_ms()) ? FAULT_NONE
                                                                                     : FAULT_TICK;
}

static enum fault check(struct comet *comet, struct bytes bytes, struct why *why)
{
    struct tx tx;
    if (tx_parse(&tx, bytes) != OK) {
        return FAULT_MALFORMED;
    }
    switch (tx.kind) {
    case TX_TIME:
        return FAULT_TIME; /* it is the proposer's to say */
    case TX_TICK:
        return check_tick(comet, &tx);
    case TX_STATEMENTS:
        return judge_statements(comet, bytes, &tx, why);
    }
    BUG_ON(true);
}

enum err comet_check_tx(void *context, const struct abci_check_tx *request, struct abci_result *out,
                        struct arena *arena, struct why *why)
{
    struct comet *comet = context;
    (void)why;
    if (request->recheck && tx_is_statements(request->tx)) {
        return OK; /* what was good stays good enough to be ordered */
    }
    struct why reason = {0};
    enum fault fault = check(comet, request->tx, &reason);
    metric_add(METRIC_ORDER_CHECKED, fault, 1);
    if (fault != FAULT_NONE) {
        char text[256];
        int len = snprintf(text, sizeof text, "%s: %s %s", fault_name(fault), reason.field,
                           reason.problem);
        out->code = fault;
        out->log = arena_copy(arena, (struct bytes){(const uint8_t *)text, len < (int)sizeof text
                                                                               ? (size_t)len
                                                                               : sizeof text - 1});
    }
    return OK;
}

/* A block of this time fires a timer. */
static bool timer_due(struct comet *comet, uint64_t time_ms)
{
    struct comet_head head = comet_head(comet);
    struct tick_head tick = {head.header.height, head.due_ms};
    return tick_fires(&tick, time_ms);
}

/* ---- PrepareProposal */

/* What we propose is what we would accept; the mempool can hold a tick that is none any more. */
static bool fits_proposal(struct comet *comet, struct bytes bytes, uint64_t time_ms)
{
    struct tx tx;
    struct why why = {0};
    if (tx_parse(&tx, bytes) != OK) {
        return false;
    }
    switch (tx.kind) {
    case TX_TIME:
        return false;
    case TX_TICK:
        return timer_due(comet, time_ms);
    case TX_STATEMENTS:
        return judge_statements(comet, bytes, &tx, &why) == FAULT_NONE;
    }
    BUG_ON(true);
}

enum err comet_prepare(void *context, const struct abci_block *block, struct abci_txs *out,
                       struct arena *arena, struct why *why)
{
    struct comet *comet = context;
    (void)why;
    atomic_store(&comet->caught_up, true);
    uint64_t time_ms =
        blocktime_propose(comet->options.wall_ms(), blocktime_engine_ms(&block->time),
                          comet_head(comet).header.time_ms);
    struct buf time = {0};
    tx_time_write(&time, time_ms);
    struct bytes *txs = arena_array(arena, block->tx_count + 1, sizeof *txs);
    txs[0] = arena_copy(arena, buf_bytes(&time));
    buf_clear(&time);
    out->at = txs;
    out->count = 1;
    size_t cost = abci_tx_cost(txs[0].len);
    for (size_t i = 0; i < block->tx_count; i++) {
        cost += abci_tx_cost(block->txs[i].len);
        if (cost > block->max_tx_bytes) {
            break;
        }
        if (fits_proposal(comet, block->txs[i], time_ms)) {
            txs[out->count++] = block->txs[i];
        } else {
            cost -= abci_tx_cost(block->txs[i].len);
        }
    }
    return OK;
}

/* ---- ProcessProposal */

static enum fault judge_time(struct comet *comet, const struct abci_block *block, uint64_t *time_ms)
{
    struct tx tx;
    if (block->tx_count == 0 || tx_parse(&tx, block->txs[0]) != OK || tx.kind != TX_TIME) {
        return FAULT_NO_TIME;
    }
    *time_ms = tx.time_ms;
    struct hash hash = {{0}};
    if (block->hash.len == sizeof hash.at) {
        memcpy(hash.at, block->hash.at, sizeof hash.at);
    }
    pthread_mutex_lock(&comet->exec_lock);
    bool waived = blocktime_seen(&comet->blocktime, block->height, &hash);
    pthread_mutex_unlock(&comet->exec_lock);
    enum time_fault fault = blocktime_check(*time_ms, blocktime_engine_ms(&block->time),
                                            comet_head(comet).header.time_ms);
    if (fault == TIME_GOOD) {
        fault = blocktime_judge(*time_ms, comet->options.wall_ms(), waived);
    }
    return fault_of_time(fault);
}

static enum fault judge_tx(struct comet *comet, struct bytes bytes, uint64_t time_ms,
                           struct why *why)
{
    struct tx tx;
    if (tx_parse(&tx, bytes) != OK) {
        return FAULT_MALFORMED;
    }
    switch (tx.kind) {
    case TX_TIME:
        return FAULT_TIME;
    case TX_TICK:
        return timer_due(comet, time_ms) ? FAULT_NONE : FAULT_TICK;
    case TX_STATEMENTS:
        return judge_statements(comet, bytes, &tx, why);
    }
    BUG_ON(true);
}

static enum fault judge(struct comet *comet, const struct abci_block *block, struct why *why)
{
    uint64_t time_ms = 0;
    if (atomic_load(&comet->failed)) {
        return FAULT_BROKEN;
    }
    if (block->height != atomic_load(&comet->engine_height) + 1) {
        return FAULT_HEIGHT;
    }
    enum fault fault = judge_time(comet, block, &time_ms);
    for (size_t i = 1; i < block->tx_count && fault == FAULT_NONE; i++) {
        fault = judge_tx(comet, block->txs[i], time_ms, why);
    }
    return fault;
}

enum err comet_process(void *context, const struct abci_block *block, enum abci_verdict *out,
                       struct arena *arena, struct why *why)
{
    struct comet *comet = context;
    (void)arena;
    (void)why;
    atomic_store(&comet->caught_up, true);
    struct why reason = {0};
    enum fault fault = judge(comet, block, &reason);
    metric_add(METRIC_ORDER_PROPOSALS, fault, 1);
    if (fault != FAULT_NONE) {
        struct bytes node = comet_node_of(comet, block->proposer);
        log_event(LOG_WARN, "proposal.rejected",
                  "reason=%s proposer=\"%.*s\" engine_height=%llu what=\"%s %s\"",
                  fault_name(fault), (int)node.len, (const char *)node.at,
                  (unsigned long long)block->height, reason.field, reason.problem);
    }
    *out = fault == FAULT_NONE ? ABCI_ACCEPT : ABCI_REJECT;
    return OK;
}
