#include "cli/client.h"

#include "base/clock.h"
#include "cli/client_auth.h"
#include "cli/output.h"
#include "codec/text.h"
#include "crypto/random.h"
#include "proof/session.h"
#include "service/peer/peer.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECT_S    5
#define SILENT_S     40 /* of a stream that says something every 15 s */
#define STALLED_S    60 /* no byte for so long */
#define TRIES        6
#define FIRST_WAIT   200 /* milliseconds, doubled each time: 6 s in all */
#define PROBLEM_MAX  ((size_t)64 << 10)
#define URL_MAX      2048
#define USER_AGENT   "cairn/" CAIRN_VERSION
#define CHECK_SERVER "Start it with 'cairn run DIR', or name another with --server or CAIRN_SERVER."

struct client {
    CURL *curl;
    char *server;             /* without a slash at its end */
    struct peer_trust *trust; /* where the server is an https one */
    struct peer peer;
    long status; /* of the last answer */
    struct client_auth auth;
    struct hash chain; /* that of the trust file, where there is one: else all zero */
};

/* What is asked. */
struct request {
    const char *path;
    const char *content_type; /* NULL: GET */
    struct bytes body;
    bool writes; /* statements, which are authorised by themselves */
};

/* An answer on its way in. */
struct answer {
    long status;
    struct buf body;
    size_t max;
    bool too_long;
    CURL *curl;
    client_part_fn *part; /* of an answer without an end: takes it instead of `body` */
    void *context;
    bool stopped; /* part wants no more */
    uint64_t heard_ns;
};

/* The value of an option, else of a variable, else `other`. */
static const char *option_or(const struct args *args, const char *name, const char *variable,
                             const char *other)
{
    const char *text = args_text(args, name);
    const char *from_environment = getenv(variable);
    if (!text && from_environment && from_environment[0]) {
        text = from_environment;
    }
    return text ? text : other;
}

/* Whom to trust, where it is TLS; where it is not, whether that is meant. */
static enum err prepare_peer(struct client *client, const struct args *args, struct why *why)
{
    if (!peer_is_tls(client->server)) {
        return args_flag(args, "plain-http") || peer_is_loopback(client->server)
                   ? OK
                   : why_say(why, ERR_REFUSED, "server", client->server,
                             "is another machine, and http is open to anybody between",
                             "Use https, or say --plain-http where the way there is safe.");
    }
    TRY(peer_trust_open(&client->trust, option_or(args, "ca", "CAIRN_CA", NULL), why));
    return peer_init(&client->peer, client->trust, client->server, why);
}

enum err client_new(struct client **out, const struct args *args, struct why *why)
{
    return client_new_to(out, option_or(args, "server", "CAIRN_SERVER", CLIENT_SERVER), args, why);
}

enum err client_new_to(struct client **out, const char *server, const struct args *args,
                       struct why *why)
{
    if (strncmp(server, "http://", 7) != 0 && strncmp(server, "https://", 8) != 0) {
        return why_say(why, ERR_FORMAT, "server", server, "is not a URL",
                       "Write it as " CLIENT_SERVER ".");
    }
    /* The only thread there is at this time. */
    BUG_ON(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK);
    struct client *client = mem_zalloc(sizeof *client);
    client->curl = curl_easy_init();
    BUG_ON(client->curl == NULL);
    client->server = mem_strdup(server);
    size_t len = strlen(client->server);
    while (len > 0 && client->server[len - 1] == '/') {
        client->server[--len] = 0;
    }
    client_auth_init(&client->auth, args);
    enum err err = prepare_peer(client, args, why);
    if (err != OK) {
        client_free(client);
        return err;
    }
    *out = client;
    return OK;
}

void client_use_signer(struct client *client, const struct signer *signer)
{
    client->auth.signer = signer;
}

void client_expect_chain(struct client *client, const struct hash *chain)
{
    client->chain = *chain;
}

void client_free(struct client *client)
{
    if (client) {
        curl_easy_cleanup(client->curl);
        peer_trust_free(client->trust);
        client_auth_clear(&client->auth);
        free(client->server);
        free(client);
    }
}

static bool is_good(CURL *curl)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status == 200;
}

static size_t take(char *at, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t len = size * count;
    answer->heard_ns = clock_mono_ns();
    if (answer->part && is_good(answer->curl)) {
        answer->stopped = !answer->part(answer->context, (struct bytes){(const uint8_t *)at, len});
        return answer->stopped ? 0 : len;
    }
    if (len > answer->max - answer->body.len) {
        answer->too_long = true;
        return 0;
    }
    buf_put(&answer->body, (struct bytes){(const uint8_t *)at, len});
    return len;
}

static void prepare(struct client *client, const char *path, struct answer *answer)
{
    char url[URL_MAX];
    int len = snprintf(url, sizeof url, "%s%s", client->server, path);
    BUG_ON(len >= (int)sizeof url);
    CURL *curl = client->curl;
    client->status = 0;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* a signature covers it as it is */
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (client->trust) {
        peer_apply(&client->peer, curl);
    }
}

/* About once a second: a stream that has been silent for long is dead. */
static int watch_silence(void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_put,
                         curl_off_t put)
{
    (void)to_get;
    (void)got;
    (void)to_put;
    (void)put;
    const struct answer *answer = context;
    return clock_mono_ns() - answer->heard_ns > SILENT_S * UINT64_C(1000000000);
}

/* An answer without an end comes slowly; its server says something at least every 15 seconds. */
static void prepare_stream(CURL *curl, struct answer *answer)
{
    answer->curl = curl;
    answer->heard_ns = clock_mono_ns();
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 0L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_silence);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, answer);
}

static enum err perform(struct client *client, struct answer *answer, struct why *why)
{
    CURLcode code = curl_easy_perform(client->curl);
    if (answer->too_long) {
        return why_say(why, ERR_UNREACHABLE, "server", client->server,
                       "gave an answer that is too long", "Check that it is a node of Cairn.");
    }
    if (answer->stopped) {
        answer->status = 200;
        return OK;
    }
    if (code != CURLE_OK && client->peer.err != OK) {
        if (why) {
            *why = client->peer.why;
        }
        return client->peer.err;
    }
    if (code != CURLE_OK) {
        char problem[192];
        snprintf(problem, sizeof problem, "could not be reached (%s)", curl_easy_strerror(code));
        return why_say(why, ERR_UNREACHABLE, "server", client->server, problem, CHECK_SERVER);
    }
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    client->status = answer->status;
    return OK;
}

long client_status(const struct client *client)
{
    return client->status;
}

static const char *text_or(const json_t *object, const char *key, const char *other)
{
    const char *text = json_member(object, key);
    return text[0] ? text : other;
}

void problem_read(struct why *why, const json_t *problem, long status)
{
    if (!why) {
        return;
    }
    char text[32];
    snprintf(text, sizeof text, "answered %ld", status);
    const char *title = text_or(problem, "title", text);
    why_say(why, ERR_REFUSED, text_or(problem, "field", "ledger"), json_member(problem, "value"),
            text_or(problem, "problem", title), json_member(problem, "remedy"));
}

/* What a status other than success means. */
static enum err refused(const struct answer *answer, struct why *why)
{
    json_t *problem = json_loadb((const char *)answer->body.at, answer->body.len, 0, NULL);
    problem_read(why, problem, answer->status);
    json_decref(problem);
    return ERR_REFUSED;
}

static enum err send_once(struct client *client, const struct request *request,
                          struct answer *answer, struct why *why)
{
    struct curl_slist *headers = NULL;
    bool post = request->content_type != NULL;
    prepare(client, request->path, answer);
    if (answer->part) {
        prepare_stream(client->curl, answer);
    }
    enum err err = client_auth_fields(&client->auth, &headers, client->server,
                                      post ? "POST" : "GET", request->path, request->body);
    if (err != OK) {
        curl_slist_free_all(headers);
        return why_say(why, err, "key", client->auth.path, "can't sign the request", NULL);
    }
    if (post) {
        char line[128];
        snprintf(line, sizeof line, "Content-Type: %s", request->content_type);
        headers = curl_slist_append(headers, line);
        headers = curl_slist_append(headers, "Expect:"); /* no round trip before the body */
        curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, request->body.at);
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    err = perform(client, answer, why);
    curl_slist_free_all(headers);
    return err;
}

/* Whether the ledger asks who it is and that was not yet said: by a session where it is a write, by
 * signatures else. */
static bool is_asked(const struct client *client, const struct request *request,
                     const struct answer *answer)
{
    return answer->status == 401 &&
           !(request->writes ? client->auth.token[0] != '\0' : client->auth.signs);
}

static enum err show_who(struct client *client, const struct request *request, struct why *why)
{
    TRY(client_auth_open(&client->auth, why));
    if (request->writes) {
        return client_sign_in(client, NULL, why);
    }
    client->auth.signs = true;
    return OK;
}

static enum err send_request(struct client *client, const struct request *request,
                             struct answer *answer, struct why *why)
{
    size_t max = answer->max;
    TRY(send_once(client, request, answer, why));
    if (!is_asked(client, request, answer)) {
        return OK;
    }
    enum err err = show_who(client, request, why);
    if (err == ERR_NOT_FOUND && !client->auth.path) {
        return OK; /* there is no key to show: the first answer says what is missing */
    }
    TRY(err);
    buf_clear(&answer->body);
    *answer = (struct answer){.max = max};
    return send_once(client, request, answer, why);
}

enum err client_get(struct client *client, const char *path, size_t max, struct buf *out,
                    struct why *why)
{
    struct answer answer = {.max = max > PROBLEM_MAX ? max : PROBLEM_MAX};
    enum err err = send_request(client, &(struct request){.path = path}, &answer, why);
    if (err == OK && answer.status != 200) {
        err = refused(&answer, why);
    } else if (err == OK) {
        buf_put(out, buf_bytes(&answer.body));
    }
    buf_clear(&answer.body);
    return err;
}

static enum err json_of(json_t **out, const struct buf *body, const struct client *client,
                        struct why *why)
{
    *out = json_loadb((const char *)body->at, body->len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        return why_say(why, ERR_FORMAT, "server", client->server, "did not answer in JSON",
                       "Check that it is a node of Cairn.");
    }
    return OK;
}

enum err client_stream(struct client *client, const char *path, client_part_fn *part, void *context,
                       struct why *why)
{
    struct answer answer = {.max = PROBLEM_MAX, .part = part, .context = context};
    struct request request = {.path = path};
    enum err err = show_who(client, &request, why);
    if (err == OK || (err == ERR_NOT_FOUND && !client->auth.path)) {
        err = send_once(client, &request, &answer, why);
    }
    if (err == OK && answer.status != 200) {
        err = refused(&answer, why);
    }
    buf_clear(&answer.body);
    return err;
}

enum err client_get_json(struct client *client, const char *path, json_t **out, struct why *why)
{
    struct buf body = {0};
    enum err err = client_get(client, path, CLIENT_JSON_MAX, &body, why);
    if (err == OK) {
        err = json_of(out, &body, client, why);
    }
    buf_clear(&body);
    return err;
}

/* Whether the same bytes may fare better in a moment: not where somebody must act first. */
static bool try_again(enum err err, const struct answer *answer)
{
    static const char read_only[] = "/problems/read-only";
    const struct buf *body = &answer->body;
    return (err == ERR_UNREACHABLE && !answer->too_long) || (err == OK && answer->status == 504) ||
           (err == OK && answer->status == 503 &&
            !(body->len > 0 && memmem(body->at, body->len, read_only, strlen(read_only))));
}

static void wait_ms(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

enum err client_post(struct client *client, const char *path, const char *content_type,
                     struct bytes body, json_t **out, struct why *why)
{
    *out = NULL;
    struct request request = {path, content_type, body, true};
    struct answer answer = {.max = CLIENT_JSON_MAX};
    enum err err = send_request(client, &request, &answer, why);
    for (unsigned i = 1; i < TRIES && try_again(err, &answer); i++) {
        wait_ms((unsigned)FIRST_WAIT << (i - 1));
        buf_clear(&answer.body);
        answer = (struct answer){.max = CLIENT_JSON_MAX};
        err = send_request(client, &request, &answer, why);
    }
    if (err == OK && answer.status != 200 && answer.status != 201 && answer.status != 207) {
        err = refused(&answer, why);
    } else if (err == OK) {
        err = json_of(out, &answer.body, client, why);
    }
    buf_clear(&answer.body);
    return err;
}

static enum err key_needed(struct client *client, struct why *why)
{
    enum err err = client_auth_open(&client->auth, why);
    return err == ERR_NOT_FOUND && !client->auth.path
               ? why_say(why, err, "key", NULL, "is missing", "Give --key FILE, or set CAIRN_KEY.")
               : err;
}

enum err client_delete(struct client *client, const char *path, struct why *why)
{
    struct answer answer = {.max = PROBLEM_MAX};
    struct curl_slist *headers = NULL;
    TRY(key_needed(client, why));
    client->auth.signs = true;
    prepare(client, path, &answer);
    enum err err =
        client_auth_fields(&client->auth, &headers, client->server, "DELETE", path, BYTES_NONE);
    if (err == OK) {
        curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, "DELETE");
        curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
        err = perform(client, &answer, why);
    }
    if (err == OK && answer.status != 204) {
        err = refused(&answer, why);
    }
    curl_slist_free_all(headers);
    buf_clear(&answer.body);
    return err;
}

/* ---- sessions */

/* The chain id of whoever answers there: said at the 401 to those who may not read more. */
static enum err chain_ask(struct client *client, struct hash *out, struct why *why)
{
    struct answer answer = {.max = PROBLEM_MAX};
    TRY(send_once(client, &(struct request){.path = "/v1/ledger"}, &answer, why));
    json_t *json = json_loadb((const char *)answer.body.at, answer.body.len, 0, NULL);
    enum err err = hex_read(out->at, sizeof out->at, bytes_text(json_member(json, "chain")));
    if (err != OK) {
        err = refused(&answer, why);
    } else if (!hash_is_zero(&client->chain) && !hash_equal(out, &client->chain)) {
        err = why_say(why, ERR_MISMATCH, "ledger", client->server,
                      "is not the one of the trust file", "Check --server and --trust.");
    }
    json_decref(json);
    buf_clear(&answer.body);
    return err;
}

static enum err session_sign(struct client *client, struct buf *out, struct why *why)
{
    uint8_t nonce[SESSION_NONCE_LEN];
    struct buf origin = {0};
    struct session_draft draft = {.nonce16 = nonce, .iat_ms = clock_wall_ms()};
    TRY(chain_ask(client, &draft.chain, why));
    random_bytes(nonce, sizeof nonce);
    url_origin(&origin, client->server);
    draft.origin = buf_bytes(&origin);
    draft.expiry_ms = draft.iat_ms + SESSION_VALID_MAX_MS / 5;
    enum err err = session_statement_sign(out, &draft, client->auth.signer);
    buf_clear(&origin);
    return err == OK ? OK : why_say(why, err, "key", client->auth.path, "can't sign", NULL);
}

/* A new statement each time: each counts once. */
static enum err sign_in_once(struct client *client, struct answer *answer, struct why *why)
{
    struct buf body = {0};
    enum err err = session_sign(client, &body, why);
    struct request request = {"/v1/sessions", "application/cose", buf_bytes(&body), true};
    if (err == OK) {
        err = send_once(client, &request, answer, why);
    }
    buf_clear(&body);
    return err;
}

enum err client_sign_in(struct client *client, json_t **out, struct why *why)
{
    struct answer answer = {.max = PROBLEM_MAX};
    json_t *session = NULL;
    TRY(key_needed(client, why));
    enum err err = sign_in_once(client, &answer, why);
    for (unsigned i = 1; i < TRIES && err == OK && answer.status == 503; i++) {
        wait_ms((unsigned)FIRST_WAIT << (i - 1));
        buf_clear(&answer.body);
        answer = (struct answer){.max = PROBLEM_MAX};
        err = sign_in_once(client, &answer, why);
    }
    if (err == OK && answer.status != 201) {
        err = refused(&answer, why);
    } else if (err == OK) {
        err = json_of(&session, &answer.body, client, why);
    }
    if (err == OK) {
        snprintf(client->auth.token, sizeof client->auth.token, "%s",
                 json_member(session, "token"));
    }
    if (err == OK && out) {
        *out = json_incref(session);
    }
    json_decref(session);
    buf_clear(&answer.body);
    return err;
}

void path_segment(struct buf *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c);
        if (plain) {
            buf_put_byte(out, c);
            continue;
        }
        buf_put_byte(out, '%');
        buf_put_byte(out, (uint8_t)digits[c >> 4]);
        buf_put_byte(out, (uint8_t)digits[c & 15]);
    }
}
