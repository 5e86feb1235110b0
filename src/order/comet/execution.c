/* What the engine decided, executed and made durable.
 *
 * The outcome follows from the state and the block: the time must hold its two rules, a transaction
 * that does not decode is left out, and what is left is the ledger's to judge. The same transaction
 * twice in a block is executed twice: its statements were seen then. */
#include "order/comet/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include <stdlib.h>
#include <string.h>

/* Places in the label of METRIC_ORDER_TIME. */
enum { STEP_EXECUTE, STEP_COMMIT };

void execution_forget(struct comet *comet)
{
    struct execution *execution = &comet->execution;
    for (size_t i = 0; i < execution->tx_count; i++) {
        pool_tx_release(execution->txs[i].tx);
    }
    execution->tx_count = 0;
    execution->input = (struct block_input){0};
    execution->standing = false;
    execution->refused = false;
}

void execution_clear(struct comet *comet)
{
    execution_forget(comet);
    free(comet->execution.submissions);
    free(comet->execution.txs);
    comet->execution = (struct execution){0};
}

static void add_tx(struct execution *execution, struct pool_tx *tx)
{
    if (execution->tx_count == execution->txs_cap) {
        execution->txs_cap = execution->txs_cap ? execution->txs_cap * 2 : 64;
        execution->txs = mem_realloc(execution->txs, execution->txs_cap * sizeof *execution->txs);
    }
    size_t first = execution->input.count;
    size_t count = tx->submissions.count;
    if (first + count > execution->submissions_cap) {
        execution->submissions_cap = 2 * (first + count);
        execution->submissions = mem_realloc(
            execution->submissions, execution->submissions_cap * sizeof(struct submission *));
    }
    memcpy(&execution->submissions[first], tx->submissions.at, count * sizeof(struct submission *));
    execution->input.count += count;
    execution->txs[execution->tx_count++] = (struct executed_tx){tx, first};
}

/* Decodes the block's statements. An error of a signature or a key is the ledger's to find. */
static void gather_block(struct comet *comet, const struct abci_block *block)
{
    for (size_t i = 0; i < block->tx_count; i++) {
        struct tx tx;
        if (tx_parse(&tx, block->txs[i]) != OK || tx.kind != TX_STATEMENTS) {
            continue;
        }
        struct why why = {0};
        struct pool_tx *decoded;
        enum err err = comet_decode(comet, block->txs[i], &tx, &decoded, &why);
        if (decoded != NULL) {
            add_tx(&comet->execution, decoded);
        } else {
            log_event(LOG_WARN, "block.transaction", "err=%s engine_height=%llu what=\"%s %s\"",
                      err_name(err), (unsigned long long)block->height, why.field, why.problem);
        }
    }
    comet->execution.input.submissions = comet->execution.submissions;
}

static bool time_of(struct comet *comet, const struct abci_block *block, uint64_t *time_ms)
{
    struct tx tx;
    if (block->tx_count == 0 || tx_parse(&tx, block->txs[0]) != OK || tx.kind != TX_TIME) {
        return false;
    }
    *time_ms = tx.time_ms;
    return blocktime_check(*time_ms, blocktime_engine_ms(&block->time),
                           comet_head(comet).header.time_ms) == TIME_GOOD;
}

static void note_misbehavior(const struct comet *comet, const struct abci_block *block)
{
    for (size_t i = 0; i < block->misbehavior_count; i++) {
        const struct abci_misbehavior *one = &block->misbehavior[i];
        struct bytes node = comet_node_of(comet, one->address);
        metric_add(METRIC_ORDER_MISBEHAVIOR, 0, 1);
        log_event(LOG_ERROR, "consensus.misbehavior",
                  "what=\"%s\" node=\"%.*s\" engine_height=%llu",
                  one->offence == ABCI_DUPLICATE_VOTE        ? "two votes"
                  : one->offence == ABCI_LIGHT_CLIENT_ATTACK ? "light client attack"
                                                             : "unknown",
                  (int)node.len, (const char *)node.at, (unsigned long long)one->height);
    }
}

/* Whatever fails here, nothing is executed any more: "stored" may never be said wrongly. */
static enum err fail(struct comet *comet, enum err err, struct why *why)
{
    if (!atomic_exchange(&comet->failed, true)) {
        log_event(LOG_ERROR, "order.failed", "err=%s", err_name(err));
        outbox_wake(comet->outbox);
    }
    return why_say(why, err, "ledger", NULL, "can't be written any more",
                   "Check the disk, then restart the node.");
}

static enum err execute(struct comet *comet, const struct abci_block *block)
{
    struct execution *execution = &comet->execution;
    struct block_input *input = &execution->input;
    execution_forget(comet);
    note_misbehavior(comet, block);
    gather_block(comet, block);
    input->engine_height = block->height;
    execution->refused = !time_of(comet, block, &input->time_ms);
    struct comet_head head = comet_head(comet);
    if (execution->refused) {
        execution->result = (struct block_result){.header = head.header, .header_hash = head.hash};
        log_event(LOG_ERROR, "block.refused", "engine_height=%llu what=\"its time\"",
                  (unsigned long long)block->height);
    } else {
        uint64_t from_ns = clock_mono_ns();
        TRY(comet->app.execute(comet->app.context, input, &execution->result));
        metric_observe_us(METRIC_ORDER_TIME, STEP_EXECUTE, (clock_mono_ns() - from_ns) / 1000);
        metric_observe(METRIC_ORDER_SIZE, 0, input->count);
    }
    execution->standing = true;
    return OK;
}

enum err comet_finalize(void *context, const struct abci_block *block, struct abci_finalized *out,
                        struct arena *arena, struct why *why)
{
    struct comet *comet = context;
    enum err err = OK;
    if (atomic_load(&comet->failed)) {
        return fail(comet, ERR_IO, why);
    }
    pthread_mutex_lock(&comet->exec_lock);
    uint64_t want = atomic_load(&comet->engine_height) + 1;
    if (block->height != want) {
        err = why_sayf(why, ERR_MISMATCH, "height", "is not the next one",
                       "The engine's folder does not belong to this ledger.", "%llu",
                       (unsigned long long)block->height);
    } else if ((err = execute(comet, block)) != OK) {
        execution_forget(comet);
        err = fail(comet, err, why);
    } else {
        out->result_count = block->tx_count;
        out->results = arena_array(arena, block->tx_count + 1, sizeof *out->results);
        out->app_hash = arena_copy(arena, hash_bytes(&comet->execution.result.header_hash));
    }
    pthread_mutex_unlock(&comet->exec_lock);
    return err;
}

static enum err make_durable(struct comet *comet)
{
    struct execution *execution = &comet->execution;
    if (!execution->result.changed) {
        metric_add(METRIC_ORDER_UNCHANGED, 0, 1);
        return comet->app.passed(comet->app.context, execution->input.engine_height);
    }
    uint64_t from_ns = clock_mono_ns();
    TRY(comet->app.commit(comet->app.context, &execution->input, &execution->result));
    metric_observe_us(METRIC_ORDER_TIME, STEP_COMMIT, (clock_mono_ns() - from_ns) / 1000);
    metric_add(METRIC_ORDER_BLOCKS, 0, 1);
    comet->durable_height = execution->input.engine_height;
    uint64_t due_ms = comet->app.timer_due(comet->app.context);
    pthread_mutex_lock(&comet->head_lock);
    comet->head =
        (struct comet_head){execution->result.header, execution->result.header_hash, due_ms};
    pthread_mutex_unlock(&comet->head_lock);
    return OK;
}

/* Takes the block's transactions out of the pool and answers those who wait for ours, whose
 * statements are the callees' then: nothing of the block may be read after it. */
static void answer(struct comet *comet)
{
    struct execution *execution = &comet->execution;
    for (size_t i = 0; i < execution->tx_count; i++) {
        struct executed_tx *executed = &execution->txs[i];
        if (executed->tx->own == NULL) {
            pool_drop(comet->pool, executed->tx);
            continue;
        }
        outbox_committed(comet->outbox, executed->tx->own,
                         execution->refused ? NULL : &execution->result.results[executed->first],
                         &execution->result.header);
    }
}

static uint64_t retain(const struct comet *comet)
{
    uint64_t height = comet->durable_height;
    uint64_t (*floor)(void *context) = comet->options.retain_floor;
    if (height <= COMET_KEEP_BLOCKS) {
        return 0;
    }
    uint64_t keep = height - COMET_KEEP_BLOCKS;
    uint64_t needed = floor ? floor(comet->options.retain_context) : UINT64_MAX;
    return keep < needed ? keep : needed;
}

enum err comet_commit(void *context, uint64_t *retain_height, struct why *why)
{
    struct comet *comet = context;
    pthread_mutex_lock(&comet->exec_lock);
    enum err err = OK;
    if (!comet->execution.standing) {
        err = why_say(why, ERR_MISMATCH, "commit", NULL, "came without an executed block", NULL);
    } else if ((err = make_durable(comet)) != OK) {
        err = fail(comet, err, why);
    } else {
        atomic_store(&comet->engine_height, comet->execution.input.engine_height);
        answer(comet);
        *retain_height = retain(comet);
    }
    execution_forget(comet);
    pthread_mutex_unlock(&comet->exec_lock);
    return err;
}
