/* Passphrases of key files and PINs of tokens: from a file that --passphrase-file names, else from
 * the person at the terminal. */
#ifndef CAIRN_CLI_PASSPHRASE_H
#define CAIRN_CLI_PASSPHRASE_H

#include "cli/args.h"
#include "crypto/signer.h"

#define PASSPHRASE_CAP 1024

#define ARG_PASSPHRASE                                                                             \
    {                                                                                              \
        "passphrase-file", "FILE", "first line: the passphrase of the key file, or the PIN", NULL, \
            false, false                                                                           \
    }

/* A passphrase_fn whose context is the path of the passphrase's file, or NULL to ask at the
 * terminal. */
bool passphrase_ask(void *context, const char *path, char *out, size_t cap);
/* Reads the first line of a file; at least one character. ERR_FORMAT, file_read's errors. The
 * caller wipes *out. */
must_use enum err passphrase_read(char out[PASSPHRASE_CAP], const char *path, struct why *why);

/* Opens a key by its file's path or its URI, with the passphrase or PIN that --passphrase-file
 * gives or the person. Errors of keystore_open. */
must_use enum err key_open(struct signer **out, const char *path, const struct args *args,
                           struct why *why);

#endif
