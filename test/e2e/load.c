/* usage: load send PORT KEY TRUST MEMBER ACKNOWLEDGED SEED
 *        load check PORT TRUST ACKNOWLEDGED FIRST
 *        load flood PORT KEY TRUST MEMBER ACKNOWLEDGED SEED CONNECTIONS SECONDS
 *
 * send: deposits on several connections as fast as answers come, until the node goes away. What was
 * acknowledged, and nothing else, is appended to ACKNOWLEDGED: statement id, log index, number of
 * one item, its SHA-256. Prints "first" at the first acknowledgement.
 * check: every line from number FIRST on is found by its digest, and its proof holds.
 * flood: deposits on so many connections for so long; what is refused is sent again at once. Prints
 * how many requests were sent, how many were acknowledged, and how many ended without an answer.
 * All exit with 0 unless the node answers something that it must not. */
#include "admit/admit.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "proof/verify.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 4
#define GROUP_MAX   16
#define ITEMS_TOP   600

/* Of a flood: */
#define HEAVY_EVERY 2    /* one connection of so many sends large batches */
#define HEAVY_ITEMS 6000 /* half a megabyte */
#define FLOOD_STACK (256u << 10)
#define REFUSED_NS  2000000
#define CLOSE_LINE  "\r\nConnection: close\r\n"

/* Stops the program unless the condition holds. */
#define MUST(condition)                                              \
    do {                                                             \
        if (!(condition)) {                                          \
            fprintf(stderr, "load: %s does not hold\n", #condition); \
            exit(1);                                                 \
        }                                                            \
    } while (0)

/* ---- what all connections share */

static uint16_t port;
static struct trust *trust;
static struct signer *signer;
static const char *member;
static int acknowledged_fd;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void open_trust(const char *path)
{
    struct buf bytes = {0};
    MUST(file_read(&bytes, path, TRUST_MAX, NULL) == OK);
    MUST(trust_parse(&trust, buf_bytes(&bytes), NULL) == OK);
    buf_clear(&bytes);
}

/* ---- one connection */

struct connection {
    int fd;
    uint64_t random;
    struct buf answer; /* status line, headers, body */
    unsigned status;
    struct bytes body; /* borrows from `answer` */
};

/* splitmix64. */
static uint64_t any(struct connection *connection)
{
    uint64_t z = connection->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static bool connect_to(struct connection *connection)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connection->fd >= 0 &&
           connect(connection->fd, (const struct sockaddr *)&to, sizeof to) == 0;
}

static bool send_all(int fd, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes = (struct bytes){bytes.at + sent, bytes.len - (size_t)sent};
    }
    return true;
}

static bool receive_some(struct connection *connection)
{
    uint8_t part[16384];
    ssize_t got;
    do {
        got = recv(connection->fd, part, sizeof part, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        buf_put(&connection->answer, (struct bytes){part, (size_t)got});
    }
    return got > 0;
}

/* Reads one whole answer; false if the node went away before its end. */
static bool receive_answer(struct connection *connection)
{
    struct buf *answer = &connection->answer;
    const char *end = NULL;
    answer->len = 0;
    while (!end) {
        if (!receive_some(connection)) {
            return false;
        }
        end = memmem(answer->at, answer->len, "\r\n\r\n", 4);
    }
    size_t head_len = (size_t)((const uint8_t *)end - answer->at) + 4;
    char *head = strndup((const char *)answer->at, head_len);
    const char *length = strcasestr(head, "\r\nContent-Length:");
    MUST(head && length && sscanf(head, "HTTP/1.1 %u", &connection->status) == 1);
    size_t body_len = (size_t)strtoull(length + strlen("\r\nContent-Length:"), NULL, 10);
    free(head);
    while (answer->len < head_len + body_len) {
        if (!receive_some(connection)) {
            return false;
        }
    }
    connection->body = (struct bytes){answer->at + head_len, body_len};
    return true;
}

static bool ask(struct connection *connection, const char *method, const char *path,
                const char *content_type, struct bytes body)
{
    struct buf request = {0};
    char head[512];
    snprintf(head, sizeof head,
             "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
             method, path, content_type, body.len);
    buf_put(&request, bytes_text(head));
    buf_put(&request, body);
    bool answered = send_all(connection->fd, buf_bytes(&request)) && receive_answer(connection);
    buf_clear(&request);
    return answered;
}

/* ---- deposits */

struct made {
    struct buf statement; /* an entry */
    struct buf items;
    uint16_t number; /* of the item that is looked for later */
    struct hash sha256;
};

static struct hash any_hash(struct connection *connection)
{
    struct hash out;
    for (size_t i = 0; i < sizeof out.at; i += 8) {
        put_u64(out.at + i, any(connection));
    }
    return out;
}

static void make_items(struct connection *connection, struct made *out, struct deposit *deposit)
{
    struct frontier frontier = {0};
    out->number = (uint16_t)(any(connection) % deposit->count);
    for (uint32_t i = 0; i < deposit->count; i++) {
        struct item item = {.form = ITEM_PLAIN,
                            .sha256 = any_hash(connection),
                            .sm3 = any_hash(connection),
                            .has_size = true,
                            .size = i};
        struct hash leaf;
        size_t start = out->items.len;
        item_write(&out->items, &item);
        leaf_hash(&leaf, (struct bytes){out->items.at + start, out->items.len - start});
        frontier_append(&frontier, &leaf);
        if (i == out->number) {
            out->sha256 = item.sha256;
        }
    }
    frontier_root(&frontier, &deposit->items_root);
}

static void make_deposit(struct connection *connection, struct made *out, uint32_t count)
{
    uint8_t nonce[16];
    struct buf body = {0};
    struct deposit deposit = {.count = count, .category = bytes_text("load")};
    *out = (struct made){0};
    make_items(connection, out, &deposit);
    deposit_write(&body, &deposit);
    put_u64(nonce, any(connection));
    put_u64(nonce + 8, any(connection));
    uint64_t now = clock_wall_ms();
    struct draft draft = {.content_type = DEPOSIT_TYPE,
                          .iss = bytes_text(member),
                          .iat = now / 1000,
                          .chain = trust->chain,
                          .valid_until = now + 600000,
                          .nonce16 = nonce,
                          .payload = buf_bytes(&body)};
    MUST(statement_sign(&out->statement, &draft, signer) == OK);
    buf_clear(&body);
}

static void made_clear(struct made *made, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_clear(&made[i].statement);
        buf_clear(&made[i].items);
    }
}

/* Appends a statement that carries its items. */
static void put_whole(struct buf *out, const struct made *made)
{
    struct sign1 sign1;
    struct buf unprotected = {0};
    MUST(sign1_parse(&sign1, buf_bytes(&made->statement)) == OK);
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, LABEL_ITEMS);
    cbor_put_bytes(&unprotected, buf_bytes(&made->items));
    sign1.unprotected = buf_bytes(&unprotected);
    sign1_write(out, &sign1);
    buf_clear(&unprotected);
}

static void note(const struct made *made, const char *statement, uint64_t index)
{
    static bool any_yet;
    char line[256];
    char digest[2 * sizeof made->sha256.at + 1];
    hex_write(digest, hash_bytes(&made->sha256));
    int len = snprintf(line, sizeof line, "%s %" PRIu64 " %u %s\n", statement, index,
                       (unsigned)made->number, digest);
    pthread_mutex_lock(&lock);
    MUST(write(acknowledged_fd, line, (size_t)len) == len);
    if (!any_yet) {
        puts("first");
        fflush(stdout);
    }
    any_yet = true;
    pthread_mutex_unlock(&lock);
}

/* Notes what the node says it has stored; a busy node stores nothing. */
static void note_answers(const struct connection *connection, const struct made *made, size_t count)
{
    if (connection->status == 503) {
        return;
    }
    if (connection->status != 201) {
        fprintf(stderr, "load: %u: %.*s\n", connection->status, (int)connection->body.len,
                (const char *)connection->body.at);
        exit(1);
    }
    json_t *json = json_loadb((const char *)connection->body.at, connection->body.len, 0, NULL);
    const json_t *answers = json_object_get(json, "answers");
    MUST(json_array_size(answers) == count);
    for (size_t i = 0; i < count; i++) {
        const json_t *answer = json_array_get(answers, i);
        MUST(json_is_true(json_object_get(answer, "ok")));
        note(&made[i], json_string_value(json_object_get(answer, "statement")),
             (uint64_t)json_integer_value(json_object_get(answer, "index")));
    }
    json_decref(json);
}

static bool send_group(struct connection *connection)
{
    struct made made[GROUP_MAX];
    struct buf body = {0};
    size_t count = any(connection) % 2 ? 1 : 1 + any(connection) % GROUP_MAX;
    for (size_t i = 0; i < count; i++) {
        make_deposit(connection, &made[i], (uint32_t)(1 + any(connection) % 3));
        put_whole(&body, &made[i]);
    }
    bool answered =
        ask(connection, "POST", "/v1/statements", "application/cbor-seq", buf_bytes(&body));
    if (answered) {
        note_answers(connection, made, count);
    }
    made_clear(made, count);
    buf_clear(&body);
    return answered;
}

static bool send_batch(struct connection *connection)
{
    struct made made;
    struct buf body = {0};
    make_deposit(connection, &made, (uint32_t)(1 + any(connection) % ITEMS_TOP));
    buf_put(&body, buf_bytes(&made.statement));
    buf_put(&body, buf_bytes(&made.items));
    bool answered =
        ask(connection, "POST", "/v1/batches", "application/cbor-seq", buf_bytes(&body));
    if (answered) {
        note_answers(connection, &made, 1);
    }
    made_clear(&made, 1);
    buf_clear(&body);
    return answered;
}

static void *run_connection(void *context)
{
    struct connection connection = {.random = *(const uint64_t *)context};
    bool there = connect_to(&connection);
    while (there) {
        there = any(&connection) % 4 ? send_group(&connection) : send_batch(&connection);
    }
    close(connection.fd);
    buf_clear(&connection.answer);
    return NULL;
}

static int run_send(char **arguments)
{
    pthread_t threads[CONNECTIONS];
    uint64_t seeds[CONNECTIONS];
    MUST(signer_open(&signer, arguments[1], NULL, NULL, NULL) == OK);
    open_trust(arguments[2]);
    member = arguments[3];
    acknowledged_fd = open(arguments[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    MUST(acknowledged_fd >= 0);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        seeds[i] = strtoull(arguments[5], NULL, 0) * CONNECTIONS + i;
        MUST(pthread_create(&threads[i], NULL, run_connection, &seeds[i]) == 0);
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        pthread_join(threads[i], NULL);
    }
    close(acknowledged_fd);
    signer_free(signer);
    trust_free(trust);
    return 0;
}

/* ---- flood */

static uint64_t flood_end_ns;
static atomic_uint_fast64_t flood_sent;
static atomic_uint_fast64_t flood_acknowledged;
static atomic_uint_fast64_t flood_lost;

static bool flood_goes_on(void)
{
    return clock_mono_ns() < flood_end_ns;
}

static void pause_ns(long ns)
{
    struct timespec moment = {.tv_nsec = ns};
    nanosleep(&moment, NULL);
}

static void flood_connect(struct connection *connection)
{
    while (flood_goes_on() && !connect_to(connection)) {
        close(connection->fd);
        connection->fd = -1;
        pause_ns(REFUSED_NS);
    }
}

/* Sends one request until it is acknowledged. */
static void flood_request(struct connection *connection, const char *path, const struct made *made,
                          size_t count, struct bytes body)
{
    while (flood_goes_on()) {
        atomic_fetch_add(&flood_sent, 1);
        bool answered = ask(connection, "POST", path, "application/cbor-seq", body);
        if (answered && connection->status == 201) {
            note_answers(connection, made, count);
            atomic_fetch_add(&flood_acknowledged, 1);
            return;
        }
        if (answered) {
            MUST(connection->status == 503 || connection->status == 408);
        } else {
            atomic_fetch_add(&flood_lost, 1);
        }
        if (!answered ||
            memmem(connection->answer.at, connection->answer.len, CLOSE_LINE, strlen(CLOSE_LINE))) {
            close(connection->fd);
            flood_connect(connection);
        }
    }
}

static void flood_light(struct connection *connection)
{
    struct made made;
    struct buf body = {0};
    make_deposit(connection, &made, 1);
    put_whole(&body, &made);
    flood_request(connection, "/v1/statements", &made, 1, buf_bytes(&body));
    made_clear(&made, 1);
    buf_clear(&body);
}

static void flood_heavy(struct connection *connection)
{
    struct made made;
    struct buf body = {0};
    make_deposit(connection, &made, HEAVY_ITEMS);
    buf_put(&body, buf_bytes(&made.statement));
    buf_put(&body, buf_bytes(&made.items));
    flood_request(connection, "/v1/batches", &made, 1, buf_bytes(&body));
    made_clear(&made, 1);
    buf_clear(&body);
}

static void *flood_connection(void *context)
{
    uint64_t seed = *(const uint64_t *)context;
    struct connection connection = {.random = seed, .fd = -1};
    flood_connect(&connection);
    while (flood_goes_on()) {
        if (seed % HEAVY_EVERY == 0) {
            flood_heavy(&connection);
        } else {
            flood_light(&connection);
        }
    }
    if (connection.fd >= 0) {
        close(connection.fd);
    }
    buf_clear(&connection.answer);
    return NULL;
}

static void flood_run(uint64_t seed, size_t count)
{
    pthread_t *threads = mem_alloc(count * sizeof *threads);
    uint64_t *seeds = mem_alloc(count * sizeof *seeds);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, FLOOD_STACK);
    for (size_t i = 0; i < count; i++) {
        seeds[i] = seed * count + i;
        MUST(pthread_create(&threads[i], &small, flood_connection, &seeds[i]) == 0);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_attr_destroy(&small);
    free(threads);
    free(seeds);
}

static int run_flood(char **arguments)
{
    MUST(signer_open(&signer, arguments[1], NULL, NULL, NULL) == OK);
    open_trust(arguments[2]);
    member = arguments[3];
    acknowledged_fd = open(arguments[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    MUST(acknowledged_fd >= 0);
    flood_end_ns = clock_mono_ns() + strtoull(arguments[7], NULL, 10) * 1000000000u;
    flood_run(strtoull(arguments[5], NULL, 10), (size_t)strtoull(arguments[6], NULL, 10));
    printf("%" PRIuFAST64 " %" PRIuFAST64 " %" PRIuFAST64 "\n", atomic_load(&flood_sent),
           atomic_load(&flood_acknowledged), atomic_load(&flood_lost));
    close(acknowledged_fd);
    signer_free(signer);
    trust_free(trust);
    return 0;
}

/* ---- checking */

static void complain(const char *what, const char *line, const struct connection *connection)
{
    fprintf(stderr, "load: %s: %s%u: %.*s\n", what, line, connection->status,
            (int)connection->body.len, (const char *)connection->body.at);
    exit(1);
}

static void check_proof(struct connection *connection, const char *line, uint64_t index,
                        const struct subject *subject)
{
    struct proof *proof = NULL;
    struct verdict verdict = {0};
    if (connection->status != 200 || proof_parse(&proof, connection->body, NULL) != OK) {
        complain("no proof", line, connection);
    }
    proof_verify(&verdict, proof, trust, subject);
    if (verdict.status != VERDICT_PASS || proof->file.index != index) {
        complain(verdict.summary, line, connection);
    }
    verdict_clear(&verdict);
    proof_free(proof);
}

static void check_line(struct connection *connection, const char *line)
{
    char statement[65];
    char digest[65];
    char path[256];
    uint64_t index;
    unsigned number;
    struct subject subject = {.kind = SUBJECT_SHA256};
    MUST(sscanf(line, "%64s %" SCNu64 " %u %64s", statement, &index, &number, digest) == 4);
    MUST(hex_read(subject.sha256.at, sizeof subject.sha256.at, bytes_text(digest)) == OK);
    snprintf(path, sizeof path, "/v1/proofs/%s/%u", statement, number);
    MUST(ask(connection, "GET", path, "none", BYTES_NONE));
    check_proof(connection, line, index, &subject);
    snprintf(path, sizeof path, "/v1/evidence?sha256=%s", digest);
    MUST(ask(connection, "GET", path, "none", BYTES_NONE));
    if (connection->status != 200 ||
        !memmem(connection->body.at, connection->body.len, statement, strlen(statement))) {
        complain("not found by its digest", line, connection);
    }
}

static int run_check(char **arguments)
{
    struct connection connection = {.fd = -1};
    char line[256];
    uint64_t count = 0;
    uint64_t first = strtoull(arguments[3], NULL, 10);
    open_trust(arguments[1]);
    FILE *file = fopen(arguments[2], "re");
    MUST(file && connect_to(&connection));
    while (fgets(line, sizeof line, file)) {
        if (count++ >= first) {
            check_line(&connection, line);
        }
    }
    printf("%" PRIu64 "\n", count);
    fclose(file);
    close(connection.fd);
    buf_clear(&connection.answer);
    trust_free(trust);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        port = (uint16_t)strtoul(argv[2], NULL, 10);
    }
    if (argc == 8 && strcmp(argv[1], "send") == 0) {
        return run_send(argv + 2);
    }
    if (argc == 6 && strcmp(argv[1], "check") == 0) {
        return run_check(argv + 2);
    }
    if (argc == 10 && strcmp(argv[1], "flood") == 0) {
        return run_flood(argv + 2);
    }
    fputs("usage: load send PORT KEY TRUST MEMBER ACKNOWLEDGED SEED\n"
          "       load check PORT TRUST ACKNOWLEDGED FIRST\n"
          "       load flood PORT KEY TRUST MEMBER ACKNOWLEDGED SEED CONNECTIONS SECONDS\n",
          stderr);
    return 2;
}
