/* Handlers of POST /v1/statements and POST /v1/batches. */
#ifndef CAIRN_HTTP_SUBMIT_H
#define CAIRN_HTTP_SUBMIT_H

#include "http/server.h"

route_fn post_statements;
stream_fn stream_batch;
route_fn post_batch;

#endif
