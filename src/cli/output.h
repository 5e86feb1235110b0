/* What the program says: exit status, errors, colours, JSON. */
#ifndef CAIRN_CLI_OUTPUT_H
#define CAIRN_CLI_OUTPUT_H

#include "base/bytes.h"
#include "base/why.h"

#include <jansson.h>
#include <stdio.h>

/* Exit status of every verb. */
enum status {
    STATUS_OK = 0,
    STATUS_REFUSED = 1, /* the ledger or a rule said no, or a check fails */
    STATUS_UNUSABLE = 2 /* command line, unreadable or unwritable file, ledger unreachable */
};

/* Prints "error: FIELD 'VALUE' problem. Remedy." to stderr and returns the exit status that fits
 * the code. */
int fail(enum err err, const struct why *why);
/* STATUS_REFUSED or STATUS_UNUSABLE, by code. */
enum status status_of(enum err err);

/* Whether colours and progress may be shown on this stream: a terminal, NO_COLOR unset. */
bool colour_wanted(FILE *stream);
enum colour { COLOUR_GOOD, COLOUR_BAD, COLOUR_DIM, COLOUR_NONE };
/* Writes text in a colour where that is wanted; text from outside has its control characters
 * shown as '?', so that it can't drive the terminal. */
void put_coloured(FILE *stream, enum colour colour, const char *text);

/* Prints indented JSON and a newline to stdout, and releases it. */
void put_json(json_t *json);
/* New string of JSON: lower-case hex. */
json_t *json_hex(struct bytes bytes);
/* New string of JSON from bytes that are checked UTF-8. */
json_t *json_text(struct bytes bytes);
/* The text of a member, or "" where it is absent, null or something else; borrows. */
const char *json_member(const json_t *object, const char *key);

#endif
