/* A signing key in a token, for keystore.c. */
#ifndef CAIRN_KEYSTORE_KEY_H
#define CAIRN_KEYSTORE_KEY_H

#include "keystore/uri.h"

/* keystore_open for a URI. */
must_use enum err token_key_open(struct signer **out, const char *uri,
                                 const struct pin_asker *asker, struct why *why);

#endif
