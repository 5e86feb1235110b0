/* Which key record a statement was signed under. */
#ifndef CAIRN_LEDGER_SIGNER_H
#define CAIRN_LEDGER_SIGNER_H

#include "ledger/members.h"

/* Reads state: appends the value of a whole state key. ERR_NOT_FOUND, or an error of the store. */
struct state_reader {
    void *context;
    enum err (*get)(void *context, struct bytes state_key, struct buf *out);
};

/* Gives one after the other the kids of records that may be the statement's: of ours its kid, of a
 * foreign one its kid if it has 32 bytes, then what the names of its kid and of its x5t stand for.
 * *step starts at 0. ERR_NOT_FOUND after the last, or an error of the store. */
must_use enum err signer_candidate(struct hash *kid, unsigned *step,
                                   const struct statement *statement,
                                   const struct state_reader *reader);
/* Whether a candidate's record ends the search: any record of ours, a foreign one by purpose. */
bool signer_fits(const struct statement *statement, const struct key_record *record);

#endif
