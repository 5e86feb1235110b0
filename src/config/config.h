/* The settings of a node: DIR/cairn.conf, and the options of 'cairn run', which override it.
 *
 * The file has lines "key = value"; blanks around both do not count. A line that begins with '#' is
 * a comment. A key stands once, unless it is a list. What is not there has its default. Anything
 * else is an error: an unknown key, a second one, a value or a unit that the key does not take. */
#ifndef CAIRN_CONFIG_CONFIG_H
#define CAIRN_CONFIG_CONFIG_H

#include "base/address.h"
#include "base/why.h"
#include "config/keys.h"

#define CONFIG_FILE     "cairn.conf"
#define CONFIG_FILE_MAX ((size_t)65536)

enum config_from { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_OPTION };

/* Where a setting was taken from. */
struct config_origin {
    enum config_from from;
    unsigned line; /* of the file, from 1 */
};

#define CONFIG_FIELD(kind, name, ...) CONFIG_TYPE_##kind name;
/* The values under the names of the table. Texts are this structure's own; none is NULL. */
struct config {
    CONFIG_TABLE(CONFIG_FIELD)
    struct config_origin origins[CONFIG_KEY_COUNT];
};

/* A setting of the command line. */
struct config_override {
    const char *option; /* "tls-key"; NULL ends the list */
    const char *text;
};

/* Reads DIR/cairn.conf, where there is one, then `overrides` (may be NULL), and checks what the
 * values say together. ERR_FORMAT, ERR_RANGE, ERR_EXISTS (a key twice), ERR_REFUSED (values that do
 * not go together), file_read's errors; `why` names line, key, value and remedy. To be cleared in
 * any case. */
must_use enum err config_load(struct config *out, const char *dir,
                              const struct config_override *overrides, struct why *why);
/* As config_load, from the text of a file. */
must_use enum err config_parse(struct config *out, struct bytes text,
                               const struct config_override *overrides, struct why *why);
void config_clear(struct config *config);

/* How many values a setting has: 1, of a list any number, and of a text that is not set none. */
size_t config_count(const struct config *config, enum config_number number);
/* Appends the n-th value as a file would have it. */
void config_print(struct buf *out, const struct config *config, enum config_number number,
                  size_t n);
/* Whether a setting has the same values in both. */
bool config_same(const struct config *a, const struct config *b, enum config_number number);
/* Appends a file in which every setting stands as a comment with its default. */
void config_write_sample(struct buf *out);

/* ---- what values mean */

/* Where to listen. */
struct config_listen {
    char address[64]; /* numeric, without brackets */
    uint16_t port;    /* 0: any */
};
/* Reads "127.0.0.1:8420" or "[::1]:8420". ERR_FORMAT, ERR_RANGE. */
must_use enum err config_listen_parse(struct config_listen *out, const char *text, struct why *why);
bool config_listen_is_loopback(const struct config_listen *listen);

/* Another organisation of a consortium. */
struct config_peer {
    char name[ORGANISATION_MAX + 1]; /* all three as base/address.h has them */
    char address[ADDRESS_MAX + 1];   /* of its engine */
    char url[NODE_URL_MAX + 1];
};
/* Reads "NAME HOST:PORT URL". ERR_FORMAT; `why` names the part. */
must_use enum err config_peer_parse(struct config_peer *out, const char *text, struct why *why);

#endif
