/* Acts of whoever runs the program, for the node's audit log. */
#ifndef CAIRN_CLI_ACTS_H
#define CAIRN_CLI_ACTS_H

#include "crypto/signer.h"
#include "store/audit.h"

struct node;

/* Notes that a file was read: its path and the SHA-256 of what stands there now; "none" if there is
 * no such file. */
void note_file(struct node *node, enum audit_act act, const char *path);
/* Notes that a private key was opened, and for what. */
void note_key(struct node *node, const char *purpose, const struct signer *signer);

#endif
