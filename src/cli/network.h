/* What the verbs of 'cairn network' share: a folder DIR that holds the node folders of
 * organisations, DIR/NAME, their join files DIR/NAME.join and the ledger's trust file. */
#ifndef CAIRN_CLI_NETWORK_H
#define CAIRN_CLI_NETWORK_H

#include "cli/args.h"
#include "node/assemble.h"

/* Makes the keys of one organisation in DIR/NAME and its join file DIR/NAME.join, which *file
 * (empty before) holds afterwards. ERR_EXISTS and organisation_create's errors. */
must_use enum err network_organisation(const char *dir, const struct join *join,
                                       const char *passphrase, struct buf *file, struct why *why);
/* Makes the ledger, the trust file and the settings of the organisation with that number in
 * DIR/NAME, and gives DIR a copy of the trust file. assembly_install's errors. */
must_use enum err network_install(const struct assembly *assembly, const char *dir, size_t number,
                                  struct why *why);
/* "DIR/NAME" and what follows it, ".join" for example, in new memory. */
char *network_path(const char *dir, struct bytes name, const char *suffix);
/* Prints the SHA-256 of the trust file as it is read aloud. file_read's errors. */
must_use enum err network_say_trust(const struct assembly *assembly, const char *dir,
                                    struct why *why);

#endif
