#include "base/file.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "node/node.h"
#include "store/mark.h"

#include <stdlib.h>

static int run(const struct args *args)
{
    struct why why = {0};
    char *mark = path_join(args->operands[0], MARK_FILE);
    char *path = path_join(args->operands[0], NODE_CLOCK_ACCEPT);
    enum err err = OK;
    if (!file_exists(mark)) {
        err = why_say(&why, ERR_NOT_FOUND, "folder", args->operands[0], "holds no ledger",
                      "Give the DIR of 'cairn run DIR'.");
    } else {
        err = file_write(path, BYTES_NONE, 0600, &why);
    }
    free(mark);
    free(path);
    if (err != OK) {
        return fail(err, &why);
    }
    puts("Accepted: the node takes the clock as it stands when it next looks.");
    return STATUS_OK;
}

const struct verb verb_clock_accept = {
    .name = "clock accept",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "let a node go on after its clock was set",
    .text = "A node whose wall clock steps by more than a minute stops writing until somebody who\n"
            "has looked at the clock says that it is right now.",
    .example = "cairn clock accept court",
    .run = run,
};
