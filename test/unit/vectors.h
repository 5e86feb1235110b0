/* Reads the text tables of test/vectors/: lines of fields separated by blanks, comments after #,
 * "-" for an empty byte string. */
#ifndef CAIRN_TEST_VECTORS_H
#define CAIRN_TEST_VECTORS_H

#include "check.h"

#define VECTOR_FIELDS 8

struct vector {
    FILE *file;
    char *line;
    size_t cap;
    char *fields[VECTOR_FIELDS];
    struct buf bytes[VECTOR_FIELDS];
    size_t count;
};

static inline struct vector vector_open(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", VECTORS, name);
    struct vector vector = {.file = fopen(path, "r")};
    if (vector.file == NULL) {
        fail_msg("cannot open %s", path);
    }
    return vector;
}

/* Reads the next line that is no comment; at the end of the file frees all and returns false. */
static inline bool vector_next(struct vector *vector)
{
    do {
        if (getline(&vector->line, &vector->cap, vector->file) < 0) {
            fclose(vector->file);
            free(vector->line);
            for (size_t i = 0; i < VECTOR_FIELDS; i++) {
                buf_clear(&vector->bytes[i]);
            }
            return false;
        }
    } while (vector->line[0] == '#' || vector->line[0] == '\n');
    char *rest = vector->line;
    for (vector->count = 0; vector->count < VECTOR_FIELDS; vector->count++) {
        char *word = strsep(&rest, " \n");
        if (word == NULL || *word == 0) {
            break;
        }
        vector->fields[vector->count] = word;
    }
    return true;
}

/* The bytes of a hex field; they live until the next line. */
static inline struct bytes vector_bytes(struct vector *vector, size_t index)
{
    BUG_ON(index >= vector->count);
    const char *text = vector->fields[index];
    struct buf *out = &vector->bytes[index];
    out->len = 0;
    for (; strcmp(text, "-") != 0 && *text; text += 2) {
        unsigned byte;
        BUG_ON(sscanf(text, "%2x", &byte) != 1);
        buf_put_byte(out, (uint8_t)byte);
    }
    return buf_bytes(out);
}

#endif
