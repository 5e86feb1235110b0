/* Inside crypto/ and its tests only: assertions over a challenge of any bytes. */
#ifndef CAIRN_CRYPTO_WEBAUTHN_H
#define CAIRN_CRYPTO_WEBAUTHN_H

#include "crypto/key.h"

/* webauthn_verify with the challenge itself, at most 64 bytes. */
must_use enum err webauthn_check(const struct pubkey *key, const struct relying_party *party,
                                 struct bytes challenge, const struct webauthn *assertion,
                                 struct why *why);

#endif
