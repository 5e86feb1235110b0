/* usage: record ADDRESS:PORT,... KEY TRUST MEMBER SEED CONNECTIONS PAUSE_US TIMEOUT_S
 *
 * Writes and reads through every node, CONNECTIONS clients at each, and says on standard output all
 * that was asked and answered; test/e2e/history.py judges it. Goes on, whatever the nodes do, until
 * its standard input ends. One line is one answer, all of a client in order:
 *
 *   ASKED_NS ANSWERED_NS CLIENT NODE write|again ID STATUS INDEX HEIGHT
 *   ASKED_NS ANSWERED_NS CLIENT NODE find ID STATUS INDEX HEIGHT
 *   ASKED_NS ANSWERED_NS CLIENT NODE head HASH STATUS SIZE HEIGHT
 *
 * Times are CLOCK_MONOTONIC. STATUS is HTTP's, or 0 if no answer came (the connection ended, or
 * TIMEOUT_S passed); without a place INDEX and HEIGHT are -1. A client writes through its own node
 * and resends, finds and reads heads at any. */
#include "client.h"

#include "codec/text.h"
#include "crypto/digest.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NODES_MAX    16
#define KEPT         32 /* statements that a client remembers */
#define PATH_LEN     128
#define NS_PER_US    1000u
#define US_PER_S     1000000u
#define HEX_LEN      64
#define ARGUMENTS    9
#define PERCENT      100u
#define WRITE_SHARE  55u /* percent of what a client does */
#define RESEND_SHARE 10u
#define FIND_SHARE   15u

static struct sockaddr_in nodes[NODES_MAX];
static size_t node_count;
static unsigned timeout_s;
static uint64_t pause_us;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct written {
    struct buf bytes; /* as it was sent; empty: none */
    char id[HEX_LEN + 1];
};

struct client {
    size_t number;
    size_t home; /* its node */
    struct connection to[NODES_MAX];
    struct written kept[KEPT];
    size_t next;
};

struct log_place {
    json_int_t index;
    json_int_t height;
};

static const struct log_place nowhere = {-1, -1};

static void say(const struct client *client, uint64_t asked_ns, size_t node, const char *what,
                const char *of, struct log_place place)
{
    uint64_t answered_ns = clock_mono_ns();
    pthread_mutex_lock(&lock);
    printf("%" PRIu64 " %" PRIu64 " %zu %zu %s %s %u %" JSON_INTEGER_FORMAT " %" JSON_INTEGER_FORMAT
           "\n",
           asked_ns, answered_ns, client->number, node, what, of, client->to[node].status,
           place.index, place.height);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

/* One exchange over the client's connection to a node, made anew where it was lost. */
static void exchange(struct client *client, size_t node, const char *method, const char *path,
                     struct bytes body)
{
    struct connection *connection = &client->to[node];
    bool there = connection->fd >= 0 || connect_to(connection);
    if (!there || !ask(connection, method, path, "application/cbor-seq", body)) {
        if (connection->fd >= 0) {
            close(connection->fd);
        }
        connection->fd = -1;
        connection->status = 0;
        connection->body = BYTES_NONE;
    }
}

/* The body as JSON, or NULL where it is none. */
static json_t *body_json(const struct client *client, size_t node)
{
    struct bytes body = client->to[node].body;
    return body.len ? json_loadb((const char *)body.at, body.len, 0, NULL) : NULL;
}

static struct log_place place_of(const json_t *json)
{
    const json_t *index = json_object_get(json, "index");
    const json_t *height = json_object_get(json, "height");
    return json_is_integer(index) && json_is_integer(height)
               ? (struct log_place){json_integer_value(index), json_integer_value(height)}
               : nowhere;
}

static void submit(struct client *client, size_t node, const char *what,
                   const struct written *written)
{
    uint64_t asked_ns = clock_mono_ns();
    exchange(client, node, "POST", "/v1/statements", buf_bytes(&written->bytes));
    json_t *json = body_json(client, node);
    const json_t *answer = json_array_get(json_object_get(json, "answers"), 0);
    if (client->to[node].status == 201) {
        const char *id = json_string_value(json_object_get(answer, "statement"));
        MUST(id && strcmp(id, written->id) == 0);
    }
    say(client, asked_ns, node, what, written->id, place_of(answer));
    json_decref(json);
}

static void write_new(struct client *client)
{
    struct made made;
    struct statement statement;
    struct hash id;
    struct written *written = &client->kept[client->next++ % KEPT];
    written->bytes.len = 0;
    make_deposit(&client->to[client->home], &made, 1);
    MUST(statement_parse(&statement, buf_bytes(&made.statement), NULL) == OK);
    statement_id(&id, &statement, NULL);
    hex_write(written->id, hash_bytes(&id));
    put_whole(&written->bytes, &made);
    made_clear(&made, 1);
    submit(client, client->home, "write", written);
}

static void find(struct client *client, size_t node, const struct written *written)
{
    char path[PATH_LEN];
    uint64_t asked_ns = clock_mono_ns();
    snprintf(path, sizeof path, "/v1/evidence/%s", written->id);
    exchange(client, node, "GET", path, BYTES_NONE);
    json_t *json = body_json(client, node);
    say(client, asked_ns, node, "find", written->id,
        place_of(json_array_get(json_object_get(json, "evidence"), 0)));
    json_decref(json);
}

static void read_head(struct client *client, size_t node)
{
    uint64_t asked_ns = clock_mono_ns();
    exchange(client, node, "GET", "/v1/ledger", BYTES_NONE);
    json_t *json = body_json(client, node);
    const json_t *head = json_object_get(json, "head");
    const char *hash = json_string_value(json_object_get(head, "header_hash"));
    struct log_place place = nowhere;
    if (hash) {
        place.index = json_integer_value(json_object_get(head, "size"));
        place.height = json_integer_value(json_object_get(head, "height"));
    }
    say(client, asked_ns, node, "head", hash ? hash : "-", place);
    json_decref(json);
}

static void step(struct client *client)
{
    struct connection *home = &client->to[client->home];
    uint64_t chance = any(home) % PERCENT;
    size_t node = (size_t)(any(home) % node_count);
    const struct written *written = &client->kept[any(home) % KEPT];
    if (chance < WRITE_SHARE || written->bytes.len == 0) {
        write_new(client);
    } else if (chance < WRITE_SHARE + RESEND_SHARE) {
        submit(client, node, "again", written);
    } else if (chance < WRITE_SHARE + RESEND_SHARE + FIND_SHARE) {
        find(client, node, written);
    } else {
        read_head(client, node);
    }
}

static bool goes_on(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) == 0;
}

static void *run(void *context)
{
    struct client *client = context;
    struct connection *home = &client->to[client->home];
    while (goes_on()) {
        step(client);
        uint64_t us = pause_us ? any(home) % (2 * pause_us) : 0;
        struct timespec moment = {(time_t)(us / US_PER_S), (long)(us % US_PER_S * NS_PER_US)};
        nanosleep(&moment, NULL);
    }
    for (size_t i = 0; i < node_count; i++) {
        if (client->to[i].fd >= 0) {
            close(client->to[i].fd);
        }
        buf_clear(&client->to[i].answer);
    }
    for (size_t i = 0; i < KEPT; i++) {
        buf_clear(&client->kept[i].bytes);
    }
    return NULL;
}

static void read_nodes(char *list)
{
    for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
        char *port = strchr(word, ':');
        MUST(port && node_count < NODES_MAX);
        *port++ = 0;
        struct sockaddr_in *node = &nodes[node_count++];
        *node = loopback((uint16_t)strtoul(port, NULL, 10));
        MUST(inet_pton(AF_INET, word, &node->sin_addr) == 1);
    }
}

static void run_clients(uint64_t seed, size_t connections)
{
    size_t count = connections * node_count;
    struct client *clients = mem_alloc(count * sizeof *clients);
    pthread_t *threads = mem_alloc(count * sizeof *threads);
    for (size_t i = 0; i < count; i++) {
        clients[i] = (struct client){.number = i, .home = i % node_count};
        for (size_t j = 0; j < node_count; j++) {
            clients[i].to[j] = (struct connection){.fd = -1,
                                                   .to = nodes[j],
                                                   .timeout_s = timeout_s,
                                                   .random = (seed * count + i) * NODES_MAX + j};
        }
        MUST(pthread_create(&threads[i], NULL, run, &clients[i]) == 0);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    free(threads);
    free(clients);
}

int main(int argc, char **argv)
{
    if (argc != ARGUMENTS) {
        fputs("usage: record ADDRESS:PORT,... KEY TRUST MEMBER SEED CONNECTIONS PAUSE_US "
              "TIMEOUT_S\n",
              stderr);
        return 2;
    }
    read_nodes(argv[1]);
    MUST(signer_open(&signer, argv[2], NULL, NULL, NULL) == OK);
    open_trust(argv[3]);
    member = argv[4];
    pause_us = strtoull(argv[7], NULL, 10);
    timeout_s = (unsigned)strtoul(argv[8], NULL, 10);
    run_clients(strtoull(argv[5], NULL, 10), (size_t)strtoull(argv[6], NULL, 10));
    signer_free(signer);
    trust_free(trust);
    return 0;
}
