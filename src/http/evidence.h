/* Handlers that find evidence and prove it. */
#ifndef CAIRN_HTTP_EVIDENCE_H
#define CAIRN_HTTP_EVIDENCE_H

#include "http/server.h"

route_fn get_evidence;        /* /v1/evidence/{id} */
route_fn get_evidence_query;  /* /v1/evidence?sha256= */
route_fn post_digests;        /* /v1/digests */
route_fn get_statement;       /* /v1/statements/{id} */
route_fn get_statement_items; /* /v1/statements/{id}/items */
route_fn get_proof;           /* /v1/proofs/{id}/{number} */
route_fn get_shared_proof;    /* /v1/proofs/{id} */

#endif
