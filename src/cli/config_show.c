#include "cli/output.h"
#include "cli/settings.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

static const char *const from_names[] = {"default", "file", "option"};

static void show_text(const struct config *config, enum config_number number)
{
    const struct config_key *key = &config_keys[number];
    const struct config_origin *origin = &config->origins[number];
    char from[32];
    snprintf(from, sizeof from, origin->from == CONFIG_FROM_FILE ? "%s, line %u" : "%s",
             from_names[origin->from], origin->line);
    size_t count = config_count(config, number);
    if (count == 0) {
        printf("%-24s (none)    # %s\n", key->name, from);
    }
    for (size_t n = 0; n < count; n++) {
        struct buf value = {0};
        config_print(&value, config, number, n);
        printf("%-24s = %.*s    # %s\n", key->name, (int)value.len, (const char *)value.at, from);
        buf_clear(&value);
    }
}

static json_t *value_json(const struct config *config, enum config_number number)
{
    json_t *values = json_array();
    for (size_t n = 0; n < config_count(config, number); n++) {
        struct buf value = {0};
        config_print(&value, config, number, n);
        json_array_append_new(values, json_text(buf_bytes(&value)));
        buf_clear(&value);
    }
    if (config_keys[number].kind == CONFIG_LIST) {
        return values;
    }
    json_t *only = json_array_get(values, 0);
    json_t *out = only ? json_incref(only) : json_null();
    json_decref(values);
    return out;
}

static json_t *setting_json(const struct config *config, enum config_number number)
{
    const struct config_key *key = &config_keys[number];
    const struct config_origin *origin = &config->origins[number];
    json_t *out = json_object();
    json_object_set_new(out, "value", value_json(config, number));
    json_object_set_new(out, "from", json_string(from_names[origin->from]));
    if (origin->from == CONFIG_FROM_FILE) {
        json_object_set_new(out, "line", json_integer(origin->line));
    }
    json_object_set_new(out, "default",
                        key->standard[0] ? json_string(key->standard) : json_null());
    json_object_set_new(out, "change",
                        json_string(key->when == CONFIG_RELOAD ? "reload" : "restart"));
    json_object_set_new(out, "takes", key->value ? json_string(key->value) : json_null());
    json_object_set_new(out, "words", key->words ? json_string(key->words) : json_null());
    json_object_set_new(out, "text", json_string(key->text));
    return out;
}

static void show(const struct config *config, bool json)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        enum config_number number = (enum config_number)i;
        if (json) {
            json_object_set_new(all, config_keys[i].name, setting_json(config, number));
        } else {
            show_text(config, number);
        }
    }
    if (json) {
        put_json(json_incref(all));
    }
    json_decref(all);
}

static int run(const struct args *args)
{
    struct config config;
    struct why why = {0};
    enum err err = settings_load(&config, args, &why);
    if (err == OK) {
        show(&config, args_flag(args, "json"));
    }
    config_clear(&config);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {ARG_JSON, ARG_SETTINGS{0}};

const struct verb verb_config_show = {
    .name = "config show",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "show every setting of a node and where it comes from",
    .text = "Reads DIR/cairn.conf and the options as 'cairn run' would.\n",
    .example = "cairn config show court",
    .args = options,
    .run = run,
};
