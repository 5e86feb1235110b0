/* What the indexes hold of committed blocks, read back from what is stored. */
#include "ledger/ledger_view.h"
#include "ledger/members.h"

#include <stdlib.h>

struct pairs {
    const struct view *view;
    pair_fn *each;
    void *context;
    uint64_t index; /* of the entry at hand */
    struct buf entry;
    struct buf scratch;
};

static enum err give(struct pairs *pairs, enum pair_kind kind, uint64_t prefix, uint32_t number)
{
    return pairs->each(pairs->context, kind, prefix, pairs->index, (uint16_t)number);
}

static enum err give_item(struct pairs *pairs, const struct item_prefixes *item, uint32_t number)
{
    TRY(give(pairs, PAIR_SHA256, item->sha256, number));
    TRY(give(pairs, PAIR_SM3, item->sm3, number));
    return item->has_ref ? give(pairs, PAIR_REF, item->ref, number) : OK;
}

static enum err give_chunk(struct pairs *pairs, uint32_t first)
{
    struct item_prefixes prefixes[CHUNK_ITEMS];
    uint32_t count;
    TRY(chunk_prefixes(prefixes, &count, buf_bytes(&pairs->scratch)));
    for (uint32_t i = 0; i < count; i++) {
        TRY(give_item(pairs, &prefixes[i], first + i));
    }
    return OK;
}

static enum err give_items(struct pairs *pairs, const struct statement *statement)
{
    struct deposit deposit;
    if (deposit_parse(&deposit, statement->sign1.payload) != OK) {
        return ERR_CORRUPT;
    }
    for (uint32_t first = 0; first < deposit.count; first += CHUNK_ITEMS) {
        pairs->scratch.len = 0;
        TRY(view_get_known(pairs->view, FAMILY_ITEMS, items_key(pairs->index, first / CHUNK_ITEMS),
                           &pairs->scratch));
        TRY(give_chunk(pairs, first));
    }
    return OK;
}

static enum err give_foreign(struct pairs *pairs, const struct statement *statement)
{
    struct hash kid;
    struct hash id;
    pairs->scratch.len = 0;
    enum err err = view_signer(pairs->view, statement, &kid, &pairs->scratch);
    if (err != OK) {
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    }
    statement_id(&id, statement, &kid);
    TRY(give(pairs, PAIR_STATEMENT, get_u64(id.at), 0));
    struct hash sm3;
    bool has_sm3 = statement_foreign_digests(statement, &id, &sm3);
    TRY(give(pairs, PAIR_SHA256, get_u64(id.at), 0));
    return has_sm3 ? give(pairs, PAIR_SM3, get_u64(sm3.at), 0) : OK;
}

static enum err give_statement(struct pairs *pairs)
{
    struct statement statement;
    const struct action *action;
    struct hash hash;
    if (statement_parse(&statement, buf_bytes(&pairs->entry), NULL) != OK) {
        return ERR_CORRUPT;
    }
    if (statement.foreign) {
        return give_foreign(pairs, &statement);
    }
    statement_id(&hash, &statement, NULL);
    TRY(give(pairs, PAIR_STATEMENT, get_u64(hash.at), 0));
    if (rules_find(pairs->view->rules, &statement, &action, NULL) != OK) {
        return ERR_CORRUPT;
    }
    if (action->target != NULL && action->target(&statement, &hash)) {
        TRY(give(pairs, PAIR_TARGET, get_u64(hash.at), 0));
    }
    return action->takes_items ? give_items(pairs, &statement) : OK;
}

static enum err give_block(struct pairs *pairs, uint64_t height)
{
    struct header header;
    pairs->scratch.len = 0;
    TRY(view_block(pairs->view, height, &pairs->scratch));
    if (header_parse(&header, buf_bytes(&pairs->scratch)) != OK) {
        return ERR_CORRUPT;
    }
    for (pairs->index = header.first_index; pairs->index < header.tree_size; pairs->index++) {
        uint64_t at;
        pairs->entry.len = 0;
        TRY(view_entry(pairs->view, pairs->index, &pairs->entry, &at));
        /* Entry 0 is the genesis document. */
        if (pairs->index > 0) {
            TRY(give_statement(pairs));
        }
    }
    return OK;
}

enum err view_pairs(const struct view *view, uint64_t from_height, uint64_t to_height,
                    pair_fn *each, void *context)
{
    struct pairs pairs = {.view = view, .each = each, .context = context};
    enum err err = to_height > view->header.height ? ERR_RANGE : OK;
    for (uint64_t height = from_height; height <= to_height && err == OK; height++) {
        err = give_block(&pairs, height);
    }
    buf_clear(&pairs.entry);
    buf_clear(&pairs.scratch);
    return err;
}
