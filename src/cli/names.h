/* Names of files: those that a command line means, and fresh ones to write. */
#ifndef CAIRN_CLI_NAMES_H
#define CAIRN_CLI_NAMES_H

#include "base/bytes.h"
#include "base/why.h"

#include <sys/types.h>

#define LIST_MAX ((size_t)256 << 20) /* bytes of a @LIST file */

/* Zero-initialised is empty. */
struct names {
    size_t count;
    const char **at; /* borrowed from argv, or from `texts` */
    size_t text_count;
    char **texts; /* of the list files */
};

/* Takes each operand, @LIST standing for the lines of the file LIST. ERR_RANGE if there is none in
 * the end; file_read's errors. To be cleared in any case. */
must_use enum err names_read(struct names *out, char *const *operands, size_t count,
                             struct why *why);
void names_clear(struct names *names);

/* Writes a new file BASE.ENDING, or BASE.2.ENDING and so on where there is one already, and never
 * replaces any. *path is new memory. ERR_IO. */
must_use enum err fresh_write(char **path, const char *base, const char *ending, struct bytes bytes,
                              mode_t mode, struct why *why);
/* DIR/NAME-of-path, or the path itself where `dir` is NULL; new memory. */
char *beside(const char *dir, const char *path);

#endif
