/* Who may read what (protocol.md 8, Reading): the read policy, the guard that applies it to every
 * route, and the question that handlers ask about each deposit.
 *
 * A reader is a member whose key signed in (a session, sessions.h) or signed this request
 * (msgsig.h). It is judged against the newest head at each request: a key or member that has ended
 * reads nothing more. Writes need no reader; they are authorised by the signatures within.
 *
 *   public   everybody reads everything
 *   members  every member in force reads what the ledger is made of (blocks, members, keys); a
 *            deposit is there for those who take part in it, and for nobody else
 *   roles    deposits as with members; all the rest only for the roles of read_roles
 *
 * Members with one of read_roles read everything. Who takes part in a deposit: its signer's member
 * and the members of the same institution, its mandate's principal and the principal's institution
 * likewise, and a member that countersigned it. To others it is absent: they get the same answer as
 * for what was never there.
 *
 * Everything fails closed: an exchange that no guard saw has no reader and reads no deposit. */
#ifndef CAIRN_HTTP_ACCESS_H
#define CAIRN_HTTP_ACCESS_H

#include "http/server.h"
#include "node/node.h"
#include "proof/id.h"

enum read_policy { READ_PUBLIC, READ_MEMBERS, READ_ROLES };
/* Who may read figures of operation: programs on this machine, everybody, or members as well. */
enum watch_policy { WATCH_LOOPBACK, WATCH_PUBLIC, WATCH_MEMBERS };

/* Who asks, judged against the head of now. */
struct reader {
    bool known; /* a member; the rest is empty otherwise */
    char member[MEMBER_ID_MAX + 1];
    char institution[MEMBER_ID_MAX + 1]; /* the member it belongs to, or itself */
    struct hash kid;
    bool reads_all;   /* by policy or role */
    bool reads_frame; /* blocks, members, keys */
    bool is_operator; /* may see and end the sessions of others */
    bool by_session;
    uint8_t session[8]; /* the session's id, where one says who asks */
};

/* Sessions, nonces, policy. Thread-safe. */
struct access;

struct access_options {
    enum read_policy read;
    const char *read_roles; /* "court,auditor,operator"; NULL for just that */
    enum watch_policy watch;
    const char *origin; /* as clients see the server; NULL: wherever it listens, by http */
};

#define ACCESS_READ_ROLES "court,auditor,operator"

/* `node` outlives it. ERR_FORMAT for an origin that is none, or a role that there is not. */
must_use enum err access_new(struct access **out, struct node *node,
                             const struct access_options *options, struct why *why);
void access_free(struct access *access);
/* Takes another policy, roles and who may watch, from the next request on; the origin stays.
 * ERR_FORMAT, and all stays. Any thread. */
must_use enum err access_set_policy(struct access *access, const struct access_options *options,
                                    struct why *why);
/* Where the server listens, once its port is known: without an origin of its own it is
 * http://localhost:PORT and http://ADDRESS:PORT. */
void access_listening(struct access *access, const char *address, uint16_t port);

/* The server's guard (guard_fn); its context is the routes' (struct api). */
bool access_guard(void *context, struct exchange *exchange, enum route_access access);

/* Whether who asks may read that statement. Handlers of digests, evidence, statements, items,
 * proofs, entries and events ask; a refusal is answered as what isn't there. */
bool access_may_read(struct exchange *exchange, struct node *node, const struct node_found *found);
/* Whether who asks may read the records of a member: under `roles` only one's own and one's
 * institution's. */
bool access_reads_about(const struct exchange *exchange, struct bytes member);
/* Whether who asks reads everything: tiles, bundles of entries, state of other modules than
 * member. */
bool access_reads_all(const struct exchange *exchange);
/* Who asks, if it is a known member; NULL otherwise. */
const struct reader *access_member(const struct exchange *exchange);
/* As respond_problem (problem.h); with ERR_SIGN_IN the answer says how to sign in. */
void access_respond(struct exchange *exchange, const struct access *access, enum err err,
                    const struct why *why);

#endif
