/* Shell completions, made of the same tables as --help. */
#include "cli/output.h"
#include "cli/verbs.h"

#include <string.h>

/* Length of a verb's first word; the second, if any, begins one behind it. */
static size_t first_len(const char *name)
{
    return strcspn(name, " ");
}

static bool same_first(const struct verb *a, const struct verb *b)
{
    size_t len = first_len(a->name);
    return len == first_len(b->name) && strncmp(a->name, b->name, len) == 0;
}

/* Whether no verb before this one has the same first word. */
static bool is_first(const struct verb *const *verbs, const struct verb *const *verb)
{
    for (; verbs != verb; verbs++) {
        if (same_first(*verbs, *verb)) {
            return false;
        }
    }
    return true;
}

static bool has_second(const struct verb *verb)
{
    return verb->name[first_len(verb->name)] != 0;
}

static const char *second(const struct verb *verb)
{
    return verb->name + first_len(verb->name) + 1;
}

static void put_first(const struct verb *verb)
{
    printf("%.*s", (int)first_len(verb->name), verb->name);
}

/* The second words that follow the first word of `verb`, parted by blanks. */
static void put_seconds(const struct verb *const *verbs, const struct verb *verb)
{
    const char *blank = "";
    for (; *verbs; verbs++) {
        if (same_first(*verbs, verb) && !(*verbs)->hidden) {
            printf("%s%s", blank, second(*verbs));
            blank = " ";
        }
    }
}

/* Text within single quotes of a shell, behind a backslash what is in `special`. */
static void put_quoted(const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
            continue;
        }
        if (strchr(special, *text)) {
            putchar('\\');
        }
        putchar(*text);
    }
}

static bool takes_file(const struct arg *arg)
{
    return arg->value && !arg->words &&
           (strstr(arg->value, "FILE") || strstr(arg->value, "DIR") || strchr(arg->value, '.'));
}

/* ---- bash */

static void bash_first_words(const struct verb *const *verbs)
{
    fputs("    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W 'help",
          stdout);
    for (const struct verb *const *verb = verbs; *verb; verb++) {
        if (!(*verb)->hidden && is_first(verbs, verb)) {
            putchar(' ');
            put_first(*verb);
        }
    }
    fputs("' -- \"$cur\"))\n"
          "        return\n"
          "    fi\n"
          "    case \"$COMP_CWORD ${COMP_WORDS[1]}\" in\n",
          stdout);
    for (const struct verb *const *verb = verbs; *verb; verb++) {
        if (has_second(*verb) && is_first(verbs, verb)) {
            fputs("    '2 ", stdout);
            put_first(*verb);
            fputs("') COMPREPLY=($(compgen -W '", stdout);
            put_seconds(verbs, *verb);
            fputs("' -- \"$cur\")); return ;;\n", stdout);
        }
    }
    fputs("    esac\n", stdout);
}

static void bash_options(const struct verb *verb)
{
    printf("    '%s '*) options='--help", verb->name);
    for (const struct arg *arg = verb->args; arg && arg->name; arg++) {
        printf(" --%s", arg->name);
    }
    fputs("'\n", stdout);
    fputs("        case \"$prev\" in\n", stdout);
    for (const struct arg *arg = verb->args; arg && arg->name; arg++) {
        if (arg->words) {
            printf("        --%s) words='%s' ;;\n", arg->name, arg->words);
        }
    }
    fputs("        esac ;;\n", stdout);
}

static void bash(const struct verb *const *verbs)
{
    fputs("# Completion of cairn for bash, made by 'cairn completion bash'.\n"
          "_cairn()\n"
          "{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local options='--help --version' words=''\n"
          "    COMPREPLY=()\n",
          stdout);
    bash_first_words(verbs);
    fputs("    case \"${COMP_WORDS[*]:1} \" in\n", stdout);
    for (; *verbs; verbs++) {
        if (!(*verbs)->hidden) {
            bash_options(*verbs);
        }
    }
    fputs("    esac\n"
          "    if [ -n \"$words\" ]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    elif [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
          "    else\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _cairn cairn\n",
          stdout);
}

/* ---- zsh */

static void zsh_words(const struct verb *const *verbs)
{
    fputs("    if (( CURRENT == 2 )); then\n        words_=(\n", stdout);
    for (const struct verb *const *verb = verbs; *verb; verb++) {
        if (!(*verb)->hidden && is_first(verbs, verb)) {
            fputs("            '", stdout);
            put_first(*verb);
            putchar(':');
            put_quoted((*verb)->summary, ":");
            fputs("'\n", stdout);
        }
    }
    fputs("        )\n        _describe verb words_\n        return\n    fi\n"
          "    case \"$CURRENT $words[2]\" in\n",
          stdout);
    for (const struct verb *const *verb = verbs; *verb; verb++) {
        if (has_second(*verb) && is_first(verbs, verb)) {
            fputs("    ('3 ", stdout);
            put_first(*verb);
            fputs("') compadd ", stdout);
            put_seconds(verbs, *verb);
            fputs("; return ;;\n", stdout);
        }
    }
    fputs("    esac\n", stdout);
}

static void zsh_options(const struct verb *verb)
{
    printf("    ('%s '*) _arguments '--help[show help]'", verb->name);
    for (const struct arg *arg = verb->args; arg && arg->name; arg++) {
        printf(" \\\n        '%s--%s[", arg->many ? "*" : "", arg->name);
        put_quoted(arg->help, "[]\\");
        putchar(']');
        if (arg->value) {
            putchar(':');
            put_quoted(arg->value, ":");
            putchar(':');
        }
        if (arg->words) {
            printf("(%s)", arg->words);
        } else if (takes_file(arg)) {
            fputs("_files", stdout);
        }
        putchar('\'');
    }
    fputs(" \\\n        '*:file:_files' ;;\n", stdout);
}

static void zsh(const struct verb *const *verbs)
{
    fputs("#compdef cairn\n"
          "# Completion of cairn for zsh, made by 'cairn completion zsh'.\n"
          "_cairn()\n"
          "{\n"
          "    local -a words_\n",
          stdout);
    zsh_words(verbs);
    fputs("    case \"$words[2,-1] \" in\n", stdout);
    for (; *verbs; verbs++) {
        if (!(*verbs)->hidden) {
            zsh_options(*verbs);
        }
    }
    fputs("    esac\n}\n_cairn \"$@\"\n", stdout);
}

/* ---- fish */

static void fish_condition(const struct verb *verb)
{
    fputs("complete -c cairn -n '__fish_seen_subcommand_from ", stdout);
    put_first(verb);
    if (has_second(verb)) {
        printf("; and __fish_seen_subcommand_from %s", second(verb));
    }
    putchar('\'');
}

static void fish_options(const struct verb *verb)
{
    for (const struct arg *arg = verb->args; arg && arg->name; arg++) {
        fish_condition(verb);
        printf(" -l %s", arg->name);
        if (arg->words) {
            printf(" -x -a '%s'", arg->words);
        } else if (arg->value) {
            fputs(takes_file(arg) ? " -r" : " -x", stdout);
        }
        fputs(" -d '", stdout);
        put_quoted(arg->help, "\\");
        fputs("'\n", stdout);
    }
}

static void fish_word(const struct verb *const *verbs, const struct verb *const *verb)
{
    if (is_first(verbs, verb)) {
        fputs("complete -c cairn -f -n __fish_use_subcommand -a ", stdout);
        put_first(*verb);
        fputs(" -d '", stdout);
        put_quoted((*verb)->summary, "\\");
        fputs("'\n", stdout);
    }
    if (has_second(*verb)) {
        fputs("complete -c cairn -f -n '__fish_seen_subcommand_from ", stdout);
        put_first(*verb);
        fputs("; and not __fish_seen_subcommand_from ", stdout);
        put_seconds(verbs, *verb);
        printf("' -a %s -d '", second(*verb));
        put_quoted((*verb)->summary, "\\");
        fputs("'\n", stdout);
    }
}

static void fish(const struct verb *const *verbs)
{
    fputs("# Completion of cairn for fish, made by 'cairn completion fish'.\n", stdout);
    for (const struct verb *const *verb = verbs; *verb; verb++) {
        if (!(*verb)->hidden) {
            fish_word(verbs, verb);
            fish_options(*verb);
        }
    }
}

static int run(const struct args *args)
{
    const char *shell = args->operands[0];
    struct why why;
    if (strcmp(shell, "bash") == 0) {
        bash(args->verbs);
    } else if (strcmp(shell, "zsh") == 0) {
        zsh(args->verbs);
    } else if (strcmp(shell, "fish") == 0) {
        fish(args->verbs);
    } else {
        why_say(&why, ERR_FORMAT, "shell", shell, "is not one of: bash zsh fish", NULL);
        return fail(ERR_FORMAT, &why);
    }
    return STATUS_OK;
}

const struct verb verb_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "print the completion of a shell",
    .example = "cairn completion bash > /etc/bash_completion.d/cairn",
    .run = run,
    .hidden = true,
};
