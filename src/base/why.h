/* What went wrong, for a person: which field, which value, what to do about it. */
#ifndef CAIRN_BASE_WHY_H
#define CAIRN_BASE_WHY_H

#include "base/err.h"

/* Strings are NUL-terminated UTF-8 and cut to fit. `field` is a name from the format or the
 * command line, `value` what was found there (never a secret), `problem` a clause that follows
 * them, `remedy` a whole sentence. Any of them may be empty. */
struct why {
    char field[64];
    char value[128];
    char problem[192];
    char remedy[192];
};

/* Fills `why` (which may be NULL) and returns `err`, so that a refusal is one statement. Every
 * text but `field` is optional (NULL). */
enum err why_say(struct why *why, enum err err, const char *field, const char *value,
                 const char *problem, const char *remedy);

/* As why_say, the value being made from a printf format. */
enum err why_sayf(struct why *why, enum err err, const char *field, const char *problem,
                  const char *remedy, const char *value_format, ...)
    __attribute__((format(printf, 6, 7)));

/* Writes "field 'value' problem. remedy" with what is present, at most `cap` bytes with NUL. */
void why_print(const struct why *why, enum err err, char *out, unsigned cap);

#endif
