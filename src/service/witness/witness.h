/* Outside witnesses (C2SP tlog-witness): one thread shows each of them the newest checkpoint,
 * verifies what they sign, and hands the lines to the node, which keeps them for its proofs.
 *
 * A witness is asked when the head has changed, at most once an interval; one that could not answer
 * is asked again later and later, up to ten minutes. */
#ifndef CAIRN_SERVICE_WITNESS_WITNESS_H
#define CAIRN_SERVICE_WITNESS_WITNESS_H

#include "node/node.h"

#define WITNESSES_MAX          16
#define WITNESS_INTERVAL_S     10
#define WITNESS_INTERVAL_MAX_S 86400
#define WITNESS_TARGET_FORM    "URL VKEY"

struct witnesses;

struct witness_options {
    struct node *node;
    size_t count;               /* 1 to WITNESSES_MAX */
    const char *const *targets; /* "URL VKEY": the prefix of its add-checkpoint, and the key by
                                   which it cosigns (type 4) */
    unsigned interval_s;        /* 0 = 10 */
};

/* Whether a text names a witness: http or https, no blanks but the one, a vkey of type 4.
 * ERR_FORMAT, ERR_KEY, ERR_MISMATCH. */
must_use enum err witness_target_check(const char *target, struct why *why);
/* ERR_RANGE, and what is wrong with a target;
 * ERR_READ_ONLY where the node signs no checkpoints. */
must_use enum err witness_start(struct witnesses **out, const struct witness_options *options,
                                struct why *why);
/* Ends its requests; before the node is closed. NULL is nothing. */
void witness_stop(struct witnesses *witnesses);

#endif
