#include "cli/settings.h"

#include <stdlib.h>

enum err settings_load(struct config *out, const struct args *args, struct why *why)
{
    struct config_override *overrides = NULL;
    size_t count = 0;
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &config_keys[i];
        const char *text;
        for (size_t n = 0; (text = args_nth(args, key->option, n)) != NULL; n++) {
            overrides = mem_realloc(overrides, (count + 1) * sizeof *overrides);
            overrides[count++] =
                (struct config_override){key->option, key->kind == CONFIG_SWITCH ? "yes" : text};
        }
    }
    overrides = mem_realloc(overrides, (count + 1) * sizeof *overrides);
    overrides[count] = (struct config_override){NULL, NULL};
    enum err err = config_load(out, args->operands[0], overrides, why);
    free(overrides);
    return err;
}
