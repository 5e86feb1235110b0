/* Blocks in which a receipt key begins or ends.
 *
 * A trust update needs a step for each of them, which shows the keys' records in the state as it
 * was under that very block, and nobody can show that later. So the step is written down, without
 * the paths that depend on who asks, while the block is the newest: DIR/keysteps/EPOCH-HEIGHT, made
 * at the commit, or by whoever opens the ledger after a crash. The receipt in it is by a key that
 * was good before the block, so that a trust file that lists it learns the one that follows. */
#include "node/internal.h"

#include "base/file.h"
#include "base/log.h"
#include "proof/trust.h"
#include "proof/trustupdate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYSTEPS_DIR "keysteps"

struct noting {
    struct node *node;
    struct view *view;
    struct trust_update update;
    struct trust_step step;
    struct trust_key keys[STEP_KEYS_MAX];
    struct state_answer answers[STEP_KEYS_MAX]; /* from which the keys borrow */
    struct buf endings[STEP_KEYS_MAX];
    struct buf receipt;
    struct buf bytes;
    enum err err;
};

enum err node_stated(const struct view *view, const struct hash *kid, struct stated *out,
                     struct state_answer *owner)
{
    struct buf key = {0};
    key_record_state_key(&key, kid);
    enum err err = view_state(view, bytes_text(MEMBER_MODULE), buf_bytes(&key), owner);
    buf_clear(&key);
    if (err == OK) {
        out->record = buf_bytes(&owner->value);
        node_take_siblings(&out->siblings, &owner->siblings);
    }
    return err;
}

static enum err add_ending(struct noting *noting, struct logged *ending, struct buf *entry,
                           uint64_t index)
{
    uint64_t height;
    ending->index = index;
    TRY(view_entry(noting->view, index, entry, &height));
    ending->entry = buf_bytes(entry);
    return view_log_path(noting->view, index, view_header(noting->view)->tree_size, &ending->path);
}

/* Takes a receipt key that began or ended in the newest block. */
static void take_key(void *context, const struct hash *kid, const struct key_record *record)
{
    struct noting *noting = context;
    uint64_t first = view_header(noting->view)->first_index;
    bool ended = record->has_until && record->until > first;
    size_t number = noting->step.key_count;
    if (noting->err != OK || (record->from < first && !ended)) {
        return;
    }
    if (number == STEP_KEYS_MAX) {
        noting->err = ERR_RANGE;
        return;
    }
    struct trust_key *key = &noting->keys[noting->step.key_count++];
    noting->err = node_stated(noting->view, kid, &key->key, &noting->answers[number]);
    if (noting->err == OK && ended) {
        noting->err = add_ending(noting, &key->ending, &noting->endings[number], record->until - 1);
    }
}

static char *keystep_path(const struct node *node, struct keystep which)
{
    char name[64];
    snprintf(name, sizeof name, KEYSTEPS_DIR "/%llu-%llu", (unsigned long long)which.epoch,
             (unsigned long long)which.height);
    return path_join(node->dir, name);
}

/* Takes the step into DIR/NAME.trust, which whoever opens the folder compares with the ledger. */
static enum err update_trust(struct noting *noting, struct why *why)
{
    struct node *node = noting->node;
    char *path = node_trust_path(node, "");
    struct buf bytes = {0};
    struct trust *old = NULL;
    struct trust *new = NULL;
    struct trust_update *update = NULL;
    enum err err = file_read(&bytes, path, TRUST_MAX, why);
    err = err == OK ? trust_parse(&old, buf_bytes(&bytes), why) : err;
    if (err == OK) {
        const struct head *known = trust_newest(old);
        const struct header *to = view_header(noting->view);
        err = known ? view_history_path(noting->view, known->place.height, to->height,
                                        &noting->step.history)
                    : OK;
        if (err == OK && known && known->size < to->tree_size) {
            err = view_log_consistency(noting->view, known->size, to->tree_size,
                                       &noting->step.consistency);
        }
    }
    bytes.len = 0;
    if (err == OK) {
        trust_update_write(&bytes, &noting->update);
        err = trust_update_parse(&update, buf_bytes(&bytes), why);
        err = err == OK ? trust_update_apply(&new, old, update, NULL, why) : err;
    }
    if (err == OK) {
        bytes.len = 0;
        trust_write(&bytes, new);
        err = file_write(path, buf_bytes(&bytes), 0644, why);
        node_note_receipt_keys(node, new);
    }
    trust_update_free(update);
    trust_free(old);
    trust_free(new);
    buf_clear(&bytes);
    free(path);
    return err == ERR_EXISTS ? OK : err; /* the trust file knows this head */
}

static enum err write_step(struct noting *noting, struct why *why)
{
    struct node *node = noting->node;
    const struct header *head = view_header(noting->view);
    char *path = keystep_path(node, (struct keystep){head->epoch, head->height});
    char *dir = path_join(node->dir, KEYSTEPS_DIR);
    enum err err = OK;
    if (!file_exists(path)) {
        noting->step.header_bytes = view_header_bytes(noting->view);
        noting->step.keys = noting->keys;
        noting->update.name = node->ledger_name;
        noting->update.chain = node->chain;
        noting->update.steps = &noting->step;
        noting->update.step_count = 1;
        err = node_receipt(node, noting->view, &noting->receipt, why);
        noting->step.receipts[0] = buf_bytes(&noting->receipt);
        noting->step.receipt_count = 1;
        if (err == OK) {
            trust_update_write(&noting->bytes, &noting->update);
            err = dir_make(dir, 0700, why);
        }
        if (err == OK) {
            err = update_trust(noting, why);
        }
        if (err == OK) {
            err = file_write(path, buf_bytes(&noting->bytes), 0600, why);
        }
    }
    free(path);
    free(dir);
    return err;
}

enum err node_note_keys(struct node *node, struct why *why)
{
    struct noting *noting = mem_zalloc(sizeof *noting);
    noting->node = node;
    noting->view = node_view(node);
    enum err err = node_receipt_keys(node, take_key, noting);
    err = err == OK ? noting->err : err;
    if (err != OK) {
        why_say(why, err, "receipt keys", NULL, "could not be read", "Check the disk.");
    } else if (noting->step.key_count > 0 && view_header(noting->view)->height > 0) {
        err = write_step(noting, why);
    }
    for (size_t i = 0; i < STEP_KEYS_MAX; i++) {
        state_answer_clear(&noting->answers[i]);
        buf_clear(&noting->endings[i]);
    }
    view_release(noting->view);
    buf_clear(&noting->receipt);
    buf_clear(&noting->bytes);
    free(noting);
    return err;
}

/* ---- reading them back */

static int keystep_compare(const void *a, const void *b)
{
    const struct keystep *left = a;
    const struct keystep *right = b;
    return place_compare((struct place){left->epoch, left->height},
                         (struct place){right->epoch, right->height});
}

/* Reads "EPOCH-HEIGHT". */
static bool keystep_named(struct keystep *out, const char *name)
{
    char *end;
    out->epoch = strtoull(name, &end, 10);
    if (*name < '0' || *name > '9' || end[0] != '-' || end[1] < '0' || end[1] > '9') {
        return false;
    }
    out->height = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

void node_keysteps(struct node *node, struct keystep after, struct keystep **out, size_t *count)
{
    char *path = path_join(node->dir, KEYSTEPS_DIR);
    DIR *dir = opendir(path);
    free(path);
    *out = NULL;
    *count = 0;
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        struct keystep step;
        if (keystep_named(&step, entry->d_name) && keystep_compare(&step, &after) > 0) {
            *out = mem_realloc(*out, (*count + 1) * sizeof **out);
            (*out)[(*count)++] = step;
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (*count > 0) {
        qsort(*out, *count, sizeof **out, keystep_compare);
    }
}

enum err node_keystep_read(struct node *node, struct keystep which, struct trust_update **out,
                           struct why *why)
{
    char *path = keystep_path(node, which);
    struct buf bytes = {0};
    enum err err = file_read(&bytes, path, TRUST_UPDATE_MAX, why);
    if (err == OK) {
        err = trust_update_parse(out, buf_bytes(&bytes), why);
    }
    buf_clear(&bytes);
    free(path);
    return err;
}
