#include "cli/args.h"

#include "base/bytes.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 64
#define COLUMN      28 /* where the help text of an option begins */

struct arg_value {
    const struct arg *arg;
    const char *text;
};

static size_t args_count(const struct arg *args)
{
    size_t count = 0;
    while (args && args[count].name) {
        count++;
    }
    return count;
}

bool words_hold(const char *words, const char *word)
{
    size_t len = strlen(word);
    const char *at = words;
    while (*at) {
        size_t next = strcspn(at, " ");
        if (next == len && strncmp(at, word, len) == 0) {
            return true;
        }
        at += next + (at[next] == ' ');
    }
    return false;
}

static enum err usage_error(struct why *why, const char *field, const char *value,
                            const char *problem, const struct verb *verb)
{
    char remedy[160];
    snprintf(remedy, sizeof remedy, "See cairn %s --help.", verb->name);
    return why_say(why, ERR_FORMAT, field, value, problem, remedy);
}

static enum err value_put(struct args *out, const struct arg *arg, const char *text,
                          struct why *why)
{
    char field[64];
    snprintf(field, sizeof field, "--%s", arg->name);
    if (!arg->many && args_nth(out, arg->name, 0)) {
        return usage_error(why, field, arg->value ? text : NULL, "is given twice", out->verb);
    }
    if (arg->words && !words_hold(arg->words, text)) {
        char problem[160];
        snprintf(problem, sizeof problem, "is not one of: %s", arg->words);
        return usage_error(why, field, text, problem, out->verb);
    }
    out->values = mem_realloc(out->values, (out->value_count + 1) * sizeof *out->values);
    out->values[out->value_count++] = (struct arg_value){arg, text};
    return OK;
}

/* What getopt complains about: '?' is an unknown or ambiguous option, or a flag with a value, ':'
 * a missing value. */
static enum err option_error(const struct args *out, int got, const char *word, struct why *why)
{
    return usage_error(why, "option", word,
                       got == ':' ? "needs a value"
                                  : "is not an option of this verb, or takes no "
                                    "value",
                       out->verb);
}

static enum err options_read(struct args *out, int argc, char **argv, struct why *why)
{
    size_t count = args_count(out->verb->args);
    BUG_ON(count + 2 > OPTIONS_MAX);
    struct option options[OPTIONS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        options[i].name = out->verb->args[i].name;
        options[i].has_arg = out->verb->args[i].value ? required_argument : no_argument;
    }
    options[count].name = "help";
    optind = 0; /* begins anew, also GNU's permutation */
    opterr = 0;
    for (;;) {
        int index = 0;
        /* The only thread there is at this time. NOLINTNEXTLINE(concurrency-mt-unsafe) */
        int got = getopt_long(argc, argv, ":h", options, &index);
        if (got == -1) {
            break;
        }
        if (got == 'h' || (got == 0 && (size_t)index == count)) {
            out->help = true;
            return OK;
        }
        if (got != 0) {
            return option_error(out, got, argv[optind - 1], why);
        }
        TRY(value_put(out, &out->verb->args[index], optarg ? optarg : "", why));
    }
    out->operands = argv + optind;
    out->operand_count = (size_t)(argc - optind);
    return OK;
}

static enum err needed_check(const struct args *out, struct why *why)
{
    for (const struct arg *arg = out->verb->args; arg && arg->name; arg++) {
        if (arg->needed && !args_nth(out, arg->name, 0)) {
            char field[64];
            snprintf(field, sizeof field, "--%s", arg->name);
            return usage_error(why, field, NULL, "is missing", out->verb);
        }
    }
    return OK;
}

enum err args_parse(struct args *out, const struct verb *verb, int argc, char **argv,
                    struct why *why)
{
    *out = (struct args){.verb = verb};
    TRY(options_read(out, argc, argv, why));
    if (out->help) {
        return OK;
    }
    if (out->operand_count < verb->operands_min) {
        return usage_error(why, "command line", NULL, "is too short", verb);
    }
    if (out->operand_count > verb->operands_max) {
        return usage_error(why, "argument", out->operands[verb->operands_max], "is one too many",
                           verb);
    }
    return needed_check(out, why);
}

void args_clear(struct args *args)
{
    free(args->values);
    args->values = NULL;
    args->value_count = 0;
}

bool args_has(const struct args *args, const char *name)
{
    const struct arg *arg = args->verb->args;
    while (arg && arg->name && strcmp(arg->name, name) != 0) {
        arg++;
    }
    return arg && arg->name;
}

const char *args_nth(const struct args *args, const char *name, size_t n)
{
    const struct arg *arg = args->verb->args;
    while (arg && arg->name && strcmp(arg->name, name) != 0) {
        arg++;
    }
    BUG_ON(!arg || !arg->name);
    for (size_t i = 0; i < args->value_count; i++) {
        if (args->values[i].arg == arg && n-- == 0) {
            return args->values[i].text;
        }
    }
    return NULL;
}

const char *args_text(const struct args *args, const char *name)
{
    return args_nth(args, name, 0);
}

bool args_flag(const struct args *args, const char *name)
{
    return args_nth(args, name, 0) != NULL;
}

/* ---- help */

static void help_option(FILE *out, const struct arg *arg)
{
    char left[80];
    int len = snprintf(left, sizeof left, "  --%s%s%s", arg->name, arg->value ? " " : "",
                       arg->value ? arg->value : "");
    bool fits = len + 2 <= COLUMN;
    fprintf(out, "%-*s%s%*s%s", fits ? COLUMN : 0, left, fits ? "" : "\n", fits ? 0 : COLUMN, "",
            arg->help);
    fprintf(out, "%s%s%s\n", arg->words ? ": " : "", arg->words ? arg->words : "",
            arg->many ? " (may be repeated)" : "");
}

/* Prints each line of `text` behind two blanks. */
static void help_indented(FILE *out, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        fprintf(out, "  %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

void args_help(FILE *out, const struct verb *verb)
{
    fprintf(out, "usage: cairn %s%s%s", verb->name, verb->operands[0] ? " " : "", verb->operands);
    bool optional = false;
    for (const struct arg *arg = verb->args; arg && arg->name; arg++) {
        optional |= !arg->needed;
        if (arg->needed) {
            fprintf(out, " --%s %s%s", arg->name, arg->value, arg->many ? "..." : "");
        }
    }
    fprintf(out, "%s\n\n%c%s.\n", optional ? " [options]" : "", verb->summary[0] - 'a' + 'A',
            verb->summary + 1);
    if (verb->text) {
        fprintf(out, "\n%s\n", verb->text);
    }
    fputs("\noptions:\n", out);
    for (const struct arg *arg = verb->args; arg && arg->name; arg++) {
        help_option(out, arg);
    }
    help_option(out, &(struct arg){"help", NULL, "show this text", NULL, false, false});
    fputs("\nexample:\n", out);
    help_indented(out, verb->example);
}
