#include "ledger/apply.h"

#include "ledger/signer.h"

#include <string.h>

/* What the checks find out on their way. */
struct applying {
    struct rule_context *context;
    struct submission *submission;
    struct statement_result *result;
    const struct known_record *key;
    struct bytes action; /* its name, within context->module */
};

static enum err check_chain(struct applying *at)
{
    const struct statement *statement = &at->submission->statement;
    if (!hash_equal(&statement->chain, &at->context->previous->chain)) {
        return why_say(&at->result->why, ERR_MISMATCH, "chain id", NULL, "is another ledger's",
                       "Check which ledger the statement was made for.");
    }
    return statement_validity_check(statement, at->context->time_ms, &at->result->why);
}

static enum err seen_at(struct applying *at, uint64_t index)
{
    struct rule_context *context = at->context;
    at->result->seen = true;
    at->result->index = index;
    enum err err = context->past.height(context->past.context, index, &at->result->height);
    if (err != OK) {
        context->fault = err;
    }
    return err;
}

/* Whether it was accepted before. A fault ends the block, so its code does not matter here. */
static enum err check_seen(struct applying *at)
{
    struct rule_context *context = at->context;
    uint64_t index;
    enum err err = context->past.seen(context->past.context, &at->submission->id, &index);
    if (err == OK) {
        return seen_at(at, index);
    }
    if (err != ERR_NOT_FOUND) {
        context->fault = err;
        return err;
    }
    return OK;
}

static enum err foreign_place_parse(uint64_t *index, struct bytes value)
{
    struct cbor_reader reader;
    cbor_init(&reader, value);
    cbor_array(&reader, 2, 2);
    cbor_version(&reader, 1);
    *index = cbor_uint(&reader);
    return cbor_end(&reader);
}

static enum err check_foreign_seen(struct applying *at)
{
    struct rule_context *context = at->context;
    state_key_write(&context->key, bytes_text(FOREIGN_MODULE), BYTES_NONE);
    foreign_state_key(&context->key, &at->submission->id);
    context->value.len = 0;
    enum err err = context_get(context, buf_bytes(&context->key), &context->value);
    if (err != OK) {
        return err == ERR_NOT_FOUND ? OK : err;
    }
    uint64_t index;
    if (foreign_place_parse(&index, buf_bytes(&context->value)) != OK) {
        context->fault = ERR_CORRUPT;
        return ERR_CORRUPT;
    }
    return seen_at(at, index);
}

static enum err reader_get(void *context, struct bytes state_key, struct buf *out)
{
    return context_get(context, state_key, out);
}

static enum err find_key(struct applying *at)
{
    struct rule_context *context = at->context;
    const struct statement *statement = &at->submission->statement;
    struct state_reader reader = {context, reader_get};
    unsigned step = 0;
    enum err err;
    while ((err = signer_candidate(&context->kid, &step, statement, &reader)) == OK) {
        err = context_key(context, &at->key, &context->kid);
        if (err == OK && signer_fits(statement, at->key->key)) {
            return OK;
        }
        if (err != OK && err != ERR_NOT_FOUND) {
            return err;
        }
    }
    if (err != ERR_NOT_FOUND) {
        context->fault = err;
        return err;
    }
    return why_say(&at->result->why, ERR_KEY, "kid", NULL, "is not registered here", NULL);
}

static enum err check_void(struct applying *at)
{
    struct rule_context *context = at->context;
    state_key_write(&context->key, bytes_text(MEMBER_MODULE), BYTES_NONE);
    void_state_key(&context->key, &context->kid, &at->submission->id);
    context->value.len = 0;
    enum err err = context_get(context, buf_bytes(&context->key), &context->value);
    if (err == OK) {
        return why_say(&at->result->why, ERR_REFUSED, "statement", NULL, "was voided by its signer",
                       NULL);
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err check_signature(struct applying *at)
{
    struct submission *submission = at->submission;
    TRY(statement_key_check(&submission->statement, at->key->key, at->context->index,
                            &at->result->why));
    if (submission->verified && hash_equal(&submission->verified_kid, &at->context->kid)) {
        return OK;
    }
    TRY(statement_verify(&submission->statement, at->key->key, at->key->pubkey, &at->result->why));
    submission->verified = true;
    submission->verified_kid = at->context->kid;
    return OK;
}

/* Finds a member in force and makes it the acting one. */
static enum err act_as(struct applying *at, struct bytes member, const struct known_record **out)
{
    struct rule_context *context = at->context;
    enum err err = context_member(context, out, member);
    if (err != OK && err != ERR_NOT_FOUND) {
        return err;
    }
    const struct member_record *record = err == OK ? (*out)->member : NULL;
    if (record == NULL || (record->has_until && context->index >= record->until)) {
        return why_sayf(&at->result->why, ERR_REFUSED, "member",
                        record == NULL ? "is unknown" : "has been ended", NULL, "%.*s",
                        (int)member.len, (const char *)member.at);
    }
    BUG_ON(member.at == NULL || member.len > sizeof context->member_at);
    memmove(context->member_at, member.at, member.len);
    context->member = (struct bytes){context->member_at, member.len};
    return OK;
}

static enum err mandate_fault(struct applying *at, enum err err, const char *problem)
{
    return why_say(&at->result->why, err, "mandate", NULL, problem, NULL);
}

static enum err check_mandate(struct applying *at, const struct mandate_record *mandate)
{
    const struct rule_context *context = at->context;
    if (!bytes_equal(mandate->agent, context->member)) {
        return mandate_fault(at, ERR_REFUSED, "was given to another member");
    }
    if (mandate->ended && context->index >= mandate->ended_index) {
        return mandate_fault(at, ERR_REFUSED, "has been ended");
    }
    if (context->time_ms > mandate->until_ms) {
        return mandate_fault(at, ERR_EXPIRED, "is past its time");
    }
    for (size_t i = 0; i < mandate->action_count; i++) {
        if (action_matches(mandate->actions[i], context->module, at->action)) {
            return OK;
        }
    }
    return mandate_fault(at, ERR_REFUSED, "does not cover this action");
}

/* The principal of the mandate that the statement names acts from here on. */
static enum err use_mandate(struct applying *at, const struct known_record **member)
{
    struct rule_context *context = at->context;
    struct mandate_record mandate = {0};
    state_key_write(&context->key, bytes_text(MEMBER_MODULE), BYTES_NONE);
    mandate_state_key(&context->key, &at->submission->statement.mandate);
    struct buf value = {0};
    enum err err = context_get(context, buf_bytes(&context->key), &value);
    if (err == ERR_NOT_FOUND) {
        err = mandate_fault(at, ERR_REFUSED, "is unknown");
    } else if (err == OK && mandate_record_parse(&mandate, buf_bytes(&value)) != OK) {
        err = context->fault = ERR_CORRUPT;
    } else if (err == OK) {
        err = check_mandate(at, &mandate);
    }
    if (err == OK) {
        err = act_as(at, mandate.principal, member);
    }
    buf_clear(&value);
    return err;
}

static enum err check_role(struct applying *at, const struct member_record *record)
{
    const struct rule_context *context = at->context;
    if (at->submission->action->own_keys ||
        member_may(record, context->rules, context->module, at->action)) {
        return OK;
    }
    return why_sayf(&at->result->why, ERR_REFUSED, "role", "is not one of the member's",
                    "Ask an administrator of the ledger for a role that may do this.",
                    "that allows %.*s.%.*s", (int)context->module.len,
                    (const char *)context->module.at, (int)at->action.len,
                    (const char *)at->action.at);
}

static enum err check_member(struct applying *at)
{
    const struct known_record *member;
    TRY(act_as(at, at->key->key->member, &member));
    if (!at->submission->statement.foreign && at->submission->statement.has_mandate) {
        TRY(use_mandate(at, &member));
    }
    return check_role(at, member->member);
}

static enum err run_rule(struct applying *at)
{
    const struct action *action = at->submission->action;
    if (action->takes_items != (at->submission->items != NULL)) {
        return why_say(&at->result->why, ERR_REFUSED, "items", NULL,
                       action->takes_items ? "are missing" : "do not belong to this action", NULL);
    }
    return action->apply == NULL ? OK
                                 : action->apply(at->context, at->submission, &at->result->why);
}

/* OK also where the statement was seen before; at->result says so. */
static enum err check_and_run(struct applying *at)
{
    bool foreign = at->submission->statement.foreign;
    if (!foreign) {
        TRY(check_chain(at));
        TRY(check_seen(at));
        if (at->result->seen) {
            return OK;
        }
    }
    TRY(find_key(at));
    BUG_ON(at->key == NULL || at->key->key == NULL);
    if (foreign) {
        statement_id(&at->submission->id, &at->submission->statement, &at->context->kid);
        TRY(check_foreign_seen(at));
        if (at->result->seen) {
            return OK;
        }
    }
    TRY(check_signature(at));
    TRY(check_void(at));
    TRY(check_member(at));
    return run_rule(at);
}

static void name_action(struct applying *at)
{
    const struct submission *submission = at->submission;
    BUG_ON(submission->action == NULL);
    if (submission->statement.foreign) {
        at->context->module = bytes_text(FOREIGN_MODULE);
        at->action = bytes_text(submission->action->name);
    } else {
        BUG_ON(!statement_action(&submission->statement, &at->context->module, &at->action));
    }
}

static void result_init(struct statement_result *result, const struct submission *submission)
{
    result->err = OK;
    result->seen = false;
    result->id = submission->id;
    result->index = 0;
    result->height = 0;
    result->why.field[0] = '\0';
    result->why.value[0] = '\0';
    result->why.problem[0] = '\0';
    result->why.remedy[0] = '\0';
}

enum err apply_statement(struct rule_context *context, struct submission *submission,
                         struct statement_result *result)
{
    struct applying at = {.context = context, .submission = submission, .result = result};
    result_init(result, submission);
    name_action(&at);
    context->wants_next_epoch = false;
    context->put_len = 0;
    result->err = check_and_run(&at);
    result->id = submission->id;
    if (result->err != OK || context->fault != OK || result->seen) {
        context_undo(context);
        return context->fault;
    }
    overlay_keep(context->overlay);
    result->index = context->index;
    result->height = context->height;
    context->next_epoch = context->next_epoch || context->wants_next_epoch;
    context->accepted++;
    context->index++;
    return OK;
}
