/* The orderer's way up: statements of a block decoded and checked, blocks executed, made durable
 * and handed to whoever waits for them. */
#include "node/internal.h"

#include "base/log.h"
#include "base/metrics.h"
#include "store/index.h"

#include <stdlib.h>

/* Places in the label of METRIC_ORDER_TIMERS. */
enum { TIMERS_DONE, TIMERS_FAILED };

/* On the orderer's threads: so few statements are checked sooner than a verifier is woken. */
#define INLINE_MAX 2

/* Waits for a group of statements. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
};

static void open_gate(void *context)
{
    struct gate *gate = context;
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_signal(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
}

static void admit_all(struct admit *admit, struct admission *admissions, size_t count)
{
    if (count <= INLINE_MAX) {
        for (size_t i = 0; i < count; i++) {
            admit_one(admit, &admissions[i]);
        }
        return;
    }
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    admit_group(admit, admissions, count, open_gate, &gate);
    pthread_mutex_lock(&gate.lock);
    while (!gate.open) {
        pthread_cond_wait(&gate.opened, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
    pthread_mutex_destroy(&gate.lock);
    pthread_cond_destroy(&gate.opened);
}

/* The first statement that does not decode, else the first whose key or signature is not good. */
static const struct admission *first_fault(const struct admission *admissions, size_t count)
{
    const struct admission *fault = NULL;
    for (size_t i = 0; i < count; i++) {
        if (admissions[i].out == NULL) {
            return &admissions[i];
        }
        if (fault == NULL && admissions[i].err != OK) {
            fault = &admissions[i];
        }
    }
    return fault;
}

/* Hands over what decoded, if all did, and returns what is at fault. */
static enum err collect(struct submissions *out, const struct admission *admissions, size_t count,
                        struct why *why)
{
    const struct admission *fault = first_fault(admissions, count);
    if (fault != NULL) {
        *why = fault->why;
    }
    if (fault != NULL && fault->out == NULL) {
        for (size_t i = 0; i < count; i++) {
            submission_free(admissions[i].out);
        }
        return fault->err;
    }
    out->count = count;
    out->at = mem_alloc(count * sizeof(struct submission *));
    for (size_t i = 0; i < count; i++) {
        out->at[i] = admissions[i].out;
    }
    return fault != NULL ? fault->err : OK;
}

static enum err app_admit(void *context, struct bytes sequence, struct submissions *out,
                          struct why *why)
{
    struct node *node = context;
    *out = (struct submissions){0};
    struct parts parts;
    enum err err = parts_split(&parts, sequence, why);
    if (err == OK) {
        struct admission *admissions = mem_zalloc(parts.count * sizeof *admissions);
        for (size_t i = 0; i < parts.count; i++) {
            admissions[i].statement = parts.at[i];
            admissions[i].of_block = true;
        }
        admit_all(node->admit, admissions, parts.count);
        err = collect(out, admissions, parts.count, why);
        free(admissions);
    }
    parts_clear(&parts);
    return err;
}

static void app_wire(void *context, const struct submission *submission, struct buf *out)
{
    (void)context;
    admit_wire(submission, out);
}

static uint64_t app_timer_due(void *context)
{
    struct node *node = context;
    return ledger_timer_due(node->ledger);
}

static enum err app_passed(void *context, uint64_t engine_height)
{
    struct node *node = context;
    return ledger_passed(node->ledger, engine_height);
}

static enum err app_execute(void *context, const struct block_input *input,
                            struct block_result *out)
{
    struct node *node = context;
    return ledger_execute(node->ledger, input, out);
}

static void add_foreign(struct pair_block *block, const struct statement *statement, uint64_t index)
{
    struct hash sha256;
    struct hash sm3;
    if (statement_foreign_digests(statement, &sha256, &sm3)) {
        pair_block_add(block, (struct pair){get_u64(sm3.at), index, 0, INDEX_SM3});
    }
    pair_block_add(block, (struct pair){get_u64(sha256.at), index, 0, INDEX_SHA256});
}

static void add_items(struct pair_block *block, const struct items *items, uint64_t index)
{
    for (uint32_t i = 0; i < items->count; i++) {
        const struct item_prefixes *prefixes = &items->prefixes[i];
        pair_block_add(block, (struct pair){prefixes->sha256, index, (uint16_t)i, INDEX_SHA256});
        pair_block_add(block, (struct pair){prefixes->sm3, index, (uint16_t)i, INDEX_SM3});
        if (prefixes->has_ref) {
            pair_block_add(block, (struct pair){prefixes->ref, index, (uint16_t)i, INDEX_REF});
        }
    }
}

/* What the block's accepted statements will be found by. */
static struct pair_block *block_pairs(struct node *node, const struct block_input *input,
                                      const struct block_result *result)
{
    size_t capacity = 0;
    for (size_t i = 0; i < input->count; i++) {
        const struct items *items = input->submissions[i]->items;
        capacity += 3 + (items ? 3u * items->count : 0);
    }
    struct pair_block *block = pair_block_new(capacity);
    for (size_t i = 0; i < input->count; i++) {
        const struct statement_result *one = &result->results[i];
        const struct submission *submission = input->submissions[i];
        if (one->err != OK || one->seen) {
            continue;
        }
        pair_block_add(block, (struct pair){get_u64(one->id.at), one->index, 0, INDEX_STATEMENT});
        struct hash target;
        if (submission->action->target &&
            submission->action->target(&submission->statement, &target)) {
            pair_block_add(block, (struct pair){get_u64(target.at), one->index, 0, INDEX_TARGET});
        }
        if (submission->statement.foreign) {
            add_foreign(block, &submission->statement, one->index);
        }
        if (submission->items) {
            add_items(block, submission->items, one->index);
            atomic_fetch_add(&node->items, submission->items->count);
        }
        atomic_fetch_add(&node->accepted, 1);
    }
    return block;
}

static enum err make_durable(struct node *node, const struct block_result *result)
{
    struct mark_head head = {result->header.epoch, result->header.height, result->header_hash};
    TRY(ledger_commit(node->ledger));
    return mark_write(node->mark, &head);
}

static void tell_watchers(struct node *node)
{
    pthread_mutex_lock(&node->watch_lock);
    for (size_t i = 0; i < node->watcher_count; i++) {
        node->watchers[i].changed(node->watchers[i].context);
    }
    pthread_mutex_unlock(&node->watch_lock);
}

/* The block is durable whatever comes of this; the next start tries again while it is the newest.
 */
static void note_keys(struct node *node)
{
    struct why why = {0};
    enum err err = node_note_keys(node, &why);
    if (err != OK) {
        log_event(LOG_ERROR, "node.keystep", "err=%s reason=\"%s %s\"", err_name(err), why.field,
                  why.problem);
    }
}

static enum err app_commit(void *context, const struct block_input *input,
                           const struct block_result *result)
{
    struct node *node = context;
    struct view *before = node_view_before(node, input);
    enum err err = make_durable(node, result);
    if (err == OK && before) {
        node_note_statements(node, before, input, result);
        note_keys(node);
    }
    view_release(before);
    TRY(err);
    metric_add(METRIC_ORDER_TIMERS, TIMERS_DONE, result->timers_fired - result->timers_failed);
    metric_add(METRIC_ORDER_TIMERS, TIMERS_FAILED, result->timers_failed);
    indexer_push(node->indexer, block_pairs(node, input, result), result->header.height);
    tell_watchers(node);
    return OK;
}

struct order_app node_order_app(struct node *node)
{
    return (struct order_app){.context = node,
                              .admit = app_admit,
                              .wire = app_wire,
                              .timer_due = app_timer_due,
                              .execute = app_execute,
                              .commit = app_commit,
                              .passed = app_passed};
}
