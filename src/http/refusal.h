/* What the server refuses by itself, before or beside the handlers: status and problem document of
 * each (RFC 9457). */
#ifndef CAIRN_HTTP_REFUSAL_H
#define CAIRN_HTTP_REFUSAL_H

#include "base/bytes.h"

/* Number, status, type, value of the label in the metrics, field, problem, remedy. The last is
 * counted alone: the library answers what it can't read. */
#define REFUSAL_TABLE(X)                                                                           \
    X(REFUSE_PATH, 404, "not-found", "path", "path", "is none of this node",                       \
      "GET /openapi.yaml lists every path.")                                                       \
    X(REFUSE_METHOD, 405, "method", "method", "method", "is none of this path",                    \
      "Use one that the Allow header names.")                                                      \
    X(REFUSE_ACCEPT, 406, "not-acceptable", "accept", "accept",                                    \
      "names no form that this path has",                                                          \
      "GET /openapi.yaml says what each path gives; Accept: */* takes what there is.")             \
    X(REFUSE_TYPE, 415, "media-type", "media_type", "content-type",                                \
      "is none that this path takes", "GET /openapi.yaml says what each path takes.")              \
    X(REFUSE_LONG_PATH, 414, "range", "long_path", "path", "is longer than 2,048 bytes",           \
      "GET /openapi.yaml lists every path.")                                                       \
    X(REFUSE_HEADER, 431, "range", "header", "header", "is larger than the server takes",          \
      "Send fewer or shorter header fields.")                                                      \
    X(REFUSE_FRAMING, 400, "format", "framing", "header", "leaves open where the request ends",    \
      "Send one Content-Length, or Transfer-Encoding: chunked, and field names without spaces.")   \
    X(REFUSE_BODY, 413, "range", "body", "body", "is larger than this path takes",                 \
      "Send it in smaller parts; GET /openapi.yaml says how much each path takes.")                \
    X(REFUSE_CHUNKED, 413, "range", "chunked", "body", "is too large to come without a length",    \
      "Send a Content-Length.")                                                                    \
    X(REFUSE_MEMORY, 503, "busy", "memory", "body",                                                \
      "has no room beside those that others are sending", "Send it again in a moment.")            \
    X(REFUSE_ANSWER, 503, "busy", "answer", "answer", "has no room beside those that others read", \
      "Ask again in a moment.")                                                                    \
    X(REFUSE_SLOW_HEADER, 408, "timeout", "slow_header", "header", "came too slowly",              \
      "Send the whole of it at once.")                                                             \
    X(REFUSE_SLOW_BODY, 408, "timeout", "slow_body", "body", "came too slowly",                    \
      "Send at least 16 KiB a second, or smaller parts.")                                          \
    X(REFUSE_SLOW_READER, 408, "timeout", "slow_reader", "answer", "was read too slowly",          \
      "Read at least 16 KiB a second.")                                                            \
    X(REFUSE_ADDRESS, 429, "too-many", "address", "connections", "are too many from one address",  \
      "Use fewer connections; each serves any number of requests.")                                \
    X(REFUSE_RATE, 429, "too-many", "rate", "requests", "come too often",                          \
      "Wait as long as the Retry-After header says.")                                              \
    X(REFUSE_CONNECTIONS, 503, "busy", "connections", "connections",                               \
      "are as many as the server has", "Try again in a moment.")                                   \
    X(REFUSE_STREAMS, 503, "busy", "streams", "streams", "are as many as the server has",          \
      "Try again later, or ask from time to time instead.")                                        \
    X(REFUSE_LATE, 504, "timeout", "late", "answer", "took too long",                              \
      "Ask again; what was submitted may be sent again safely.")                                   \
    X(REFUSE_STOPPING, 503, "closed", "stopping", "server", "is stopping",                         \
      "Try again once it runs again; what was submitted may be sent again safely.")                \
    X(REFUSE_MALFORMED, 400, "format", "malformed", "request", "is no HTTP request",               \
      "Send a request line and header fields as RFC 9112 has them.")

#define REFUSAL_NAME(name, ...) name,
enum refusal { REFUSAL_TABLE(REFUSAL_NAME) REFUSAL_COUNT };

unsigned refusal_status(enum refusal refusal);
/* "not-found": the end of its type, and the name of its page. */
const char *refusal_type(enum refusal refusal);
/* Seconds for a Retry-After header; 0: none. */
unsigned refusal_retry_after_s(enum refusal refusal);
/* Its value of the label "reason". */
const char *refusal_reason(enum refusal refusal);
/* Appends the document; the second one in CBOR (http/concise.h). */
void refusal_write(struct buf *out, enum refusal refusal);
void refusal_write_concise(struct buf *out, enum refusal refusal);

#endif
