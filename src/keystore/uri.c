#include "keystore/uri.h"

#include "keystore/keystore.h"

#include <string.h>

#define PIN_CREDENTIAL "pkcs11-pin"

/* What may be shown of a URI: not the query, where a PIN could stand. */
static enum err uri_refuse(struct why *why, enum err err, const char *text, const char *problem,
                           const char *remedy)
{
    return why_sayf(why, err, "key", problem, remedy, "%.*s", (int)strcspn(text, "?"), text);
}

static enum err uri_check(P11KitUri *uri, const char *text, struct why *why)
{
    if (p11_kit_uri_any_unrecognized(uri)) {
        return uri_refuse(why, ERR_FORMAT, text, "has an attribute that is not known",
                          "Write it as RFC 7512 says: token, serial, object, id, module-path, "
                          "pin-source and the like.");
    }
    if (p11_kit_uri_get_pin_value(uri)) {
        return uri_refuse(why, ERR_REFUSED, text,
                          "holds a PIN, which whoever lists processes reads",
                          "Write the PIN into a file of mode 0600 and name it: "
                          "?pin-source=/path/of/the/file.");
    }
    const char *module = p11_kit_uri_get_module_path(uri);
    if (module && module[0] != '/') {
        return uri_refuse(why, ERR_REFUSED, text, "names a module by a relative path",
                          "Give the module's whole path, from / on.");
    }
    CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);
    CK_OBJECT_CLASS value = CKO_PRIVATE_KEY;
    if (class && class->ulValueLen == sizeof value) {
        memcpy(&value, class->pValue, sizeof value);
    }
    return value == CKO_PRIVATE_KEY
               ? OK
               : uri_refuse(why, ERR_FORMAT, text, "names something else than a private key",
                            "Write type=private, or leave the type out.");
}

enum err uri_parse(P11KitUri **out, const char *text, struct why *why)
{
    *out = NULL;
    if (strlen(text) > URI_MAX) {
        return uri_refuse(why, ERR_RANGE, text, "is longer than 1024 bytes", NULL);
    }
    P11KitUri *uri = p11_kit_uri_new();
    BUG_ON(uri == NULL);
    enum err err = OK;
    if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) != P11_KIT_URI_OK) {
        err = uri_refuse(why, ERR_FORMAT, text, "is not a PKCS#11 URI",
                         "Write it as pkcs11:token=NAME;object=LABEL, other characters than "
                         "letters and digits as %XX (RFC 7512).");
    } else {
        err = uri_check(uri, text, why);
    }
    if (err != OK) {
        p11_kit_uri_free(uri);
        uri = NULL;
    }
    *out = uri;
    return err;
}

/* ---- the PIN */

/* pin-source is a path or a file: URI (RFC 7512, 2.4); a command after '|' is never run. */
static enum err read_source(char out[PIN_MAX], const char *source, struct why *why)
{
    const char *path = strncmp(source, "file:", 5) == 0 ? source + 5 : source;
    if (strncmp(path, "//", 2) == 0) {
        path += 2;
    }
    if (path[0] != '/') {
        return why_say(why, ERR_REFUSED, "pin-source", source, "is not the whole path of a file",
                       "Write pin-source=/path/of/the/file; commands are not run.");
    }
    return keystore_secret(out, PIN_MAX, path, why);
}

enum err pin_get(char out[PIN_MAX], const P11KitUri *uri, const char *name,
                 const struct pin_asker *asker, struct why *why)
{
    const char *source = p11_kit_uri_get_pin_source(uri);
    if (source) {
        return read_source(out, source, why);
    }
    bool found;
    TRY(keystore_credential(out, PIN_MAX, PIN_CREDENTIAL, &found, why));
    if (found) {
        return OK;
    }
    if (asker->ask && asker->ask(asker->context, name, out, PIN_MAX)) {
        return OK;
    }
    return uri_refuse(
        why, ERR_PASSPHRASE, name, "needs a PIN and nobody says it",
        "Add ?pin-source=/path/of/a/file, or give the systemd credential " PIN_CREDENTIAL ".");
}
