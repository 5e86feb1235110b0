/* Keys that are added, rotated and revoked, roles that change, and the table of actions. */
#include "modules/member/rules.h"

#include "codec/privacy.h"

#include <string.h>

/* member.add_key and member.rotate */

static enum err add_key_check(const struct submission *submission, struct why *why)
{
    struct member_add_key body;
    TRY(own_voice_check(submission, why));
    return body_why(why, member_add_key_parse(&body, body_of(submission)));
}

/* A stolen key must not be able to bring more keys with it, so a member adds none to itself. */
static enum err add_key_apply(struct rule_context *context, const struct submission *submission,
                              struct why *why)
{
    struct member_add_key body;
    struct standing standing = {0};
    TRY(member_add_key_parse(&body, body_of(submission)));
    struct key_owner owner = {.member = body.member, .record = &standing.record};
    enum err err = standing_get(&standing, context, "member", body.member, why);
    if (err == OK) {
        err = key_authority_get(&owner.by, context, body.member, &standing.record, why);
    }
    if (err == OK && owner.by == AUTHORITY_ITSELF) {
        err = why_say(why, ERR_REFUSED, "member", NULL, "can't add keys to itself",
                      "Rotate a key, or ask the institution or the operator to add one.");
    }
    if (err == OK) {
        err = key_begin(context, &owner, &body.key, why);
    }
    if (err == OK) {
        standing_put(context, body.member, &standing.record);
    }
    standing_clear(&standing);
    return err;
}

static enum err rotate_check(const struct submission *submission, struct why *why)
{
    struct member_rotate body;
    TRY(own_voice_check(submission, why));
    return body_why(why, member_rotate_parse(&body, body_of(submission)));
}

/* Ends the old key, then begins the new one on the record that the end has left. */
static enum err rotate_keys(struct rule_context *context, const struct member_rotate *body,
                            const struct key_record *old, struct standing *standing,
                            struct why *why)
{
    struct key_owner owner = {
        .member = old->member, .record = &standing->record, .purpose = old->purpose};
    TRY(standing_get(standing, context, "member", old->member, why));
    TRY(key_authority_get(&owner.by, context, old->member, &standing->record, why));
    TRY(rule_key_end(context, &body->kid));
    TRY(standing_get(standing, context, "member", old->member, why));
    TRY(key_begin(context, &owner, &body->key, why));
    standing_put(context, old->member, &standing->record);
    return OK;
}

static enum err rotate_apply(struct rule_context *context, const struct submission *submission,
                             struct why *why)
{
    struct member_rotate body;
    struct key_record old;
    struct buf bytes = {0};
    struct standing standing = {0};
    TRY(member_rotate_parse(&body, body_of(submission)));
    enum err err = key_in_force(&old, &bytes, context, &body.kid, why);
    if (err == OK) {
        err = rotate_keys(context, &body, &old, &standing, why);
    }
    standing_clear(&standing);
    buf_clear(&bytes);
    return err;
}

/* member.revoke */

static enum err revoke_check(const struct submission *submission, struct why *why)
{
    struct member_revoke body;
    TRY(own_voice_check(submission, why));
    TRY(body_why(why, member_revoke_parse(&body, body_of(submission))));
    return clear_text_check("reason", body.reason, why);
}

/* How many keys in force a member signs statements with. */
static enum err member_keys_count(size_t *out, struct rule_context *context,
                                  const struct member_record *record)
{
    struct buf bytes = {0};
    enum err err = OK;
    *out = 0;
    for (size_t i = 0; err == OK && i < record->key_count; i++) {
        struct key_record key;
        err = key_in_force(&key, &bytes, context, &record->keys[i], NULL);
        *out += err == OK && key.purpose == PURPOSE_MEMBER ? 1 : 0;
    }
    buf_clear(&bytes);
    return err;
}

/* An operator that ends itself might leave a ledger that nobody governs. */
static enum err operator_stays(struct rule_context *context, const struct member_revoke *body,
                               const struct member_record *record, enum purpose purpose,
                               struct why *why)
{
    size_t count = 0;
    TRY(member_keys_count(&count, context, record));
    if (body->has_kid && (purpose != PURPOSE_MEMBER || count > 1)) {
        return OK;
    }
    return why_say(why, ERR_REFUSED, "member", NULL, "is the operator that signed this",
                   body->has_kid ? "Rotate its last key instead."
                                 : "Another operator may end it; a stolen key is rotated.");
}

static enum err key_revoke(struct rule_context *context, const struct member_revoke *body,
                           enum purpose *purpose, struct why *why)
{
    struct buf bytes = {0};
    struct key_record key;
    enum err err = key_in_force(&key, &bytes, context, &body->kid, why);
    if (err == OK && !bytes_equal(key.member, body->member)) {
        err = why_say(why, ERR_MISMATCH, "kid", NULL, "is of a key of another member", NULL);
    }
    *purpose = err == OK ? key.purpose : 0;
    buf_clear(&bytes);
    return err;
}

static enum err member_end(struct rule_context *context, struct bytes member,
                           struct standing *standing, struct why *why)
{
    struct hash kids[MEMBER_KEYS_MAX];
    size_t count = standing->record.key_count;
    memcpy(kids, standing->record.keys, sizeof kids);
    for (size_t i = 0; i < count; i++) {
        TRY(rule_key_end(context, &kids[i]));
    }
    TRY(standing_get(standing, context, "member", member, why));
    standing->record.has_until = true;
    standing->record.until = rule_index(context) + 1;
    standing_put(context, member, &standing->record);
    return OK;
}

static enum err revoke(struct rule_context *context, const struct member_revoke *body,
                       struct standing *standing, struct why *why)
{
    enum authority by;
    enum purpose purpose = 0;
    TRY(standing_get(standing, context, "member", body->member, why));
    TRY(authority_get(&by, context, body->member, &standing->record, why));
    if (body->has_kid) {
        TRY(key_revoke(context, body, &purpose, why));
    }
    if (by == AUTHORITY_OPERATOR && bytes_equal(body->member, rule_member(context))) {
        TRY(operator_stays(context, body, &standing->record, purpose, why));
    }
    return body->has_kid ? rule_key_end(context, &body->kid)
                         : member_end(context, body->member, standing, why);
}

static enum err revoke_apply(struct rule_context *context, const struct submission *submission,
                             struct why *why)
{
    struct member_revoke body;
    struct standing standing = {0};
    TRY(member_revoke_parse(&body, body_of(submission)));
    enum err err = revoke(context, &body, &standing, why);
    standing_clear(&standing);
    return err;
}

/* member.roles: the ledger lets only those send it whose role allows it. */

static enum err roles_check(const struct submission *submission, struct why *why)
{
    struct member_roles body;
    TRY(own_voice_check(submission, why));
    return body_why(why, member_roles_parse(&body, body_of(submission)));
}

static enum err roles_change(struct rule_context *context, const struct member_roles *body,
                             struct standing *standing, struct why *why)
{
    struct member_record *record = &standing->record;
    TRY(standing_get(standing, context, "member", body->member, why));
    TRY(roles_known(context, body->roles, body->role_count, why));
    record->role_count = body->role_count;
    memcpy(record->roles, body->roles, sizeof record->roles);
    if (bytes_equal(body->member, rule_member(context)) && !is_operator(context, record)) {
        return why_say(why, ERR_REFUSED, "roles", NULL, "would leave the signer no operator",
                       "Another operator may take that role away.");
    }
    standing_put(context, body->member, record);
    return OK;
}

static enum err roles_apply(struct rule_context *context, const struct submission *submission,
                            struct why *why)
{
    struct member_roles body;
    struct standing standing = {0};
    TRY(member_roles_parse(&body, body_of(submission)));
    enum err err = roles_change(context, &body, &standing, why);
    standing_clear(&standing);
    return err;
}

static const struct action actions[] = {
    {.name = "register", .check = register_check, .apply = register_apply, .own_keys = true},
    {.name = "add_key", .check = add_key_check, .apply = add_key_apply, .own_keys = true},
    {.name = "rotate", .check = rotate_check, .apply = rotate_apply, .own_keys = true},
    {.name = "revoke", .check = revoke_check, .apply = revoke_apply, .own_keys = true},
    {.name = "roles", .check = roles_check, .apply = roles_apply},
    {.name = "void", .check = void_check, .apply = void_apply, .own_keys = true},
    {.name = "mandate", .check = mandate_body_check, .apply = mandate_apply, .own_keys = true},
    {.name = "end_mandate", .check = void_check, .apply = end_mandate_apply, .own_keys = true},
};

const struct module member_module = {
    .name = MEMBER_MODULE,
    .actions = actions,
    .action_count = sizeof actions / sizeof *actions,
};
