#include "cli/output.h"
#include "cli/verbs.h"
#include "store/audit.h"

#include <stdlib.h>
#include <string.h>

struct showing {
    uint64_t from;
    const char *act; /* or NULL: all */
    json_t *list;    /* or NULL: lines of text */
};

static json_t *line_json(const struct audit_line *line)
{
    json_t *object = json_object();
    json_object_set_new(object, "number", json_integer((json_int_t)line->number));
    json_object_set_new(object, "time", json_string(line->time));
    json_object_set_new(object, "act", json_string(line->act));
    json_object_set_new(object, "who", json_string(line->who));
    json_object_set_new(object, "details", json_loads(line->details, 0, NULL));
    json_object_set_new(object, "hash", json_hex(hash_bytes(&line->hash)));
    return object;
}

static void print_line(const struct audit_line *line)
{
    json_t *details = json_loads(line->details, 0, NULL);
    const char *name;
    json_t *value;
    printf("%6llu  %s  ", (unsigned long long)line->number, line->time);
    put_coloured(stdout, COLOUR_NONE, line->act);
    printf("%*s", (int)(strlen(line->act) < 18 ? 18 - strlen(line->act) : 1), "");
    put_coloured(stdout, COLOUR_NONE, line->who);
    json_object_foreach(details, name, value)
    {
        putchar(' ');
        put_coloured(stdout, COLOUR_DIM, name);
        putchar('=');
        put_coloured(stdout, COLOUR_NONE, json_member(details, name));
    }
    putchar('\n');
    json_decref(details);
}

static bool show(void *context, const struct audit_line *line)
{
    const struct showing *showing = context;
    if (line->number >= showing->from && (!showing->act || strcmp(line->act, showing->act) == 0)) {
        if (showing->list) {
            json_array_append_new(showing->list, line_json(line));
        } else {
            print_line(line);
        }
    }
    return true;
}

static enum err read_from(uint64_t *out, const struct args *args, struct why *why)
{
    const char *text = args_text(args, "from");
    char *end = NULL;
    *out = text ? strtoull(text, &end, 10) : 0;
    return !text || (*text >= '0' && *text <= '9' && *end == '\0')
               ? OK
               : why_say(why, ERR_FORMAT, "--from", text, "is not the number of an act", NULL);
}

/* Lines that hold are shown even if a later one does not; then it ends with that error. */
static int run(const struct args *args)
{
    struct why why = {0};
    struct audit_report report;
    struct showing showing = {.act = args_text(args, "act")};
    enum err err = read_from(&showing.from, args, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    if (args_flag(args, "json")) {
        showing.list = json_array();
    }
    err = audit_read(args->operands[0], show, &showing, &report, &why);
    if (showing.list) {
        put_json(showing.list);
    }
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"from", "NUMBER", "the first act to show", NULL, false, false},
    {"act", "ACT", "only this one: node.start, statement.taken, ...", NULL, false, false},
    ARG_JSON,
    {0},
};

const struct verb verb_audit_show = {
    .name = "audit show",
    .operands = "DIR|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "show what operators did to a node",
    .text = "Prints the acts of an audit log, oldest first, as far as it holds. docs/audit.md\n"
            "explains them.",
    .example = "cairn audit show court --act statement.taken",
    .args = options,
    .run = run,
};
