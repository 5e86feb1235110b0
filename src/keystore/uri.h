/* RFC 7512 URIs and the PIN that they ask for. */
#ifndef CAIRN_KEYSTORE_URI_H
#define CAIRN_KEYSTORE_URI_H

#include "crypto/signer.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#define PIN_MAX 256 /* bytes with NUL */
#define URI_MAX 1024

/* Who is asked where neither URI nor credential says the PIN. */
struct pin_asker {
    passphrase_fn *ask; /* may be NULL */
    void *context;
};

/* Parses a URI that names a private key. ERR_RANGE, ERR_FORMAT: syntax, an attribute that this
 * program does not know, a class that is no private key; ERR_REFUSED: a PIN in it, a module path
 * that is not absolute. p11_kit_uri_free frees *out. */
must_use enum err uri_parse(P11KitUri **out, const char *text, struct why *why);

/* Writes the PIN. `name` is the URI's text, for `asker`. ERR_NOT_FOUND, ERR_REFUSED (others may
 * read the file of pin-source), ERR_FORMAT (no first line), ERR_PASSPHRASE (nobody says it). The
 * caller wipes *out. */
must_use enum err pin_get(char out[PIN_MAX], const P11KitUri *uri, const char *name,
                          const struct pin_asker *asker, struct why *why);

#endif
