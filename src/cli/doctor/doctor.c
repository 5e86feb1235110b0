#include "cli/doctor/doctor.h"

#include "base/file.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

static int run(const struct args *args)
{
    const char *what = args->operands[0];
    bool is_url = strncmp(what, "http://", 7) == 0 || strncmp(what, "https://", 8) == 0;
    struct findings findings;
    if (!is_url && !file_exists(what)) {
        struct why why;
        why_say(&why, ERR_NOT_FOUND, "folder", what, "does not exist",
                "Give a ledger's folder or the URL of a node.");
        return fail(ERR_NOT_FOUND, &why);
    }
    findings_init(&findings);
    char *url = is_url ? mem_strdup(what) : doctor_folder(&findings, what);
    if (url) {
        doctor_running(&findings, args, url);
    }
    doctor_clock(&findings);
    finding(&findings, FINDING_NOTE, "scrub", NULL,
            "this version does not read its disk anew by itself; a restored copy is checked as it "
            "opens");
    free(url);
    bool bad = findings.worst >= FINDING_WARN;
    findings_print(&findings, args_flag(args, "json"));
    return bad ? STATUS_REFUSED : STATUS_OK;
}

static const struct arg options[] = {
    {"ca", "FILE", "PEM file of whom to trust; else CAIRN_CA, else this system's", NULL, false,
     false},
    {"plain-http", NULL, "http to another machine, which anybody between can read and change", NULL,
     false, false},
    ARG_JSON,
    {0},
};

const struct verb verb_doctor = {
    .name = "doctor",
    .operands = "DIR|URL",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "look for what is wrong with a node, or soon will be",
    .text =
        "Each finding is ok, note, warn or error, and has its remedy. Of a folder: settings, "
        "modes\n"
        "of secret files, certificates, disk and growth, memory, the clock, and the ledger itself\n"
        "unless a node has it open, which is then asked. Of a URL: what the node says. Exits 1\n"
        "if there is a warning or an error.\n",
    .example = "cairn doctor court\ncairn doctor http://127.0.0.1:8420 --json",
    .args = options,
    .run = run,
};
