#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void copy_text(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text ? text : "");
}

enum err why_say(struct why *why, enum err err, const char *field, const char *value,
                 const char *problem, const char *remedy)
{
    if (why) {
        copy_text(why->field, sizeof why->field, field);
        copy_text(why->value, sizeof why->value, value);
        copy_text(why->problem, sizeof why->problem, problem);
        copy_text(why->remedy, sizeof why->remedy, remedy);
    }
    return err;
}

enum err why_sayf(struct why *why, enum err err, const char *field, const char *problem,
                  const char *remedy, const char *value_format, ...)
{
    why_say(why, err, field, NULL, problem, remedy);
    if (why) {
        va_list arguments;
        va_start(arguments, value_format);
        vsnprintf(why->value, sizeof why->value, value_format, arguments);
        va_end(arguments);
    }
    return err;
}

void why_print(const struct why *why, enum err err, char *out, unsigned cap)
{
    snprintf(out, cap, "%s%s%s%s %s%s%s", why->field, why->value[0] ? " '" : "", why->value,
             why->value[0] ? "'" : "", why->problem[0] ? why->problem : err_text(err),
             why->remedy[0] ? ". " : "", why->remedy);
}
