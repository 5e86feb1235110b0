/* Brings the ledger of a store into memory, and believes nothing before the roots agree. */
#include "crypto/digest.h"
#include "ledger/ledger_internal.h"
#include "ledger/ledger_keys.h"

#include <stdlib.h>

static enum err damaged(struct why *why, const char *what, const char *problem)
{
    return why_say(why, ERR_CORRUPT, what, NULL, problem,
                   "Rebuild the ledger, or restore it from a backup or another node.");
}

enum err ledger_format(uint64_t *out, struct store *store, struct why *why)
{
    struct buf value = {0};
    enum err err = store_get(store, NULL, FAMILY_META, bytes_text(META_FORMAT_KEY), &value);
    *out = err == OK && value.len == 8 ? get_u64(value.at) : 0;
    if (err == OK && *out != LEDGER_FORMAT) {
        err = why_say(why, ERR_VERSION, "format", NULL, "is not one that this program knows",
                      "Use the version of the program that wrote it, or a newer one.");
    } else if (err == ERR_NOT_FOUND) {
        err = why_say(why, err, "ledger", NULL, NULL, "Make one with cairn init.");
    }
    buf_clear(&value);
    return err;
}

static enum err load_header(struct ledger *ledger, struct why *why)
{
    struct mark_head head;
    struct buf value = {0};
    struct disk_key key;
    enum err err = store_head(ledger->store, &head);
    if (err == OK) {
        key = number_key(head.height);
        err = store_get(ledger->store, NULL, FAMILY_BLOCK, disk_key_bytes(&key), &value);
    }
    if (err == OK) {
        struct committed *to = &ledger->head;
        sha256(&to->header_hash, buf_bytes(&value));
        if (header_parse(&to->header, buf_bytes(&value)) != OK ||
            !hash_equal(&to->header_hash, &head.header_hash) || to->header.height != head.height ||
            to->header.epoch != head.epoch) {
            err = ERR_CORRUPT;
        }
    }
    buf_clear(&value);
    return err == OK || err == ERR_IO ? err : damaged(why, "head", "is not a header of a block");
}

static enum err load_state(struct ledger *ledger, struct why *why)
{
    struct statetree *tree = statetree_empty();
    struct cursor *cursor = cursor_open(ledger->store, NULL, FAMILY_STATE);
    for (bool there = cursor_seek(cursor, BYTES_NONE); there; there = cursor_next(cursor)) {
        struct hash key_hash;
        struct hash value_hash;
        sha256(&key_hash, cursor_key(cursor));
        state_value_hash(&value_hash, cursor_value(cursor));
        statetree_set(&tree, &key_hash, &value_hash);
    }
    enum err err = cursor_err(cursor);
    cursor_close(cursor);
    struct hash root;
    statetree_root(tree, &root);
    ledger->head.state = tree;
    if (err == OK && !hash_equal(&root, &ledger->head.header.state_root)) {
        err = damaged(why, "state", "does not have the root that the last header states");
    }
    return err;
}

static enum err check_history(const struct ledger *ledger)
{
    struct hash root;
    struct tileview *view = tiletree_view(ledger->head.history);
    enum err err = OK;
    if (ledger->head.header.height == 0) {
        empty_root(&root);
    } else {
        err = tileview_root_at(view, &root, ledger->head.header.height);
    }
    tileview_release(view);
    if (err == OK && !hash_equal(&root, &ledger->head.header.history_root)) {
        err = ERR_CORRUPT;
    }
    return err;
}

static enum err load_trees(struct ledger *ledger, struct why *why)
{
    const struct header *header = &ledger->head.header;
    struct hash root;
    struct tile_source log = tile_family_source(&ledger->log_tiles);
    struct tile_source history = tile_family_source(&ledger->history_tiles);
    enum err err = tiletree_open(&ledger->head.log, header->tree_size, &log);
    if (err == OK) {
        tiletree_root(ledger->head.log, &root);
        err = hash_equal(&root, &header->tree_root) ? OK : ERR_CORRUPT;
    }
    if (err != OK) {
        return err == ERR_IO ? err : damaged(why, "log", "does not have the last header's root");
    }
    err = tiletree_open(&ledger->head.history, header->height + 1, &history);
    if (err == OK) {
        err = check_history(ledger);
    }
    return err == OK || err == ERR_IO
               ? err
               : damaged(why, "history", "does not have the root that the last header states");
}

/* Ids that can still come again; what expired before the head is never asked for. */
static enum err load_recent(struct ledger *ledger, struct why *why)
{
    enum err err = OK;
    ledger->expiry_ms = UINT64_MAX;
    struct cursor *cursor = cursor_open(ledger->store, NULL, FAMILY_RECENT);
    for (bool there = cursor_seek(cursor, BYTES_NONE); there && err == OK;
         there = cursor_next(cursor)) {
        struct bytes key = cursor_key(cursor);
        struct bytes value = cursor_value(cursor);
        if (key.len != RECENT_KEY_LEN || value.len != 8) {
            err = damaged(why, "recent ids", "are malformed");
            continue;
        }
        uint64_t valid_until = get_u64(key.at);
        if (valid_until < ledger->expiry_ms) {
            ledger->expiry_ms = valid_until;
        }
        if (valid_until >= ledger->head.header.time_ms) {
            struct hash id;
            memcpy(id.at, key.at + 8, sizeof id.at);
            recent_add(ledger->recent, &id, get_u64(value.at));
        }
    }
    if (err == OK) {
        err = cursor_err(cursor);
    }
    cursor_close(cursor);
    return err;
}

static enum err load_engine(struct ledger *ledger, struct why *why)
{
    enum err err = engine_height_load(ledger->store, &ledger->engine_height);
    return err == ERR_CORRUPT ? damaged(why, "engine's height", "is malformed") : err;
}

static enum err load(struct ledger *ledger, struct why *why)
{
    uint64_t format;
    TRY(ledger_format(&format, ledger->store, why));
    TRY(load_header(ledger, why));
    TRY(load_state(ledger, why));
    TRY(load_trees(ledger, why));
    TRY(load_engine(ledger, why));
    enum err err = timers_load(ledger);
    if (err != OK) {
        return err == ERR_IO ? err : damaged(why, "timers", "are malformed");
    }
    return load_recent(ledger, why);
}

enum err ledger_open(struct ledger **out, struct store *store, const struct rules *rules,
                     struct why *why)
{
    struct ledger *ledger = mem_zalloc(sizeof *ledger);
    *out = NULL;
    ledger->store = store;
    ledger->log_tiles = (struct tile_family){store, FAMILY_TILES, log_leaf};
    ledger->history_tiles = (struct tile_family){store, FAMILY_HISTORY, history_leaf};
    ledger->recent = recent_new();
    ledger->batch = batch_new();
    ledger->views = views_new();
    ledger->context.rules = rules;
    ledger->context.past = ledger_past(ledger);
    ledger->context.overlay = overlay_new();
    ledger->context.known = known_new();
    enum err err = load(ledger, why);
    if (err != OK) {
        ledger_close(ledger);
        return err;
    }
    views_publish(ledger->views, ledger);
    *out = ledger;
    return OK;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    views_free(ledger->views);
    tiletree_free(ledger->head.log);
    tiletree_free(ledger->head.history);
    statetree_release(ledger->head.state);
    statetree_release(ledger->block.state);
    free(ledger->block.accepted);
    recent_free(ledger->recent);
    overlay_free(ledger->context.overlay);
    known_free(ledger->context.known);
    buf_clear(&ledger->context.key);
    buf_clear(&ledger->context.value);
    buf_clear(&ledger->expired);
    free(ledger->results);
    batch_free(ledger->batch);
    free(ledger);
}
