/* member.register: who enters, by whose word, with what. */
#include "modules/member/rules.h"

#include "codec/privacy.h"

#include <string.h>

static bool is_id(struct bytes id)
{
    static const char others[] = "._:@-";
    for (size_t i = 0; i < id.len; i++) {
        uint8_t lower = (uint8_t)(id.at[i] | 0x20);
        bool plain = (lower >= 'a' && lower <= 'z') || (id.at[i] >= '0' && id.at[i] <= '9');
        if (!plain && (i == 0 || !memchr(others, id.at[i], sizeof others - 1))) {
            return false;
        }
    }
    return true;
}

enum err register_check(const struct submission *submission, struct why *why)
{
    struct member_register body;
    TRY(own_voice_check(submission, why));
    TRY(body_why(why, member_register_parse(&body, body_of(submission))));
    if (!is_id(body.member)) {
        return why_say(why, ERR_FORMAT, "member", NULL, "is not an id",
                       "Use letters, digits and . _ : @ - and begin with a letter or digit.");
    }
    if (body.kind == MEMBER_INSTITUTION && body.institution.len > 0) {
        return why_say(why, ERR_FORMAT, "institution", NULL, "is for members of other kinds", NULL);
    }
    return clear_text_check("member", body.member, why);
}

static enum err institution_check(struct rule_context *context, struct bytes institution,
                                  struct why *why)
{
    struct standing standing = {0};
    if (institution.len == 0) {
        return OK;
    }
    enum err err = standing_get(&standing, context, "institution", institution, why);
    if (err == OK && standing.record.kind != MEMBER_INSTITUTION) {
        err = why_sayf(why, ERR_REFUSED, "institution", "is a member of another kind", NULL, "%.*s",
                       (int)institution.len, (const char *)institution.at);
    }
    standing_clear(&standing);
    return err;
}

/* Who registers, and whether it may. */
static enum err registrar_check(enum authority *out, struct rule_context *context,
                                const struct member_register *body,
                                const struct member_record *record, struct why *why)
{
    struct standing signer = {0};
    enum err err = standing_get(&signer, context, "iss", rule_member(context), why);
    if (err == OK) {
        *out = authority_over(context, &signer.record, body->member, record);
        if (*out != AUTHORITY_OPERATOR && *out != AUTHORITY_INSTITUTION) {
            err = why_say(why, ERR_REFUSED, "iss", NULL, "may not register this member",
                          "The operator registers anybody, an institution its own persons and "
                          "applications.");
        }
    }
    if (err == OK && *out == AUTHORITY_INSTITUTION) {
        err = grant_check(&signer.record, record, why);
    }
    standing_clear(&signer);
    return err;
}

static enum err not_registered(struct rule_context *context, struct bytes member, struct why *why)
{
    struct buf bytes = {0};
    enum err err = rule_member_record(context, member, &bytes);
    buf_clear(&bytes);
    if (err == OK) {
        return why_sayf(why, ERR_EXISTS, "member", "is a member, or was one",
                        "Choose another id; member.add_key adds a key.", "%.*s", (int)member.len,
                        (const char *)member.at);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err register_apply(struct rule_context *context, const struct submission *submission,
                        struct why *why)
{
    struct member_register body;
    TRY(member_register_parse(&body, body_of(submission)));
    struct member_record record = {
        .kind = body.kind,
        .institution = body.institution,
        .role_count = body.role_count,
        .from = rule_index(context),
    };
    memcpy(record.roles, body.roles, sizeof record.roles);
    struct key_owner owner = {.member = body.member, .record = &record};
    TRY(not_registered(context, body.member, why));
    TRY(registrar_check(&owner.by, context, &body, &record, why));
    TRY(institution_check(context, body.institution, why));
    TRY(roles_known(context, body.roles, body.role_count, why));
    for (size_t i = 0; i < body.key_count; i++) {
        TRY(key_begin(context, &owner, &body.keys[i], why));
    }
    standing_put(context, body.member, &record);
    return OK;
}
