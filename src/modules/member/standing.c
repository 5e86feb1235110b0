/* Standing, authority and what every action of members checks first. */
#include "modules/member/rules.h"

#include "codec/privacy.h"

struct bytes body_of(const struct submission *submission)
{
    return submission->statement.sign1.payload;
}

enum err body_why(struct why *why, enum err err)
{
    return err == OK ? OK : why_say(why, err, "body", NULL, NULL, NULL);
}

enum err own_voice_check(const struct submission *submission, struct why *why)
{
    if (submission->statement.has_mandate) {
        return why_say(why, ERR_REFUSED, "mandate", NULL, "can't be used for keys and members",
                       "Let the member itself sign.");
    }
    return clear_text_check("sub", submission->statement.sub, why);
}

enum err standing_get(struct standing *out, struct rule_context *context, const char *field,
                      struct bytes member, struct why *why)
{
    out->bytes.len = 0;
    enum err err = rule_member_record(context, member, &out->bytes);
    if (err != OK) {
        return why_sayf(why, err, field, "is no member of this ledger", NULL, "%.*s",
                        (int)member.len, (const char *)member.at);
    }
    TRY(member_record_parse(&out->record, buf_bytes(&out->bytes)));
    if (out->record.has_until) {
        return why_sayf(why, ERR_REFUSED, field, "is a member that was ended",
                        "An id is never used again: register a new one.", "%.*s", (int)member.len,
                        (const char *)member.at);
    }
    return OK;
}

void standing_put(struct rule_context *context, struct bytes member,
                  const struct member_record *record)
{
    struct buf key = {0};
    struct buf value = {0};
    member_state_key(&key, member);
    member_record_write(&value, record);
    rule_put(context, buf_bytes(&key), buf_bytes(&value));
    buf_clear(&key);
    buf_clear(&value);
}

void standing_clear(struct standing *standing)
{
    buf_clear(&standing->bytes);
}

bool is_operator(struct rule_context *context, const struct member_record *record)
{
    return member_may(record, rule_rules(context), bytes_text(member_module.name),
                      bytes_text("register"));
}

/* Persons and applications of an institution are its own; other institutions and nodes are not. */
static bool is_managed(enum member_kind kind)
{
    return kind == MEMBER_PERSON || kind == MEMBER_APPLICATION;
}

enum authority authority_over(struct rule_context *context, const struct member_record *signer,
                              struct bytes member, const struct member_record *record)
{
    struct bytes self = rule_member(context);
    if (is_operator(context, signer)) {
        return AUTHORITY_OPERATOR;
    }
    if (bytes_equal(self, member)) {
        return AUTHORITY_ITSELF;
    }
    if (signer->kind == MEMBER_INSTITUTION && is_managed(record->kind) &&
        bytes_equal(record->institution, self) && !is_operator(context, record)) {
        return AUTHORITY_INSTITUTION;
    }
    return AUTHORITY_NONE;
}

static bool role_held(const struct member_record *record, struct bytes role)
{
    for (size_t i = 0; i < record->role_count; i++) {
        if (bytes_equal(record->roles[i], role)) {
            return true;
        }
    }
    return false;
}

enum err grant_check(const struct member_record *giver, const struct member_record *taker,
                     struct why *why)
{
    for (size_t i = 0; i < taker->role_count; i++) {
        struct bytes role = taker->roles[i];
        if (!role_held(giver, role) && !bytes_equal(role, bytes_text(MEMBER_ROLE_DEFAULT))) {
            return why_sayf(why, ERR_REFUSED, "roles", "is no role that this institution may give",
                            "It may give the roles that it has, and " MEMBER_ROLE_DEFAULT ".",
                            "%.*s", (int)role.len, (const char *)role.at);
        }
    }
    return OK;
}

static enum err authority_find(enum authority *out, struct rule_context *context,
                               struct bytes member, const struct member_record *record,
                               bool brings_key, struct why *why)
{
    struct standing signer = {0};
    enum err err = standing_get(&signer, context, "iss", rule_member(context), why);
    *out = AUTHORITY_NONE;
    if (err == OK) {
        *out = authority_over(context, &signer.record, member, record);
    }
    if (err == OK && *out == AUTHORITY_NONE) {
        err = why_sayf(why, ERR_REFUSED, "member", "is not for this signer to change",
                       "Its institution or the operator may.", "%.*s", (int)member.len,
                       (const char *)member.at);
    }
    if (err == OK && *out == AUTHORITY_INSTITUTION && brings_key) {
        err = grant_check(&signer.record, record, why);
    }
    standing_clear(&signer);
    return err;
}

enum err authority_get(enum authority *out, struct rule_context *context, struct bytes member,
                       const struct member_record *record, struct why *why)
{
    return authority_find(out, context, member, record, false, why);
}

enum err key_authority_get(enum authority *out, struct rule_context *context, struct bytes member,
                           const struct member_record *record, struct why *why)
{
    return authority_find(out, context, member, record, true, why);
}

static bool role_known(const struct rules *rules, struct bytes name)
{
    for (const struct role *role = rules->roles; role->name; role++) {
        if (bytes_equal(name, bytes_text(role->name))) {
            return true;
        }
    }
    return false;
}

enum err roles_known(struct rule_context *context, const struct bytes *roles, size_t count,
                     struct why *why)
{
    for (size_t i = 0; i < count; i++) {
        if (!role_known(rule_rules(context), roles[i])) {
            return why_sayf(why, ERR_NOT_FOUND, "roles", "is no role of this ledger", NULL, "%.*s",
                            (int)roles[i].len, (const char *)roles[i].at);
        }
    }
    return OK;
}
