/* Test vectors for targets that know what is good: whatever passes and isn't one of them is
 * forged. */
#ifndef CAIRN_TEST_FUZZ_SAMPLES_H
#define CAIRN_TEST_FUZZ_SAMPLES_H

#include "base/file.h"

#include <stdio.h>
#include <string.h>

/* Appends a file of test/vectors/. */
static inline void sample_read(struct buf *out, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", VECTORS, name);
    BUG_ON(file_read(out, path, 1u << 20, NULL) != OK);
}

/* Takes the next line that is no comment, cut into words of `line`; 0 at the end. */
static inline size_t sample_words(char **text, char *words[], size_t max)
{
    char *line;
    do {
        line = strsep(text, "\n");
    } while (line && (*line == '#' || *line == '\0'));
    size_t count = 0;
    while (line && count < max) {
        words[count++] = strsep(&line, " ");
    }
    return count;
}

#endif
