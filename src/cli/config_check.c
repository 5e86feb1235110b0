#include "base/file.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "cli/verbs.h"

#include <stdlib.h>

static int run(const struct args *args)
{
    struct config config;
    struct why why = {0};
    enum err err = settings_load(&config, args, &why);
    config_clear(&config);
    if (err != OK) {
        return fail(err, &why);
    }
    char *path = path_join(args->operands[0], CONFIG_FILE);
    printf(file_exists(path) ? "%s is good.\n" : "There is no %s; defaults hold, and are good.\n",
           path);
    free(path);
    return STATUS_OK;
}

static const struct arg options[] = {ARG_SETTINGS{0}};

const struct verb verb_config_check = {
    .name = "config check",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "check the settings of a node",
    .text = "Reads DIR/cairn.conf and the options as 'cairn run' would, and says what is wrong.\n",
    .example = "cairn config check court",
    .args = options,
    .run = run,
};
