#include "keystore/uri.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static enum err read_line(char out[PIN_MAX], const char *path, struct why *why)
{
    struct buf text = {0};
    buf_reserve(&text, (size_t)2 * 65536); /* never moved, so that no freed memory keeps it */
    enum err err = file_read(&text, path, PIN_MAX - 1, why);
    size_t len = 0;
    while (len < text.len && text.at[len] != '\n' && text.at[len] != '\r') {
        out[len] = (char)text.at[len];
        len++;
    }
    out[len] = 0;
    wipe(text.at, text.cap);
    buf_clear(&text);
    if (err == OK && (len == 0 || strlen(out) != len)) {
        err = why_say(why, ERR_FORMAT, "PIN file", path, "has no first line of text",
                      "Write the PIN into its first line.");
    }
    return err;
}

static enum err read_private(char out[PIN_MAX], const char *path, struct why *why)
{
    struct stat info;
    if (stat(path, &info) == 0 &&
        (info.st_mode & 077 || (info.st_uid != geteuid() && info.st_uid != 0))) {
        return why_say(why, ERR_REFUSED, "PIN file", path, "may be read by others, or is another's",
                       "Make it yours and chmod 0600; if others could read it, change the PIN.");
    }
    return read_line(out, path, why);
}

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
    return read_private(out, path, why);
}

enum err pin_get(char out[PIN_MAX], const P11KitUri *uri, const char *name,
                 const struct pin_asker *asker, struct why *why)
{
    const char *source = p11_kit_uri_get_pin_source(uri);
    if (source) {
        return read_source(out, source, why);
    }
    const char *folder = getenv("CREDENTIALS_DIRECTORY"); /* allowed: how systemd hands secrets */
    char *credential = folder ? path_join(folder, PIN_CREDENTIAL) : NULL;
    bool has = credential && file_exists(credential);
    enum err err = has ? read_line(out, credential, why) : OK;
    free(credential);
    if (has) {
        return err;
    }
    if (asker->ask && asker->ask(asker->context, name, out, PIN_MAX)) {
        return OK;
    }
    return uri_refuse(
        why, ERR_PASSPHRASE, name, "needs a PIN and nobody says it",
        "Add ?pin-source=/path/of/a/file, or give the systemd credential " PIN_CREDENTIAL ".");
}
