/* Which route a path belongs to, and which methods it has. */
#ifndef CAIRN_HTTP_ROUTE_H
#define CAIRN_HTTP_ROUTE_H

#include "http/server.h"

#define ROUTE_PARTS_MAX 4

struct route_match {
    const struct route *route; /* NULL: none */
    /* What the braces of its pattern took; borrowed from the path, which was cut there. */
    const char *parts[ROUTE_PARTS_MAX];
    /* The methods of the path, for an Allow header; empty if no pattern is like it. */
    char allow[64];
};

/* Matches the path, which was percent-decoded and is cut into its parts where a route is found.
 * HEAD is served as GET. `routes` ends with a NULL method. */
void route_find(struct route_match *out, const struct route *routes, const char *method,
                char *path);

#endif
