/* What the files of access share: access.c and signin.c. */
#ifndef CAIRN_HTTP_ACCESS_INTERNAL_H
#define CAIRN_HTTP_ACCESS_INTERNAL_H

#include "http/nonces.h"
#include "http/readers.h"
#include "http/sessions.h"
#include "proof/session.h"

#include <stdatomic.h>

/* A browser sends it only to the very server that set it, by TLS, and shows it to no script. */
#define ACCESS_COOKIE "__Host-cairn-session"

/* How far a client's clock may be ahead. What was signed for a moment so far ahead may have been
 * used before the node started anew and forgot it, so that for as long nobody signs in. */
#define SIGN_IN_AHEAD_MS 2000u

/* As long as a statement or signature may count: five minutes and what a clock is ahead; a minute
 * either way. */
#define SIGN_IN_NONCE_KEEP_MS (SESSION_VALID_MAX_MS + SIGN_IN_AHEAD_MS + 1000u)
#define SIGN_IN_NONCES_MAX    ((size_t)1 << 16)
#define REQUEST_NONCE_KEEP_MS 122000u
#define REQUEST_NONCES_MAX    ((size_t)1 << 20)

#define OWN_ORIGINS_MAX 2

/* Never changes; the next one replaces it. */
struct policy {
    struct policy *previous; /* requests under way may still look at it */
    enum read_policy read;
    enum watch_policy watch;
    struct reading_roles roles;
};

struct access {
    struct node *node;
    _Atomic(struct policy *) policy;
    uint64_t started_ms; /* by the wall clock: what was signed before does not count */
    struct nonces *session_nonces;
    struct nonces *request_nonces;
    struct sessions *sessions;
    bool own_origin; /* configured, not guessed from the socket */
    char origins[OWN_ORIGINS_MAX][ORIGIN_MAX + 1];
    atomic_size_t origin_count; /* set last: the ones before stay as they are */
};

/* Finds a key's member and what it may read. ERR_SIGN_IN where that is nothing. */
must_use enum err access_judge(struct access *access, struct reader *reader, struct reader_key *key,
                               const struct hash *kid, struct why *why);
bool access_is_own_origin(const struct access *access, struct bytes origin);
/* Whether clients reach the server by TLS. */
bool access_is_secure(const struct access *access);

#endif
