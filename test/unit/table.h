/* Vector tables: text files of test/vectors/ with one case a line, fields between single spaces,
 * and lines that start with '#' as comments. */
#ifndef CAIRN_TEST_TABLE_H
#define CAIRN_TEST_TABLE_H

#include "check.h"

struct table {
    FILE *file;
    char *line;
    size_t cap;
    unsigned rows; /* read so far */
};

static inline struct table table_open(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", VECTORS, name);
    struct table table = {.file = fopen(path, "r")};
    if (table.file == NULL) {
        fail_msg("%s can't be opened", path);
    }
    return table;
}

/* Reads the next case into `fields`, which borrow from the table until the next call; a case with
 * another number of fields fails the test. False at the end, where the table is closed. */
static inline bool table_next(struct table *table, char **fields, size_t count)
{
    do {
        if (getline(&table->line, &table->cap, table->file) < 0) {
            fclose(table->file);
            free(table->line);
            return false;
        }
    } while (table->line[0] == '#');
    table->rows++;
    char *rest = NULL;
    char *field = strtok_r(table->line, " \n", &rest);
    for (size_t i = 0; i < count; i++) {
        CHECK(field != NULL);
        fields[i] = field;
        field = strtok_r(NULL, " \n", &rest);
    }
    CHECK(field == NULL);
    return true;
}

/* The error of a name such as "ERR_RANGE". */
static inline enum err table_err(const char *name)
{
    for (int err = OK; err < ERR_COUNT; err++) {
        if (strcmp(err_name((enum err)err), name) == 0) {
            return (enum err)err;
        }
    }
    fail_msg("no error is called %s", name);
    return ERR_COUNT;
}

#endif
