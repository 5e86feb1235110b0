/* The routes of a node (docs/openapi.yaml). A handler parses, makes one call and renders. */
#ifndef CAIRN_HTTP_API_H
#define CAIRN_HTTP_API_H

#include "http/server.h"
#include "node/node.h"

/* Ends with a NULL method; their context is the node. */
extern const struct route api_routes[];

#endif
