/* What a proof file can be given later: the path to a later head, and cosignatures. */
#ifndef CAIRN_CLI_REFRESH_H
#define CAIRN_CLI_REFRESH_H

#include "cli/client.h"

/* Adds to the proof file what the ledger has for it by now, and says what that was. Written whole
 * or not at all. */
must_use enum err proof_refresh(struct client *client, const char *path, struct why *why);

#endif
