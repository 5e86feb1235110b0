#include "proof/verdict.h"

#include "base/bytes.h"
#include "proof/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 1024

#define CHECK_TEXT(name, text) text,
static const char *const check_names[] = {CHECK_TABLE(CHECK_TEXT)};

const char *check_name(enum check check)
{
    return check_names[check];
}

const char *outcome_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_PASS:
        return "pass";
    case OUTCOME_FAIL:
        return "fail";
    case OUTCOME_NOT_COUNTED:
        return "not counted";
    }
    BUG_ON(true);
}

bool verdict_fails(const struct verdict *verdict, enum check check)
{
    for (size_t i = 0; i < verdict->count; i++) {
        if (verdict->lines[i].check == check && verdict->lines[i].outcome == OUTCOME_FAIL) {
            return true;
        }
    }
    return false;
}

void verdict_clear(struct verdict *verdict)
{
    free(verdict->lines);
    arena_clear(&verdict->arena);
    *verdict = (struct verdict){0};
}

/* Inserts before the first line of a later check. */
static void line_insert(struct verdict *verdict, struct verdict_line line)
{
    if (verdict->count == verdict->cap) {
        verdict->cap = verdict->cap ? 2 * verdict->cap : 16;
        verdict->lines = mem_realloc(verdict->lines, verdict->cap * sizeof *verdict->lines);
    }
    size_t at = verdict->count;
    while (at > 0 && verdict->lines[at - 1].check > line.check) {
        verdict->lines[at] = verdict->lines[at - 1];
        at--;
    }
    verdict->lines[at] = line;
    verdict->count++;
}

/* Names in a proof were chosen by others; a character cut in two at the end is dropped. */
static void line_tame(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && !bytes_is_utf8((struct bytes){(const uint8_t *)text, len})) {
        text[--len] = 0;
    }
    text_tame((uint8_t *)text, len);
}

void verdict_add(struct verdict *verdict, enum check check, enum outcome outcome,
                 const char *format, ...)
{
    char text[LINE_MAX_LEN];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    line_tame(text);
    struct bytes kept =
        arena_copy(&verdict->arena, (struct bytes){(const uint8_t *)text, strlen(text) + 1});
    line_insert(verdict, (struct verdict_line){check, outcome, (const char *)kept.at});
}

void verdict_fail_why(struct verdict *verdict, enum check check, const char *lead, enum err err,
                      const struct why *why)
{
    char reason[LINE_MAX_LEN / 2];
    why_print(why, err, reason, sizeof reason);
    verdict_add(verdict, check, OUTCOME_FAIL, "%s: %s.", lead, reason);
}

void verdict_ledger_fails(struct verdict *verdict, const char *before, const char *chain,
                          const char *after)
{
    verdict_add(verdict, CHECK_LEDGER, OUTCOME_FAIL, "%s %s%s", before, chain, after);
    verdict->status = VERDICT_UNREADABLE;
    snprintf(verdict->summary, sizeof verdict->summary, "%s", verdict->lines[0].text);
}

void verdict_finish(struct verdict *verdict, const char *passes, const char *fails)
{
    bool failed = false;
    for (size_t i = 0; i < verdict->count; i++) {
        failed = failed || verdict->lines[i].outcome == OUTCOME_FAIL;
    }
    verdict->status = failed ? VERDICT_FAIL : VERDICT_PASS;
    snprintf(verdict->summary, sizeof verdict->summary, "%s", failed ? fails : passes);
}

void verdict_unreadable(struct verdict *verdict, enum err err, const struct why *why)
{
    char reason[LINE_MAX_LEN / 2];
    why_print(why, err, reason, sizeof reason);
    verdict->status = VERDICT_UNREADABLE;
    snprintf(verdict->summary, sizeof verdict->summary, "Cannot be read: %.200s.", reason);
}
