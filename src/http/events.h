/* GET /v1/events: server-sent events (WHATWG HTML 9.2) of new blocks, and of a known reader's own
 * statements. A stream holds a place in the ledger and nothing else: what it tells is read from
 * there, so that a slow reader costs no memory and one that comes again goes on where it was. */
#ifndef CAIRN_HTTP_EVENTS_H
#define CAIRN_HTTP_EVENTS_H

#include "http/server.h"
#include "node/node.h"

/* At most so many blocks are told that happened before a stream began. */
#define EVENTS_REPLAY_MAX 10000u

struct events;

/* For a server of `loops` loops. Before it starts: watches the node. */
struct events *events_new(struct node *node, unsigned loops);
/* The server has started. */
void events_start(struct events *events, struct server *server);
/* Before the server is stopped: nothing is posted to it any more. */
void events_stop(struct events *events);
/* After the server was stopped, or did not start. */
void events_free(struct events *events);

route_fn get_events;

#endif
