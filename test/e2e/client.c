#include "client.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct trust *trust;
struct signer *signer;
const char *member;

void open_trust(const char *path)
{
    struct buf bytes = {0};
    MUST(file_read(&bytes, path, TRUST_MAX, NULL) == OK);
    MUST(trust_parse(&trust, buf_bytes(&bytes), NULL) == OK);
    buf_clear(&bytes);
}

/* splitmix64. */
uint64_t any(struct connection *connection)
{
    uint64_t z = connection->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

bool connect_to(struct connection *connection)
{
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd >= 0 && connection->timeout_s) {
        struct timeval limit = {.tv_sec = connection->timeout_s};
        setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    return connection->fd >= 0 && connect(connection->fd, (const struct sockaddr *)&connection->to,
                                          sizeof connection->to) == 0;
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

bool ask(struct connection *connection, const char *method, const char *path,
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

void make_deposit(struct connection *connection, struct made *out, uint32_t count)
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

void made_clear(struct made *made, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_clear(&made[i].statement);
        buf_clear(&made[i].items);
    }
}

void put_whole(struct buf *out, const struct made *made)
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
