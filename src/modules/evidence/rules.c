#include "modules/evidence/evidence.h"

#include "codec/privacy.h"

static struct bytes body_of(const struct statement *statement)
{
    return statement->sign1.payload;
}

static enum err body_why(struct why *why, enum err err)
{
    return err == OK ? OK : why_say(why, err, "body", NULL, NULL, NULL);
}

/* A value [1, index], with room for what follows. */
static void value_begin(struct buf *out, size_t members, uint64_t index)
{
    cbor_put_array(out, members);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, index);
}

/* Puts what nobody may say twice; `said` names it. Clears both buffers. */
static enum err put_once(struct rule_context *context, struct buf *key, struct buf *value,
                         struct why *why, const char *said, const char *remedy)
{
    struct buf before = {0};
    enum err err = rule_get(context, buf_bytes(key), &before);
    if (err == OK) {
        err = why_say(why, ERR_EXISTS, "statement", NULL, said, remedy);
    } else if (err == ERR_NOT_FOUND) {
        rule_put(context, buf_bytes(key), buf_bytes(value));
        err = OK;
    }
    buf_clear(&before);
    buf_clear(key);
    buf_clear(value);
    return err;
}

/* evidence.deposit */

static enum err deposit_check(const struct submission *submission, struct why *why)
{
    struct deposit body;
    const struct items *items = submission->items;
    TRY(clear_text_check("sub", submission->statement.sub, why));
    TRY(body_why(why, deposit_parse(&body, body_of(&submission->statement))));
    TRY(clear_text_check("category", body.category, why));
    if (body.flags != 0) {
        return why_sayf(why, ERR_UNSUPPORTED, "flags", "has a flag that nobody has defined", NULL,
                        "%llu", (unsigned long long)body.flags);
    }
    if (!items || items->count != body.count) {
        return why_sayf(why, ERR_TRUNCATED, "items", "are not as many as the deposit states",
                        "Send the items behind the statement.", "%u of %u",
                        items ? items->count : 0u, body.count);
    }
    if (!hash_equal(&items->root, &body.items_root)) {
        return why_say(why, ERR_MISMATCH, "items root", NULL, "is not the root of these items",
                       NULL);
    }
    return OK;
}

/* evidence.supersede */

static enum err supersede_check(const struct submission *submission, struct why *why)
{
    struct evidence_supersede body;
    TRY(clear_text_check("sub", submission->statement.sub, why));
    TRY(body_why(why, evidence_supersede_parse(&body, body_of(&submission->statement))));
    if (hash_equal(&body.old.statement, &body.new.statement) &&
        body.old.number == body.new.number) {
        return why_say(why, ERR_REFUSED, "new", NULL, "is the evidence that it would supersede",
                       NULL);
    }
    return clear_text_check("reason", body.reason, why);
}

static enum err supersede_apply(struct rule_context *context, const struct submission *submission,
                                struct why *why)
{
    struct evidence_supersede body;
    struct buf key = {0};
    struct buf value = {0};
    TRY(evidence_supersede_parse(&body, body_of(&submission->statement)));
    superseded_state_key(&key, &body.old, rule_member(context));
    value_begin(&value, 4, rule_index(context));
    cbor_put_hash(&value, &body.new.statement);
    cbor_put_uint(&value, body.new.number);
    return put_once(context, &key, &value, why, "was superseded by this member before",
                    "Supersede the evidence that took its place.");
}

static bool supersede_target(const struct statement *statement, struct hash *out)
{
    struct evidence_supersede body;
    if (evidence_supersede_parse(&body, body_of(statement)) != OK) {
        return false;
    }
    *out = body.old.statement;
    return true;
}

/* evidence.withdraw */

static enum err withdraw_check(const struct submission *submission, struct why *why)
{
    struct evidence_withdraw body;
    TRY(clear_text_check("sub", submission->statement.sub, why));
    TRY(body_why(why, evidence_withdraw_parse(&body, body_of(&submission->statement))));
    return clear_text_check("reason", body.reason, why);
}

static enum err withdraw_apply(struct rule_context *context, const struct submission *submission,
                               struct why *why)
{
    struct evidence_withdraw body;
    struct buf key = {0};
    struct buf value = {0};
    TRY(evidence_withdraw_parse(&body, body_of(&submission->statement)));
    withdrawn_state_key(&key, &body.place, rule_member(context));
    value_begin(&value, 2, rule_index(context));
    return put_once(context, &key, &value, why, "was withdrawn by this member before",
                    "It stays withdrawn; nothing is left to do.");
}

static bool withdraw_target(const struct statement *statement, struct hash *out)
{
    struct evidence_withdraw body;
    if (evidence_withdraw_parse(&body, body_of(statement)) != OK) {
        return false;
    }
    *out = body.place.statement;
    return true;
}

/* evidence.countersign */

static enum err countersign_check(const struct submission *submission, struct why *why)
{
    struct evidence_countersign body;
    TRY(clear_text_check("sub", submission->statement.sub, why));
    TRY(body_why(why, evidence_countersign_parse(&body, body_of(&submission->statement))));
    return clear_text_check("role", body.role, why);
}

static enum err countersign_apply(struct rule_context *context, const struct submission *submission,
                                  struct why *why)
{
    struct evidence_countersign body;
    struct buf key = {0};
    struct buf value = {0};
    TRY(evidence_countersign_parse(&body, body_of(&submission->statement)));
    countersigned_state_key(&key, &body, rule_member(context));
    value_begin(&value, 2, rule_index(context));
    return put_once(context, &key, &value, why,
                    "was countersigned by this member in this role before",
                    "It stands; nothing is left to do.");
}

static bool countersign_target(const struct statement *statement, struct hash *out)
{
    struct evidence_countersign body;
    if (evidence_countersign_parse(&body, body_of(statement)) != OK) {
        return false;
    }
    *out = body.place.statement;
    return true;
}

/* Foreign statements */

static enum err foreign_check(const struct submission *submission, struct why *why)
{
    const struct statement *statement = &submission->statement;
    if (statement->envelope && body_of(statement).len != sizeof(struct hash)) {
        return why_sayf(why, ERR_RANGE, "payload", "is not a SHA-256",
                        "Label 258 = -16 says that the payload is one.", "%zu bytes",
                        body_of(statement).len);
    }
    return OK;
}

static enum err quota_read(uint64_t *count, struct rule_context *context, const struct buf *key)
{
    struct buf value = {0};
    struct cbor_reader reader;
    *count = 0;
    enum err err = rule_get(context, buf_bytes(key), &value);
    if (err == OK) {
        cbor_init(&reader, buf_bytes(&value));
        cbor_array(&reader, 2, 2);
        cbor_version(&reader, 1);
        *count = cbor_uint(&reader);
        err = cbor_end(&reader);
    } else if (err == ERR_NOT_FOUND) {
        err = OK;
    }
    buf_clear(&value);
    return err;
}

/* Ids of foreign statements stay in the state for ever, so a key brings only so many. */
static enum err quota_take(struct rule_context *context, struct why *why)
{
    struct buf key = {0};
    struct buf value = {0};
    uint64_t count;
    quota_state_key(&key, rule_kid(context));
    enum err err = quota_read(&count, context, &key);
    if (err == OK && count >= FOREIGN_QUOTA) {
        err = why_sayf(why, ERR_REFUSED, "kid", "is of a foreign key that has used up its quota",
                       "Rotate the key, or deposit the statements as files.", "%llu statements",
                       (unsigned long long)count);
    }
    if (err == OK) {
        value_begin(&value, 2, count + 1);
        rule_put(context, buf_bytes(&key), buf_bytes(&value));
    }
    buf_clear(&key);
    buf_clear(&value);
    return err;
}

static enum err foreign_apply(struct rule_context *context, const struct submission *submission,
                              struct why *why)
{
    struct buf key = {0};
    struct buf value = {0};
    TRY(quota_take(context, why));
    foreign_state_key(&key, &submission->id);
    value_begin(&value, 2, rule_index(context));
    return put_once(context, &key, &value, why, "is on the ledger", NULL);
}

const struct action evidence_foreign = {
    .name = "foreign", .check = foreign_check, .apply = foreign_apply};

static const struct action actions[] = {
    {.name = "deposit", .check = deposit_check, .takes_items = true},
    {.name = "supersede",
     .check = supersede_check,
     .apply = supersede_apply,
     .target = supersede_target},
    {.name = "withdraw",
     .check = withdraw_check,
     .apply = withdraw_apply,
     .target = withdraw_target},
    {.name = "countersign",
     .check = countersign_check,
     .apply = countersign_apply,
     .target = countersign_target},
};

const struct module evidence_module = {
    .name = "evidence",
    .actions = actions,
    .action_count = sizeof actions / sizeof *actions,
};
