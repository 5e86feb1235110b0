#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

#define ERR_NAME(name, text) #name,
#define ERR_TEXT(name, text) text,

const char *err_name(enum err err)
{
    static const char *const names[] = {ERR_TABLE(ERR_NAME)};
    BUG_ON(err >= ERR_COUNT);
    return names[err];
}

const char *err_text(enum err err)
{
    static const char *const texts[] = {ERR_TABLE(ERR_TEXT)};
    BUG_ON(err >= ERR_COUNT);
    return texts[err];
}

void bug_abort(const char *file, int line, const char *condition)
{
    fprintf(stderr, "cairn: bug at %s:%d: %s\n", file, line, condition);
    abort();
}
