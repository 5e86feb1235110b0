#include "cli/network.h"

#include "base/file.h"
#include "cli/output.h"
#include "codec/text.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "proof/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *network_path(const char *dir, struct bytes name, const char *suffix)
{
    size_t cap = name.len + strlen(suffix) + 1;
    char *file = mem_alloc(cap);
    snprintf(file, cap, "%.*s%s", (int)name.len, (const char *)name.at, suffix);
    char *path = path_join(dir, file);
    free(file);
    return path;
}

enum err network_organisation(const char *dir, const struct join *join, const char *passphrase,
                              struct buf *file, struct why *why)
{
    TRY(dir_make(dir, 0755, why));
    char *folder = network_path(dir, join->organisation, "");
    char *path = network_path(dir, join->organisation, ".join");
    enum err err = OK;
    if (file_exists(path)) {
        err = why_say(why, ERR_EXISTS, "join file", path, "is there already",
                      "Move it and the folder beside it away, if that organisation begins anew.");
    }
    if (err == OK) {
        err = organisation_create(folder, join, passphrase, file, why);
    }
    if (err == OK) {
        err = file_create(path, buf_bytes(file), 0644, why);
    }
    free(folder);
    free(path);
    return err;
}

/* ---- settings */

static void put_setting(struct buf *out, const char *key, struct bytes value)
{
    buf_put(out, bytes_text(key));
    buf_put(out, bytes_text(" = "));
    buf_put(out, value);
    buf_put_byte(out, '\n');
}

static bool begins_with(struct bytes text, const char *begin)
{
    size_t len = strlen(begin);
    return text.len >= len && memcmp(text.at, begin, len) == 0;
}

/* A loopback address is listened at as it is. Any other is of a name or a wall that others see; the
 * node takes what comes at that port. */
static void put_p2p(struct buf *out, struct bytes address)
{
    struct config_listen listen;
    char text[ADDRESS_MAX + 1];
    snprintf(text, sizeof text, "%.*s", (int)address.len, (const char *)address.at);
    if (config_listen_parse(&listen, text, NULL) == OK && config_listen_is_loopback(&listen)) {
        put_setting(out, "p2p_listen", address);
        return;
    }
    const char *port = strrchr(text, ':');
    char any[32];
    snprintf(any, sizeof any, "0.0.0.0%.8s", port);
    put_setting(out, "p2p_listen", bytes_text(any));
}

/* Under https clients reach the node by its name; where it listens is left to its operator. */
static void put_http(struct buf *out, struct bytes url)
{
    struct config_listen listen;
    char text[NODE_URL_MAX + 1];
    if (begins_with(url, "https://")) {
        put_setting(out, "origin", url);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)(url.len - strlen("http://")),
             (const char *)url.at + strlen("http://"));
    if (config_listen_parse(&listen, text, NULL) == OK) {
        put_setting(out, "listen", bytes_text(text));
    }
}

static enum err write_settings(const struct assembly *assembly, const char *folder, size_t number,
                               struct why *why)
{
    const struct join *own = &assembly->joins[number];
    struct buf text = {0};
    struct buf peer = {0};
    put_http(&text, own->url);
    put_p2p(&text, own->address);
    for (size_t i = 0; i < assembly->count; i++) {
        const struct join *join = &assembly->joins[i];
        const struct bytes words[] = {join->organisation, join->address, join->url};
        peer.len = 0;
        for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
            buf_put(&peer, bytes_text(j > 0 ? " " : ""));
            buf_put(&peer, words[j]);
        }
        if (i != number) {
            put_setting(&text, "peer", buf_bytes(&peer));
        }
    }
    config_write_sample(&text);
    char *path = path_join(folder, CONFIG_FILE);
    enum err err = file_create(path, buf_bytes(&text), 0644, why);
    free(path);
    buf_clear(&peer);
    buf_clear(&text);
    return err == ERR_EXISTS ? OK : err;
}

/* ---- the ledger */

/* The trust file again where everybody looks for it; the same bytes from every organisation. */
static enum err copy_trust(const struct assembly *assembly, const char *dir, const char *folder,
                           struct why *why)
{
    struct buf bytes = {0};
    char *from = network_path(folder, bytes_text(assembly->name), ".trust");
    char *to = network_path(dir, bytes_text(assembly->name), ".trust");
    enum err err = file_read(&bytes, from, TRUST_MAX, why);
    if (err == OK) {
        err = file_write(to, buf_bytes(&bytes), 0644, why);
    }
    free(from);
    free(to);
    buf_clear(&bytes);
    return err;
}

enum err network_install(const struct assembly *assembly, const char *dir, size_t number,
                         struct why *why)
{
    char *folder = network_path(dir, assembly->joins[number].organisation, "");
    enum err err = assembly_install(assembly, folder, why);
    if (err == OK) {
        err = write_settings(assembly, folder, number, why);
    }
    if (err == OK) {
        err = copy_trust(assembly, dir, folder, why);
    }
    free(folder);
    return err;
}

enum err network_say_trust(const struct assembly *assembly, const char *dir, struct why *why)
{
    struct buf bytes = {0};
    struct hash digest;
    char hex[65];
    char *path = network_path(dir, bytes_text(assembly->name), ".trust");
    enum err err = file_read(&bytes, path, TRUST_MAX, why);
    if (err == OK) {
        sha256(&digest, buf_bytes(&bytes));
        hex_write(hex, hash_bytes(&digest));
        printf("  %s, SHA-256, to be read aloud:\n   ", path);
        for (unsigned i = 0; i < 64; i += 4) {
            printf("%s%.4s", i == 32 ? "\n    " : " ", hex + i);
        }
        putchar('\n');
    }
    free(path);
    buf_clear(&bytes);
    return err;
}
