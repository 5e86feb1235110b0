#include "modules/governance/governance.h"

#include "codec/privacy.h"

static enum err restart_check(const struct submission *submission, struct why *why)
{
    struct restart body;
    if (submission->statement.has_mandate) {
        return why_say(why, ERR_REFUSED, "mandate", NULL, "can't be used to govern",
                       "Let the operator itself sign.");
    }
    TRY(clear_text_check("sub", submission->statement.sub, why));
    enum err err = restart_parse(&body, submission->statement.sign1.payload);
    if (err != OK) {
        return why_say(why, err, "body", NULL, NULL, NULL);
    }
    return clear_text_check("reason", body.reason, why);
}

/* Only keys that sign heads end here; member keys have member.revoke. */
static enum err head_key_check(struct rule_context *context, const struct hash *kid,
                               struct why *why)
{
    struct buf bytes = {0};
    struct key_record record;
    enum err err = rule_key_record(context, kid, &bytes);
    if (err == OK) {
        err = key_record_parse(&record, NULL, buf_bytes(&bytes));
    }
    if (err != OK) {
        err = why_say(why, err, "ended", NULL, "has a kid of no registered key", NULL);
    } else if (record.purpose != PURPOSE_RECEIPT && record.purpose != PURPOSE_CHECKPOINT) {
        err = why_say(why, ERR_REFUSED, "ended", NULL, "has a key that signs no heads",
                      "End it by member.revoke.");
    } else if (record.has_until) {
        err = why_say(why, ERR_EXISTS, "ended", NULL, "has a key that was ended before", NULL);
    }
    buf_clear(&bytes);
    return err;
}

static enum err place_check(struct rule_context *context, const struct restart *body,
                            struct why *why)
{
    if (!rule_is_first(context)) {
        return why_say(why, ERR_REFUSED, "statement", NULL, "is not the first of its block",
                       "Send a restart alone, with nothing but key statements behind it.");
    }
    if (body->height + 1 != rule_height(context)) {
        return why_sayf(why, ERR_MISMATCH, "height", "is not that of the last block", NULL, "%llu",
                        (unsigned long long)body->height);
    }
    if (!hash_equal(&body->header_hash, rule_previous_hash(context))) {
        return why_say(why, ERR_MISMATCH, "header hash", NULL, "is not that of the last block",
                       NULL);
    }
    return OK;
}

static enum err restart_apply(struct rule_context *context, const struct submission *submission,
                              struct why *why)
{
    struct restart body;
    TRY(restart_parse(&body, submission->statement.sign1.payload));
    TRY(place_check(context, &body, why));
    for (size_t i = 0; i < body.ended_count; i++) {
        TRY(head_key_check(context, &body.ended[i], why));
        TRY(rule_key_end(context, &body.ended[i]));
    }
    rule_next_epoch(context);
    return OK;
}

static const struct action actions[] = {
    {.name = "restart", .check = restart_check, .apply = restart_apply},
};

const struct module governance_module = {
    .name = "governance",
    .actions = actions,
    .action_count = sizeof actions / sizeof *actions,
};
