/* Checkpoint, tile and cosignature of the example ledger. */
#ifndef CAIRN_TEST_EXAMPLES_NOTES_H
#define CAIRN_TEST_EXAMPLES_NOTES_H

#include "world.h"

/* Prints them for the newest head, `checkpoint` being the node's key. */
void show_notes(struct world *world, const struct signer *checkpoint);

#endif
