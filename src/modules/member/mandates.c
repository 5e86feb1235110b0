#include "modules/member/rules.h"

#include <string.h>

/* member.void */

enum err void_check(const struct submission *submission, struct why *why)
{
    struct member_reference body;
    TRY(own_voice_check(submission, why));
    return body_why(why, member_reference_parse(&body, body_of(submission)));
}

/* A statement that stands in the log already stays there: consensus can't look it up by its id
 * once its time is over, and it doesn't need to. */
enum err void_apply(struct rule_context *context, const struct submission *submission,
                    struct why *why)
{
    struct member_reference body;
    struct buf key = {0};
    struct buf value = {0};
    TRY(member_reference_parse(&body, body_of(submission)));
    void_state_key(&key, rule_kid(context), &body.statement);
    enum err err = rule_get(context, buf_bytes(&key), &value);
    if (err == OK) {
        err = why_say(why, ERR_EXISTS, "statement", NULL, "was voided before",
                      "It can't be taken any more; nothing is left to do.");
    } else if (err == ERR_NOT_FOUND) {
        cbor_put_array(&value, 1);
        cbor_put_uint(&value, 1);
        rule_put(context, buf_bytes(&key), buf_bytes(&value));
        err = OK;
    }
    buf_clear(&key);
    buf_clear(&value);
    return err;
}

/* member.mandate */

/* Parts a pattern at its dot; false if it has not exactly one, with something on both sides. */
static bool pattern_part(struct bytes pattern, struct bytes *module, struct bytes *action)
{
    const uint8_t *dot = memchr(pattern.at, '.', pattern.len);
    if (!dot) {
        return false;
    }
    *module = (struct bytes){pattern.at, (size_t)(dot - pattern.at)};
    *action = (struct bytes){dot + 1, pattern.len - module->len - 1};
    return module->len > 0 && action->len > 0 && !memchr(action->at, '.', action->len);
}

/* Keys and the ledger itself are nobody's to hand on. */
static bool is_personal(struct bytes module)
{
    return bytes_equal(module, bytes_text(MEMBER_MODULE)) ||
           bytes_equal(module, bytes_text("governance"));
}

enum err mandate_body_check(const struct submission *submission, struct why *why)
{
    struct member_mandate body;
    TRY(own_voice_check(submission, why));
    TRY(body_why(why, member_mandate_parse(&body, body_of(submission))));
    for (size_t i = 0; i < body.action_count; i++) {
        struct bytes module;
        struct bytes action;
        struct bytes pattern = body.actions[i];
        if (!pattern_part(pattern, &module, &action)) {
            return why_sayf(why, ERR_FORMAT, "actions", "is not MODULE.ACTION or MODULE.*", NULL,
                            "%.*s", (int)pattern.len, (const char *)pattern.at);
        }
        if (is_personal(module)) {
            return why_sayf(why, ERR_REFUSED, "actions", "can't be done for another", NULL, "%.*s",
                            (int)pattern.len, (const char *)pattern.at);
        }
    }
    return OK;
}

static bool module_has(const struct module *module, struct bytes pattern)
{
    for (size_t i = 0; i < module->action_count; i++) {
        if (action_matches(pattern, bytes_text(module->name),
                           bytes_text(module->actions[i].name))) {
            return true;
        }
    }
    return false;
}

/* A mandate with a slip of the pen in it would be found out only when it is needed. */
static enum err actions_known(struct rule_context *context, const struct member_mandate *body,
                              struct why *why)
{
    for (size_t i = 0; i < body->action_count; i++) {
        struct bytes pattern = body->actions[i];
        bool known = false;
        for (const struct module *const *module = rule_rules(context)->modules; *module; module++) {
            known = known || module_has(*module, pattern);
        }
        if (!known) {
            return why_sayf(why, ERR_NOT_FOUND, "actions", "is no action of this ledger", NULL,
                            "%.*s", (int)pattern.len, (const char *)pattern.at);
        }
    }
    return OK;
}

static enum err agent_check(struct rule_context *context, struct bytes agent, struct why *why)
{
    struct standing standing = {0};
    if (bytes_equal(agent, rule_member(context))) {
        return why_say(why, ERR_REFUSED, "agent", NULL, "is the principal itself", NULL);
    }
    enum err err = standing_get(&standing, context, "agent", agent, why);
    standing_clear(&standing);
    return err;
}

static void mandate_put(struct rule_context *context, const struct hash *id,
                        const struct mandate_record *record)
{
    struct buf key = {0};
    struct buf value = {0};
    mandate_state_key(&key, id);
    mandate_record_write(&value, record);
    rule_put(context, buf_bytes(&key), buf_bytes(&value));
    buf_clear(&key);
    buf_clear(&value);
}

enum err mandate_apply(struct rule_context *context, const struct submission *submission,
                       struct why *why)
{
    struct member_mandate body;
    TRY(member_mandate_parse(&body, body_of(submission)));
    TRY(agent_check(context, body.agent, why));
    TRY(actions_known(context, &body, why));
    if (body.until_ms <= rule_time_ms(context)) {
        return why_say(why, ERR_EXPIRED, "until", NULL, "is past", NULL);
    }
    struct mandate_record record = {
        .principal = rule_member(context),
        .agent = body.agent,
        .action_count = body.action_count,
        .until_ms = body.until_ms,
    };
    memcpy(record.actions, body.actions, sizeof record.actions);
    mandate_put(context, &submission->id, &record);
    return OK;
}

/* member.end_mandate */

static enum err end_mandate(struct rule_context *context, const struct hash *id,
                            struct mandate_record *record, struct why *why)
{
    if (!bytes_equal(record->principal, rule_member(context))) {
        return why_say(why, ERR_REFUSED, "mandate", NULL, "was given by another member",
                       "Who gave it ends it.");
    }
    if (record->ended) {
        return why_say(why, ERR_EXISTS, "mandate", NULL, "was ended before", NULL);
    }
    record->ended = true;
    record->ended_index = rule_index(context) + 1;
    mandate_put(context, id, record);
    return OK;
}

enum err end_mandate_apply(struct rule_context *context, const struct submission *submission,
                           struct why *why)
{
    struct member_reference body;
    struct mandate_record record = {0};
    struct buf key = {0};
    struct buf value = {0};
    TRY(member_reference_parse(&body, body_of(submission)));
    mandate_state_key(&key, &body.statement);
    enum err err = rule_get(context, buf_bytes(&key), &value);
    if (err == ERR_NOT_FOUND) {
        err = why_say(why, err, "mandate", NULL, "is not the statement id of a mandate", NULL);
    } else if (err == OK) {
        err = mandate_record_parse(&record, buf_bytes(&value));
    }
    if (err == OK) {
        err = end_mandate(context, &body.statement, &record, why);
    }
    buf_clear(&key);
    buf_clear(&value);
    return err;
}
