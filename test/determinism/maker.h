/* Makes sequences of blocks (sequence.h). */
#ifndef CAIRN_TEST_MAKER_H
#define CAIRN_TEST_MAKER_H

#include "base/bytes.h"

/* Appends a whole file of `blocks` blocks whose choices come from `seed`, while a ledger plays it,
 * and prints what player_print prints. Once per process. */
void sequence_make(struct buf *out, uint64_t seed, unsigned blocks);

#endif
