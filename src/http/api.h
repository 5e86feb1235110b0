/* The routes of a node (docs/openapi.yaml). A handler parses, makes one call and renders. */
#ifndef CAIRN_HTTP_API_H
#define CAIRN_HTTP_API_H

#include "http/access.h"
#include "http/server.h"
#include "node/node.h"

#include <stdatomic.h>

struct events; /* http/events.h */

/* What the handlers and the guard work on: the context of every route. */
struct api {
    struct node *node;
    struct access *access;
    struct events *events;
    atomic_bool draining; /* the program was told to stop: /readyz says so */
};

static inline struct node *api_node(void *context)
{
    return ((struct api *)context)->node;
}

static inline struct access *api_access(void *context)
{
    return ((struct api *)context)->access;
}

/* Ends with a NULL method. */
extern const struct route api_routes[];

#endif
