/* How a client shows who it is: requests signed with a key (RFC 9421), or a session's token where a
 * write asks for one. */
#ifndef CAIRN_CLI_CLIENT_AUTH_H
#define CAIRN_CLI_CLIENT_AUTH_H

#include "cli/args.h"
#include "crypto/signer.h"

#include <curl/curl.h>

struct client_auth {
    const struct args *args;
    const char *path;            /* of the key, or NULL */
    struct signer *own;          /* opened from there */
    const struct signer *signer; /* that one or a borrowed one; NULL while there is none */
    bool signs;                  /* requests are signed from now on */
    char token[48];              /* of a session, or empty */
};

/* Takes --key, if the verb has it and it was given, or CAIRN_KEY. It is opened, and signs, once the
 * ledger asks for it. */
void client_auth_init(struct client_auth *auth, const struct args *args);
void client_auth_clear(struct client_auth *auth);
/* Whether there is a key to sign with; opens its file at the first time. ERR_NOT_FOUND if there is
 * none, errors of key_open. */
must_use enum err client_auth_open(struct client_auth *auth, struct why *why);

/* The origin of a URL as protocol.md 2 writes it: scheme and host in lower case, without the
 * scheme's own port and without a path. */
void url_origin(struct buf *out, const char *url);

/* Adds the fields that show who asks: Authorization with a token, else the three of a signature
 * where requests are signed. Errors of client_auth_open and signer_sign. */
must_use enum err client_auth_fields(struct client_auth *auth, struct curl_slist **headers,
                                     const char *server, const char *method, const char *target,
                                     struct bytes body);

#endif
