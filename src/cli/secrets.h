/* The passphrase and the PIN that a node's own keys need, read before it starts: a node has nobody
 * to ask. */
#ifndef CAIRN_CLI_SECRETS_H
#define CAIRN_CLI_SECRETS_H

#include "cli/passphrase.h"
#include "config/config.h"

/* "" where there is none. */
struct secrets {
    char passphrase[PASSPHRASE_CAP];
    char pin[PASSPHRASE_CAP];
};

/* Reads the files that the settings name, or the systemd credentials "key-passphrase" and
 * "pkcs11-pin". ERR_REFUSED if others may read a file, keystore_secret's errors. To be cleared in
 * any case. */
must_use enum err secrets_load(struct secrets *out, const struct config *config, struct why *why);
/* A passphrase_fn whose context is the secrets. */
bool secrets_ask(void *context, const char *name, char *out, size_t cap);
void secrets_clear(struct secrets *secrets);

#endif
