#include "cli/bench/desk.h"

#include "admit/admit.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/bench/load.h"
#include "cli/bench/machine.h"
#include "cli/bench/wire.h"
#include "crypto/random.h"
#include "modules/member/member.h"
#include "node/node.h"
#include "proof/trust.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEDGER_NAME  "bench"
#define APPLICATION  "bench-application"
#define VALID_MS     ((uint64_t)12 * 3600000)
#define THREADS_MAX  64
#define BATCHES_MAX  4096
#define KEY_FILE_MAX 4096

/* ---- digests out of numbers */

static uint64_t mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

enum stream { STREAM_SINGLE, STREAM_SHA256, STREAM_SM3, STREAM_REF, STREAM_NONCE };

/* As random as a digest looks, and the same whenever it is asked for. */
static struct hash digest(uint64_t seed, enum stream stream, uint64_t number)
{
    struct hash hash;
    uint64_t state = mix(seed ^ mix(number * 8 + stream));
    for (size_t i = 0; i < sizeof hash.at; i += 8) {
        state = mix(state);
        memcpy(hash.at + i, &state, 8);
    }
    return hash;
}

struct hash desk_digest(const struct desk *desk, uint64_t batch, uint32_t number)
{
    return digest(desk->seed, STREAM_SHA256, batch * BATCH_ITEMS + number);
}

/* ---- signing */

/* Appends a signed deposit without its items. */
static void sign_deposit(const struct desk *desk, struct buf *out, const struct deposit *deposit,
                         uint64_t number)
{
    uint64_t now = clock_wall_ms();
    struct hash nonce = digest(desk->seed, STREAM_NONCE, number);
    struct buf payload = {0};
    deposit_write(&payload, deposit);
    struct draft draft = {
        .content_type = DEPOSIT_TYPE,
        .iss = bytes_text(APPLICATION),
        .sub = bytes_text("case-20261124"),
        .iat = now / 1000,
        .chain = desk->chain,
        .valid_until = now + VALID_MS,
        .nonce16 = nonce.at,
        .payload = buf_bytes(&payload),
    };
    enum err err = statement_sign(out, &draft, desk->application);
    BUG_ON(err != OK);
    buf_clear(&payload);
}

void desk_single(const struct desk *desk, struct buf *out, uint64_t number)
{
    struct hash reference = digest(desk->seed, STREAM_REF, ~number);
    struct item item = {
        .form = ITEM_PLAIN,
        .sha256 = digest(desk->seed, STREAM_SINGLE, number * 2),
        .sm3 = digest(desk->seed, STREAM_SINGLE, number * 2 + 1),
        .has_size = true,
        .size = 20000 + number % 40000,
        .media_type = bytes_text("application/octet-stream"),
        .ref = {reference.at, REF_LEN},
        .has_commitment = true,
        .commitment = reference,
    };
    struct buf encoded = {0};
    item_write(&encoded, &item);
    struct deposit deposit = {.count = 1, .category = bytes_text("evidence")};
    leaf_hash(&deposit.items_root, buf_bytes(&encoded));
    struct buf entry = {0};
    sign_deposit(desk, &entry, &deposit, number);
    struct sign1 sign1;
    enum err err = sign1_parse(&sign1, buf_bytes(&entry));
    BUG_ON(err != OK || sign1.payload.len + encoded.len + 1 < SINGLE_BODY_LEN ||
           sign1.payload.len + encoded.len > SINGLE_BODY_LEN + 1);
    struct buf unprotected = {0};
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, LABEL_ITEMS);
    cbor_put_bytes(&unprotected, buf_bytes(&encoded));
    sign1.unprotected = buf_bytes(&unprotected);
    sign1_write(out, &sign1);
    buf_clear(&unprotected);
    buf_clear(&entry);
    buf_clear(&encoded);
}

/* One thread's share of a file of singles. */
struct share {
    pthread_t thread;
    const struct desk *desk;
    uint64_t from;
    size_t count;
    size_t per_request;
    struct buf out;
};

static void *sign_share(void *context)
{
    struct share *share = context;
    struct buf body = {0};
    for (size_t done = 0; done < share->count;) {
        struct request_head head = {0};
        body.len = 0;
        for (; head.units < share->per_request && done < share->count; done++) {
            desk_single(share->desk, &body, share->from + done);
            head.units++;
        }
        head.len = (uint32_t)body.len;
        buf_put(&share->out, BYTES_OF(head));
        buf_put(&share->out, buf_bytes(&body));
    }
    buf_clear(&body);
    return NULL;
}

/* Writes without waiting for the disk: this is not the ledger. */
static enum err write_all(int fd, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.at, bytes.len);
        if (written <= 0) {
            return ERR_IO;
        }
        bytes.at += written;
        bytes.len -= (size_t)written;
    }
    return OK;
}

static int open_requests(const struct desk *desk)
{
    return open(desk->requests, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static enum err close_requests(const struct desk *desk, int fd, enum err err, struct why *why)
{
    if (fd < 0 || close(fd) != 0) {
        err = ERR_IO;
    }
    return err == OK ? OK : why_say(why, err, "file", desk->requests, NULL, NULL);
}

enum err desk_sign_singles(struct desk *desk, size_t count, size_t per_request, struct why *why)
{
    struct share shares[THREADS_MAX];
    size_t threads = machine_cores() < THREADS_MAX ? machine_cores() : THREADS_MAX;
    int fd = open_requests(desk);
    enum err err = OK;
    for (size_t i = 0; i < threads; i++) {
        size_t part = count / threads + (i < count % threads);
        shares[i] = (struct share){
            .desk = desk, .from = desk->singles, .count = part, .per_request = per_request};
        desk->singles += part;
        BUG_ON(pthread_create(&shares[i].thread, NULL, sign_share, &shares[i]) != 0);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(shares[i].thread, NULL);
        err = err == OK ? write_all(fd, buf_bytes(&shares[i].out)) : err;
        buf_clear(&shares[i].out);
    }
    return close_requests(desk, fd, err, why);
}

/* Appends the items of a batch and writes their root. */
static void batch_items(const struct desk *desk, struct buf *out, struct hash *root)
{
    struct frontier frontier = {0};
    for (uint32_t i = 0; i < BATCH_ITEMS; i++) {
        uint64_t number = desk->batches * BATCH_ITEMS + i;
        struct hash reference = digest(desk->seed, STREAM_REF, number);
        struct item item = {
            .form = ITEM_PLAIN,
            .sha256 = desk_digest(desk, desk->batches, i),
            .sm3 = digest(desk->seed, STREAM_SM3, number),
            .has_size = true,
            .size = 20000 + number % 40000,
            .media_type = bytes_text("image/jpeg"),
            .ref = {reference.at, desk->with_ref ? REF_LEN : 0},
        };
        size_t start = out->len;
        struct hash leaf;
        item_write(out, &item);
        BUG_ON(!desk->with_ref && out->len - start != BATCH_ITEM_LEN);
        leaf_hash(&leaf, (struct bytes){out->at + start, out->len - start});
        frontier_append(&frontier, &leaf);
    }
    frontier_root(&frontier, root);
}

static enum err sign_batch(struct desk *desk, int fd)
{
    struct buf items = {0};
    struct buf entry = {0};
    struct deposit deposit = {.count = BATCH_ITEMS, .category = bytes_text("evidence")};
    batch_items(desk, &items, &deposit.items_root);
    sign_deposit(desk, &entry, &deposit, UINT64_MAX - desk->batches);
    struct statement statement;
    enum err err = statement_parse(&statement, buf_bytes(&entry), NULL);
    BUG_ON(err != OK || desk->batches == BATCHES_MAX);
    statement_id(&desk->ids[desk->batches++], &statement, NULL);
    struct request_head head = {BATCH_ITEMS, (uint32_t)(entry.len + items.len)};
    err = write_all(fd, BYTES_OF(head));
    if (err == OK) {
        err = write_all(fd, buf_bytes(&entry));
    }
    if (err == OK) {
        err = write_all(fd, buf_bytes(&items));
    }
    buf_clear(&entry);
    buf_clear(&items);
    return err;
}

enum err desk_sign_batches(struct desk *desk, size_t count, struct why *why)
{
    int fd = open_requests(desk);
    enum err err = OK;
    for (size_t i = 0; err == OK && i < count; i++) {
        err = sign_batch(desk, fd);
    }
    return close_requests(desk, fd, err, why);
}

/* ---- the ledger */

static enum err read_chain(struct desk *desk, struct why *why)
{
    struct buf text = {0};
    struct trust *trust = NULL;
    char *path = path_join(desk->dir, LEDGER_NAME ".trust");
    enum err err = file_read(&text, path, TRUST_MAX, why);
    if (err == OK) {
        err = trust_parse(&trust, buf_bytes(&text), why);
    }
    if (err == OK) {
        desk->chain = trust->chain;
    }
    trust_free(trust);
    buf_clear(&text);
    free(path);
    return err;
}

static enum err new_signer(struct signer **out)
{
    struct buf pem = {0};
    TRY(key_generate(&pem, ALG_ED25519, NULL));
    enum err err = signer_parse(out, buf_bytes(&pem), NULL);
    wipe(pem.at, pem.len);
    buf_clear(&pem);
    return err;
}

enum err desk_open(struct desk *out, const char *dir, const char *name, struct why *why)
{
    *out = (struct desk){.dir = path_join(dir, name), .requests = path_join(dir, "requests")};
    out->ids = mem_alloc(BATCHES_MAX * sizeof *out->ids);
    random_bytes((uint8_t *)&out->seed, sizeof out->seed);
    enum err err = node_create(out->dir, LEDGER_NAME, NULL, why);
    if (err == OK) {
        err = read_chain(out, why);
    }
    if (err == OK) {
        err = new_signer(&out->application);
    }
    if (err != OK) {
        desk_close(out);
    }
    return err;
}

void desk_close(struct desk *desk)
{
    signer_free(desk->application);
    free(desk->ids);
    free(desk->requests);
    free(desk->dir);
    *desk = (struct desk){0};
}

enum err desk_serve(const struct desk *desk, struct served *out, struct why *why)
{
    const char *const argv[] = {"run", desk->dir, "--listen", "127.0.0.1:0", NULL};
    return served_start(out, argv, why);
}

enum err desk_serve_tls(const struct desk *desk, struct served *out, const char *certificate,
                        const char *key, struct why *why)
{
    const char *const argv[] = {
        "run",       desk->dir,   "--listen", "127.0.0.1:0", "--tls-certificate",
        certificate, "--tls-key", key,        NULL};
    return served_start(out, argv, why);
}

/* Appends the operator's statement that registers the application with its key. */
static enum err enrolment(const struct desk *desk, struct buf *out, const struct signer *registrar)
{
    struct buf possession = {0};
    struct buf payload = {0};
    TRY(possession_sign(&possession, &desk->chain, bytes_text(APPLICATION), PURPOSE_MEMBER,
                        desk->application));
    struct member_register body = {
        .member = bytes_text(APPLICATION),
        .kind = MEMBER_APPLICATION,
        .role_count = 1,
        .roles = {bytes_text("application")},
        .key_count = 1,
        .keys = {{.possession = buf_bytes(&possession)}},
    };
    member_register_write(&payload, &body);
    uint64_t now = clock_wall_ms();
    uint8_t nonce[16];
    random_bytes(nonce, sizeof nonce);
    struct draft draft = {
        .content_type = MEMBER_TYPE("register"),
        .iss = bytes_text(NODE_OPERATOR_ID),
        .sub = bytes_text(APPLICATION),
        .iat = now / 1000,
        .chain = desk->chain,
        .valid_until = now + 60000,
        .nonce16 = nonce,
        .payload = buf_bytes(&payload),
    };
    enum err err = statement_sign(out, &draft, registrar);
    buf_clear(&payload);
    buf_clear(&possession);
    return err;
}

static enum err post_statement(uint16_t port, struct bytes statement, struct why *why)
{
    struct buf head = {0};
    struct buf in = {0};
    struct wire_reply reply = {0};
    int fd = wire_open(port);
    wire_head(&head, "/v1/statements", "application/cose", statement.len);
    enum err err =
        fd < 0 ? ERR_UNREACHABLE : wire_call(fd, buf_bytes(&head), statement, &in, &reply);
    if (err == OK && reply.status != 201) {
        err = why_sayf(why, ERR_REFUSED, "enrolment", "was refused", NULL, "%.*s",
                       (int)(reply.body.len < 100 ? reply.body.len : 100),
                       (const char *)reply.body.at);
    }
    if (fd >= 0) {
        close(fd);
    }
    buf_clear(&head);
    buf_clear(&in);
    return err;
}

enum err desk_enrol(const struct desk *desk, uint16_t port, struct why *why)
{
    struct signer *registrar = NULL;
    struct buf statement = {0};
    char *path = path_join(desk->dir, NODE_OPERATOR_KEY);
    enum err err = keystore_open(&registrar, path, NULL, NULL, why);
    if (err == OK) {
        err = enrolment(desk, &statement, registrar);
    }
    if (err == OK) {
        err = post_statement(port, buf_bytes(&statement), why);
    }
    signer_free(registrar);
    buf_clear(&statement);
    free(path);
    return err;
}
