/* The verdict on a proof: lines that a person can read, each under the name of a check. */
#ifndef CAIRN_PROOF_VERDICT_H
#define CAIRN_PROOF_VERDICT_H

#include "base/arena.h"
#include "base/why.h"

#include <stdint.h>

/* The checks by their names in protocol.md 5; CHECK_STATE belongs to state proofs alone. */
#define CHECK_TABLE(X)                        \
    X(CHECK_LEDGER, "ledger")                 \
    X(CHECK_SIGNATURE, "statement signature") \
    X(CHECK_KEY, "signer key")                \
    X(CHECK_VALIDITY, "validity")             \
    X(CHECK_ITEM, "item")                     \
    X(CHECK_FILE, "file")                     \
    X(CHECK_STATE, "state")                   \
    X(CHECK_LOG, "log")                       \
    X(CHECK_HEAD, "head")                     \
    X(CHECK_RECEIPT, "receipt")               \
    X(CHECK_COMMIT, "commit")                 \
    X(CHECK_HISTORY, "history")               \
    X(CHECK_ANCHOR, "anchor")                 \
    X(CHECK_TIME, "time")                     \
    X(CHECK_TOKEN, "token")                   \
    X(CHECK_MANDATE, "mandate")               \
    X(CHECK_FORK, "fork")                     \
    X(CHECK_LOST, "lost")

#define CHECK_CODE(name, text) name,
enum check { CHECK_TABLE(CHECK_CODE) CHECK_COUNT };

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_NOT_COUNTED };

/* What the exit status of `cairn verify` is. */
enum verdict_status { VERDICT_PASS = 0, VERDICT_FAIL = 1, VERDICT_UNREADABLE = 2 };

struct verdict_line {
    enum check check;
    enum outcome outcome;
    const char *text; /* one or two whole sentences */
};

/* Zero-initialised is empty. A line that passes never depends on an optional part that may be
 * dropped: whatever is optional adds lines or turns into "not counted". */
struct verdict {
    enum verdict_status status;
    char summary[256]; /* one sentence */
    size_t count;
    size_t cap;
    struct verdict_line *lines; /* in the order of enum check */
    struct arena arena;
};

/* "statement signature", ... */
const char *check_name(enum check check);
/* "pass", "fail" or "not counted". */
const char *outcome_name(enum outcome outcome);
/* Whether a line of this check fails. */
bool verdict_fails(const struct verdict *verdict, enum check check);
void verdict_clear(struct verdict *verdict);

/* For the checks alone: append a line; finish sorts the lines and sets status and summary. */
void verdict_add(struct verdict *verdict, enum check check, enum outcome outcome,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* As a fail whose reason is `why`, after `lead`. */
void verdict_fail_why(struct verdict *verdict, enum check check, const char *lead, enum err err,
                      const struct why *why);
/* Makes an empty verdict say that the ledger isn't trusted: a sentence
 * around the chain id in hex. */
void verdict_ledger_fails(struct verdict *verdict, const char *before, const char *chain,
                          const char *after);
void verdict_finish(struct verdict *verdict, const char *passes, const char *fails);
/* Makes an empty verdict say that something can't be read or isn't trusted. */
void verdict_unreadable(struct verdict *verdict, enum err err, const struct why *why);

#endif
