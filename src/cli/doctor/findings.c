#include "cli/doctor/findings.h"

#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {"ok", "note", "warn", "error"};

void findings_init(struct findings *findings)
{
    *findings = (struct findings){.list = json_array()};
}

void findings_clear(struct findings *findings)
{
    json_decref(findings->list);
    findings->list = NULL;
}

void finding(struct findings *findings, enum severity severity, const char *check,
             const char *remedy, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *one = json_object();
    json_object_set_new(one, "severity", json_string(names[severity]));
    json_object_set_new(one, "check", json_string(check));
    json_object_set_new(one, "finding", json_text(bytes_text(text)));
    json_object_set_new(one, "remedy", remedy ? json_text(bytes_text(remedy)) : json_null());
    json_array_append_new(findings->list, one);
    findings->worst = severity > findings->worst ? severity : findings->worst;
}

void finding_why(struct findings *findings, enum severity severity, const char *check, enum err err,
                 const struct why *why)
{
    finding(findings, severity, check, why->remedy[0] ? why->remedy : NULL, "%s%s%s%s %s",
            why->field, why->value[0] ? " '" : "", why->value, why->value[0] ? "'" : "",
            why->problem[0] ? why->problem : err_text(err));
}

static void print_one(const json_t *one)
{
    const char *severity = json_member(one, "severity");
    const char *remedy = json_member(one, "remedy");
    enum colour colour = severity[0] == 'o'   ? COLOUR_GOOD
                         : severity[0] == 'n' ? COLOUR_DIM
                                              : COLOUR_BAD;
    put_coloured(stdout, colour, severity);
    printf("%*s", 7 - (int)strlen(severity), "");
    printf("%-12s ", json_member(one, "check"));
    put_coloured(stdout, COLOUR_NONE, json_member(one, "finding"));
    fputc('\n', stdout);
    if (remedy[0]) {
        printf("%20s", "");
        put_coloured(stdout, COLOUR_NONE, remedy);
        fputc('\n', stdout);
    }
}

void findings_print(struct findings *findings, bool json)
{
    size_t i;
    json_t *one;
    if (json) {
        put_json(
            json_pack("{s:s, s:O}", "worst", names[findings->worst], "findings", findings->list));
    } else {
        json_array_foreach(findings->list, i, one)
        {
            print_one(one);
        }
    }
    findings_clear(findings);
}
