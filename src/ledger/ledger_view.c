/* Views of a committed head. The ledger's thread makes and publishes them; everything else here is
 * for readers on any thread, which share only the counted views and the lock of the newest. */
#include "ledger/ledger_view.h"
#include "crypto/digest.h"
#include "ledger/ledger_internal.h"
#include "ledger/ledger_keys.h"
#include "ledger/signer.h"

#include <pthread.h> /* allowed: readers of views run beside the ledger's thread */
#include <stdlib.h>

struct views {
    pthread_mutex_t lock;
    struct view *current;
};

struct views *views_new(void)
{
    struct views *views = mem_zalloc(sizeof *views);
    BUG_ON(pthread_mutex_init(&views->lock, NULL) != 0);
    return views;
}

void views_free(struct views *views)
{
    view_release(views->current);
    BUG_ON(pthread_mutex_destroy(&views->lock) != 0);
    free(views);
}

static struct view *view_new(const struct ledger *ledger)
{
    struct view *view = mem_zalloc(sizeof *view);
    view->references = 1;
    view->store = ledger->store;
    view->rules = ledger->context.rules;
    view->header = ledger->head.header;
    view->header_hash = ledger->head.header_hash;
    header_write(&view->header_bytes, &view->header);
    view->snapshot = snapshot_open(ledger->store);
    view->log = tiletree_view(ledger->head.log);
    view->history = tiletree_view(ledger->head.history);
    view->state = statetree_retain(ledger->head.state);
    return view;
}

void views_publish(struct views *views, const struct ledger *ledger)
{
    struct view *view = view_new(ledger);
    BUG_ON(pthread_mutex_lock(&views->lock) != 0);
    struct view *old = views->current;
    views->current = view;
    BUG_ON(pthread_mutex_unlock(&views->lock) != 0);
    view_release(old);
}

struct view *views_current(struct views *views)
{
    BUG_ON(pthread_mutex_lock(&views->lock) != 0);
    struct view *view = view_retain(views->current);
    BUG_ON(pthread_mutex_unlock(&views->lock) != 0);
    return view;
}

struct view *view_retain(struct view *view)
{
    __atomic_add_fetch(&view->references, 1, __ATOMIC_RELAXED);
    return view;
}

void view_release(struct view *view)
{
    if (view == NULL || __atomic_sub_fetch(&view->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    snapshot_close(view->store, view->snapshot);
    tileview_release(view->log);
    tileview_release(view->history);
    statetree_release(view->state);
    buf_clear(&view->header_bytes);
    free(view);
}

const struct header *view_header(const struct view *view)
{
    return &view->header;
}

const struct hash *view_header_hash(const struct view *view)
{
    return &view->header_hash;
}

struct bytes view_header_bytes(const struct view *view)
{
    return buf_bytes(&view->header_bytes);
}

enum err view_get(const struct view *view, enum family family, struct disk_key key, struct buf *out)
{
    return store_get(view->store, view->snapshot, family, disk_key_bytes(&key), out);
}

enum err view_get_known(const struct view *view, enum family family, struct disk_key key,
                        struct buf *out)
{
    enum err err = view_get(view, family, key, out);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

enum err view_entry(const struct view *view, uint64_t index, struct buf *entry, uint64_t *height)
{
    if (index >= view->header.tree_size) {
        return ERR_RANGE;
    }
    struct buf value = {0};
    enum err err = view_get_known(view, FAMILY_LOG, number_key(index), &value);
    if (err == OK && value.len < 8) {
        err = ERR_CORRUPT;
    }
    if (err == OK) {
        *height = get_u64(value.at);
        buf_put(entry, (struct bytes){value.at + 8, value.len - 8});
    }
    buf_clear(&value);
    return err;
}

enum err view_block(const struct view *view, uint64_t height, struct buf *header)
{
    return height > view->header.height
               ? ERR_RANGE
               : view_get_known(view, FAMILY_BLOCK, number_key(height), header);
}

enum err view_header_at(const struct view *view, uint64_t height, struct header *out)
{
    struct buf bytes = {0};
    enum err err = view_block(view, height, &bytes);
    if (err == OK) {
        err = header_parse(out, buf_bytes(&bytes));
    }
    buf_clear(&bytes);
    return err;
}

enum err view_log_path(const struct view *view, uint64_t index, uint64_t size, struct path *path)
{
    return tileview_path(view->log, path, index, size);
}

enum err view_log_consistency(const struct view *view, uint64_t size1, uint64_t size2,
                              struct path *path)
{
    return tileview_consistency(view->log, path, size1, size2);
}

enum err view_history_path(const struct view *view, uint64_t height, uint64_t under,
                           struct path *path)
{
    return under > view->header.height ? ERR_RANGE
                                       : tileview_path(view->history, path, height, under);
}

/* The tree of the view says at once that a key is absent. */
enum err view_state_get(const struct view *view, struct bytes state_key, struct buf *out)
{
    struct hash key_hash;
    struct hash value_hash;
    sha256(&key_hash, state_key);
    if (!statetree_find(view->state, &key_hash, &value_hash)) {
        return ERR_NOT_FOUND;
    }
    enum err err = store_get(view->store, view->snapshot, FAMILY_STATE, state_key, out);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

void state_answer_clear(struct state_answer *answer)
{
    buf_clear(&answer->value);
    buf_clear(&answer->siblings);
}

enum err view_state(const struct view *view, struct bytes module, struct bytes key,
                    struct state_answer *out)
{
    struct buf state_key = {0};
    state_key_write(&state_key, module, key);
    struct hash key_hash;
    struct state_place place;
    sha256(&key_hash, buf_bytes(&state_key));
    statetree_prove(view->state, &key_hash, &place);
    out->has_other = place.found == STATE_OTHER;
    if (out->has_other) {
        out->other_key_hash = place.leaf_key;
        out->other_value_hash = place.leaf_value;
    }
    for (size_t i = 0; i < place.count; i++) {
        buf_put(&out->siblings, hash_bytes(&place.siblings[i]));
    }
    enum err err = place.found == STATE_PRESENT
                       ? view_state_get(view, buf_bytes(&state_key), &out->value)
                       : ERR_NOT_FOUND;
    buf_clear(&state_key);
    return err;
}

/* Gives the entries from the cursor on while they begin with `prefix`. */
static enum err scan(struct cursor *cursor, bool there, struct bytes prefix, size_t max,
                     state_fn *each, void *context)
{
    for (size_t i = 0; there && i < max; i++, there = cursor_next(cursor)) {
        struct bytes key = cursor_key(cursor);
        if (key.len < prefix.len || memcmp(key.at, prefix.at, prefix.len) != 0) {
            return OK;
        }
        struct bytes rest = {key.at + prefix.len, key.len - prefix.len};
        if (!each(context, rest, cursor_value(cursor))) {
            return OK;
        }
    }
    return cursor_err(cursor);
}

enum err view_state_scan(const struct view *view, struct bytes module, struct bytes after,
                         size_t max, state_fn *each, void *context)
{
    struct buf from = {0};
    state_key_write(&from, module, BYTES_NONE);
    size_t prefix_len = from.len;
    buf_put(&from, after);
    struct cursor *cursor = cursor_open(view->store, view->snapshot, FAMILY_STATE);
    bool there = cursor_seek(cursor, buf_bytes(&from));
    if (there && after.len > 0 && bytes_equal(cursor_key(cursor), buf_bytes(&from))) {
        there = cursor_next(cursor);
    }
    enum err err =
        there ? scan(cursor, there, (struct bytes){from.at, prefix_len}, max, each, context)
              : cursor_err(cursor);
    cursor_close(cursor);
    buf_clear(&from);
    return err;
}

/* A reader's context is not const. */
struct view_reader {
    const struct view *view;
};

static enum err reader_get(void *context, struct bytes state_key, struct buf *out)
{
    const struct view_reader *reader = context;
    return view_state_get(reader->view, state_key, out);
}

static enum err read_record(const struct view *view, const struct hash *kid, struct buf *out)
{
    struct buf key = {0};
    state_key_write(&key, bytes_text(MEMBER_MODULE), BYTES_NONE);
    key_record_state_key(&key, kid);
    enum err err = view_state_get(view, buf_bytes(&key), out);
    buf_clear(&key);
    return err;
}

enum err view_signer(const struct view *view, const struct statement *statement, struct hash *kid,
                     struct buf *record)
{
    struct view_reader from = {view};
    struct state_reader reader = {&from, reader_get};
    struct key_record parsed;
    unsigned step = 0;
    size_t start = record->len;
    enum err err;
    while ((err = signer_candidate(kid, &step, statement, &reader)) == OK) {
        err = read_record(view, kid, record);
        if (err == OK) {
            struct bytes read = {record->at + start, record->len - start};
            err = key_record_parse(&parsed, NULL, read) == OK ? OK : ERR_CORRUPT;
        }
        if (err == OK && signer_fits(statement, &parsed)) {
            return OK;
        }
        record->len = start;
        if (err != OK && err != ERR_NOT_FOUND) {
            return err;
        }
    }
    return err;
}

enum err ledger_signer(struct ledger *ledger, const struct statement *statement, struct buf *record)
{
    struct hash kid;
    struct view *view = ledger_view(ledger);
    enum err err = view_signer(view, statement, &kid, record);
    view_release(view);
    return err;
}
