/* Whether the headers of a request say beyond doubt where it ends (RFC 9112, 6 and 11.2): what a
 * proxy and this server could read differently is refused. */
#ifndef CAIRN_HTTP_FRAMING_H
#define CAIRN_HTTP_FRAMING_H

#include "base/bytes.h"

struct framing {
    bool bad;        /* not a field name, a field value with control characters, two lengths, ... */
    bool chunked;    /* a body without a length */
    bool has_length; /* Content-Length was there */
    uint64_t length; /* its value */
    size_t names_len; /* of all names and values together */
};

/* Takes one header; `framing` begins zeroed. */
void framing_header(struct framing *framing, const char *name, const char *value);
/* Called after the last of them. */
void framing_end(struct framing *framing, bool is_http_1_1);
/* Whether there is a body. */
bool framing_has_body(const struct framing *framing);

#endif
