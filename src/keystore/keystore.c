#include "keystore/keystore.h"

#include "keystore/key.h"

#include <string.h>
#include <strings.h>

bool keystore_is_uri(const char *name)
{
    return strncasecmp(name, "pkcs11:", strlen("pkcs11:")) == 0;
}

enum err keystore_open(struct signer **out, const char *name, passphrase_fn *ask, void *context,
                       struct why *why)
{
    *out = NULL;
    struct pin_asker asker = {ask, context};
    return keystore_is_uri(name) ? token_key_open(out, name, &asker, why)
                                 : signer_open(out, name, ask, context, why);
}
