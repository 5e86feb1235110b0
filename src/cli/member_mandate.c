#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "modules/member/member.h"

#include <time.h>

/* Reads "2026-12-31" or "2026-12-31T18:00:00Z" as milliseconds. */
static enum err time_read(uint64_t *out, const char *text, struct why *why)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    if (end && *end) {
        end = strptime(end, "T%H:%M:%SZ", &tm);
    }
    time_t seconds = timegm(&tm);
    if (!end || *end || seconds < 0) {
        return why_say(why, ERR_FORMAT, "--until", text, "is not a time in UTC",
                       "Write it as 2026-12-31 or 2026-12-31T18:00:00Z.");
    }
    *out = (uint64_t)seconds * 1000;
    return OK;
}

static enum err body_make(struct buf *out, const struct args *args, struct why *why)
{
    struct member_mandate body = {.agent = bytes_text(args->operands[0])};
    TRY(time_read(&body.until_ms, args_text(args, "until"), why));
    const char *action;
    for (size_t i = 0; (action = args_nth(args, "action", i)); i++) {
        if (i == MANDATE_ACTIONS_MAX) {
            return why_say(why, ERR_RANGE, "--action", action, "is one too many", NULL);
        }
        body.actions[body.action_count++] = bytes_text(action);
    }
    member_mandate_write(out, &body);
    return OK;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    enum err err = body_make(&body, args, &why);
    struct matter matter = {MEMBER_TYPE("mandate"), args->operands[0], buf_bytes(&body)};
    int status = err == OK ? signing_do(args, "as", &matter) : fail(err, &why);
    buf_clear(&body);
    return status;
}

static const struct arg options[] = {
    {"action", "ACTION", "what the agent may do: evidence.deposit, or evidence.*", NULL, true,
     true},
    {"until", "TIME", "when it ends, in UTC: 2026-12-31 or 2026-12-31T18:00:00Z", NULL, true,
     false},
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_member_mandate = {
    .name = "member mandate",
    .operands = "AGENT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "let another member act for you",
    .text = "The answer's statement id is the mandate; the agent names it with --mandate.",
    .example =
        "cairn member mandate bob --action evidence.deposit --until 2027-01-01 --key alice.key",
    .args = options,
    .run = run,
};
