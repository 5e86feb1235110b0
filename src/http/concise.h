/* Problem documents in CBOR, for the paths of SCRAPI: RFC 9290, whose entry 7807 carries what a
 * document of RFC 9457 has beside title and detail. */
#ifndef CAIRN_HTTP_CONCISE_H
#define CAIRN_HTTP_CONCISE_H

#include "base/bytes.h"

#define CONCISE_TYPE "application/concise-problem-details+cbor"

/* Texts are UTF-8; an empty one is left out. */
struct concise {
    unsigned status; /* HTTP */
    const char *type;
    const char *title;
    const char *detail;
    const char *field;
    const char *value;
    const char *problem;
    const char *remedy;
};

/* Whether errors of this path are told so: /entries and /.well-known/scitt-keys, and below them. */
bool concise_path(const char *path);
void concise_write(struct buf *out, const struct concise *concise);

#endif
