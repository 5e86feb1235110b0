#include "cli/names.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_MAX 100000u

static void name_add(struct names *out, const char *name)
{
    if ((out->count & (out->count + 1)) == 0) {
        out->at = mem_realloc(out->at, (2 * out->count + 2) * sizeof *out->at);
    }
    out->at[out->count++] = name;
}

static enum err list_read(struct names *out, const char *path, struct why *why)
{
    struct buf text = {0};
    TRY(file_read(&text, path, LIST_MAX, why));
    buf_put_byte(&text, 0);
    out->texts = mem_realloc(out->texts, (out->text_count + 1) * sizeof *out->texts);
    out->texts[out->text_count++] = (char *)text.at;
    char *line = (char *)text.at;
    if (strlen(line) + 1 != text.len) {
        return why_say(why, ERR_FORMAT, "list", path, "holds a zero byte",
                       "A list has one file name a line.");
    }
    while (*line) {
        char *end = strchrnul(line, '\n');
        bool last = *end == 0;
        *end = 0;
        if (*line) {
            name_add(out, line);
        }
        line = last ? end : end + 1;
    }
    return OK;
}

enum err names_read(struct names *out, char *const *operands, size_t count, struct why *why)
{
    *out = (struct names){0};
    for (size_t i = 0; i < count; i++) {
        if (operands[i][0] == '@') {
            TRY(list_read(out, operands[i] + 1, why));
        } else {
            name_add(out, operands[i]);
        }
    }
    if (out->count == 0) {
        return why_say(why, ERR_RANGE, "files", NULL, "are none", "Name at least one file.");
    }
    return OK;
}

void names_clear(struct names *names)
{
    for (size_t i = 0; i < names->text_count; i++) {
        free(names->texts[i]);
    }
    free(names->texts);
    free(names->at);
    *names = (struct names){0};
}

enum err fresh_write(char **path, const char *base, const char *ending, struct bytes bytes,
                     mode_t mode, struct why *why)
{
    size_t cap = strlen(base) + strlen(ending) + 16;
    *path = mem_alloc(cap);
    enum err err = ERR_EXISTS;
    for (unsigned i = 1; err == ERR_EXISTS && i < FRESH_MAX; i++) {
        if (i == 1) {
            snprintf(*path, cap, "%s.%s", base, ending);
        } else {
            snprintf(*path, cap, "%s.%u.%s", base, i, ending);
        }
        err = file_create(*path, bytes, mode, why);
    }
    if (err != OK) {
        free(*path);
        *path = NULL;
    }
    return err;
}

char *beside(const char *dir, const char *path)
{
    const char *slash = strrchr(path, '/');
    return dir ? path_join(dir, slash ? slash + 1 : path) : mem_strdup(path);
}
