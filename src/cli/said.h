/* Verbs that say one thing about evidence that is there. */
#ifndef CAIRN_CLI_SAID_H
#define CAIRN_CLI_SAID_H

#include "cli/sign.h"
#include "modules/evidence/evidence.h"

/* Signs a statement about `place` and sends it; the caller releases *answer. */
must_use enum err said_send(const struct signing *signing, const char *content_type,
                            const struct evidence_place *place, struct bytes body, json_t **answer,
                            struct why *why);

/* Writes the body once the place is known; `text` is the reason or role. */
typedef void said_fn(struct buf *out, const struct evidence_place *place, struct bytes text);
/* All of a verb whose first operand is the id: finds it, checks `text` (named `option`), signs as
 * `member_option` says, sends, prints. Returns the exit status. */
struct saying {
    const char *content_type;
    const char *option;
    const char *member_option;
    size_t max; /* bytes of the text */
    said_fn *write;
};
int said_do(const struct args *args, const struct saying *saying);
/* 1 to `max` bytes that may stand in clear. ERR_RANGE, clear_text_check's errors. */
must_use enum err said_text(const char *option, const char *text, size_t max, struct why *why);

#endif
