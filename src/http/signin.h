/* Sign-in: sessions are opened by a signed statement, listed and ended (protocol.md 2, Session). */
#ifndef CAIRN_HTTP_SIGNIN_H
#define CAIRN_HTTP_SIGNIN_H

#include "http/server.h"
#include "proof/session.h"

route_fn post_session;   /* POST /v1/sessions */
route_fn get_sessions;   /* GET /v1/sessions */
route_fn delete_session; /* DELETE /v1/sessions/{id} */

/* Whether a session statement counts now: signed after the node started at `started_ms` (and a
 * little more, as far as clocks may be ahead), not ahead of its clock, not expired. ERR_EXPIRED;
 * ERR_BUSY where the node has just started; `why` says which. */
must_use enum err sign_in_time_check(const struct session_statement *statement, uint64_t started_ms,
                                     uint64_t now_ms, struct why *why);

#endif
