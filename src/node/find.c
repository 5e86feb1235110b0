/* The index says where something may stand; what stands there is read and compared whole. */
#include "node/internal.h"

#include "crypto/digest.h"
#include "modules/modules.h"
#include "store/index.h"

#include <stdlib.h>
#include <string.h>

/* What is looked for. */
struct wanted {
    enum node_find_by by;
    struct bytes key; /* the whole of it, or 13 bytes of a statement id */
    uint16_t number;
};

void node_found_clear(struct node_found *found)
{
    buf_clear(&found->entry);
    buf_clear(&found->item);
}

/* The value of a key of module member, in new memory. */
static enum err member_value(const struct view *view, const struct buf *key, struct buf *out)
{
    struct state_answer answer = {0};
    enum err err = view_state(view, bytes_text(MEMBER_MODULE), buf_bytes(key), &answer);
    if (err == OK) {
        *out = answer.value;
        answer.value = (struct buf){0};
    }
    state_answer_clear(&answer);
    return err;
}

enum err node_key_record(const struct view *view, const struct hash *kid, struct buf *bytes,
                         struct key_record *out)
{
    struct buf key = {0};
    key_record_state_key(&key, kid);
    enum err err = member_value(view, &key, bytes);
    buf_clear(&key);
    return err == OK ? key_record_parse(out, NULL, buf_bytes(bytes)) : err;
}

enum err node_member_record(const struct view *view, struct bytes member, struct buf *bytes,
                            struct member_record *out)
{
    struct buf key = {0};
    member_state_key(&key, member);
    enum err err = member_value(view, &key, bytes);
    buf_clear(&key);
    return err == OK ? member_record_parse(out, buf_bytes(bytes)) : err;
}

enum err node_record_kid(struct node *node, const struct statement *statement, struct hash *kid)
{
    if (!statement->foreign) {
        memcpy(kid->at, statement->kid.at, sizeof kid->at);
        return OK;
    }
    struct buf bytes = {0};
    struct key_record record;
    enum err err = ledger_signer(node->ledger, statement, &bytes);
    if (err == OK) {
        err = key_record_parse(&record, NULL, buf_bytes(&bytes));
    }
    if (err == OK) {
        sha256(kid, record.spki);
    }
    buf_clear(&bytes);
    return err;
}

static enum err load_time(const struct view *view, struct node_found *found)
{
    struct header header;
    TRY(view_header_at(view, found->height, &header));
    found->time_ms = header.time_ms;
    return OK;
}

/* Reads the entry at found->index, all but its block's time and its items. */
static enum err load_entry(struct node *node, const struct view *view, struct node_found *found,
                           struct statement *statement)
{
    TRY(view_entry(view, found->index, &found->entry, &found->height));
    TRY(statement_parse(statement, buf_bytes(&found->entry), NULL));
    TRY(node_record_kid(node, statement, &found->kid));
    statement_id(&found->id, statement, &found->kid);
    struct deposit deposit;
    found->is_deposit = !statement->foreign &&
                        bytes_equal(statement->content_type, bytes_text(DEPOSIT_TYPE)) &&
                        deposit_parse(&deposit, statement->sign1.payload) == OK;
    found->count = found->is_deposit ? deposit.count : 0;
    return OK;
}

static enum err load_item(const struct view *view, struct node_found *found)
{
    if (!found->is_deposit) {
        return found->number == 0 ? OK : ERR_NOT_FOUND;
    }
    return found->number >= found->count
               ? ERR_NOT_FOUND
               : view_item(view, found->index, found->count, found->number, &found->item, NULL);
}

/* Reads what stands at the place into *found. */
static enum err load(struct node *node, const struct view *view, struct place place,
                     struct node_found *found, struct statement *statement)
{
    found->index = place.sequence;
    found->number = place.number;
    TRY(load_entry(node, view, found, statement));
    TRY(load_time(view, found));
    return load_item(view, found);
}

static bool item_has(const struct node_found *found, const struct wanted *wanted)
{
    struct item item;
    if (!found->is_deposit || item_parse(&item, buf_bytes(&found->item)) != OK) {
        return false;
    }
    switch (wanted->by) {
    case NODE_BY_SHA256:
        return bytes_equal(hash_bytes(&item.sha256), wanted->key);
    case NODE_BY_SM3:
        return bytes_equal(hash_bytes(&item.sm3), wanted->key);
    case NODE_BY_REF:
        return bytes_equal(item.ref, wanted->key);
    case NODE_BY_STATEMENT:
    case NODE_BY_TARGET:
        break;
    }
    return false;
}

/* A foreign statement is found by what it attests. */
static bool foreign_has(const struct statement *statement, const struct wanted *wanted)
{
    struct hash sha256;
    struct hash sm3;
    bool has_sm3 = statement_foreign_digests(statement, &sha256, &sm3);
    return wanted->by == NODE_BY_SHA256
               ? bytes_equal(hash_bytes(&sha256), wanted->key)
               : wanted->by == NODE_BY_SM3 && has_sm3 && bytes_equal(hash_bytes(&sm3), wanted->key);
}

static bool targets(const struct statement *statement, struct bytes key)
{
    const struct action *action;
    struct hash target;
    return rules_find(&modules_rules, statement, &action, NULL) == OK && action->target &&
           action->target(statement, &target) && bytes_equal(hash_bytes(&target), key);
}

static bool matches(const struct node_found *found, const struct statement *statement,
                    const struct wanted *wanted)
{
    switch (wanted->by) {
    case NODE_BY_SHA256:
    case NODE_BY_SM3:
    case NODE_BY_REF:
        return statement->foreign ? foreign_has(statement, wanted) : item_has(found, wanted);
    case NODE_BY_STATEMENT:
        return memcmp(found->id.at, wanted->key.at, wanted->key.len) == 0;
    case NODE_BY_TARGET:
        return targets(statement, wanted->key);
    }
    return false;
}

static enum index_kind kind_of(enum node_find_by by)
{
    switch (by) {
    case NODE_BY_SHA256:
        return INDEX_SHA256;
    case NODE_BY_SM3:
        return INDEX_SM3;
    case NODE_BY_REF:
        return INDEX_REF;
    case NODE_BY_STATEMENT:
        return INDEX_STATEMENT;
    case NODE_BY_TARGET:
        return INDEX_TARGET;
    }
    BUG_ON(true);
}

struct search {
    struct node *node;
    struct view *view;
    const struct wanted *wanted;
    struct index_query query;
    node_found_fn *each;
    void *context;
    bool timeless; /* nobody asks for times */
    size_t matched;
    bool more; /* there may be another page of places */
    /* What was read last: many places may stand in one entry. */
    struct node_found found;
    struct statement statement; /* borrows from found.entry, where that is not empty */
};

/* Forgets what was read, but keeps the memory. */
static void forget(struct node_found *found)
{
    struct buf entry = found->entry;
    struct buf item = found->item;
    entry.len = 0;
    item.len = 0;
    *found = (struct node_found){.entry = entry, .item = item};
}

static enum err read_entry(struct search *search, uint64_t index)
{
    struct node_found *found = &search->found;
    if (found->entry.len > 0 && found->index == index) {
        return OK; /* and its time as well, if that is asked for */
    }
    forget(found);
    found->index = index;
    enum err err = load_entry(search->node, search->view, found, &search->statement);
    if (err == OK && !search->timeless) {
        err = load_time(search->view, found);
    }
    if (err != OK) {
        found->entry.len = 0;
    }
    return err;
}

/* Places beyond the head, or that a restore took away, are stale: passed over. */
static enum err visit_place(struct search *search, struct place place)
{
    struct node_found *found = &search->found;
    bool by_id = search->wanted->by == NODE_BY_STATEMENT;
    enum err err = read_entry(search, place.sequence);
    found->item.len = 0;
    found->number = by_id ? search->wanted->number : place.number;
    if (err == OK) {
        err = load_item(search->view, found);
    }
    if (err == OK && matches(found, &search->statement, search->wanted)) {
        search->matched++;
        search->more = search->each(search->context, found) && search->more;
    }
    return err == ERR_NOT_FOUND || err == ERR_RANGE ? OK : err;
}

static enum err visit_page(struct search *search)
{
    struct place places[INDEX_FIND_MAX];
    size_t count;
    TRY(index_find(search->node->index, places, INDEX_FIND_MAX, &count, &search->query));
    for (size_t i = 0; i < count && search->more; i++) {
        TRY(visit_place(search, places[i]));
    }
    if (count < INDEX_FIND_MAX) {
        search->more = false;
        return OK;
    }
    struct place next = places[count - 1];
    next.sequence += next.number == UINT16_MAX;
    next.number++;
    search->query.from = next;
    return OK;
}

/* All places of one key, into search->each. */
static enum err find_key(struct search *search, const struct wanted *wanted)
{
    search->wanted = wanted;
    search->query = (struct index_query){.kind = kind_of(wanted->by)};
    search->matched = 0;
    search->more = true;
    memcpy(search->query.prefix8, wanted->key.at, sizeof search->query.prefix8);
    enum err err = OK;
    while (err == OK && search->more) {
        err = visit_page(search);
    }
    return err == OK && search->matched == 0 ? ERR_NOT_FOUND : err;
}

static enum err search_begin(struct search *search, struct node *node)
{
    search->node = node;
    search->view = node_view(node);
    return indexer_wait(node->indexer, view_header(search->view)->height);
}

static void search_end(struct search *search)
{
    node_found_clear(&search->found);
    view_release(search->view);
}

static enum err find(struct node *node, const struct wanted *wanted, node_found_fn *each,
                     void *context)
{
    struct search search = {.each = each, .context = context};
    enum err err = search_begin(&search, node);
    if (err == OK) {
        err = find_key(&search, wanted);
    }
    search_end(&search);
    return err;
}

enum err node_find_each(struct node *node, enum node_find_by by, const struct hash *digests,
                        size_t count, node_found_fn *each, void *context)
{
    BUG_ON(by != NODE_BY_SHA256 && by != NODE_BY_SM3);
    struct search search = {.each = each, .context = context, .timeless = true};
    enum err err = search_begin(&search, node);
    for (size_t i = 0; err == OK && i < count; i++) {
        err = find_key(&search, &(struct wanted){by, hash_bytes(&digests[i]), 0});
        if (err == OK || err == ERR_NOT_FOUND) {
            each(context, NULL);
            err = OK;
        }
    }
    search_end(&search);
    return err;
}

enum err node_at(struct node *node, const struct view *view, uint64_t index,
                 struct node_found *found)
{
    struct statement statement;
    enum err err = load(node, view, (struct place){.sequence = index}, found, &statement);
    return index == 0 && err != OK ? ERR_NOT_FOUND : err;
}

static enum err speaker_of(struct node *node, const struct statement *statement, char *member)
{
    struct buf bytes = {0};
    struct key_record record = {.member = statement->iss};
    enum err err = OK;
    if (statement->foreign) {
        err = ledger_signer(node->ledger, statement, &bytes);
        if (err == OK) {
            err = key_record_parse(&record, NULL, buf_bytes(&bytes));
        }
    }
    if (err == OK) {
        BUG_ON(record.member.len > MEMBER_ID_MAX);
        memcpy(member, record.member.at, record.member.len);
        member[record.member.len] = '\0';
    }
    buf_clear(&bytes);
    return err;
}

enum err node_speaker(struct node *node, const struct view *view, uint64_t index,
                      char member[MEMBER_ID_MAX + 1])
{
    struct buf entry = {0};
    struct statement statement;
    uint64_t height;
    enum err err = view_entry(view, index, &entry, &height);
    if (err == OK) {
        err = statement_parse(&statement, buf_bytes(&entry), NULL);
        err = index == 0 && err != OK ? ERR_NOT_FOUND : err;
    }
    if (err == OK) {
        err = speaker_of(node, &statement, member);
    }
    buf_clear(&entry);
    return err;
}

enum err node_find(struct node *node, enum node_find_by by, struct bytes key, uint16_t number,
                   node_found_fn *each, void *context)
{
    BUG_ON(key.len != (by == NODE_BY_REF ? REF_LEN : sizeof(struct hash)));
    return find(node, &(struct wanted){by, key, number}, each, context);
}

enum err node_find_prefix(struct node *node, const uint8_t prefix13[13], uint16_t number,
                          node_found_fn *each, void *context)
{
    struct bytes key = {prefix13, EVIDENCE_PREFIX_LEN};
    return find(node, &(struct wanted){NODE_BY_STATEMENT, key, number}, each, context);
}

enum err node_key_member(struct node *node, const struct hash *kid, char member[MEMBER_ID_MAX + 1],
                         struct why *why)
{
    struct buf bytes = {0};
    struct key_record record;
    struct view *view = node_view(node);
    enum err err = node_key_record(view, kid, &bytes, &record);
    view_release(view);
    if (err == OK) {
        memcpy(member, record.member.at, record.member.len);
        member[record.member.len] = '\0';
    } else {
        why_say(why, err, "key", NULL,
                err == ERR_NOT_FOUND ? "is not registered in this ledger" : NULL,
                "Register it, or put the key file that the ledger knows back into its place.");
    }
    buf_clear(&bytes);
    return err;
}
