#include "keystore/keystore.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 4096

static enum err read_line(char *out, size_t cap, const char *path, struct why *why)
{
    struct buf text = {0};
    buf_reserve(&text, (size_t)2 * 65536); /* never moved, so that no freed memory keeps it */
    enum err err = file_read(&text, path, FILE_MAX, why);
    size_t len = 0;
    while (len < text.len && text.at[len] != '\n' && text.at[len] != '\r') {
        len++;
    }
    bool good = len > 0 && len < cap && memchr(text.at, 0, len) == NULL;
    if (err == OK && good) {
        memcpy(out, text.at, len);
        out[len] = 0;
    } else if (err == OK) {
        err = why_sayf(why, ERR_FORMAT, "secret", "has no first line of text of a fitting length",
                       "Write the secret into its first line.", "%s", path);
    }
    wipe(text.at, text.cap);
    buf_clear(&text);
    return err;
}

enum err keystore_secret(char *out, size_t cap, const char *path, struct why *why)
{
    struct stat info;
    if (stat(path, &info) == 0 &&
        (info.st_mode & 077 || (info.st_uid != geteuid() && info.st_uid != 0))) {
        return why_say(why, ERR_REFUSED, "secret", path, "may be read by others, or is another's",
                       "Make it yours and chmod 0600; if others could read it, change the secret.");
    }
    return read_line(out, cap, path, why);
}

enum err keystore_credential(char *out, size_t cap, const char *name, bool *found, struct why *why)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY"); /* allowed: how systemd hands secrets */
    char *path = folder ? path_join(folder, name) : NULL;
    *found = path && file_exists(path);
    /* systemd guards the folder; the file's own mode may be wider where it uses access lists. */
    enum err err = *found ? read_line(out, cap, path, why) : OK;
    free(path);
    return err;
}
