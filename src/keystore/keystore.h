/* A private key by its name: the path of a PEM file, or a PKCS#11 URI (RFC 7512) such as
 * "pkcs11:token=court;object=receipt?pin-source=/etc/cairn/pin".
 *
 * PKCS#11 2.40 and 3.0 are spoken by way of p11-kit. The module is the one that the URI names by
 * module-path, or one of those that p11-kit is configured with; nothing else is ever loaded. Kinds
 * of keys: Ed25519 (CKM_EDDSA) and P-256 (CKM_ECDSA). The PIN comes, in this order, from the URI's
 * pin-source (a file that only its owner reads), from the systemd credential "pkcs11-pin", or from
 * `ask`. A PIN in the URI is refused: whoever lists processes would read it. */
#ifndef CAIRN_KEYSTORE_KEYSTORE_H
#define CAIRN_KEYSTORE_KEYSTORE_H

#include "crypto/signer.h"

/* Whether the name is a URI and no path. */
bool keystore_is_uri(const char *name);

/* Opens the key. `ask` (may be NULL) is called at most once, with `name`. signer_open's errors for
 * a file. For a URI: ERR_FORMAT, ERR_REFUSED (a PIN in it, a PIN file that others read),
 * ERR_NOT_FOUND (module, token, object), ERR_EXISTS (several tokens or objects fit),
 * ERR_PASSPHRASE (no PIN, a wrong one, a locked token), ERR_UNSUPPORTED (kind of key), ERR_KEY,
 * ERR_IO (the device); `why` names token and object. The caller frees *out.
 *
 * Signatures of one signer are made one after another, in any thread. When the token went away
 * (removed, restarted, session lost), each signature tries once to find, open and log in to it
 * anew, with the PIN that was right before; a PIN that the token refuses then is not tried again.
 */
must_use enum err keystore_open(struct signer **out, const char *name, passphrase_fn *ask,
                                void *context, struct why *why);

/* Makes a new key of ALG_ED25519 or ALG_ES256 in the token: sensitive, not extractable. The URI
 * says its label (object) or id or both; without an id it gets a random one. ERR_EXISTS if the
 * token has an object of this name, and the errors of keystore_open. The caller opens it. */
must_use enum err keystore_generate(const char *uri, enum alg alg, passphrase_fn *ask,
                                    void *context, struct why *why);

/* Reads a secret, the first line of a file that only its owner (this user, or root) reads.
 * ERR_REFUSED, ERR_FORMAT (no such line, or longer than `cap` - 1), file_read's errors. The caller
 * wipes *out. */
must_use enum err keystore_secret(char *out, size_t cap, const char *path, struct why *why);
/* Reads the systemd credential of that name; *found is false if there is none. */
must_use enum err keystore_credential(char *out, size_t cap, const char *name, bool *found,
                                      struct why *why);

#endif
