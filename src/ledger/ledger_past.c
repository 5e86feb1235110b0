/* What the ledger reads of its own past: tiles and leaves for its trees, state, and the places of
 * statements. */
#include "ledger/ledger_internal.h"

#include "crypto/digest.h"
#include "ledger/ledger_keys.h"

/* What must be there: a missing key is damage. */
static enum err get_known(struct store *store, enum family family, struct disk_key key,
                          struct buf *out)
{
    enum err err = store_get(store, NULL, family, disk_key_bytes(&key), out);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err tile_get(void *context, unsigned level, uint64_t index,
                         struct hash out[TILE_HASHES])
{
    const struct tile_family *family = context;
    struct buf value = {0};
    enum err err = get_known(family->store, family->tiles, tile_key(level, index), &value);
    if (err == OK && value.len != TILE_HASHES * sizeof out[0]) {
        err = ERR_CORRUPT;
    }
    if (err == OK) {
        memcpy(out, value.at, value.len);
    }
    buf_clear(&value);
    return err;
}

static enum err tile_leaf(void *context, uint64_t index, struct hash *out)
{
    const struct tile_family *family = context;
    return family->leaf(family->store, index, out);
}

struct tile_source tile_family_source(struct tile_family *family)
{
    return (struct tile_source){family, tile_get, tile_leaf};
}

enum err log_leaf(struct store *store, uint64_t index, struct hash *out)
{
    struct buf value = {0};
    enum err err = get_known(store, FAMILY_LOG, number_key(index), &value);
    if (err == OK && value.len < 8) {
        err = ERR_CORRUPT;
    }
    if (err == OK) {
        leaf_hash(out, (struct bytes){value.at + 8, value.len - 8});
    }
    buf_clear(&value);
    return err;
}

enum err history_leaf(struct store *store, uint64_t height, struct hash *out)
{
    struct buf value = {0};
    enum err err = get_known(store, FAMILY_BLOCK, number_key(height), &value);
    if (err == OK) {
        struct hash header_hash;
        sha256(&header_hash, buf_bytes(&value));
        leaf_hash(out, hash_bytes(&header_hash));
    }
    buf_clear(&value);
    return err;
}

/* The tree in memory says at once that most keys are absent. */
static enum err past_get(void *context, struct bytes state_key, struct buf *out)
{
    struct ledger *ledger = context;
    struct hash key_hash;
    struct hash value_hash;
    sha256(&key_hash, state_key);
    if (!statetree_find(ledger->head.state, &key_hash, &value_hash)) {
        return ERR_NOT_FOUND;
    }
    enum err err = store_get(ledger->store, NULL, FAMILY_STATE, state_key, out);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

/* Whether the entry at a committed index is the statement `id`. */
static enum err compare_at(struct ledger *ledger, uint64_t index, const struct hash *id, bool *same)
{
    struct buf value = {0};
    struct statement statement;
    enum err err = get_known(ledger->store, FAMILY_LOG, number_key(index), &value);
    if (err == OK &&
        (value.len < 8 ||
         statement_parse(&statement, (struct bytes){value.at + 8, value.len - 8}, NULL) != OK ||
         statement.foreign)) {
        err = ERR_CORRUPT;
    }
    if (err == OK) {
        struct hash there;
        statement_id(&there, &statement, NULL);
        *same = hash_equal(&there, id);
    }
    buf_clear(&value);
    return err;
}

static enum err past_seen(void *context, const struct hash *id, uint64_t *index)
{
    struct ledger *ledger = context;
    uint64_t committed = ledger->head.header.tree_size;
    struct recent_search search;
    recent_find(ledger->recent, id, &search);
    while (recent_next(ledger->recent, &search, index)) {
        bool same = false;
        if (*index >= committed) {
            same = hash_equal(&ledger->block.accepted[*index - committed].id, id);
        } else {
            TRY(compare_at(ledger, *index, id, &same));
        }
        if (same) {
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum err past_height(void *context, uint64_t index, uint64_t *height)
{
    struct ledger *ledger = context;
    if (index >= ledger->head.header.tree_size) {
        *height = ledger->context.height;
        return OK;
    }
    struct buf value = {0};
    enum err err = get_known(ledger->store, FAMILY_LOG, number_key(index), &value);
    if (err == OK && value.len < 8) {
        err = ERR_CORRUPT;
    }
    if (err == OK) {
        *height = get_u64(value.at);
    }
    buf_clear(&value);
    return err;
}

struct ledger_past ledger_past(struct ledger *ledger)
{
    return (struct ledger_past){ledger, past_get, past_seen, past_height};
}
