#include "http/access.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/msgsig.h"
#include "codec/text.h"
#include "http/access_internal.h"
#include "http/api.h"
#include "http/concise.h"
#include "http/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Sessions are remembered in the server's time, which never steps. */
static uint64_t mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* ---- the object */

enum err access_set_policy(struct access *access, const struct access_options *options,
                           struct why *why)
{
    struct policy *policy = mem_zalloc(sizeof *policy);
    const char *roles = options->read_roles ? options->read_roles : ACCESS_READ_ROLES;
    enum err err = reading_roles_parse(&policy->roles, roles, why);
    if (err != OK) {
        free(policy);
        return err;
    }
    policy->read = options->read;
    policy->watch = options->watch;
    policy->previous = atomic_load(&access->policy);
    atomic_store(&access->policy, policy);
    return OK;
}

static enum err set_origin(struct access *access, const char *origin, struct why *why)
{
    if (!origin) {
        return OK;
    }
    if (!origin_ok(bytes_text(origin)) || strlen(origin) > ORIGIN_MAX) {
        return why_say(why, ERR_FORMAT, "origin", origin, "is no origin",
                       "Write it as https://ledger.example, without a path or the usual port.");
    }
    snprintf(access->origins[0], sizeof access->origins[0], "%s", origin);
    access->own_origin = true;
    atomic_store(&access->origin_count, 1);
    return OK;
}

enum err access_new(struct access **out, struct node *node, const struct access_options *options,
                    struct why *why)
{
    struct access *access = mem_zalloc(sizeof *access);
    access->node = node;
    access->started_ms = clock_wall_ms();
    access->session_nonces = nonces_new(SIGN_IN_NONCES_MAX, SIGN_IN_NONCE_KEEP_MS);
    access->request_nonces = nonces_new(REQUEST_NONCES_MAX, REQUEST_NONCE_KEEP_MS);
    access->sessions = sessions_new(&(struct sessions_limits){0});
    enum err err = access_set_policy(access, options, why);
    if (err == OK) {
        err = set_origin(access, options->origin, why);
    }
    if (err != OK) {
        access_free(access);
        access = NULL;
    }
    *out = access;
    return err;
}

void access_free(struct access *access)
{
    if (!access) {
        return;
    }
    struct policy *policy = atomic_load(&access->policy);
    while (policy) {
        struct policy *previous = policy->previous;
        free(policy);
        policy = previous;
    }
    nonces_free(access->session_nonces);
    nonces_free(access->request_nonces);
    sessions_free(access->sessions);
    free(access);
}

void access_listening(struct access *access, const char *address, uint16_t port)
{
    if (access->own_origin) {
        return;
    }
    bool v6 = strchr(address, ':') != NULL;
    char tail[8] = "";
    if (port != 80) {
        snprintf(tail, sizeof tail, ":%u", port);
    }
    snprintf(access->origins[0], sizeof access->origins[0], "http://localhost%s", tail);
    snprintf(access->origins[1], sizeof access->origins[1], "http://%s%s%s%s", v6 ? "[" : "",
             address, v6 ? "]" : "", tail);
    atomic_store(&access->origin_count, 2);
}

bool access_is_own_origin(const struct access *access, struct bytes origin)
{
    size_t count = atomic_load(&access->origin_count);
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(origin, bytes_text(access->origins[i]))) {
            return true;
        }
    }
    return false;
}

bool access_is_secure(const struct access *access)
{
    return access->own_origin && strncmp(access->origins[0], "https://", 8) == 0;
}

/* ---- header fields */

struct gather {
    const char *name;
    struct buf value; /* of all fields of the name, joined with commas */
    unsigned count;
};

static bool gather_one(void *context, const char *name, const char *value)
{
    struct gather *gather = context;
    if (strcasecmp(name, gather->name) != 0) {
        return true;
    }
    if (gather->count++ > 0) {
        buf_put(&gather->value, bytes_text(", "));
    }
    buf_put(&gather->value, bytes_text(value));
    return gather->value.len <= SF_LEN_MAX;
}

static struct gather gather_header(const struct exchange *exchange, const char *name)
{
    struct gather gather = {.name = name};
    exchange_headers(exchange, gather_one, &gather);
    return gather;
}

/* ---- sessions */

static enum err refuse(struct why *why, const char *field, const char *problem)
{
    return why_say(why, ERR_SIGN_IN, field, NULL, problem,
                   "Sign in again at POST /v1/sessions, or sign the request.");
}

/* The bytes of a token; false if the text is none. */
static bool token_read(uint8_t *token32, struct bytes text)
{
    struct buf bytes = {0};
    bool good = base64url_append(&bytes, text) == OK && bytes.len == SESSION_TOKEN_LEN;
    if (good) {
        memcpy(token32, bytes.at, SESSION_TOKEN_LEN);
    }
    buf_clear(&bytes);
    return good;
}

/* The token in Authorization: Bearer TOKEN, or in the cookie. */
static struct bytes token_text(const struct exchange *exchange)
{
    const char *authorization = exchange_header(exchange, "Authorization");
    if (authorization) {
        bool bearer = strncasecmp(authorization, "Bearer ", 7) == 0;
        return bytes_text(bearer ? authorization + 7 : "?");
    }
    const char *cookie = exchange_header(exchange, "Cookie");
    size_t name_len = strlen(ACCESS_COOKIE "=");
    while (cookie) {
        cookie += strspn(cookie, " ");
        if (strncmp(cookie, ACCESS_COOKIE "=", name_len) == 0) {
            cookie += name_len;
            return (struct bytes){(const uint8_t *)cookie, strcspn(cookie, "; ")};
        }
        cookie = strchr(cookie, ';');
        cookie = cookie ? cookie + 1 : NULL;
    }
    return BYTES_NONE;
}

enum err access_judge(struct access *access, struct reader *reader, struct reader_key *key,
                      const struct hash *kid, struct why *why)
{
    const struct policy *policy = atomic_load(&access->policy);
    struct view *view = node_view(access->node);
    enum err err = reader_judge(reader, key, view, kid, &policy->roles, why);
    view_release(view);
    reader->reads_all = reader->reads_all || policy->read == READ_PUBLIC;
    reader->reads_frame = reader->reads_all || policy->read == READ_MEMBERS;
    if (err == ERR_KEY) {
        return ERR_SIGN_IN; /* `why` is the key's */
    }
    return err;
}

static enum err by_session(struct access *access, struct reader *reader, struct bytes text,
                           struct why *why)
{
    uint8_t token[SESSION_TOKEN_LEN];
    struct session session;
    if (!token_read(token, text)) {
        return refuse(why, "authorization", "holds no session token");
    }
    bool found = sessions_find(access->sessions, token, mono_ms(), &session);
    wipe(token, sizeof token);
    if (!found) {
        return refuse(why, "session", "has ended or is none of this node");
    }
    enum err err = access_judge(access, reader, NULL, &session.kid, why);
    memcpy(reader->session, session.id, sizeof reader->session);
    reader->by_session = err == OK;
    return err;
}

/* ---- signed requests */

/* The Host field as RFC 9421 section 2.2.3 wants it: in lower case, without the scheme's own
 * port. Empty if it is none of the server's own, so that what was signed for another server is
 * worth nothing here. */
static void own_authority(const struct access *access, const char *host, struct buf *out)
{
    size_t count = atomic_load(&access->origin_count);
    size_t len = strlen(host);
    for (size_t i = 0; i < count; i++) {
        const char *own = strstr(access->origins[i], "://") + 3;
        bool tls = strncmp(access->origins[i], "https", 5) == 0;
        const char *port = tls ? ":443" : ":80";
        size_t own_len = strlen(own);
        if (len >= own_len && strncasecmp(host, own, own_len) == 0 &&
            (host[own_len] == '\0' || strcmp(host + own_len, port) == 0)) {
            buf_put(out, bytes_text(own));
            return;
        }
    }
}

static enum err digest_check(const struct buf *body, struct bytes field, struct why *why)
{
    if (body->len == 0 && field.len == 0) {
        return OK;
    }
    return content_digest_check(field, buf_bytes(body), why);
}

/* Everything but the nonce, in the order of what it costs. */
static enum err check_signature(struct access *access, struct exchange *exchange,
                                const struct request_signature *signature, struct reader *reader,
                                struct why *why)
{
    struct reader_key key = {0};
    struct buf authority = {0};
    struct gather digest = gather_header(exchange, "Content-Digest");
    const char *host = exchange_header(exchange, "Host");
    own_authority(access, host ? host : "", &authority);
    struct signed_request request = {.method = exchange_method(exchange),
                                     .authority = buf_bytes(&authority),
                                     .target = bytes_text(exchange_target(exchange)),
                                     .content_digest = buf_bytes(&digest.value)};
    enum err err = request_signature_time_check(signature, clock_wall_ms(), why);
    if (err == OK && signature->created_s * 1000 + 999 < access->started_ms) {
        err = why_say(why, ERR_EXPIRED, "signature-input created", NULL,
                      "lies before the node's start", "Sign each request when you send it.");
    }
    if (err == OK && authority.len == 0) {
        err = why_say(why, ERR_MISMATCH, "host", host, "is not this server's own",
                      "Send and sign the name that the server is configured with.");
    }
    if (err == OK) {
        err = digest_check(exchange_body(exchange), request.content_digest, why);
    }
    if (err == OK) {
        err = access_judge(access, reader, &key, &signature->kid, why);
    }
    if (err == OK) {
        err = request_signature_verify(signature, &request, key.key, key.record.alg, why);
    }
    reader_key_clear(&key);
    buf_clear(&authority);
    buf_clear(&digest.value);
    return err;
}

static enum err by_signature(struct access *access, struct exchange *exchange,
                             struct reader *reader, struct why *why)
{
    struct request_signature signature;
    struct gather input = gather_header(exchange, "Signature-Input");
    struct gather value = gather_header(exchange, "Signature");
    enum err err = request_signature_parse(&signature, SIGNED_BY_MEMBER, buf_bytes(&input.value),
                                           buf_bytes(&value.value), why);
    if (err == OK) {
        err = check_signature(access, exchange, &signature, reader, why);
    }
    if (err == OK) {
        err = nonces_take(access->request_nonces, &signature.kid, signature.nonce, mono_ms());
        if (err == ERR_EXISTS) {
            why_say(why, err, "signature-input nonce", NULL, "was used before",
                    "Sign each request afresh.");
        } else if (err == ERR_BUSY) {
            why_say(why, err, "requests", NULL, "are more than can be remembered",
                    "Sign in for a session instead.");
        }
    }
    buf_clear(&input.value);
    buf_clear(&value.value);
    /* Whatever does not hold about a signature, `why` says it. */
    bool broken = err == ERR_BUSY || err == ERR_IO || err == ERR_CORRUPT;
    return err == OK || broken ? err : ERR_SIGN_IN;
}

/* ---- the guard */

/* Who asks. ERR_NOT_FOUND where the request says nothing about it; ERR_SIGN_IN where what it says
 * does not hold. Writes are not signed: their statements are. */
static enum err authenticate(struct access *access, struct exchange *exchange,
                             enum route_access route, struct reader *reader, struct why *why)
{
    struct bytes token = token_text(exchange);
    bool is_signed = exchange_header(exchange, "Signature-Input") != NULL;
    *reader = (struct reader){0};
    if (token.len > 0 && is_signed && route != ROUTE_WRITE) {
        return refuse(why, "authorization", "stands beside a signature: one of them is too many");
    }
    if (token.len > 0) {
        return by_session(access, reader, token, why);
    }
    return is_signed && route != ROUTE_WRITE ? by_signature(access, exchange, reader, why)
                                             : ERR_NOT_FOUND;
}

enum decision { ALLOW, SIGN_IN, FORBID };

static enum decision decide_watch(enum watch_policy watch, bool loopback,
                                  const struct reader *reader)
{
    switch (watch) {
    case WATCH_PUBLIC:
        return ALLOW;
    case WATCH_MEMBERS:
        return loopback || reader->known ? ALLOW : SIGN_IN;
    case WATCH_LOOPBACK:
        return loopback ? ALLOW : FORBID;
    }
    BUG_ON(true);
}

/* Whether the policy lets the reader onto the route at all. */
static enum decision decide(const struct policy *policy, enum route_access route, bool loopback,
                            const struct reader *reader)
{
    bool may = false;
    switch (route) {
    case ROUTE_OPEN:
    case ROUTE_WRITE:
        return ALLOW;
    case ROUTE_WATCH:
        return decide_watch(policy->watch, loopback, reader);
    case ROUTE_READ:
        may = reader->reads_frame;
        break;
    case ROUTE_DEPOSIT:
        may = reader->known;
        break;
    case ROUTE_ALL:
        may = reader->reads_all;
        break;
    }
    if (policy->read == READ_PUBLIC || may) {
        return ALLOW;
    }
    return reader->known ? FORBID : SIGN_IN;
}

static bool answer(struct exchange *exchange, struct access *access, enum decision decision,
                   const struct reader *reader)
{
    struct why why;
    switch (decision) {
    case ALLOW:
        return true;
    case SIGN_IN:
        why_say(&why, ERR_SIGN_IN, "path", exchange_path(exchange), NULL,
                "Sign in at POST /v1/sessions ('cairn session new'), or sign the request (--key).");
        access_respond(exchange, access, ERR_SIGN_IN, &why);
        return false;
    case FORBID:
        log_event(LOG_INFO, "access.denied", "request=%s peer=%s kid=%08x",
                  exchange_request_id(exchange), exchange_peer(exchange), get_u32(reader->kid.at));
        respond_refusal(
            exchange, ERR_REFUSED, "path", exchange_path(exchange),
            "Ask the operator: 'read', 'read_roles' and 'metrics' in cairn.conf say who "
            "may read it.");
        return false;
    }
    BUG_ON(true);
}

/* Tells the handlers who asks. */
static const struct reader *set_reader(const struct policy *policy, struct exchange *exchange,
                                       const struct reader *reader)
{
    static struct reader nobody = {0};
    static struct reader everybody = {.reads_all = true, .reads_frame = true};
    bool public = policy->read == READ_PUBLIC;
    if (public) {
        exchange_set_shared(exchange);
    }
    if (!reader) {
        struct reader *unknown = public ? &everybody : &nobody;
        exchange_set_reader(exchange, unknown, NULL);
        return unknown;
    }
    struct reader *copy = mem_alloc(sizeof *copy);
    *copy = *reader;
    exchange_set_reader(exchange, copy, free);
    return copy;
}

bool access_guard(void *context, struct exchange *exchange, enum route_access route)
{
    struct access *access = api_access(context);
    const struct policy *policy = atomic_load(&access->policy);
    struct reader known;
    struct why why = {0};
    enum err err = authenticate(access, exchange, route, &known, &why);
    bool bad = err != OK && err != ERR_NOT_FOUND;
    const struct reader *reader = set_reader(policy, exchange, err == OK ? &known : NULL);
    if (!exchange_take_token(exchange, reader->known ? hash_bytes(&reader->kid) : BYTES_NONE)) {
        return false;
    }
    /* A sign-in beside a cookie that has ended, or a statement beside one, is none the worse. */
    if (bad && route != ROUTE_OPEN && route != ROUTE_WRITE) {
        log_event(LOG_WARN, "access.unknown", "request=%s peer=%s err=%s",
                  exchange_request_id(exchange), exchange_peer(exchange), err_name(err));
        access_respond(exchange, access, err, &why);
        return false;
    }
    bool loopback = exchange_peer_is_loopback(exchange);
    return answer(exchange, access, decide(policy, route, loopback, reader), reader);
}

/* ---- what handlers ask */

bool access_may_read(struct exchange *exchange, struct node *node, const struct node_found *found)
{
    const struct reader *reader = exchange_reader(exchange);
    return reader && (reader->reads_all || (reader->known && reader_may_read(reader, node, found)));
}

bool access_reads_about(const struct exchange *exchange, struct bytes member)
{
    const struct reader *reader = exchange_reader(exchange);
    return reader && (reader->reads_frame ||
                      (reader->known && (bytes_equal(member, bytes_text(reader->member)) ||
                                         bytes_equal(member, bytes_text(reader->institution)))));
}

bool access_reads_all(const struct exchange *exchange)
{
    const struct reader *reader = exchange_reader(exchange);
    return reader && reader->reads_all;
}

const struct reader *access_member(const struct exchange *exchange)
{
    const struct reader *reader = exchange_reader(exchange);
    return reader && reader->known ? reader : NULL;
}

/* Beside the problem, what a client needs to sign: the chain id and the server's origin. */
static void add_how(struct exchange *exchange, const struct access *access, const struct why *why)
{
    char chain[65];
    json_t *problem = problem_json(ERR_SIGN_IN, why);
    hex_write(chain, hash_bytes(node_chain(access->node)));
    json_object_set_new(problem, "chain", json_string(chain));
    if (atomic_load(&access->origin_count) > 0) {
        json_object_set_new(problem, "origin", json_string(access->origins[0]));
    }
    respond_json(exchange, 401, problem);
    exchange_response(exchange)->content_type = "application/problem+json";
}

void access_respond(struct exchange *exchange, const struct access *access, enum err err,
                    const struct why *why)
{
    if (err == ERR_SIGN_IN && !concise_path(exchange_path(exchange))) {
        add_how(exchange, access, why);
    } else {
        respond_problem(exchange, err, why);
    }
    if (err == ERR_SIGN_IN) {
        response_header(exchange, "WWW-Authenticate", "Bearer realm=\"cairn\"");
    }
}
