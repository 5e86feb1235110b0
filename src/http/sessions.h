/* Sessions: who signed in, for how long. The server keeps only the SHA-256 of a token, so that what
 * it holds can't be used to read. A session says which key signed in and nothing else: what that
 * key may do is judged anew at each request (readers.h).
 *
 * Bounded, in all and per key. Thread-safe. Time is any clock that never runs backwards, in
 * milliseconds. */
#ifndef CAIRN_HTTP_SESSIONS_H
#define CAIRN_HTTP_SESSIONS_H

#include "base/bytes.h"
#include "base/why.h"
#include "proof/id.h"

#define SESSION_LIFE_MS   900000u
#define SESSION_ID_LEN    8
#define SESSION_TOKEN_LEN 32

struct sessions;

struct sessions_limits {
    size_t max;         /* 0 = 16,384 */
    size_t max_per_key; /* 0 = 16 */
    uint64_t life_ms;   /* 0 = SESSION_LIFE_MS */
};

struct session {
    uint8_t id[SESSION_ID_LEN]; /* random; names it to its owner and to operators */
    struct hash kid;
    char member[MEMBER_ID_MAX + 1]; /* whose key it is, for ever */
    uint64_t ends_ms;
};

struct sessions *sessions_new(const struct sessions_limits *limits);
void sessions_free(struct sessions *sessions);

/* Opens a session for the key and member of *session, fills in the rest of it, and writes its
 * token, which the caller hands out and wipes. ERR_BUSY; `why` says which bound was met. */
must_use enum err sessions_open(struct sessions *sessions, struct session *session, uint64_t now_ms,
                                uint8_t *token32, struct why *why);
/* The session of a token, unless it ended. */
bool sessions_find(struct sessions *sessions, const uint8_t *token32, uint64_t now_ms,
                   struct session *out);
/* Copies up to `cap` sessions, those of one member or (NULL) of all, oldest first; returns how
 * many. */
size_t sessions_list(struct sessions *sessions, const char *member, uint64_t now_ms,
                     struct session *out, size_t cap);
/* Ends a session, if it is of the member or `member` is NULL. ERR_NOT_FOUND. */
must_use enum err sessions_end(struct sessions *sessions, const uint8_t *id, const char *member,
                               uint64_t now_ms);

#endif
