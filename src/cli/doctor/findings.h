/* What a check found: how bad it is, what it is about, and what to do. */
#ifndef CAIRN_CLI_DOCTOR_FINDINGS_H
#define CAIRN_CLI_DOCTOR_FINDINGS_H

#include "base/why.h"

#include <jansson.h>

enum severity {
    FINDING_OK,   /* looked at, and good */
    FINDING_NOTE, /* worth knowing; nothing to do, or nothing that could be looked at */
    FINDING_WARN, /* to be done this week */
    FINDING_ERROR /* to be done now */
};

struct findings {
    json_t *list; /* objects: severity, check, finding, remedy */
    enum severity worst;
};

void findings_init(struct findings *findings);
void findings_clear(struct findings *findings);
/* Adds one. `check` is one of the words that the manual lists; `remedy` a sentence, NULL where
 * there is nothing to do. */
void finding(struct findings *findings, enum severity severity, const char *check,
             const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Adds what `why` says. */
void finding_why(struct findings *findings, enum severity severity, const char *check, enum err err,
                 const struct why *why);
/* Prints them, for a person or as JSON; takes the list over. */
void findings_print(struct findings *findings, bool json);

#endif
