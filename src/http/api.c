#include "http/api.h"

#include "http/events.h"
#include "http/evidence.h"
#include "http/problems.h"
#include "http/queries.h"
#include "http/scitt.h"
#include "http/signin.h"
#include "http/submit.h"
#include "http/tlog.h"
#include "http/watch.h"

#define SEQUENCE_MAX ((size_t)32 << 20)
#define BATCH_MAX    (BATCH_BYTES_MAX + ENTRY_MAX)
#define JSON_MAX     ((size_t)128 << 10)

const struct route api_routes[] = {
    {"POST", "/v1/statements", post_statements, SEQUENCE_MAX, NULL, ROUTE_WRITE},
    {"POST", "/v1/batches", post_batch, BATCH_MAX, stream_batch, ROUTE_WRITE},
    {"GET", "/v1/evidence", get_evidence_query, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/evidence/{id}", get_evidence, 0, NULL, ROUTE_DEPOSIT},
    {"POST", "/v1/digests", post_digests, JSON_MAX, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/statements/{id}", get_statement, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/statements/{id}/items", get_statement_items, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/proofs/{id}", get_shared_proof, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/proofs/{id}/{number}", get_proof, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/ledger", get_ledger, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/trust-update", get_trust_update, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/state/{module}/{key}", get_state, 0, NULL, ROUTE_READ},
    {"GET", "/v1/blocks/{height}", get_block, 0, NULL, ROUTE_READ},
    {"GET", "/v1/blocks/{height}/notes", get_block_notes, 0, NULL, ROUTE_READ},
    {"GET", "/v1/members", get_members, 0, NULL, ROUTE_READ},
    {"GET", "/v1/members/{id}", get_member, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/v1/keys/{kid}", get_key, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/tlog/checkpoint", get_checkpoint, 0, NULL, ROUTE_READ},
    {"GET", "/tlog/tile/entries/{tile...}", get_entry_bundle, 0, NULL, ROUTE_ALL},
    {"GET", "/tlog/tile/{level}/{tile...}", get_tile, 0, NULL, ROUTE_ALL},
    {"POST", "/v1/sessions", post_session, SESSION_STATEMENT_MAX, NULL, ROUTE_OPEN},
    {"GET", "/v1/sessions", get_sessions, 0, NULL, ROUTE_OPEN},
    {"DELETE", "/v1/sessions/{id}", delete_session, 0, NULL, ROUTE_OPEN},
    {"GET", "/healthz", get_health, 0, NULL, ROUTE_OPEN},
    {"GET", "/readyz", get_ready, 0, NULL, ROUTE_OPEN},
    {"GET", "/metrics", get_metrics, 0, NULL, ROUTE_WATCH},
    {"GET", "/openapi.yaml", get_openapi, 0, NULL, ROUTE_OPEN},
    {"POST", "/entries", post_entry, BATCH_MAX, NULL, ROUTE_WRITE},
    {"GET", "/entries/{id}", get_entry, 0, NULL, ROUTE_DEPOSIT},
    {"GET", "/.well-known/scitt-keys", get_scitt_keys, 0, NULL, ROUTE_OPEN},
    {"GET", "/.well-known/scitt-keys/{kid}", get_scitt_key, 0, NULL, ROUTE_OPEN},
    {"GET", "/problems", get_problems, 0, NULL, ROUTE_OPEN},
    {"GET", "/problems/{name}", get_problem, 0, NULL, ROUTE_OPEN},
    {"GET", "/v1/events", get_events, 0, NULL, ROUTE_READ},
    {NULL, NULL, NULL, 0, NULL, ROUTE_OPEN},
};
