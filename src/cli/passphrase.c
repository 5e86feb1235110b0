#include "cli/passphrase.h"

#include "base/file.h"
#include "keystore/keystore.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum err passphrase_read(char out[PASSPHRASE_CAP], const char *path, struct why *why)
{
    struct buf text = {0};
    TRY(file_read(&text, path, PASSPHRASE_CAP - 1, why));
    size_t len = 0;
    while (len < text.len && text.at[len] != '\n' && text.at[len] != '\r') {
        len++;
    }
    if (len > 0) {
        memcpy(out, text.at, len);
    }
    out[len] = 0;
    wipe(text.at, text.len);
    buf_clear(&text);
    if (len == 0 || strlen(out) != len) {
        return why_say(why, ERR_FORMAT, "--passphrase-file", path, "has no first line of text",
                       "Write the passphrase into its first line.");
    }
    return OK;
}

/* Reads one line from the terminal; *out is always text. */
static void line_read(int fd, char *out, size_t cap)
{
    size_t len = 0;
    char c;
    while (read(fd, &c, 1) == 1 && c != '\n') {
        if (len + 1 < cap) {
            out[len++] = c;
        }
    }
    out[len] = 0;
}

static bool terminal_ask(const char *path, char *out, size_t cap)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    struct termios before;
    bool asked = tcgetattr(fd, &before) == 0;
    if (asked) {
        dprintf(fd, "%s of %s: ", keystore_is_uri(path) ? "PIN for the token" : "Passphrase", path);
        struct termios silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        asked = tcsetattr(fd, TCSAFLUSH, &silent) == 0;
        line_read(fd, out, cap);
        tcsetattr(fd, TCSAFLUSH, &before);
        dprintf(fd, "\n");
    }
    close(fd);
    return asked;
}

bool passphrase_ask(void *context, const char *path, char *out, size_t cap)
{
    const char *file = context;
    if (!file) {
        return terminal_ask(path, out, cap);
    }
    char text[PASSPHRASE_CAP];
    if (passphrase_read(text, file, NULL) != OK || strlen(text) >= cap) {
        return false;
    }
    memcpy(out, text, strlen(text) + 1);
    wipe(text, sizeof text);
    return true;
}

enum err key_open(struct signer **out, const char *path, const struct args *args, struct why *why)
{
    const char *file = args_text(args, "passphrase-file");
    char *copy = file ? mem_strdup(file) : NULL;
    enum err err = keystore_open(out, path, passphrase_ask, copy, why);
    free(copy);
    return err;
}
