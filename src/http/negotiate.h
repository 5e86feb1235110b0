/* Media types of requests and answers (RFC 9110, 8.3 and 12.5.1). Lists of ours are texts,
 * "application/json, application/cbor": lower case, without parameters, the one that is given to
 * who has no wish first. */
#ifndef CAIRN_HTTP_NEGOTIATE_H
#define CAIRN_HTTP_NEGOTIATE_H

#include "http/server.h"

/* The number in the list of the type that an Accept header (NULL or "": everything) likes best, -1
 * if it takes none of them. Parameters but q are not compared. */
int accept_choose(const char *accept, const char *list);
/* Whether a Content-Type (NULL: there is none, which is taken for the right one) is in the list. */
bool type_listed(const char *content_type, const char *list);

/* Handler only: the same for a request, whose Accept headers count together. `list` is what the
 * route produces. */
int exchange_choose(const struct exchange *exchange, const char *list);

#endif
