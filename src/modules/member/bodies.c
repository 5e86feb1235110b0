#include "modules/member/member.h"

/* Lists here are short sets: a member of one that stands there twice is an error. */
static void text_set_read(struct cbor_reader *reader, struct bytes *out, size_t count, size_t max)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = cbor_text(reader, 1, max);
        for (size_t before = 0; before < i; before++) {
            if (bytes_equal(out[before], out[i])) {
                cbor_fail(reader, ERR_EXISTS);
            }
        }
    }
}

static void text_set_write(struct buf *out, const struct bytes *texts, size_t count)
{
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        cbor_put_text(out, texts[i]);
    }
}

static void roles_read(struct cbor_reader *reader, struct bytes *roles, size_t *count)
{
    *count = cbor_array(reader, 1, MEMBER_ROLES_MAX);
    text_set_read(reader, roles, *count, ROLE_MAX);
}

static void new_key_read(struct cbor_reader *reader, struct new_key *out)
{
    cbor_array(reader, 3, 3);
    out->possession = cbor_bytes(reader, 1, KEY_REQUEST_MAX);
    if (!cbor_null(reader)) {
        cbor_array(reader, 2, 2);
        out->rp_id = cbor_text(reader, 1, RP_ID_MAX);
        out->origin_count = cbor_array(reader, 1, KEY_ORIGINS_MAX);
        text_set_read(reader, out->origins, out->origin_count, ORIGIN_MAX);
    }
    if (!cbor_null(reader)) {
        out->name_count = cbor_array(reader, 1, KEY_NAMES_MAX);
        for (size_t i = 0; i < out->name_count; i++) {
            out->names[i] = cbor_bytes(reader, 1, KEY_NAME_MAX);
        }
    }
}

static void new_key_write(struct buf *out, const struct new_key *key)
{
    cbor_put_array(out, 3);
    cbor_put_bytes(out, key->possession);
    if (key->rp_id.len > 0) {
        cbor_put_array(out, 2);
        cbor_put_text(out, key->rp_id);
        text_set_write(out, key->origins, key->origin_count);
    } else {
        cbor_put_null(out);
    }
    if (key->name_count == 0) {
        cbor_put_null(out);
        return;
    }
    cbor_put_array(out, key->name_count);
    for (size_t i = 0; i < key->name_count; i++) {
        cbor_put_bytes(out, key->names[i]);
    }
}

static void begin(struct cbor_reader *reader, struct bytes in, size_t members)
{
    cbor_init(reader, in);
    cbor_array(reader, members, members);
    cbor_version(reader, 1);
}

static void begin_write(struct buf *out, size_t members)
{
    cbor_put_array(out, members);
    cbor_put_uint(out, 1);
}

enum err member_register_parse(struct member_register *out, struct bytes in)
{
    struct cbor_reader reader;
    *out = (struct member_register){0};
    begin(&reader, in, 6);
    out->member = cbor_text(&reader, 1, MEMBER_ID_MAX);
    uint64_t kind = cbor_uint_max(&reader, MEMBER_NODE);
    if (kind == 0) {
        cbor_fail(&reader, ERR_RANGE);
    }
    out->kind = (enum member_kind)kind;
    if (!cbor_null(&reader)) {
        out->institution = cbor_text(&reader, 1, MEMBER_ID_MAX);
    }
    roles_read(&reader, out->roles, &out->role_count);
    out->key_count = cbor_array(&reader, 1, REGISTER_KEYS_MAX);
    for (size_t i = 0; i < out->key_count; i++) {
        new_key_read(&reader, &out->keys[i]);
    }
    return cbor_end(&reader);
}

void member_register_write(struct buf *out, const struct member_register *body)
{
    begin_write(out, 6);
    cbor_put_text(out, body->member);
    cbor_put_uint(out, body->kind);
    if (body->institution.len > 0) {
        cbor_put_text(out, body->institution);
    } else {
        cbor_put_null(out);
    }
    text_set_write(out, body->roles, body->role_count);
    cbor_put_array(out, body->key_count);
    for (size_t i = 0; i < body->key_count; i++) {
        new_key_write(out, &body->keys[i]);
    }
}

enum err member_add_key_parse(struct member_add_key *out, struct bytes in)
{
    struct cbor_reader reader;
    *out = (struct member_add_key){0};
    begin(&reader, in, 3);
    out->member = cbor_text(&reader, 1, MEMBER_ID_MAX);
    new_key_read(&reader, &out->key);
    return cbor_end(&reader);
}

void member_add_key_write(struct buf *out, const struct member_add_key *body)
{
    begin_write(out, 3);
    cbor_put_text(out, body->member);
    new_key_write(out, &body->key);
}

enum err member_rotate_parse(struct member_rotate *out, struct bytes in)
{
    struct cbor_reader reader;
    *out = (struct member_rotate){0};
    begin(&reader, in, 3);
    out->kid = cbor_hash(&reader);
    new_key_read(&reader, &out->key);
    return cbor_end(&reader);
}

void member_rotate_write(struct buf *out, const struct member_rotate *body)
{
    begin_write(out, 3);
    cbor_put_hash(out, &body->kid);
    new_key_write(out, &body->key);
}

enum err member_revoke_parse(struct member_revoke *out, struct bytes in)
{
    struct cbor_reader reader;
    *out = (struct member_revoke){0};
    begin(&reader, in, 4);
    out->member = cbor_text(&reader, 1, MEMBER_ID_MAX);
    out->has_kid = !cbor_null(&reader);
    if (out->has_kid) {
        out->kid = cbor_hash(&reader);
    }
    out->reason = cbor_text(&reader, 1, MEMBER_REASON_MAX);
    return cbor_end(&reader);
}

void member_revoke_write(struct buf *out, const struct member_revoke *body)
{
    begin_write(out, 4);
    cbor_put_text(out, body->member);
    if (body->has_kid) {
        cbor_put_hash(out, &body->kid);
    } else {
        cbor_put_null(out);
    }
    cbor_put_text(out, body->reason);
}

enum err member_roles_parse(struct member_roles *out, struct bytes in)
{
    struct cbor_reader reader;
    *out = (struct member_roles){0};
    begin(&reader, in, 3);
    out->member = cbor_text(&reader, 1, MEMBER_ID_MAX);
    roles_read(&reader, out->roles, &out->role_count);
    return cbor_end(&reader);
}

void member_roles_write(struct buf *out, const struct member_roles *body)
{
    begin_write(out, 3);
    cbor_put_text(out, body->member);
    text_set_write(out, body->roles, body->role_count);
}

enum err member_reference_parse(struct member_reference *out, struct bytes in)
{
    struct cbor_reader reader;
    begin(&reader, in, 2);
    out->statement = cbor_hash(&reader);
    return cbor_end(&reader);
}

void member_reference_write(struct buf *out, const struct member_reference *body)
{
    begin_write(out, 2);
    cbor_put_hash(out, &body->statement);
}

enum err member_mandate_parse(struct member_mandate *out, struct bytes in)
{
    struct cbor_reader reader;
    *out = (struct member_mandate){0};
    begin(&reader, in, 4);
    out->agent = cbor_text(&reader, 1, MEMBER_ID_MAX);
    out->action_count = cbor_array(&reader, 1, MANDATE_ACTIONS_MAX);
    text_set_read(&reader, out->actions, out->action_count, MANDATE_ACTION_LEN_MAX);
    out->until_ms = cbor_uint(&reader);
    return cbor_end(&reader);
}

void member_mandate_write(struct buf *out, const struct member_mandate *body)
{
    begin_write(out, 4);
    cbor_put_text(out, body->agent);
    text_set_write(out, body->actions, body->action_count);
    cbor_put_uint(out, body->until_ms);
}
