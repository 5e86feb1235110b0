#include "http/readers.h"

#include "modules/evidence/evidence.h"
#include "modules/modules.h"
#include "modules/roles.h"

#include <string.h>

/* ---- roles */

static bool is_role(const char *name)
{
    for (const struct role *role = modules_roles; role->name; role++) {
        if (strcmp(role->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool listed(const struct reading_roles *roles, struct bytes name)
{
    for (size_t i = 0; i < roles->count; i++) {
        if (bytes_equal(name, bytes_text(roles->at[i]))) {
            return true;
        }
    }
    return false;
}

enum err reading_roles_parse(struct reading_roles *out, const char *text, struct why *why)
{
    *out = (struct reading_roles){0};
    if (strlen(text) >= sizeof out->text) {
        return why_say(why, ERR_FORMAT, "read_roles", NULL, "is longer than 300 characters", NULL);
    }
    memcpy(out->text, text, strlen(text) + 1);
    char *rest = out->text;
    for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ",")) {
        if (!is_role(name) || listed(out, bytes_text(name)) ||
            out->count == sizeof out->at / sizeof *out->at) {
            return why_say(why, ERR_FORMAT, "read_roles", name,
                           is_role(name) ? "stands there twice" : "is no role",
                           "Name roles once each, with commas, as in " ACCESS_READ_ROLES ".");
        }
        out->at[out->count++] = name;
    }
    return OK;
}

/* ---- members */

/* Appends a state value of module member. */
static enum err state_get(const struct view *view, const struct buf *key, struct buf *out)
{
    struct state_answer answer = {0};
    enum err err = view_state(view, bytes_text(MEMBER_MODULE), buf_bytes(key), &answer);
    if (err == OK) {
        buf_put(out, buf_bytes(&answer.value));
    }
    state_answer_clear(&answer);
    return err;
}

/* Reads a member's record, which borrows from `bytes`. */
static enum err member_get(struct member_record *out, struct buf *bytes, const struct view *view,
                           struct bytes member)
{
    struct buf key = {0};
    member_state_key(&key, member);
    enum err err = state_get(view, &key, bytes);
    buf_clear(&key);
    return err == OK ? member_record_parse(out, buf_bytes(bytes)) : err;
}

static enum err key_get(struct reader_key *out, const struct view *view, const struct hash *kid)
{
    struct buf key = {0};
    key_record_state_key(&key, kid);
    enum err err = state_get(view, &key, &out->bytes);
    buf_clear(&key);
    return err == OK ? key_record_parse(&out->record, &out->key, buf_bytes(&out->bytes)) : err;
}

void reader_key_clear(struct reader_key *key)
{
    pubkey_free(key->key);
    buf_clear(&key->bytes);
    *key = (struct reader_key){0};
}

static void copy_id(char out[MEMBER_ID_MAX + 1], struct bytes id)
{
    BUG_ON(id.len > MEMBER_ID_MAX);
    if (id.len > 0) {
        memcpy(out, id.at, id.len);
    }
    out[id.len] = '\0';
}

/* A member without an institution is its own. */
static struct bytes institution_of(const struct member_record *record, struct bytes member)
{
    return record->institution.len > 0 ? record->institution : member;
}

static enum err refuse_key(struct why *why, const char *problem)
{
    return why_say(why, ERR_KEY, "key", NULL, problem,
                   "Use a member key that is in force; see 'cairn member list'.");
}

static enum err fill(struct reader *reader, const struct view *view,
                     const struct key_record *record, const struct reading_roles *roles,
                     struct why *why)
{
    struct buf bytes = {0};
    struct member_record member;
    enum err err = member_get(&member, &bytes, view, record->member);
    if (err == OK && member.has_until) {
        err = refuse_key(why, "belongs to a member that has ended");
    } else if (err == OK) {
        reader->known = true;
        copy_id(reader->member, record->member);
        copy_id(reader->institution, institution_of(&member, record->member));
        for (size_t i = 0; i < member.role_count; i++) {
            reader->reads_all = reader->reads_all || listed(roles, member.roles[i]);
        }
        reader->is_operator =
            member_may(&member, &modules_rules, bytes_text(MEMBER_MODULE), bytes_text("register"));
    }
    buf_clear(&bytes);
    return err;
}

enum err reader_judge(struct reader *reader, struct reader_key *key, const struct view *view,
                      const struct hash *kid, const struct reading_roles *roles, struct why *why)
{
    struct reader_key own = {0};
    struct reader_key *found = key ? key : &own;
    *reader = (struct reader){.kid = *kid};
    *found = (struct reader_key){0};
    enum err err = key_get(found, view, kid);
    if (err == ERR_NOT_FOUND) {
        err = refuse_key(why, "is not registered on this ledger");
    } else if (err == OK && found->record.purpose != PURPOSE_MEMBER) {
        err = refuse_key(why, "is no member's key");
    } else if (err == OK && found->record.has_until) {
        err = refuse_key(why, "has ended");
    } else if (err == OK) {
        err = fill(reader, view, &found->record, roles, why);
    }
    reader_key_clear(&own);
    return err;
}

/* ---- statements */

/* Whether a member is the reader, or one of the reader's institution. */
static bool is_same_house(const struct reader *reader, const struct view *view, struct bytes member)
{
    if (bytes_equal(member, bytes_text(reader->member))) {
        return true;
    }
    struct buf bytes = {0};
    struct member_record record;
    bool same = member_get(&record, &bytes, view, member) == OK &&
                bytes_equal(institution_of(&record, member), bytes_text(reader->institution));
    buf_clear(&bytes);
    return same;
}

static bool is_signer(const struct reader *reader, const struct view *view,
                      const struct statement *statement, const struct hash *kid)
{
    if (!statement->foreign) {
        return is_same_house(reader, view, statement->iss);
    }
    struct reader_key key = {0};
    bool same = key_get(&key, view, kid) == OK && is_same_house(reader, view, key.record.member);
    reader_key_clear(&key);
    return same;
}

static bool is_principal(const struct reader *reader, const struct view *view,
                         const struct statement *statement)
{
    if (!statement->has_mandate) {
        return false;
    }
    struct buf key = {0};
    struct buf bytes = {0};
    struct mandate_record mandate;
    mandate_state_key(&key, &statement->mandate);
    bool same = state_get(view, &key, &bytes) == OK &&
                mandate_record_parse(&mandate, buf_bytes(&bytes)) == OK &&
                is_same_house(reader, view, mandate.principal);
    buf_clear(&key);
    buf_clear(&bytes);
    return same;
}

struct witness_search {
    const struct reader *reader;
    bool found;
};

static bool see_witness(void *context, struct node_found *found)
{
    struct witness_search *search = context;
    struct statement statement;
    search->found = statement_parse(&statement, buf_bytes(&found->entry), NULL) == OK &&
                    bytes_equal(statement.content_type, bytes_text(EVIDENCE_TYPE("countersign"))) &&
                    bytes_equal(statement.iss, bytes_text(search->reader->member));
    return !search->found;
}

static bool is_witness(const struct reader *reader, struct node *node, const struct hash *id)
{
    struct witness_search search = {.reader = reader};
    enum err err = node_find(node, NODE_BY_TARGET, hash_bytes(id), 0, see_witness, &search);
    return err == OK && search.found;
}

/* Members, keys, mandates and acts of government stand in the state that every member reads. */
static bool is_frame(const struct statement *statement)
{
    struct bytes module;
    struct bytes action;
    return !statement->foreign && statement_action(statement, &module, &action) &&
           (bytes_equal(module, bytes_text(MEMBER_MODULE)) ||
            bytes_equal(module, bytes_text("governance")));
}

static bool takes_part(const struct reader *reader, struct node *node, const struct view *view,
                       const struct node_found *found)
{
    struct statement statement;
    if (statement_parse(&statement, buf_bytes(&found->entry), NULL) != OK) {
        return false;
    }
    return (reader->reads_frame && is_frame(&statement)) ||
           is_signer(reader, view, &statement, &found->kid) ||
           is_principal(reader, view, &statement) || is_witness(reader, node, &found->id);
}

/* ---- what is said about a deposit is read by whoever reads the deposit */

struct target_search {
    const struct reader *reader;
    struct node *node;
    const struct view *view;
    bool may;
};

static bool see_target(void *context, struct node_found *found)
{
    struct target_search *search = context;
    search->may = takes_part(search->reader, search->node, search->view, found);
    return false;
}

static bool reads_target(struct target_search *search, const struct node_found *found)
{
    struct statement statement;
    struct hash target;
    const struct action *action;
    if (statement_parse(&statement, buf_bytes(&found->entry), NULL) != OK || statement.foreign ||
        rules_find(&modules_rules, &statement, &action, NULL) != OK || !action->target ||
        !action->target(&statement, &target)) {
        return false;
    }
    enum err err =
        node_find(search->node, NODE_BY_STATEMENT, hash_bytes(&target), 0, see_target, search);
    return err == OK && search->may;
}

bool reader_may_read(const struct reader *reader, struct node *node, const struct node_found *found)
{
    struct view *view = node_view(node);
    struct target_search search = {.reader = reader, .node = node, .view = view};
    bool may = takes_part(reader, node, view, found) || reads_target(&search, found);
    view_release(view);
    return may;
}
