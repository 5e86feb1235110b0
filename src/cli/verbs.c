#include "cli/verbs.h"

#include "base/bytes.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

#define WORD_MAX 32

/* Whether `words` words of argv are the verb's name. */
static bool verb_is(const struct verb *verb, int argc, char **argv, int *words)
{
    const char *at = verb->name;
    for (*words = 0; *at; ++*words) {
        size_t len = strcspn(at, " ");
        if (*words >= argc || strlen(argv[*words]) != len || strncmp(at, argv[*words], len) != 0) {
            return false;
        }
        at += len + (at[len] == ' ');
    }
    return true;
}

static const struct verb *verb_find(const struct verb *const *verbs, int argc, char **argv,
                                    int *words)
{
    const struct verb *best = NULL;
    int best_words = 0;
    for (; *verbs; verbs++) {
        int count;
        if (verb_is(*verbs, argc, argv, &count) && count > best_words) {
            best = *verbs;
            best_words = count;
        }
    }
    *words = best_words;
    return best;
}

/* Insertions, deletions and replacements that make one word of the other. */
static size_t distance(const char *a, const char *b)
{
    size_t len = strlen(b);
    if (strlen(a) >= WORD_MAX || len >= WORD_MAX) {
        return SIZE_MAX;
    }
    size_t row[WORD_MAX];
    for (size_t j = 0; j <= len; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j + 1] = best < diagonal + 1 ? best : diagonal + 1;
        }
    }
    return row[len];
}

/* How far a verb's name is from what was typed; its first word counts alone as well. */
static size_t verb_distance(const struct verb *verb, int argc, char **argv)
{
    char typed[2 * WORD_MAX];
    snprintf(typed, sizeof typed, "%s", argv[0]);
    char first[WORD_MAX];
    snprintf(first, sizeof first, "%.*s", (int)strcspn(verb->name, " "), verb->name);
    size_t best = distance(typed, first);
    if (argc > 1) {
        snprintf(typed, sizeof typed, "%s %s", argv[0], argv[1]);
        size_t both = distance(typed, verb->name);
        best = both < best ? both : best;
    }
    return best;
}

static int unknown_verb(const struct verb *const *verbs, int argc, char **argv)
{
    size_t nearest = SIZE_MAX;
    for (const struct verb *const *verb = verbs; *verb; verb++) {
        size_t far = verb_distance(*verb, argc, argv);
        nearest = !(*verb)->hidden && far < nearest ? far : nearest;
    }
    /* As many edits as a slip of the fingers makes. */
    size_t near = 1 + strlen(argv[0]) / 4;
    struct why why;
    char remedy[160] = "See cairn help.";
    int len = 0;
    for (const struct verb *const *verb = verbs; nearest <= near && *verb; verb++) {
        if ((*verb)->hidden || verb_distance(*verb, argc, argv) != nearest ||
            len >= (int)sizeof remedy - WORD_MAX) {
            continue;
        }
        len += snprintf(remedy + len, sizeof remedy - (size_t)len, "%s%s",
                        len ? ", " : "Did you mean: ", (*verb)->name);
    }
    if (len > 0) {
        snprintf(remedy + len, sizeof remedy - (size_t)len, "?");
    }
    why_say(&why, ERR_FORMAT, "verb", argv[0],
            nearest == 0 ? "is not complete" : "is not a verb of cairn", remedy);
    return fail(ERR_FORMAT, &why);
}

static void list_verbs(const struct verb *const *verbs)
{
    puts("cairn: a ledger of evidence that everybody can check.\n\n"
         "usage: cairn VERB ...\n");
    for (; *verbs; verbs++) {
        if (!(*verbs)->hidden) {
            printf("  %-20s %s\n", (*verbs)->name, (*verbs)->summary);
        }
    }
    puts("\ncairn VERB --help says more, with an example. The manual: man cairn.");
}

static int help(const struct verb *const *verbs, int argc, char **argv)
{
    if (argc == 0) {
        list_verbs(verbs);
        return STATUS_OK;
    }
    int words;
    const struct verb *verb = verb_find(verbs, argc, argv, &words);
    if (!verb) {
        return unknown_verb(verbs, argc, argv);
    }
    args_help(stdout, verb);
    return STATUS_OK;
}

static int run(const struct verb *verb, const struct verb *const *verbs, int argc, char **argv)
{
    struct args args;
    struct why why = {0};
    enum err err = args_parse(&args, verb, argc, argv, &why);
    args.verbs = verbs;
    int status = STATUS_OK;
    if (err != OK) {
        status = fail(err, &why);
    } else if (args.help) {
        args_help(stdout, verb);
    } else {
        status = verb->run(&args);
    }
    args_clear(&args);
    return status;
}

/* A reader that went away, `cairn show ... | head`, ends the program in silence; a full disk under
 * stdout does not. */
static int finish(int status)
{
    struct why why;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        why_say(&why, ERR_IO, "standard output", NULL, "could not be written", NULL);
        return fail(ERR_IO, &why);
    }
    return status;
}

int cli_main(const struct verb *const *verbs, int argc, char **argv)
{
    if (argc < 2) {
        list_verbs(verbs);
        return STATUS_UNUSABLE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("cairn " CAIRN_VERSION);
        return finish(STATUS_OK);
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        return finish(help(verbs, argc - 2, argv + 2));
    }
    int words;
    const struct verb *verb = verb_find(verbs, argc - 1, argv + 1, &words);
    if (!verb) {
        return unknown_verb(verbs, argc - 1, argv + 1);
    }
    return finish(run(verb, verbs, argc - words, argv + words));
}
