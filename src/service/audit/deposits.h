/* Deposits the audit log's head (docs/audit.md) on the ledger it belongs to: once a UTC day, only
 * if the log has changed, signed with a key that can do nothing else.
 *
 * What is deposited is the last line, so that the item's SHA-256 is the hash of the chain. Which
 * line was deposited last stands in DIR/audit.deposits; if that is lost, one deposit too many is
 * made. */
#ifndef CAIRN_SERVICE_AUDIT_DEPOSITS_H
#define CAIRN_SERVICE_AUDIT_DEPOSITS_H

#include "crypto/signer.h"
#include "node/node.h"
#include "store/audit.h"

#define AUDIT_DEPOSITS "audit.deposits"

struct audit_deposits;

struct audit_deposits_options {
    struct node *node;
    const char *dir;
    struct signer *key;        /* taken over, also on an error */
    uint64_t (*wall_ms)(void); /* by which a day is another one; NULL = clock_wall_ms */
};

/* ERR_IO, ERR_CORRUPT if AUDIT_DEPOSITS can't be read. */
must_use enum err audit_deposits_new(struct audit_deposits **out,
                                     const struct audit_deposits_options *options, struct why *why);
/* Starts the thread that looks every ten seconds. ERR_IO. */
must_use enum err audit_deposits_start(struct audit_deposits *deposits, struct why *why);
/* Stops it, before the node is closed; frees. NULL is nothing. */
void audit_deposits_free(struct audit_deposits *deposits);

/* Looks once and deposits if that is due: whether it did. What fails is logged and counted, and
 * tried again after ten minutes. One thread at a time. */
bool audit_deposits_check(struct audit_deposits *deposits);

/* The last deposit: when, and of which line. Number 0: there was none, and the time is that of the
 * genesis block. */
struct audit_deposit {
    uint64_t time_ms;
    struct audit_head head;
};
/* Whether a log that ends so is to be deposited now. */
bool audit_deposit_due(const struct audit_deposit *last, const struct audit_head *head,
                       uint64_t now_ms);

#endif
