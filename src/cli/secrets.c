#include "cli/secrets.h"

#include "keystore/keystore.h"

#include <string.h>

static enum err load_one(char out[PASSPHRASE_CAP], const char *path, const char *credential,
                         struct why *why)
{
    bool found;
    return path[0] ? keystore_secret(out, PASSPHRASE_CAP, path, why)
                   : keystore_credential(out, PASSPHRASE_CAP, credential, &found, why);
}

enum err secrets_load(struct secrets *out, const struct config *config, struct why *why)
{
    *out = (struct secrets){0};
    TRY(load_one(out->passphrase, config->passphrase_file, "key-passphrase", why));
    return load_one(out->pin, config->pkcs11_pin_file, "pkcs11-pin", why);
}

bool secrets_ask(void *context, const char *name, char *out, size_t cap)
{
    const struct secrets *secrets = context;
    const char *secret = keystore_is_uri(name) ? secrets->pin : secrets->passphrase;
    if (!secret[0] || strlen(secret) >= cap) {
        return false;
    }
    memcpy(out, secret, strlen(secret) + 1);
    return true;
}

void secrets_clear(struct secrets *secrets)
{
    wipe(secrets, sizeof *secrets);
}
