#include "http/signin.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/text.h"
#include "http/access_internal.h"
#include "http/api.h"
#include "http/problem.h"
#include "http/render.h"
#include "store/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 1000

/* ---- signing in */

enum err sign_in_time_check(const struct session_statement *statement, uint64_t started_ms,
                            uint64_t now_ms, struct why *why)
{
    uint64_t forgotten_ms = started_ms + SIGN_IN_AHEAD_MS;
    if (statement->iat_ms <= forgotten_ms && now_ms <= forgotten_ms) {
        return why_say(why, ERR_BUSY, "sign-ins", NULL,
                       "are not taken yet: the node has just started",
                       "Sign a new statement in two seconds.");
    }
    if (statement->iat_ms <= forgotten_ms) {
        return why_sayf(why, ERR_EXPIRED, "iat", "lies before the node's start",
                        "Sign a new statement, and set your clock.", "%llu",
                        (unsigned long long)statement->iat_ms);
    }
    if (statement->iat_ms > now_ms && statement->iat_ms - now_ms > SIGN_IN_AHEAD_MS) {
        return why_sayf(why, ERR_EXPIRED, "iat", "is ahead of the server's clock",
                        "Set your clock, and sign a new statement.", "%llu",
                        (unsigned long long)statement->iat_ms);
    }
    if (now_ms > statement->expiry_ms) {
        return why_sayf(why, ERR_EXPIRED, "expiry", "is over", "Sign a new statement.", "%llu",
                        (unsigned long long)statement->expiry_ms);
    }
    return OK;
}

/* Where it was signed for: this ledger, this server, now. */
static enum err place_check(const struct access *access, const struct session_statement *statement,
                            struct why *why)
{
    if (!hash_equal(&statement->chain, node_chain(access->node))) {
        return why_say(why, ERR_MISMATCH, "chain id", NULL, "is that of another ledger",
                       "Compare it with your trust file.");
    }
    if (!access_is_own_origin(access, statement->origin)) {
        return why_sayf(why, ERR_MISMATCH, "origin", "is not this server's own",
                        "Sign the origin that you connect to; the server's may be set wrongly.",
                        "%.*s", (int)statement->origin.len, (const char *)statement->origin.at);
    }
    return sign_in_time_check(statement, access->started_ms, clock_wall_ms(), why);
}

/* The checks in the order of what they cost; the nonce counts only where all else holds. */
static enum err sign_in_check(struct access *access, const struct session_statement *statement,
                              struct reader *reader, struct why *why)
{
    struct reader_key key = {0};
    TRY(place_check(access, statement, why));
    enum err err = access_judge(access, reader, &key, &statement->kid, why);
    if (err == OK) {
        err = session_statement_verify(statement, &key.record, key.key, why);
    }
    reader_key_clear(&key);
    TRY(err);
    err = nonces_take(access->session_nonces, &statement->kid, statement->nonce,
                      clock_mono_ns() / 1000000);
    if (err == ERR_EXISTS) {
        return why_say(why, err, "nonce", NULL, "was used before",
                       "Sign a new statement; each counts once.");
    }
    return err == OK ? OK
                     : why_say(why, err, "sign-ins", NULL, "are more than can be remembered",
                               "Try again in a few minutes, or sign each request.");
}

/* `ends_ms` is of the monotonic clock; people read the wall's. */
static void set_session(json_t *object, const struct session *session)
{
    char time[25];
    uint64_t left_ms = session->ends_ms - clock_mono_ns() / 1000000;
    uint64_t wall_ms = clock_wall_ms() + left_ms;
    clock_format(time, wall_ms);
    json_set_hex(object, "session", BYTES_OF(session->id));
    json_set_hex(object, "kid", hash_bytes(&session->kid));
    json_object_set_new(object, "member", json_string(session->member));
    json_object_set_new(object, "ends", json_string(time));
    json_set_uint(object, "ends_ms", wall_ms);
}

static void set_cookie(struct exchange *exchange, const char *token, unsigned life_s)
{
    char value[256];
    snprintf(value, sizeof value,
             ACCESS_COOKIE "=%s; Path=/; Max-Age=%u; Secure; HttpOnly; SameSite=Strict", token,
             life_s);
    response_header(exchange, "Set-Cookie", value);
    wipe(value, sizeof value);
}

static void respond_session(struct exchange *exchange, const struct session *session,
                            const uint8_t *token32, bool cookie)
{
    struct buf text = {0};
    json_t *answer = json_object();
    base64url_put(&text, (struct bytes){token32, SESSION_TOKEN_LEN});
    buf_put_byte(&text, 0);
    set_session(answer, session);
    if (cookie) {
        set_cookie(exchange, (const char *)text.at, SESSION_LIFE_MS / 1000);
    } else {
        json_object_set_new(answer, "token", json_string((const char *)text.at));
    }
    wipe(text.at, text.len);
    buf_clear(&text);
    respond_json(exchange, 201, answer);
}

/* Whether the token shall be a browser's cookie; it needs TLS from end to end. */
static enum err wants_cookie(struct exchange *exchange, const struct access *access, bool *cookie,
                             struct why *why)
{
    const char *as = exchange_query(exchange, "as");
    *cookie = as && strcmp(as, "cookie") == 0;
    if (as && !*cookie && strcmp(as, "token") != 0) {
        return why_say(why, ERR_FORMAT, "as", as, "is neither cookie nor token", "Leave it out.");
    }
    if (*cookie && !access_is_secure(access)) {
        return why_say(why, ERR_REFUSED, "as", as, "needs an origin of https",
                       "Ask for a token, or have the operator set 'origin'.");
    }
    return OK;
}

static enum err sign_in(struct access *access, struct exchange *exchange, struct why *why)
{
    struct session_statement statement;
    struct reader reader;
    struct session session = {0};
    uint8_t token[SESSION_TOKEN_LEN];
    bool cookie;
    TRY(wants_cookie(exchange, access, &cookie, why));
    TRY(session_statement_parse(&statement, buf_bytes(exchange_body(exchange)), why));
    TRY(sign_in_check(access, &statement, &reader, why));
    session.kid = reader.kid;
    memcpy(session.member, reader.member, sizeof session.member);
    TRY(sessions_open(access->sessions, &session, clock_mono_ns() / 1000000, token, why));
    log_event(LOG_INFO, "session.opened", "request=%s peer=%s kid=%08x",
              exchange_request_id(exchange), exchange_peer(exchange), get_u32(session.kid.at));
    respond_session(exchange, &session, token, cookie);
    wipe(token, sizeof token);
    return OK;
}

void post_session(void *context, struct exchange *exchange)
{
    struct why why = {0};
    enum err err = sign_in(api_access(context), exchange, &why);
    if (err == ERR_SIGN_IN) {
        err = ERR_KEY; /* this is where one would sign in */
    }
    if (err != OK) {
        log_event(LOG_WARN, "session.refused", "request=%s peer=%s err=%s",
                  exchange_request_id(exchange), exchange_peer(exchange), err_name(err));
        respond_problem(exchange, err, &why);
    }
}

/* ---- one's sessions */

/* The member that asks, or NULL where it was told to sign in. */
static const struct reader *member_or_answer(struct access *access, struct exchange *exchange)
{
    const struct reader *reader = access_member(exchange);
    if (!reader) {
        struct why why;
        why_say(&why, ERR_SIGN_IN, "sessions", NULL, NULL,
                "Show the token of a session, or sign the request.");
        access_respond(exchange, access, ERR_SIGN_IN, &why);
    }
    return reader;
}

void get_sessions(void *context, struct exchange *exchange)
{
    struct access *access = api_access(context);
    const struct reader *reader = member_or_answer(access, exchange);
    if (!reader) {
        return;
    }
    struct session *list = mem_alloc(LIST_MAX * sizeof *list);
    size_t count = sessions_list(access->sessions, reader->is_operator ? NULL : reader->member,
                                 clock_mono_ns() / 1000000, list, LIST_MAX);
    json_t *sessions = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        set_session(object, &list[i]);
        bool this =
            reader->by_session && memcmp(reader->session, list[i].id, sizeof list[i].id) == 0;
        json_object_set_new(object, "this", json_boolean(this));
        json_array_append_new(sessions, object);
    }
    free(list);
    json_t *answer = json_object();
    json_object_set_new(answer, "sessions", sessions);
    respond_json(exchange, 200, answer);
}

/* For the audit log: an operator ended a session that is not the one it speaks in. */
static void note_revoked(struct node *node, const struct reader *reader, const char *session)
{
    char who[65];
    hex_write(who, hash_bytes(&reader->kid));
    struct audit_entry entry = {
        .act = AUDIT_SESSION_REVOKE, .who = who, .details = {{"session", session}}};
    audit_add(node_audit(node), &entry, 1);
}

void delete_session(void *context, struct exchange *exchange)
{
    struct access *access = api_access(context);
    const struct reader *reader = member_or_answer(access, exchange);
    const char *text = exchange_part(exchange, 0);
    uint8_t id[SESSION_ID_LEN];
    if (!reader) {
        return;
    }
    enum err err = hex_read(id, sizeof id, bytes_text(text));
    if (err == OK) {
        err = sessions_end(access->sessions, id, reader->is_operator ? NULL : reader->member,
                           clock_mono_ns() / 1000000);
    }
    if (err != OK) {
        respond_refusal(exchange, err, "session", text,
                        "GET /v1/sessions lists them; 'this' is the one that asks.");
        return;
    }
    if (reader->is_operator &&
        !(reader->by_session && memcmp(reader->session, id, sizeof id) == 0)) {
        note_revoked(access->node, reader, text);
    }
    log_event(LOG_INFO, "session.ended", "request=%s peer=%s kid=%08x",
              exchange_request_id(exchange), exchange_peer(exchange), get_u32(reader->kid.at));
    if (access_is_secure(access) && memcmp(reader->session, id, sizeof id) == 0) {
        set_cookie(exchange, "", 0);
    }
    exchange_response(exchange)->status = 204;
}
