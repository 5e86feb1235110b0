/* Lines of the file, and the order in which file and options count. */
#include "config/config.h"

#include "base/file.h"
#include "config/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 8192

/* A line on its way. */
struct line {
    unsigned number;
    char *key; /* within the line's own copy */
    char *value;
};

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t", text[len - 1])) {
        len--;
    }
    text[len] = '\0';
    return text;
}

static enum err line_error(struct why *why, enum err err, const struct line *line,
                           const char *problem, const char *remedy)
{
    char field[64];
    snprintf(field, sizeof field, CONFIG_FILE " line %u", line->number);
    return why_say(why, err, field, line->key, problem, remedy);
}

static bool has_control(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((text.at[i] < ' ' && text.at[i] != '\t') || text.at[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

/* Finds a setting by its name. */
static bool find_key(enum config_number *out, const char *name)
{
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (strcmp(config_keys[i].name, name) == 0) {
            *out = (enum config_number)i;
            return true;
        }
    }
    return false;
}

static enum err take_line(struct config *config, struct line *line, struct why *why)
{
    char *equals = strchr(line->key, '=');
    if (!equals) {
        return line_error(why, ERR_FORMAT, line, "is not a line \"key = value\"",
                          "Write it so, or begin the line with '#'.");
    }
    *equals = '\0';
    line->key = trim(line->key);
    line->value = trim(equals + 1);
    enum config_number number;
    if (!find_key(&number, line->key)) {
        return line_error(why, ERR_NOT_FOUND, line, "is not a setting",
                          "'cairn config show DIR' lists all settings.");
    }
    const struct config_key *key = &config_keys[number];
    struct config_origin *origin = &config->origins[number];
    if (origin->from == CONFIG_FROM_FILE && key->kind != CONFIG_LIST) {
        char problem[80];
        snprintf(problem, sizeof problem, "stands in line %u already", origin->line);
        return line_error(why, ERR_EXISTS, line, problem, "Keep one of the two lines.");
    }
    char field[64];
    snprintf(field, sizeof field, CONFIG_FILE " line %u, %s", line->number, key->name);
    if (line->value[0] == '\0') {
        return why_say(why, ERR_FORMAT, field, NULL, "has no value",
                       "Write one, or make the line a comment with '#'.");
    }
    *origin = (struct config_origin){CONFIG_FROM_FILE, line->number};
    return value_set(config, number, line->value, field, why);
}

static enum err take_lines(struct config *config, struct bytes text, struct why *why)
{
    struct line line = {0};
    char copy[LINE_MAX_LEN];
    while (text.len > 0) {
        const uint8_t *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : text.len;
        struct bytes here = {text.at, len};
        line.number++;
        line.key = NULL;
        if (len >= sizeof copy || has_control(here) || !bytes_is_utf8(here)) {
            return line_error(why, ERR_FORMAT, &line,
                              "is too long, or not plain UTF-8 without control characters",
                              "Write it anew in a text editor, with Unix line ends.");
        }
        memcpy(copy, here.at, len);
        copy[len] = '\0';
        line.key = trim(copy);
        if (line.key[0] != '#' && line.key[0] != '\0') {
            TRY(take_line(config, &line, why));
        }
        len += end != NULL;
        text = (struct bytes){text.at + len, text.len - len};
    }
    return OK;
}

static bool find_option(enum config_number *out, const char *option)
{
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (strcmp(config_keys[i].option, option) == 0) {
            *out = (enum config_number)i;
            return true;
        }
    }
    return false;
}

static enum err take_overrides(struct config *config, const struct config_override *overrides,
                               struct why *why)
{
    for (; overrides && overrides->option; overrides++) {
        enum config_number number;
        bool found = find_option(&number, overrides->option);
        BUG_ON(!found);
        if (config->origins[number].from != CONFIG_FROM_OPTION &&
            config_keys[number].kind == CONFIG_LIST) {
            value_clear(config, number);
        }
        config->origins[number] = (struct config_origin){.from = CONFIG_FROM_OPTION};
        char field[64];
        snprintf(field, sizeof field, "--%s", overrides->option);
        TRY(value_set(config, number, overrides->text, field, why));
    }
    return OK;
}

enum err config_parse(struct config *out, struct bytes text,
                      const struct config_override *overrides, struct why *why)
{
    *out = (struct config){0};
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        value_set_default(out, (enum config_number)i);
    }
    TRY(take_lines(out, text, why));
    TRY(take_overrides(out, overrides, why));
    return config_check(out, why);
}

enum err config_load(struct config *out, const char *dir, const struct config_override *overrides,
                     struct why *why)
{
    *out = (struct config){0};
    struct buf text = {0};
    char *path = path_join(dir, CONFIG_FILE);
    enum err err = file_exists(path) ? file_read(&text, path, CONFIG_FILE_MAX, why) : OK;
    free(path);
    if (err == OK) {
        err = config_parse(out, buf_bytes(&text), overrides, why);
    }
    buf_clear(&text);
    return err;
}

void config_clear(struct config *config)
{
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        value_clear(config, (enum config_number)i);
    }
}

static void put_text(struct buf *out, const char *text)
{
    buf_put(out, bytes_text(text));
}

void config_write_sample(struct buf *out)
{
    put_text(out, "# Settings of this node. 'cairn help run' and the manual say more about each.\n"
                  "# A line \"#key = value\" shows the default; take the '#' away to change it.\n"
                  "# After a change: cairn config check DIR, then send the node a SIGHUP, or\n"
                  "# restart it where the comment says so.\n");
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &config_keys[i];
        put_text(out, "\n# ");
        put_text(out, key->text);
        if (key->words) {
            put_text(out, ": ");
            put_text(out, key->words);
        }
        put_text(out, key->kind == CONFIG_LIST ? "; may stand several times" : "");
        put_text(out, key->when == CONFIG_RESTART ? " (restart)\n#" : "\n#");
        put_text(out, key->name);
        put_text(out, " = ");
        put_text(out, key->standard[0] ? key->standard : key->value);
        put_text(out, "\n");
    }
}
