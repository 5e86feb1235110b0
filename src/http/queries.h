/* Handlers about the ledger itself: head, blocks, state, members, health. */
#ifndef CAIRN_HTTP_QUERIES_H
#define CAIRN_HTTP_QUERIES_H

#include "http/server.h"

#define BLOCK_TYPES "application/json, application/cbor"

route_fn get_ledger;       /* /v1/ledger */
route_fn get_block;        /* /v1/blocks/{height} */
route_fn get_state;        /* /v1/state/{module}/{key} */
route_fn get_members;      /* /v1/members */
route_fn get_member;       /* /v1/members/{id} */
route_fn get_key;          /* /v1/keys/{kid} */
route_fn get_trust_update; /* /v1/trust-update */
route_fn get_openapi;      /* /openapi.yaml */

#endif
