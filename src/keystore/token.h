/* A token: module, slot and one session that is logged in. */
#ifndef CAIRN_KEYSTORE_TOKEN_H
#define CAIRN_KEYSTORE_TOKEN_H

#include "keystore/uri.h"

struct token {
    CK_FUNCTION_LIST **configured; /* p11-kit's modules, or NULL */
    CK_FUNCTION_LIST *loaded;      /* the module of module-path, or NULL */
    CK_FUNCTION_LIST *module;      /* the one that the token is of; NULL: no token is open */
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session; /* 0: none */
    char name[96];             /* "court (serial 0a1b, slot 7)", for messages */
};

/* Finds the one token that the URI fits. ERR_NOT_FOUND, ERR_EXISTS if there are several, ERR_IO.
 * To be closed in any case. */
must_use enum err token_find(struct token *token, P11KitUri *uri, struct why *why);
/* Begins a session. ERR_IO. */
must_use enum err token_begin(struct token *token, bool writable, struct why *why);
/* Whether a session needs a PIN from us: not if there is no login, or one at the device itself. */
bool token_needs_pin(const struct token *token);
/* Logs in, which counts for all sessions of this program; `pin` is ignored where the device asks
 * itself. ERR_PASSPHRASE: refused, locked, or one try left, which is not risked. ERR_IO. */
must_use enum err token_login(struct token *token, const char *pin, struct why *why);
/* Ends the session, releases modules. */
void token_close(struct token *token);

/* Fills `why` for a call that the token refused. Returns `err`. */
enum err token_failed(const struct token *token, enum err err, CK_RV rv, const char *doing,
                      struct why *why);

#endif
