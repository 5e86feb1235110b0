/* Command lines as tables: a verb states its operands and options once, and reading them, --help,
 * shell completions and the test of the man page all come from that. */
#ifndef CAIRN_CLI_ARGS_H
#define CAIRN_CLI_ARGS_H

#include "base/why.h"

#include <stddef.h>
#include <stdio.h>

/* One long option. */
struct arg {
    const char *name;  /* without dashes: "passphrase-file" */
    const char *value; /* what the help calls its value, "FILE"; NULL for a flag */
    const char *help;  /* half a sentence */
    const char *words; /* the only values it takes, "each one none", or NULL for any */
    bool needed;       /* it is an error to leave it out */
    bool many;         /* may be given several times */
};

#define ARG_JSON                                           \
    {                                                      \
        "json", NULL, "answer in JSON", NULL, false, false \
    }

struct args;

/* Does the verb's work and returns the exit status (output.h). */
typedef int verb_fn(const struct args *args);

/* One verb of the program, "deposit" or "key new". */
struct verb {
    const char *name;
    const char *operands; /* as the usage line shows them, "ID FILE"; "" for none */
    size_t operands_min;
    size_t operands_max;    /* SIZE_MAX for any number */
    const char *summary;    /* half a sentence, for the list of verbs */
    const char *text;       /* what else --help says, whole sentences, or NULL */
    const char *example;    /* whole command lines, one a line */
    const struct arg *args; /* ends with a NULL name; NULL for none. --help needs no row */
    verb_fn *run;
    bool hidden; /* not in the list of verbs */
};

/* What a command line said; everything borrows from argv and the tables. */
struct args {
    const struct verb *verb;
    const struct verb *const *verbs; /* all of them, ending with NULL */
    bool help;                       /* --help was there; then nothing else was checked */
    size_t operand_count;
    char **operands;
    size_t value_count;
    struct arg_value *values;
};

/* Reads what follows the verb's name: argv[0] is skipped, argv is permuted so that options may
 * stand anywhere. ERR_FORMAT: an option that is unknown, lacks its value, has one too many or one
 * that is not among its words, or the wrong number of operands; `why` says which. To be cleared in
 * any case. */
must_use enum err args_parse(struct args *out, const struct verb *verb, int argc, char **argv,
                             struct why *why);
void args_clear(struct args *args);

/* Whether the verb's table has the option. */
bool args_has(const struct args *args, const char *name);
/* The value of an option, or NULL if it was not given. Asking for one that the verb's table lacks
 * aborts, here and below. */
const char *args_text(const struct args *args, const char *name);
bool args_flag(const struct args *args, const char *name);
/* The n-th value of an option that may be given several times, or NULL. */
const char *args_nth(const struct args *args, const char *name, size_t n);

/* Writes what --help shows. */
void args_help(FILE *out, const struct verb *verb);

/* Whether `word` is one of the words of a list such as "each one none". */
bool words_hold(const char *words, const char *word);

#endif
