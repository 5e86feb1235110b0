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
#include "client.h"

#include "codec/text.h"
#include "crypto/digest.h"

#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
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

/* ---- what all connections share */

static uint16_t port;
static int acknowledged_fd;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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
    struct connection connection = {.to = loopback(port), .random = *(const uint64_t *)context};
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
    struct connection connection = {.fd = -1, .to = loopback(port), .random = seed};
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
    struct connection connection = {.fd = -1, .to = loopback(port)};
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
