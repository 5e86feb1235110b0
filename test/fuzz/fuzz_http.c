/* The routes of a node, without sockets: this file stands in place of http/server.c, and each input
 * is one request to a ledger in a temporary folder. An answer has a status that blames the request,
 * never the node; problems are JSON; every proof that is handed out holds.
 *
 * An input: the number of the route; two path segments, two query values, a header and a body, each
 * a length of two bytes and so many; how the body is made. In texts '@' and a letter stand for
 * something that the ledger holds. The body is sent as it is, or as the payload of a statement that
 * a member signs; in a payload 'bob' stands for a member who has just been registered, 32 bytes
 * 0xbb for his key, the byte string 'request' for a request of his with a fresh key, and 32 bytes
 * 0xaa for a statement. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "fuzz.h"
#include "http/api.h"
#include "http/events.h"
#include "modules/evidence/evidence.h"
#include "modules/member/member.h"
#include "proof/prooffile.h"
#include "proof/stateproof.h"
#include "proof/trustupdate.h"
#include "proof/verify.h"

#include "codec/text.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* ---- exchanges */

struct exchange {
    const struct route *route;
    struct buf parts[2];
    struct buf queries[2];
    struct buf header;
    struct buf body;
    struct response response;
    void *kept;
    free_fn *release;
    struct reader *reader;
    free_fn *release_reader;
    bool suspended;
    route_fn *finish; /* under `lock` */
    pull_fn *pull;
    pthread_mutex_t lock;
    pthread_cond_t resumed;
};

static const char *text_of(const struct buf *buf)
{
    return (const char *)buf->at;
}

const char *exchange_method(const struct exchange *exchange)
{
    return exchange->route->method;
}

const char *exchange_path(const struct exchange *exchange)
{
    return exchange->route->pattern;
}

const char *exchange_part(const struct exchange *exchange, unsigned n)
{
    return text_of(&exchange->parts[n]);
}

static const char *text_or_none(const struct buf *buf)
{
    return buf->len > 1 ? text_of(buf) : NULL;
}

/* No route asks for more than two of these at once, but for one that has no use for a header. */
const char *exchange_query(const struct exchange *exchange, const char *name)
{
    if (strcmp(name, "size") == 0) {
        return text_or_none(&exchange->header);
    }
    bool second = strcmp(name, "height") == 0 || strcmp(name, "sm3") == 0;
    return text_or_none(&exchange->queries[second]);
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    return strcmp(name, "Accept") == 0 ? text_or_none(&exchange->header) : NULL;
}

/* Nobody signs in here. */
void exchange_headers(const struct exchange *exchange, header_fn *each, void *context)
{
    (void)exchange;
    (void)each;
    (void)context;
}

const char *exchange_target(const struct exchange *exchange)
{
    return exchange->route->pattern;
}

const char *exchange_peer(const struct exchange *exchange)
{
    (void)exchange;
    return "127.0.0.1";
}

const char *exchange_request_id(const struct exchange *exchange)
{
    (void)exchange;
    return "0000000000000000";
}

bool exchange_peer_is_loopback(const struct exchange *exchange)
{
    (void)exchange;
    return true;
}

void exchange_set_reader(struct exchange *exchange, struct reader *reader, free_fn *release)
{
    BUG_ON(exchange->reader);
    exchange->reader = reader;
    exchange->release_reader = release;
}

struct reader *exchange_reader(const struct exchange *exchange)
{
    return exchange->reader;
}

void exchange_set_shared(struct exchange *exchange)
{
    (void)exchange;
}

bool exchange_take_token(struct exchange *exchange, struct bytes who)
{
    (void)exchange;
    (void)who;
    return true;
}

void response_header(struct exchange *exchange, const char *name, const char *value)
{
    BUG_ON(!exchange || !name[0] || !value);
}

struct buf *exchange_body(struct exchange *exchange)
{
    return &exchange->body;
}

struct response *exchange_response(struct exchange *exchange)
{
    return &exchange->response;
}

/* A stream is pulled from once, as a connection that takes what there is. */
bool exchange_stream(struct exchange *exchange, pull_fn *pull)
{
    exchange->pull = pull;
    return true;
}

void exchange_wake(struct exchange *exchange)
{
    BUG_ON(exchange->pull == NULL);
}

unsigned exchange_loop(const struct exchange *exchange)
{
    (void)exchange;
    return 0;
}

void server_post(struct server *server, post_fn *fn, void *argument)
{
    (void)server;
    (void)fn;
    (void)argument;
    BUG_ON(true); /* none was started */
}

void server_every_second(struct server *server, post_fn *fn, void *argument)
{
    server_post(server, fn, argument);
}

void exchange_keep(struct exchange *exchange, void *kept, free_fn *release)
{
    BUG_ON(exchange->kept != NULL);
    exchange->kept = kept;
    exchange->release = release;
}

void *exchange_kept(const struct exchange *exchange)
{
    return exchange->kept;
}

void exchange_suspend(struct exchange *exchange, route_fn *late)
{
    (void)late;
    BUG_ON(exchange->suspended);
    exchange->suspended = true;
}

void exchange_resume(struct exchange *exchange, route_fn *finish)
{
    pthread_mutex_lock(&exchange->lock);
    BUG_ON(!exchange->suspended || exchange->finish != NULL);
    exchange->finish = finish;
    pthread_cond_signal(&exchange->resumed);
    pthread_mutex_unlock(&exchange->lock);
}

static void wait_resumed(void *context, struct exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    while (exchange->finish == NULL) {
        pthread_cond_wait(&exchange->resumed, &exchange->lock);
    }
    pthread_mutex_unlock(&exchange->lock);
    exchange->finish(context, exchange);
}

/* The body comes in two parts, the way a connection would cut it. */
static void stream(struct exchange *exchange, void *context)
{
    struct bytes rest = buf_bytes(&exchange->body);
    for (size_t len = rest.len / 3; rest.len > 0 && exchange->response.status == 0;
         len = rest.len) {
        len = len > 0 ? len : rest.len;
        exchange->route->stream(context, exchange, (struct bytes){rest.at, len});
        rest = (struct bytes){rest.at + len, rest.len - len};
    }
    exchange->body.len = 0;
}

static void exchange_clear(struct exchange *exchange)
{
    if (exchange->release) {
        exchange->release(exchange->kept);
    }
    if (exchange->release_reader) {
        exchange->release_reader(exchange->reader);
    }
    buf_clear(&exchange->parts[0]);
    buf_clear(&exchange->parts[1]);
    buf_clear(&exchange->queries[0]);
    buf_clear(&exchange->queries[1]);
    buf_clear(&exchange->header);
    buf_clear(&exchange->body);
    buf_clear(&exchange->response.body);
}

/* ---- the ledger */

static struct {
    char dir[64];
    struct api api;
    struct trust *trust;
    struct signer *operator_key;
    struct signer *alice;
    unsigned bob_count; /* registered so far */
    char bob[16];       /* the last one's name */
    struct hash bob_kid;
    struct hash statement; /* of a deposit by alice */
    struct hash digest;    /* of its item */
} world;

/* As the server calls it. */
static void serve(struct exchange *exchange)
{
    void *context = &world.api;
    if (exchange->route->stream) {
        stream(exchange, context);
    }
    if (exchange->response.status == 0 &&
        access_guard(context, exchange, exchange->route->access)) {
        exchange->route->handler(context, exchange);
    }
    if (exchange->suspended) {
        wait_resumed(context, exchange);
    }
    if (exchange->pull) {
        enum pull next = exchange->pull(context, exchange, &exchange->response.body);
        BUG_ON(next == PULL_END);
    }
}

static void sign(struct buf *out, bool operator, const char * type, struct bytes payload)
{
    uint8_t nonce[16];
    random_bytes(nonce, sizeof nonce);
    uint64_t now = clock_wall_ms();
    struct draft draft = {.content_type = type,
                          .iss = bytes_text(operator? NODE_OPERATOR_ID : "alice"),
                          .sub = bytes_text("test"),
                          .iat = now / 1000,
                          .chain = *node_chain(world.api.node),
                          .valid_until = now + 60000,
                          .nonce16 = nonce,
                          .payload = payload};
    enum err err = statement_sign(out, &draft, operator? world.operator_key : world.alice);
    BUG_ON(err != OK && err != ERR_RANGE);
}

/* Puts an item into the unprotected map of a deposit. */
static void carry(struct buf *out, struct bytes entry, struct bytes items)
{
    struct sign1 sign1;
    struct buf unprotected = {0};
    BUG_ON(sign1_parse(&sign1, entry) != OK);
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, LABEL_ITEMS);
    cbor_put_bytes(&unprotected, items);
    sign1.unprotected = buf_bytes(&unprotected);
    sign1_write(out, &sign1);
    buf_clear(&unprotected);
}

/* Sends one statement that must be taken. */
static struct hash post(struct buf *body)
{
    struct exchange exchange = {.route = api_routes,
                                .body = *body,
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .resumed = PTHREAD_COND_INITIALIZER};
    struct statement statement;
    struct hash id;
    BUG_ON(statement_parse(&statement, buf_bytes(body), NULL) != OK);
    statement_id(&id, &statement, NULL);
    *body = (struct buf){0};
    serve(&exchange);
    BUG_ON(exchange.response.status != 201);
    exchange_clear(&exchange);
    return id;
}

static struct signer *fresh_key(void)
{
    struct buf pem = {0};
    struct signer *signer;
    BUG_ON(key_generate(&pem, ALG_ED25519, NULL) != OK);
    BUG_ON(signer_parse(&signer, buf_bytes(&pem), NULL) != OK);
    buf_clear(&pem);
    return signer;
}

static void request_put(struct buf *out, const char *name, const struct signer *signer)
{
    BUG_ON(possession_sign(out, node_chain(world.api.node), bytes_text(name), PURPOSE_MEMBER,
                           signer) != OK);
}

static void register_member(const char *name, const struct signer *signer)
{
    struct buf request = {0}, payload = {0}, body = {0};
    request_put(&request, name, signer);
    struct member_register member = {.member = bytes_text(name),
                                     .kind = MEMBER_PERSON,
                                     .institution = bytes_text(NODE_OPERATOR_ID),
                                     .role_count = 1,
                                     .roles = {bytes_text("depositor")},
                                     .key_count = 1,
                                     .keys = {{.possession = buf_bytes(&request)}}};
    member_register_write(&payload, &member);
    sign(&body, true, MEMBER_TYPE("register"), buf_bytes(&payload));
    post(&body);
    buf_clear(&request);
    buf_clear(&payload);
}

static void register_bob(void)
{
    struct signer *bob = fresh_key();
    snprintf(world.bob, sizeof world.bob, "bob-%u", world.bob_count++);
    register_member(world.bob, bob);
    world.bob_kid = *pubkey_kid(signer_pubkey(bob));
    signer_free(bob);
}

static void deposit_one(void)
{
    struct buf encoded = {0}, payload = {0}, entry = {0}, body = {0};
    struct item item = {.has_size = true, .size = 8};
    sha256(&item.sha256, bytes_text("contents"));
    sm3(&item.sm3, bytes_text("contents"));
    item_write(&encoded, &item);
    struct deposit deposit = {.count = 1, .category = bytes_text("note")};
    leaf_hash(&deposit.items_root, buf_bytes(&encoded));
    deposit_write(&payload, &deposit);
    sign(&entry, false, DEPOSIT_TYPE, buf_bytes(&payload));
    carry(&body, buf_bytes(&entry), buf_bytes(&encoded));
    world.statement = post(&body);
    world.digest = item.sha256;
    buf_clear(&encoded);
    buf_clear(&payload);
    buf_clear(&entry);
}

static void world_end(void)
{
    char command[128];
    access_free(world.api.access);
    events_free(world.api.events);
    node_close(world.api.node);
    trust_free(world.trust);
    signer_free(world.operator_key);
    signer_free(world.alice);
    snprintf(command, sizeof command, "rm -rf %s", world.dir);
    BUG_ON(system(command) != 0);
}

static void world_begin(void)
{
    struct why why = {0};
    snprintf(world.dir, sizeof world.dir, "/tmp/cairn-fuzz-XXXXXX");
    BUG_ON(mkdtemp(world.dir) == NULL || node_create(world.dir, "court", NULL, &why) != OK);
    char *path = path_join(world.dir, NODE_OPERATOR_KEY);
    BUG_ON(signer_open(&world.operator_key, path, NULL, NULL, &why) != OK);
    free(path);
    world.alice = fresh_key();
    struct node_options options = {
        .dir = world.dir, .cache_len = 8 << 20, .delta_pairs = 4096, .verifiers = 1};
    BUG_ON(node_open(&world.api.node, &options, &why) != OK);
    struct access_options access = {.read = READ_PUBLIC};
    world.api.events = events_new(world.api.node, 1);
    BUG_ON(access_new(&world.api.access, world.api.node, &access, &why) != OK);
    BUG_ON(trust_parse(&world.trust, node_trust_file(world.api.node), &why) != OK);
    atexit(world_end);
    register_member("alice", world.alice);
    register_bob();
    deposit_one();
}

/* ---- inputs */

/* What '@' and a letter stand for. */
static void known_put(struct buf *out, uint8_t letter)
{
    char id[EVIDENCE_ID_LEN + 1];
    struct buf key = {0};
    switch (letter) {
    case 's':
        hex_put(out, hash_bytes(&world.statement));
        break;
    case 'e':
        evidence_id_write(id, &world.statement, 0);
        buf_put(out, bytes_text(id));
        break;
    case 'd':
        hex_put(out, hash_bytes(&world.digest));
        break;
    case 'k':
        hex_put(out, hash_bytes(pubkey_kid(signer_pubkey(world.alice))));
        break;
    case 'K':
        key_record_state_key(&key, pubkey_kid(signer_pubkey(world.alice)));
        hex_put(out, buf_bytes(&key));
        break;
    default:
        buf_put_byte(out, letter);
    }
    buf_clear(&key);
}

/* Ends with NUL, as everything does that comes from a path. */
static void text_put(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '@' && i + 1 < text.len) {
            known_put(out, text.at[++i]);
        } else {
            buf_put_byte(out, text.at[i]);
        }
    }
    buf_put_byte(out, 0);
}

static const char *const types[] = {
    DEPOSIT_TYPE,
    EVIDENCE_TYPE("supersede"),
    EVIDENCE_TYPE("withdraw"),
    EVIDENCE_TYPE("countersign"),
    MEMBER_TYPE("register"),
    MEMBER_TYPE("add_key"),
    MEMBER_TYPE("rotate"),
    MEMBER_TYPE("revoke"),
    MEMBER_TYPE("roles"),
    MEMBER_TYPE("mandate"),
    MEMBER_TYPE("end_mandate"),
    MEMBER_TYPE("void"),
    "application/vnd.cairn.governance.unknown+cbor",
};

static size_t run_len(struct bytes in)
{
    size_t len = 1;
    while (len < in.len && in.at[len] == in.at[0]) {
        len++;
    }
    return len;
}

static bool begins(struct bytes in, const char *text)
{
    return in.len >= strlen(text) && memcmp(in.at, text, strlen(text)) == 0;
}

/* Puts what the stand-in at the front stands for; returns its length, 0 where there is none. */
static size_t stand_in_put(struct buf *out, struct bytes in)
{
    if (begins(in, "\x63"
                   "bob")) {
        cbor_put_text(out, bytes_text(world.bob));
        return 4;
    }
    if (begins(in, "\x47request")) {
        struct buf request = {0};
        struct signer *signer = fresh_key();
        request_put(&request, world.bob, signer);
        cbor_put_bytes(out, buf_bytes(&request));
        signer_free(signer);
        buf_clear(&request);
        return 8;
    }
    if ((in.at[0] == 0xaa || in.at[0] == 0xbb) && run_len(in) == sizeof(struct hash)) {
        buf_put(out, hash_bytes(in.at[0] == 0xaa ? &world.statement : &world.bob_kid));
        return sizeof(struct hash);
    }
    return 0;
}

static void payload_put(struct buf *out, struct bytes in)
{
    if (memmem(in.at, in.len,
               "\x63"
               "bob",
               4) ||
        memmem(in.at, in.len, "\xbb\xbb", 2)) {
        register_bob();
    }
    while (in.len > 0) {
        size_t len = stand_in_put(out, in);
        if (len == 0) {
            buf_put_byte(out, in.at[0]);
            len = 1;
        }
        in = (struct bytes){in.at + len, in.len - len};
    }
}

/* The body as it is, with '@' replaced, or signed; a deposit carries what stands behind it. */
static void body_make(struct buf *out, struct bytes in, uint8_t how)
{
    struct buf entry = {0}, payload = {0};
    if (how < 2) {
        buf_put(out, in);
    } else if (how < 4) {
        text_put(out, in);
        out->len--;
    } else {
        struct bytes items = in;
        payload_put(&payload, how & 64 ? take_block(&items) : in);
        sign(&entry, how & 128, types[how % (sizeof types / sizeof *types)], buf_bytes(&payload));
        if (how & 64 && entry.len > 0 && how & 32) {
            carry(out, buf_bytes(&entry), items);
        } else {
            buf_put(out, buf_bytes(&entry));
            buf_put(out, how & 64 ? items : BYTES_NONE);
        }
    }
    buf_clear(&payload);
    buf_clear(&entry);
}

/* ---- what is checked */

static void check_proof(struct bytes bytes)
{
    struct proof *proof;
    struct verdict verdict = {0};
    struct subject subject = {.kind = SUBJECT_NONE};
    BUG_ON(proof_parse(&proof, bytes, NULL) != OK);
    proof_verify(&verdict, proof, world.trust, &subject);
    bool item_missing = proof->is_deposit && !proof->has_item;
    BUG_ON(verdict.status != VERDICT_PASS && !item_missing);
    verdict_clear(&verdict);
    proof_free(proof);
}

static void check_state_proof(struct bytes bytes)
{
    struct state_proof *proof;
    struct verdict verdict = {0};
    BUG_ON(state_proof_parse(&proof, bytes, NULL) != OK);
    state_proof_verify(&verdict, proof, world.trust);
    BUG_ON(verdict.status != VERDICT_PASS);
    verdict_clear(&verdict);
    state_proof_free(proof);
}

static void check_update(struct bytes bytes)
{
    struct trust_update *update;
    BUG_ON(trust_update_parse(&update, bytes, NULL) != OK);
    trust_update_free(update);
}

/* Where the paths of SCRAPI answer in CBOR. */
static void check_cbor(struct bytes bytes)
{
    struct cbor_reader reader;
    cbor_init(&reader, bytes);
    cbor_item(&reader);
    BUG_ON(cbor_end(&reader) != OK);
}

static void check_response(const struct response *response)
{
    struct bytes body = buf_bytes(&response->body);
    const char *type = response->content_type;
    BUG_ON(response->status < 200 || response->status == 500 || response->status > 503);
    BUG_ON(type == NULL);
    if (strstr(type, "json")) {
        json_t *json = json_loadb((const char *)body.at, body.len, 0, NULL);
        BUG_ON(!json_is_object(json));
        json_decref(json);
    } else if (strstr(type, "details+cbor") || strcmp(type, "application/cose") == 0) {
        check_cbor(body);
    } else if (strstr(type, "proof+cose")) {
        check_proof(body);
    } else if (strstr(type, "state+cbor")) {
        check_state_proof(body);
    } else if (strstr(type, "trust-update")) {
        check_update(body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct exchange exchange = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                .resumed = PTHREAD_COND_INITIALIZER};
    size_t routes = 0;
    if (world.api.node == NULL) {
        log_set_level(LOG_ERROR); /* refusals are not news here */
        world_begin();
    }
    while (api_routes[routes].method) {
        routes++;
    }
    exchange.route = &api_routes[take_byte(&input) % routes];
    text_put(&exchange.parts[0], take_block(&input));
    text_put(&exchange.parts[1], take_block(&input));
    text_put(&exchange.queries[0], take_block(&input));
    text_put(&exchange.queries[1], take_block(&input));
    text_put(&exchange.header, take_block(&input));
    uint8_t how = take_byte(&input);
    if (exchange.route->body_max > 0) {
        body_make(&exchange.body, input, how);
    }
    serve(&exchange);
    check_response(&exchange.response);
    exchange_clear(&exchange);
    return 0;
}
