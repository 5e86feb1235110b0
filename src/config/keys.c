#include "config/keys.h"

#include "config/config.h"

#include <stddef.h>

#define CONFIG_ROW(kind, name, option, value, standard, words, min, max, when, text) \
    {CONFIG_##kind,                                                                  \
     CONFIG_##when,                                                                  \
     #name,                                                                          \
     option,                                                                         \
     value,                                                                          \
     standard,                                                                       \
     words,                                                                          \
     (min),                                                                          \
     (max),                                                                          \
     text,                                                                           \
     offsetof(struct config, name)},

const struct config_key config_keys[CONFIG_KEY_COUNT] = {CONFIG_TABLE(CONFIG_ROW)};
