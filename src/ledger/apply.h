/* One statement against the state: the checks that every statement meets, in this order, then the
 * rule of its action.
 *
 *  1. It names this ledger, and the block's time lies within its validity.
 *  2. It was not accepted before; if it was, the answer is its first place.
 *  3. Its key is registered, in force at this index, and signed it. Its signer has not voided it.
 *  4. Its member is in force.
 *  5. Its mandate, if it names one, covers the action and holds now; the principal then acts.
 *  6. A role of the acting member allows the action.
 *  7. The rule applies it.
 *
 * Ours are looked for by id before their key is known, foreign ones after (their id needs it). */
#ifndef CAIRN_LEDGER_APPLY_H
#define CAIRN_LEDGER_APPLY_H

#include "ledger/context.h"
#include "ledger/ledger.h"

/* Applies a statement at log index context->index. Fills *result; where result->err is OK and it
 * was not seen before, its changes are kept and context->accepted and context->index went up.
 * Returns context->fault: then *result says nothing. */
must_use enum err apply_statement(struct rule_context *context, struct submission *submission,
                                  struct statement_result *result);

#endif
