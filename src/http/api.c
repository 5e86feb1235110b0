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
#define JSON         "application/json"
#define TEXT         "text/plain"
#define OCTETS       "application/octet-stream"
#define PROOF        "application/vnd.cairn.proof+cose"
#define JSON_MAX     ((size_t)128 << 10)

const struct route api_routes[] = {
    {"POST", "/v1/statements", post_statements, SEQUENCE_MAX, NULL, ROUTE_WRITE, JSON,
     "application/cbor-seq, application/cose"},
    {"POST", "/v1/batches", post_batch, BATCH_MAX, stream_batch, ROUTE_WRITE, JSON,
     "application/cbor-seq"},
    {"GET", "/v1/evidence", get_evidence_query, 0, NULL, ROUTE_DEPOSIT, JSON, NULL},
    {"GET", "/v1/evidence/{id}", get_evidence, 0, NULL, ROUTE_DEPOSIT, JSON, NULL},
    {"POST", "/v1/digests", post_digests, JSON_MAX, NULL, ROUTE_DEPOSIT, JSON, JSON},
    {"GET", "/v1/statements/{id}", get_statement, 0, NULL, ROUTE_DEPOSIT, "application/cose", NULL},
    {"GET", "/v1/statements/{id}/items", get_statement_items, 0, NULL, ROUTE_DEPOSIT,
     "application/cbor-seq", NULL},
    {"GET", "/v1/proofs/{id}", get_shared_proof, 0, NULL, ROUTE_DEPOSIT, PROOF, NULL},
    {"GET", "/v1/proofs/{id}/{number}", get_proof, 0, NULL, ROUTE_DEPOSIT, PROOF, NULL},
    {"GET", "/v1/ledger", get_ledger, 0, NULL, ROUTE_DEPOSIT, JSON, NULL},
    {"GET", "/v1/trust-update", get_trust_update, 0, NULL, ROUTE_DEPOSIT,
     "application/vnd.cairn.trust-update+cbor", NULL},
    {"GET", "/v1/state/{module}/{key}", get_state, 0, NULL, ROUTE_READ,
     "application/vnd.cairn.state+cbor", NULL},
    {"GET", "/v1/blocks/{height}", get_block, 0, NULL, ROUTE_READ, BLOCK_TYPES, NULL},
    {"GET", "/v1/blocks/{height}/notes", get_block_notes, 0, NULL, ROUTE_READ, TEXT, NULL},
    {"GET", "/v1/members", get_members, 0, NULL, ROUTE_READ, JSON, NULL},
    {"GET", "/v1/members/{id}", get_member, 0, NULL, ROUTE_DEPOSIT, JSON, NULL},
    {"GET", "/v1/keys/{kid}", get_key, 0, NULL, ROUTE_DEPOSIT, JSON, NULL},
    {"GET", "/tlog/checkpoint", get_checkpoint, 0, NULL, ROUTE_READ, TEXT, NULL},
    {"GET", "/tlog/tile/entries/{tile...}", get_entry_bundle, 0, NULL, ROUTE_ALL, OCTETS, NULL},
    {"GET", "/tlog/tile/{level}/{tile...}", get_tile, 0, NULL, ROUTE_ALL, OCTETS, NULL},
    {"POST", "/v1/sessions", post_session, SESSION_STATEMENT_MAX, NULL, ROUTE_OPEN, JSON,
     "application/cose"},
    {"GET", "/v1/sessions", get_sessions, 0, NULL, ROUTE_OPEN, JSON, NULL},
    {"DELETE", "/v1/sessions/{id}", delete_session, 0, NULL, ROUTE_OPEN, NULL, NULL},
    {"GET", "/healthz", get_health, 0, NULL, ROUTE_OPEN, JSON, NULL},
    {"GET", "/readyz", get_ready, 0, NULL, ROUTE_OPEN, JSON, NULL},
    {"GET", "/metrics", get_metrics, 0, NULL, ROUTE_WATCH, TEXT, NULL},
    {"GET", "/openapi.yaml", get_openapi, 0, NULL, ROUTE_OPEN, "application/yaml", NULL},
    {"POST", "/entries", post_entry, BATCH_MAX, NULL, ROUTE_WRITE, SCITT_TYPES,
     "application/cose, application/scitt-statement+cose"},
    {"GET", "/entries/{id}", get_entry, 0, NULL, ROUTE_DEPOSIT, SCITT_TYPES, NULL},
    {"GET", "/.well-known/scitt-keys", get_scitt_keys, 0, NULL, ROUTE_OPEN, "application/cbor",
     NULL},
    {"GET", "/.well-known/scitt-keys/{kid}", get_scitt_key, 0, NULL, ROUTE_OPEN, "application/cbor",
     NULL},
    {"GET", "/problems", get_problems, 0, NULL, ROUTE_OPEN, PROBLEM_TYPES, NULL},
    {"GET", "/problems/{name}", get_problem, 0, NULL, ROUTE_OPEN, PROBLEM_TYPES, NULL},
    {"GET", "/v1/events", get_events, 0, NULL, ROUTE_READ, "text/event-stream", NULL},
    {NULL, NULL, NULL, 0, NULL, ROUTE_OPEN},
};
