/* One setting: from text, and back. */
#include "config/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned shift;
} units[] = {{"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};

#define UNIT_COUNT (sizeof units / sizeof units[0])

static char **text_at(const struct config *config, const struct config_key *key)
{
    return (char **)((uintptr_t)config + key->offset);
}

static struct config_list *list_at(const struct config *config, const struct config_key *key)
{
    return (struct config_list *)((uintptr_t)config + key->offset);
}

static unsigned *word_at(const struct config *config, const struct config_key *key)
{
    return (unsigned *)((uintptr_t)config + key->offset);
}

static bool *switch_at(const struct config *config, const struct config_key *key)
{
    return (bool *)((uintptr_t)config + key->offset);
}

static uint64_t *number_at(const struct config *config, const struct config_key *key)
{
    return (uint64_t *)((uintptr_t)config + key->offset);
}

/* ---- from text */

static enum err set_text(struct config *config, const struct config_key *key, const char *text,
                         const char *field, struct why *why)
{
    size_t len = strlen(text);
    if (len < key->min || len > key->max) {
        return why_say(why, ERR_RANGE, field, text, len < key->min ? "is too short" : "is too long",
                       "See 'cairn help run' for what belongs there.");
    }
    if (key->kind == CONFIG_TEXT) {
        free(*text_at(config, key));
        *text_at(config, key) = mem_strdup(text);
        return OK;
    }
    struct config_list *list = list_at(config, key);
    if (list->count == CONFIG_LIST_MAX) {
        return why_sayf(why, ERR_RANGE, field, "is one value too many", "Leave some out.",
                        "%s (limit %u)", text, CONFIG_LIST_MAX);
    }
    list->at = mem_realloc(list->at, (list->count + 1) * sizeof *list->at);
    list->at[list->count++] = mem_strdup(text);
    return OK;
}

/* The number of `text` among the words of `words`, or -1. */
static int word_number(const char *words, const char *text)
{
    size_t len = strlen(text);
    int number = 0;
    for (const char *at = words; *at; number++) {
        size_t next = strcspn(at, " ");
        if (next == len && strncmp(at, text, len) == 0) {
            return number;
        }
        at += next + (at[next] == ' ');
    }
    return -1;
}

static enum err set_word(struct config *config, const struct config_key *key, const char *text,
                         const char *field, struct why *why)
{
    bool is_switch = key->kind == CONFIG_SWITCH;
    const char *words = is_switch ? "no yes" : key->words;
    int number = word_number(words, text);
    if (number < 0) {
        char remedy[160];
        snprintf(remedy, sizeof remedy, "It is one of: %s.", words);
        return why_say(why, ERR_FORMAT, field, text, "is not a value of this setting", remedy);
    }
    if (is_switch) {
        *switch_at(config, key) = number == 1;
    } else {
        *word_at(config, key) = (unsigned)number;
    }
    return OK;
}

/* Reads digits and nothing else up to *rest. */
static bool read_number(uint64_t *out, const char *text, const char **rest)
{
    size_t len = strspn(text, "0123456789");
    *rest = text + len;
    if (len == 0 || len > 18) {
        return false;
    }
    *out = strtoull(text, NULL, 10);
    return true;
}

static enum err out_of_range(const struct config_key *key, const char *text, const char *field,
                             struct why *why)
{
    struct buf low = {0};
    char remedy[160];
    if (key->kind == CONFIG_SIZE) {
        struct buf high = {0};
        value_put_size(&low, key->min);
        value_put_size(&high, key->max);
        snprintf(remedy, sizeof remedy, "It goes from %.*s to %.*s.", (int)low.len,
                 (const char *)low.at, (int)high.len, (const char *)high.at);
        buf_clear(&high);
    } else {
        snprintf(remedy, sizeof remedy, "It goes from %" PRIu64 " to %" PRIu64 ".", key->min,
                 key->max);
    }
    buf_clear(&low);
    return why_say(why, ERR_RANGE, field, text, "is out of range", remedy);
}

static enum err set_count(struct config *config, const struct config_key *key, const char *text,
                          const char *field, struct why *why)
{
    uint64_t number;
    const char *rest;
    if (!read_number(&number, text, &rest) || *rest) {
        bool seconds = key->kind == CONFIG_SECONDS;
        return why_say(why, ERR_FORMAT, field, text,
                       seconds ? "is not a whole number of seconds" : "is not a whole number",
                       seconds ? "Write digits alone; the setting's name says the unit."
                               : "Write digits alone.");
    }
    if (number < key->min || number > key->max) {
        return out_of_range(key, text, field, why);
    }
    *number_at(config, key) = number;
    return OK;
}

static enum err set_size(struct config *config, const struct config_key *key, const char *text,
                         const char *field, struct why *why)
{
    uint64_t number;
    const char *rest;
    bool good = read_number(&number, text, &rest);
    const char *unit = rest + (*rest == ' ');
    for (size_t i = 0; good && i < UNIT_COUNT; i++) {
        if (strcmp(unit, units[i].name) != 0) {
            continue;
        }
        if (number > key->max >> units[i].shift || number << units[i].shift < key->min) {
            return out_of_range(key, text, field, why);
        }
        *number_at(config, key) = number << units[i].shift;
        return OK;
    }
    return why_say(why, ERR_FORMAT, field, text,
                   good ? "lacks a unit that is known" : "is not a size",
                   "Write a whole number and B, KiB, MiB or GiB, as in 256 MiB.");
}

enum err value_set(struct config *config, enum config_number number, const char *text,
                   const char *field, struct why *why)
{
    const struct config_key *key = &config_keys[number];
    switch (key->kind) {
    case CONFIG_TEXT:
    case CONFIG_LIST:
        return set_text(config, key, text, field, why);
    case CONFIG_WORD:
    case CONFIG_SWITCH:
        return set_word(config, key, text, field, why);
    case CONFIG_COUNT:
    case CONFIG_SECONDS:
        return set_count(config, key, text, field, why);
    case CONFIG_SIZE:
        return set_size(config, key, text, field, why);
    }
    BUG_ON(true);
}

void value_set_default(struct config *config, enum config_number number)
{
    const struct config_key *key = &config_keys[number];
    value_clear(config, number);
    if (key->kind == CONFIG_LIST) {
        return;
    }
    enum err err = value_set(config, number, key->standard, key->name, NULL);
    BUG_ON(err != OK);
}

void value_clear(struct config *config, enum config_number number)
{
    const struct config_key *key = &config_keys[number];
    if (key->kind == CONFIG_TEXT) {
        free(*text_at(config, key));
        *text_at(config, key) = NULL;
    }
    if (key->kind == CONFIG_LIST) {
        struct config_list *list = list_at(config, key);
        for (size_t i = 0; i < list->count; i++) {
            free(list->at[i]);
        }
        free(list->at);
        *list = (struct config_list){0};
    }
}

/* ---- and back */

static void put_number(struct buf *out, uint64_t number, const char *unit)
{
    char text[40];
    int len = snprintf(text, sizeof text, "%" PRIu64 "%s%s", number, unit[0] ? " " : "", unit);
    buf_put(out, (struct bytes){(const uint8_t *)text, (size_t)len});
}

void value_put_size(struct buf *out, uint64_t size)
{
    size_t unit = UNIT_COUNT - 1;
    while (unit > 0 && (size == 0 || size & (((uint64_t)1 << units[unit].shift) - 1))) {
        unit--;
    }
    put_number(out, size >> units[unit].shift, units[unit].name);
}

static void put_word(struct buf *out, const char *words, unsigned number)
{
    while (number-- > 0) {
        words = strchr(words, ' ') + 1;
    }
    buf_put(out, (struct bytes){(const uint8_t *)words, strcspn(words, " ")});
}

size_t config_count(const struct config *config, enum config_number number)
{
    const struct config_key *key = &config_keys[number];
    if (key->kind == CONFIG_LIST) {
        return list_at(config, key)->count;
    }
    return key->kind != CONFIG_TEXT || (*text_at(config, key))[0] != 0;
}

void config_print(struct buf *out, const struct config *config, enum config_number number, size_t n)
{
    const struct config_key *key = &config_keys[number];
    BUG_ON(n >= config_count(config, number));
    switch (key->kind) {
    case CONFIG_TEXT:
        buf_put(out, bytes_text(*text_at(config, key)));
        return;
    case CONFIG_LIST:
        buf_put(out, bytes_text(list_at(config, key)->at[n]));
        return;
    case CONFIG_WORD:
        put_word(out, key->words, *word_at(config, key));
        return;
    case CONFIG_SWITCH:
        put_word(out, "no yes", *switch_at(config, key));
        return;
    case CONFIG_COUNT:
    case CONFIG_SECONDS:
        put_number(out, *number_at(config, key), "");
        return;
    case CONFIG_SIZE:
        value_put_size(out, *number_at(config, key));
        return;
    }
    BUG_ON(true);
}

bool config_same(const struct config *a, const struct config *b, enum config_number number)
{
    struct buf left = {0};
    struct buf right = {0};
    size_t count = config_count(a, number);
    bool same = count == config_count(b, number);
    for (size_t n = 0; same && n < count; n++) {
        left.len = 0;
        right.len = 0;
        config_print(&left, a, number, n);
        config_print(&right, b, number, n);
        same = bytes_equal(buf_bytes(&left), buf_bytes(&right));
    }
    buf_clear(&left);
    buf_clear(&right);
    return same;
}
