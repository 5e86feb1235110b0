/* Proofs and trust files of the example ledger. */
#ifndef CAIRN_TEST_EXAMPLES_PROOFS_H
#define CAIRN_TEST_EXAMPLES_PROOFS_H

#include "proof/trust.h"
#include "world.h"

#define CONTENTS "The parties met on 1 January 2026.\n" /* of item 0 */
#define SECRET   "They agreed on 1,000.00.\n"           /* of item 1 */

/* Prints every proof under the newest head, `receipt` being the node's key and `signer` who
 * deposited entry 3. Returns the trust file of that head, which the caller frees. */
struct trust *show_proofs(struct world *world, const struct person *signer,
                          const struct signer *receipt);
/* Prints the update across the restart that the newest block begins with, and what the trust file
 * becomes. */
void show_restart(struct world *world, const struct trust *trust, const struct person *chief,
                  const struct signer *receipt);

#endif
