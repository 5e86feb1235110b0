/* Handlers of SCRAPI (draft-ietf-scitt-scrapi), the interface that tools of RFC 9943 know. Errors
 * on these paths are concise problem details (http/concise.h). */
#ifndef CAIRN_HTTP_SCITT_H
#define CAIRN_HTTP_SCITT_H

#include "http/server.h"

#define SCITT_TYPES \
    "application/cose, application/scitt-receipt+cose, application/scitt-statement+cose"

route_fn post_entry;     /* POST /entries */
route_fn get_entry;      /* /entries/{id} */
route_fn get_scitt_keys; /* /.well-known/scitt-keys */
route_fn get_scitt_key;  /* /.well-known/scitt-keys/{kid} */

#endif
