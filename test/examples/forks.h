/* Fork evidence of the example ledger. */
#ifndef CAIRN_TEST_EXAMPLES_FORKS_H
#define CAIRN_TEST_EXAMPLES_FORKS_H

#include "proof/trust.h"
#include "world.h"

/* Prints both forms: the newest head against one that never was, signed by the node's keys. */
void show_forks(struct world *world, const struct trust *trust, const struct signer *receipt,
                const struct signer *checkpoint);

#endif
