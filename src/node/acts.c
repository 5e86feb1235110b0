/* What operators do to a node, for its audit log. An act that can't be written is logged, counted
 * and a reason against readiness (audit_failed), and never undoes what was done. */
#include "node/internal.h"

#include "base/log.h"
#include "codec/text.h"
#include "modules/member/member.h"
#include "modules/modules.h"
#include "store/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct audit *node_audit(struct node *node)
{
    return node->audit;
}

enum err node_open_audit(struct node *node, struct why *why)
{
    struct audit_options options = {.dir = node->dir};
    return audit_open(&node->audit, &options, why);
}

/* One act of this process's user. */
static void note(struct node *node, enum audit_act act, uid_t uid,
                 const struct audit_detail details[AUDIT_DETAILS_MAX])
{
    char who[AUDIT_WHO_CAP];
    audit_user(who, uid);
    struct audit_entry entry = {.act = act, .who = who};
    for (size_t i = 0; i < AUDIT_DETAILS_MAX && details[i].name; i++) {
        entry.details[i] = details[i];
    }
    audit_add(node->audit, &entry, 1);
}

/* A head as two details. */
struct head_text {
    char height[24];
    char hash[65];
};

static struct head_text head_text(struct node *node)
{
    struct head_text out;
    struct view *view = node_view(node);
    snprintf(out.height, sizeof out.height, "%llu", (unsigned long long)view_header(view)->height);
    hex_write(out.hash, hash_bytes(view_header_hash(view)));
    view_release(view);
    return out;
}

static void note_key(struct node *node, const char *purpose, const struct signer *signer)
{
    char kid[65];
    if (signer) {
        hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(signer))));
        note(node, AUDIT_KEY_OPEN, geteuid(),
             (struct audit_detail[AUDIT_DETAILS_MAX]){{"purpose", purpose}, {"kid", kid}});
    }
}

void node_note_start(struct node *node)
{
    char chain[65];
    hex_write(chain, hash_bytes(&node->chain));
    struct head_text head = head_text(node);
    note(node, AUDIT_NODE_START, geteuid(),
         (struct audit_detail[AUDIT_DETAILS_MAX]){{"chain", chain},
                                                  {"height", head.height},
                                                  {"header_hash", head.hash},
                                                  {"read_only", node->order ? "no" : "yes"}});
    note_key(node, "receipt", node->receipt);
    note_key(node, "checkpoint", node->checkpoint);
    node->noted_start = true;
}

void node_note_stop(struct node *node)
{
    if (node->noted_start) {
        struct head_text head = head_text(node);
        note(node, AUDIT_NODE_STOP, geteuid(),
             (struct audit_detail[AUDIT_DETAILS_MAX]){{"height", head.height},
                                                      {"header_hash", head.hash}});
    }
}

void node_note_clock(struct node *node, uid_t uid, int64_t step_ms)
{
    char step[24];
    snprintf(step, sizeof step, "%lld", (long long)step_ms);
    note(node, AUDIT_CLOCK_ACCEPT, uid,
         (struct audit_detail[AUDIT_DETAILS_MAX]){{"step_ms", step}});
}

void node_note_loss(struct node *node, const struct header *head, uint64_t lost_to,
                    const struct signer *operator_key)
{
    char epoch[24];
    char height[24];
    char lost[24];
    char kid[65];
    struct why why = {0};
    if (node_open_audit(node, &why) != OK) {
        log_event(LOG_ERROR, "audit.failed", "act=%s problem=\"%s %s\"",
                  audit_act_name(AUDIT_LEDGER_RESTART), why.field, why.value);
        return;
    }
    snprintf(epoch, sizeof epoch, "%llu", (unsigned long long)head->epoch);
    snprintf(height, sizeof height, "%llu", (unsigned long long)head->height);
    snprintf(lost, sizeof lost, "%llu", (unsigned long long)lost_to);
    hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(operator_key))));
    note_key(node, "operator", operator_key);
    struct audit_entry entry = {
        .act = AUDIT_LEDGER_RESTART,
        .who = kid,
        .details = {{"epoch", epoch}, {"height", height}, {"lost_to", lost}}};
    audit_add(node->audit, &entry, 1);
}

/* ---- statements of operators */

static bool is_operator(const struct view *view, struct bytes member)
{
    struct buf bytes = {0};
    struct member_record *record = mem_alloc(sizeof *record);
    bool found =
        node_member_record(view, member, &bytes, record) == OK &&
        member_may(record, &modules_rules, bytes_text(MEMBER_MODULE), bytes_text("register"));
    buf_clear(&bytes);
    free(record);
    return found;
}

/* What one statement's line says; the texts that its entry borrows. */
struct taken {
    char who[65];
    char action[64];
    char statement[65];
    char index[24];
};

static void taken_fill(struct taken *out, struct audit_entry *entry,
                       const struct statement *statement, const struct statement_result *result)
{
    struct bytes module;
    struct bytes action;
    BUG_ON(!statement_action(statement, &module, &action));
    hex_write(out->who, statement->kid);
    snprintf(out->action, sizeof out->action, "%.*s.%.*s", (int)module.len, (const char *)module.at,
             (int)action.len, (const char *)action.at);
    hex_write(out->statement, hash_bytes(&result->id));
    snprintf(out->index, sizeof out->index, "%llu", (unsigned long long)result->index);
    *entry = (struct audit_entry){
        .act = AUDIT_STATEMENT,
        .who = out->who,
        .details = {{"action", out->action}, {"statement", out->statement}, {"index", out->index}}};
}

/* Of modules that say who may do what. */
static bool is_about_power(const struct statement *statement)
{
    struct bytes module;
    struct bytes action;
    return !statement->foreign && statement_action(statement, &module, &action) &&
           (bytes_equal(module, bytes_text("member")) ||
            bytes_equal(module, bytes_text("governance")));
}

struct view *node_view_before(struct node *node, const struct block_input *input)
{
    for (size_t i = 0; i < input->count; i++) {
        if (is_about_power(&input->submissions[i]->statement)) {
            return node_view(node);
        }
    }
    return NULL;
}

static bool was_taken(const struct block_input *input, const struct block_result *result, size_t i)
{
    return result->results[i].err == OK && !result->results[i].seen &&
           is_about_power(&input->submissions[i]->statement);
}

void node_note_statements(struct node *node, const struct view *before,
                          const struct block_input *input, const struct block_result *result)
{
    struct audit_entry *entries = mem_zalloc(input->count * sizeof *entries);
    struct taken *texts = mem_zalloc(input->count * sizeof *texts);
    struct view *after = node_view(node);
    size_t count = 0;
    for (size_t i = 0; i < input->count; i++) {
        const struct statement *statement = &input->submissions[i]->statement;
        /* Whoever became one, or stopped being one, in this very block was one for a part of it. */
        if (was_taken(input, result, i) &&
            (is_operator(before, statement->iss) || is_operator(after, statement->iss))) {
            taken_fill(&texts[count], &entries[count], statement, &result->results[i]);
            count++;
        }
    }
    if (count > 0) {
        audit_add(node->audit, entries, count);
    }
    view_release(after);
    free(entries);
    free(texts);
}
