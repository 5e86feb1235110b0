/* Trust updates, made on request: one step for each restart since the head that the asker knows and
 * for each block in which a receipt key began or ended (keysteps.c), then one for the newest head.
 *
 * A restart's step shows the keys of its epoch in the state as it was under its own block, which
 * nobody can show later. So it is written down, without the paths that depend on the asker, while
 * that block is the newest: DIR/restarts/EPOCH, made by whoever first opens the ledger then. */
#include "node/internal.h"

#include "base/file.h"
#include "proof/trustupdate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESTARTS_DIR "restarts"

/* ---- writing a restart down */

struct writing {
    struct node *node;
    struct view *view;
    struct trust_update update;
    struct trust_step step;
    struct trust_key key;
    struct state_answer owners[2]; /* from which the stated keys borrow */
    struct buf entry;
    struct buf receipt;
};

/* Whether the newest block is the first of its epoch. */
static enum err is_restart(const struct view *view, bool *out)
{
    const struct header *head = view_header(view);
    struct header before;
    *out = false;
    if (head->height == 0 || head->epoch == 0) {
        return OK;
    }
    enum err err = view_header_at(view, head->height - 1, &before);
    *out = err == OK && before.epoch != head->epoch;
    return err;
}

static enum err fill_step(struct writing *writing, struct why *why)
{
    struct view *view = writing->view;
    struct trust_step *step = &writing->step;
    const struct header *head = view_header(view);
    struct statement statement;
    struct hash kid;
    uint64_t height;
    step->header_bytes = view_header_bytes(view);
    TRY(node_receipt(writing->node, view, &writing->receipt, why));
    step->receipts[0] = buf_bytes(&writing->receipt);
    step->receipt_count = 1;
    TRY(node_stated(view, pubkey_kid(signer_pubkey(writing->node->receipt)), &writing->key.key,
                    &writing->owners[0]));
    step->keys = &writing->key;
    step->key_count = 1;
    struct logged *entry = &step->restart.entry;
    entry->index = head->first_index;
    TRY(view_entry(view, entry->index, &writing->entry, &height));
    TRY(statement_parse(&statement, buf_bytes(&writing->entry), why));
    entry->entry = buf_bytes(&writing->entry);
    TRY(view_log_path(view, entry->index, head->tree_size, &entry->path));
    memcpy(kid.at, statement.kid.at, sizeof kid.at);
    return node_stated(view, &kid, &step->restart.signer, &writing->owners[1]);
}

static enum err write_step(struct writing *writing, const char *path, struct why *why)
{
    struct buf bytes = {0};
    enum err err = fill_step(writing, why);
    if (err == OK) {
        writing->update.name = writing->node->ledger_name;
        writing->update.chain = writing->node->chain;
        writing->update.steps = &writing->step;
        writing->update.step_count = 1;
        trust_update_write(&bytes, &writing->update);
        err = file_write(path, buf_bytes(&bytes), 0600, why);
    }
    buf_clear(&bytes);
    return err;
}

static char *restart_path(const struct node *node, uint64_t epoch)
{
    char name[64];
    snprintf(name, sizeof name, RESTARTS_DIR "/%llu", (unsigned long long)epoch);
    return path_join(node->dir, name);
}

static enum err write_restart(struct node *node, struct view *view, struct why *why)
{
    char *dir = path_join(node->dir, RESTARTS_DIR);
    char *path = restart_path(node, view_header(view)->epoch);
    struct writing *writing = mem_zalloc(sizeof *writing);
    writing->node = node;
    writing->view = view;
    enum err err = file_exists(path) ? OK : dir_make(dir, 0700, why);
    if (err == OK && !file_exists(path)) {
        err = write_step(writing, path, why);
    }
    state_answer_clear(&writing->owners[0]);
    state_answer_clear(&writing->owners[1]);
    buf_clear(&writing->entry);
    buf_clear(&writing->receipt);
    free(writing);
    free(path);
    free(dir);
    return err;
}

enum err node_note_newest(struct node *node, struct why *why)
{
    struct view *view = node_view(node);
    bool first_of_epoch;
    enum err err = is_restart(view, &first_of_epoch);
    if (err == OK) {
        err = first_of_epoch ? write_restart(node, view, why) : node_note_keys(node, why);
    }
    view_release(view);
    return err;
}

/* ---- answering */

struct answering {
    struct node *node;
    struct view *view;
    struct trust_step *steps;
    size_t step_count;
    struct trust_update **noted; /* from which their steps borrow; NULL for the newest */
    struct keystep *keysteps;
    size_t keystep_count;
    struct header known; /* the head that the next step leads on from */
    struct buf receipt;
};

static enum err check_known(struct answering *answering, uint64_t epoch, uint64_t height,
                            uint64_t size, struct why *why)
{
    enum err err = height <= view_header(answering->view)->height
                       ? view_header_at(answering->view, height, &answering->known)
                       : ERR_NOT_FOUND;
    if (err == OK && (answering->known.epoch != epoch || answering->known.tree_size != size)) {
        err = ERR_MISMATCH;
    }
    return err == OK
               ? OK
               : why_sayf(why, err, "head", "is not one of this ledger",
                          "Ask with an older head of your trust file; if none is known here, the "
                          "ledger lost it or is another one.",
                          "%llu/%llu", (unsigned long long)epoch, (unsigned long long)height);
}

/* The paths from the known head to the step's, which then is the known one. */
static enum err lead_on(struct answering *answering, struct trust_step *step,
                        const struct header *to)
{
    const struct header *from = &answering->known;
    TRY(view_history_path(answering->view, from->height, to->height, &step->history));
    if (from->tree_size != to->tree_size) {
        TRY(view_log_consistency(answering->view, from->tree_size, to->tree_size,
                                 &step->consistency));
    }
    answering->known = *to;
    return OK;
}

/* Takes over the update, and its one step as the next. */
static enum err take_step(struct answering *answering, struct trust_update *update)
{
    struct trust_step *step = &answering->steps[answering->step_count];
    answering->noted[answering->step_count++] = update;
    *step = update->steps[0];
    return lead_on(answering, step, &update->steps[0].header);
}

static enum err add_restart(struct answering *answering, uint64_t epoch, struct why *why)
{
    char *path = restart_path(answering->node, epoch);
    struct buf bytes = {0};
    struct trust_update *update = NULL;
    enum err err = file_read(&bytes, path, TRUST_UPDATE_MAX, why);
    if (err == OK) {
        err = trust_update_parse(&update, buf_bytes(&bytes), why);
    }
    buf_clear(&bytes);
    free(path);
    return err == OK ? take_step(answering, update) : err;
}

/* A step that was noted before a loss may be of a block that is not in the ledger any more. */
static bool is_in_ledger(const struct answering *answering, const struct trust_step *step)
{
    struct buf bytes = {0};
    bool same = step->header.height <= view_header(answering->view)->height &&
                view_block(answering->view, step->header.height, &bytes) == OK &&
                bytes_equal(buf_bytes(&bytes), step->header_bytes);
    buf_clear(&bytes);
    return same;
}

static enum err add_keystep(struct answering *answering, struct keystep which, struct why *why)
{
    struct trust_update *update;
    TRY(node_keystep_read(answering->node, which, &update, why));
    if (is_in_ledger(answering, &update->steps[0])) {
        return take_step(answering, update);
    }
    trust_update_free(update);
    return OK;
}

/* The restarts, and the blocks in which receipt keys began or ended, in their order. */
static enum err add_noted(struct answering *answering, struct why *why)
{
    uint64_t known = answering->known.epoch;
    size_t next = 0;
    for (uint64_t epoch = known; epoch <= view_header(answering->view)->epoch; epoch++) {
        if (epoch > known) {
            TRY(add_restart(answering, epoch, why));
        }
        for (; next < answering->keystep_count && answering->keysteps[next].epoch == epoch;
             next++) {
            TRY(add_keystep(answering, answering->keysteps[next], why));
        }
    }
    return OK;
}

static enum err add_newest(struct answering *answering, struct why *why)
{
    const struct header *head = view_header(answering->view);
    if (answering->known.height == head->height) {
        return answering->step_count > 0
                   ? OK
                   : why_say(why, ERR_EXISTS, "head", NULL, "is the newest there is",
                             "There is nothing to update.");
    }
    struct trust_step *step = &answering->steps[answering->step_count++];
    step->header_bytes = view_header_bytes(answering->view);
    TRY(node_receipt(answering->node, answering->view, &answering->receipt, why));
    step->receipts[0] = buf_bytes(&answering->receipt);
    step->receipt_count = 1;
    return lead_on(answering, step, head);
}

static enum err answer(struct answering *answering, struct buf *out, struct why *why)
{
    TRY(add_noted(answering, why));
    TRY(add_newest(answering, why));
    struct trust_update update = {.name = answering->node->ledger_name,
                                  .chain = answering->node->chain,
                                  .step_count = answering->step_count,
                                  .steps = answering->steps};
    trust_update_write(out, &update);
    return OK;
}

enum err node_trust_update(struct node *node, uint64_t epoch, uint64_t height, uint64_t size,
                           struct buf *out, struct why *why)
{
    struct answering answering = {.node = node, .view = node_view(node)};
    size_t steps_max = 0;
    enum err err = check_known(&answering, epoch, height, size, why);
    if (err == OK) {
        node_keysteps(node, (struct keystep){epoch, height}, &answering.keysteps,
                      &answering.keystep_count);
        steps_max = view_header(answering.view)->epoch - epoch + 1 + answering.keystep_count;
    }
    if (err == OK && steps_max > UPDATE_STEPS_MAX) {
        err = why_say(why, ERR_RANGE, "head", NULL, "is too many restarts and new keys old",
                      "Get the trust file from the operator.");
    }
    if (err == OK) {
        answering.steps = mem_zalloc(steps_max * sizeof *answering.steps);
        answering.noted = mem_zalloc(steps_max * sizeof(struct trust_update *));
        err = answer(&answering, out, why);
    }
    for (size_t i = 0; i < answering.step_count; i++) {
        trust_update_free(answering.noted[i]);
    }
    view_release(answering.view);
    buf_clear(&answering.receipt);
    free(answering.steps);
    free(answering.noted);
    free(answering.keysteps);
    return err;
}
