/* Entity tags and the conditional request (RFC 9110, 8.8.3 and 13.1.2). */
#ifndef CAIRN_HTTP_ETAG_H
#define CAIRN_HTTP_ETAG_H

#include "base/bytes.h"

#define ETAG_LEN 34 /* 32 hex digits in quotes */

/* Writes the strong tag of an answer: of content type and body. */
void etag_make(char out[ETAG_LEN + 1], const char *content_type, struct bytes body);
/* Whether an If-None-Match header (NULL: there is none) names the tag, compared weakly. What can't
 * be read names nothing. */
bool etag_listed(const char *if_none_match, const char *etag);

#endif
