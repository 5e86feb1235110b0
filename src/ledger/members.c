#include "ledger/members.h"

#include "proof/id.h"

#include <string.h>

static void put_tagged(struct buf *out, size_t count, const char *kind)
{
    cbor_put_array(out, count);
    cbor_put_literal(out, kind);
}

void member_state_key(struct buf *out, struct bytes member)
{
    put_tagged(out, 2, "member");
    cbor_put_text(out, member);
}

void mandate_state_key(struct buf *out, const struct hash *statement_id)
{
    put_tagged(out, 2, "mandate");
    cbor_put_hash(out, statement_id);
}

void void_state_key(struct buf *out, const struct hash *kid, const struct hash *statement_id)
{
    put_tagged(out, 3, "void");
    cbor_put_hash(out, kid);
    cbor_put_hash(out, statement_id);
}

void name_state_key(struct buf *out, struct bytes name)
{
    put_tagged(out, 2, "name");
    cbor_put_bytes(out, name);
}

enum err name_record_parse(struct hash *kid, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    cbor_array(&reader, 2, 2);
    cbor_version(&reader, 1);
    *kid = cbor_hash(&reader);
    return cbor_end(&reader);
}

void name_record_write(struct buf *out, const struct hash *kid)
{
    cbor_put_array(out, 2);
    cbor_put_uint(out, 1);
    cbor_put_hash(out, kid);
}

static void put_text_or_null(struct buf *out, struct bytes text)
{
    if (text.len > 0) {
        cbor_put_text(out, text);
    } else {
        cbor_put_null(out);
    }
}

static void put_index_or_null(struct buf *out, bool has, uint64_t index)
{
    if (has) {
        cbor_put_uint(out, index);
    } else {
        cbor_put_null(out);
    }
}

static void read_index_or_null(struct cbor_reader *reader, bool *has, uint64_t *index)
{
    *has = !cbor_null(reader);
    *index = *has ? cbor_uint(reader) : 0;
}

size_t member_standing_read(struct cbor_reader *reader, enum member_kind *kind,
                            struct bytes *institution, struct bytes roles[MEMBER_ROLES_MAX])
{
    uint64_t number = cbor_uint(reader);
    if (number < MEMBER_INSTITUTION || number > MEMBER_NODE) {
        cbor_fail(reader, ERR_RANGE);
    }
    *kind = (enum member_kind)number;
    *institution = cbor_null(reader) ? BYTES_NONE : cbor_text(reader, 1, MEMBER_ID_MAX);
    size_t count = cbor_array(reader, 1, MEMBER_ROLES_MAX);
    for (size_t i = 0; i < count; i++) {
        roles[i] = cbor_text(reader, 1, ROLE_MAX);
    }
    return count;
}

void member_standing_write(struct buf *out, enum member_kind kind, struct bytes institution,
                           const struct bytes *roles, size_t role_count)
{
    cbor_put_uint(out, kind);
    put_text_or_null(out, institution);
    cbor_put_array(out, role_count);
    for (size_t i = 0; i < role_count; i++) {
        cbor_put_text(out, roles[i]);
    }
}

static void read_member(struct cbor_reader *reader, struct member_record *out)
{
    cbor_array(reader, 7, 7);
    cbor_version(reader, 1);
    out->role_count = member_standing_read(reader, &out->kind, &out->institution, out->roles);
    out->key_count = cbor_array(reader, 0, MEMBER_KEYS_MAX);
    for (size_t i = 0; i < out->key_count; i++) {
        out->keys[i] = cbor_hash(reader);
    }
    out->from = cbor_uint(reader);
    read_index_or_null(reader, &out->has_until, &out->until);
}

enum err member_record_parse(struct member_record *out, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    read_member(&reader, out);
    return cbor_end(&reader);
}

void member_record_write(struct buf *out, const struct member_record *record)
{
    cbor_put_array(out, 7);
    cbor_put_uint(out, 1);
    member_standing_write(out, record->kind, record->institution, record->roles,
                          record->role_count);
    cbor_put_array(out, record->key_count);
    for (size_t i = 0; i < record->key_count; i++) {
        cbor_put_hash(out, &record->keys[i]);
    }
    cbor_put_uint(out, record->from);
    put_index_or_null(out, record->has_until, record->until);
}

enum err mandate_record_parse(struct mandate_record *out, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    cbor_array(&reader, 6, 6);
    cbor_version(&reader, 1);
    out->principal = cbor_text(&reader, 1, MEMBER_ID_MAX);
    out->agent = cbor_text(&reader, 1, MEMBER_ID_MAX);
    out->action_count = cbor_array(&reader, 1, MANDATE_ACTIONS_MAX);
    for (size_t i = 0; i < out->action_count; i++) {
        out->actions[i] = cbor_text(&reader, 1, MANDATE_ACTION_LEN_MAX);
    }
    out->until_ms = cbor_uint(&reader);
    read_index_or_null(&reader, &out->ended, &out->ended_index);
    return cbor_end(&reader);
}

void mandate_record_write(struct buf *out, const struct mandate_record *record)
{
    cbor_put_array(out, 6);
    cbor_put_uint(out, 1);
    cbor_put_text(out, record->principal);
    cbor_put_text(out, record->agent);
    cbor_put_array(out, record->action_count);
    for (size_t i = 0; i < record->action_count; i++) {
        cbor_put_text(out, record->actions[i]);
    }
    cbor_put_uint(out, record->until_ms);
    put_index_or_null(out, record->ended, record->ended_index);
}

bool action_matches(struct bytes pattern, struct bytes module, struct bytes action)
{
    if (pattern.len < module.len + 2 || pattern.at[module.len] != '.' ||
        memcmp(pattern.at, module.at, module.len) != 0) {
        return false;
    }
    struct bytes rest = {pattern.at + module.len + 1, pattern.len - module.len - 1};
    return bytes_equal(rest, action) || (rest.len == 1 && rest.at[0] == '*');
}

static const struct role *role_find(const struct rules *rules, struct bytes name)
{
    for (const struct role *role = rules->roles; role->name != NULL; role++) {
        if (bytes_equal(name, bytes_text(role->name))) {
            return role;
        }
    }
    return NULL;
}

bool member_may(const struct member_record *record, const struct rules *rules, struct bytes module,
                struct bytes action)
{
    for (size_t i = 0; i < record->role_count; i++) {
        const struct role *role = role_find(rules, record->roles[i]);
        for (size_t j = 0; role != NULL && role->actions[j] != NULL; j++) {
            if (action_matches(bytes_text(role->actions[j]), module, action)) {
                return true;
            }
        }
    }
    return false;
}
