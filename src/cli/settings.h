/* The node's settings (config/keys.h) as options of a verb whose first operand is the ledger's
 * folder. */
#ifndef CAIRN_CLI_SETTINGS_H
#define CAIRN_CLI_SETTINGS_H

#include "cli/args.h"
#include "config/config.h"

#define SETTING_IS_MANY_TEXT    false
#define SETTING_IS_MANY_LIST    true
#define SETTING_IS_MANY_WORD    false
#define SETTING_IS_MANY_SWITCH  false
#define SETTING_IS_MANY_COUNT   false
#define SETTING_IS_MANY_SECONDS false
#define SETTING_IS_MANY_SIZE    false
#define SETTING_OPTION(kind, name, option, value, standard, words, min, max, when, text) \
    {option, value, text, words, false, SETTING_IS_MANY_##kind},

/* Rows of a verb's table: one option a setting. */
#define ARG_SETTINGS CONFIG_TABLE(SETTING_OPTION)

/* Reads DIR/cairn.conf and the options. config_load's errors. To be cleared in any case. */
must_use enum err settings_load(struct config *out, const struct args *args, struct why *why);

#endif
