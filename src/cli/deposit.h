/* A whole run of `cairn deposit`, for the verbs that deposit on their way. */
#ifndef CAIRN_CLI_DEPOSIT_H
#define CAIRN_CLI_DEPOSIT_H

#include "cli/deposit_batch.h"

/* The options that say how; a verb adds ARGS_SIGNING and ARG_AS. */
/* clang-format off */
#define ARGS_DEPOSIT \
    {"category", "WORD", "what the files are, in clear; else document", NULL, false, false}, \
    {"subject", "ID", "what this is about, in clear: an opaque id", NULL, false, false}, \
    {"phase", "WORD", "in clear, up to 20 bytes", NULL, false, false}, \
    {"ref", "NUMBER", "a number to find the files by; stays secret", NULL, false, false}, \
    {"ref-key", "FILE", "the secret key of your references", NULL, false, false}, \
    {"blind", NULL, "blind every file, whatever its size", NULL, false, false}, \
    {"plain", NULL, "blind none: a file can be looked up", NULL, false, false}, \
    {"proofs", "WHICH", "FILE.proof each, BATCH.proofs, or none", "each one none", false, false}, \
    {"salts", "FILE", "where to keep the salts of blinded files", NULL, false, false}, \
    {"out", "DIR", "where proofs go; else beside each file", NULL, false, false}
/* clang-format on */

/* Deposits the files (@LIST included) that `count` operands name, as the options say; `run` has its
 * two arrays and nothing else. On an error run->stored files are there all the same. */
must_use enum err deposit_run(struct depositing *run, const struct args *args,
                              char *const *operands, size_t count, struct why *why);
void depositing_clear(struct depositing *run);
/* Prints a line for each file and each deposit. */
void deposit_print(const struct depositing *run);

#endif
