/* Rows about what is asked over HTTP as fast as it is answered, with a connection and an event loop
 * for each core: look-ups of many digests in one request, and proofs. */
#include "base/clock.h"
#include "cli/bench/bench.h"
#include "cli/bench/reference.h"
#include "cli/bench/wire.h"
#include "codec/text.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNED_LEN   400
#define REFERENCE_MS 300
#define LOOKUPS_MS   ((uint64_t)1000)
#define ASKED        1000 /* digests in a request */
#define THREADS_MAX  64   /* as many loops as a server has */
#define PIPELINED    16   /* requests for proofs that are sent at once */

struct asker;

/* A kind of question. */
struct kind {
    const char *name;
    const char *bar_text;
    double bar_rate;
    /* Appends requests, and says how many answers they get. */
    unsigned (*put)(struct buf *out, struct asker *asker);
    unsigned units; /* of an answer */
};

struct lookups {
    struct bench *bench;
    const struct kind *kind;
    struct desk *desk;
    struct served server;
    size_t threads;
    uint64_t random;
};

struct asker {
    pthread_t thread;
    const struct lookups *lookups;
    uint64_t random;
    uint64_t count; /* of units that were answered */
    enum err err;
};

/* A random item of the ledger: its batch and its number there. */
static size_t pick_item(struct asker *asker, uint32_t *number)
{
    asker->random = asker->random * 6364136223846793005u + 1442695040888963407u;
    uint64_t item = asker->random >> 16;
    *number = (uint32_t)(item % BATCH_ITEMS);
    return item / BATCH_ITEMS % asker->lookups->desk->batches;
}

/* One question about random items, all of which are there. */
static unsigned put_digests(struct buf *out, struct asker *asker)
{
    struct buf body = {0};
    buf_put(&body, bytes_text("{\"sha256\":["));
    for (unsigned i = 0; i < ASKED; i++) {
        uint32_t number;
        size_t batch = pick_item(asker, &number);
        struct hash digest = desk_digest(asker->lookups->desk, batch, number);
        buf_put(&body, bytes_text(i ? ",\"" : "\""));
        hex_put(&body, hash_bytes(&digest));
        buf_put_byte(&body, '"');
    }
    buf_put(&body, bytes_text("]}"));
    wire_head(out, "/v1/digests", "application/json", body.len);
    buf_put(out, buf_bytes(&body));
    buf_clear(&body);
    return 1;
}

/* Random proofs, several at once, so that both sides work meanwhile. */
static unsigned put_proofs(struct buf *out, struct asker *asker)
{
    for (unsigned i = 0; i < PIPELINED; i++) {
        char hex[2 * sizeof(struct hash) + 1];
        char path[128];
        uint32_t number;
        size_t batch = pick_item(asker, &number);
        hex_write(hex, hash_bytes(&asker->lookups->desk->ids[batch]));
        snprintf(path, sizeof path, "/v1/proofs/%s/%u", hex, number);
        wire_head(out, path, NULL, 0);
    }
    return PIPELINED;
}

static const struct kind digests = {"digests looked up over HTTP, 1,000 in a request, all cores",
                                    "at least 50,000/s", 50000, put_digests, ASKED};
static const struct kind proofs = {"proofs of random items over HTTP, all cores",
                                   "at least 20,000/s", 20000, put_proofs, 1};

/* Reads the next answer; `in` holds what has come of this one and of those after it. */
static enum err take_reply(int fd, struct buf *in, unsigned *status)
{
    struct wire_reply reply;
    enum err err;
    while ((err = wire_parse(&reply, buf_bytes(in))) == ERR_TRUNCATED) {
        TRY(wire_receive(fd, in));
    }
    if (err == OK) {
        *status = reply.status;
        BUG_ON(!in->at);
        size_t taken = (size_t)(reply.body.at + reply.body.len - in->at);
        memmove(in->at, in->at + taken, in->len - taken);
        in->len -= taken;
    }
    return err;
}

static enum err ask(struct asker *asker, int fd)
{
    const struct kind *kind = asker->lookups->kind;
    struct buf out = {0};
    struct buf in = {0};
    enum err err = fd < 0 ? ERR_UNREACHABLE : OK;
    uint64_t end = clock_mono_ns() + LOOKUPS_MS * 1000000;
    while (err == OK && clock_mono_ns() < end) {
        out.len = 0;
        unsigned count = kind->put(&out, asker);
        err = wire_send(fd, buf_bytes(&out));
        for (unsigned i = 0; err == OK && i < count; i++) {
            unsigned status = 0;
            err = take_reply(fd, &in, &status);
            err = err == OK && status != 200 ? ERR_REFUSED : err;
            asker->count += kind->units;
        }
    }
    buf_clear(&out);
    buf_clear(&in);
    return err;
}

static void *run(void *context)
{
    struct asker *asker = context;
    int fd = wire_open(asker->lookups->server.port);
    asker->err = ask(asker, fd);
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

static enum err measure(void *context, struct slice *out, struct why *why)
{
    struct lookups *lookups = context;
    struct asker askers[THREADS_MAX] = {0};
    out->reference = reference_verify(SIGNED_LEN, REFERENCE_MS, NULL);
    uint64_t began = clock_mono_ns();
    for (size_t i = 0; i < lookups->threads; i++) {
        askers[i].lookups = lookups;
        askers[i].random = lookups->random += 977;
        BUG_ON(pthread_create(&askers[i].thread, NULL, run, &askers[i]) != 0);
    }
    uint64_t count = 0;
    enum err err = OK;
    for (size_t i = 0; i < lookups->threads; i++) {
        pthread_join(askers[i].thread, NULL);
        count += askers[i].count;
        err = err == OK ? askers[i].err : err;
    }
    double rate = (double)count * 1e9 / (double)(clock_mono_ns() - began);
    out->of[0].figure = rate;
    out->of[0].ratio = rate / lookups->kind->bar_rate;
    return err == OK ? OK : why_say(why, err, "server", NULL, "did not answer", NULL);
}

/* One row, of a server that runs. */
static enum err add_row(struct lookups *lookups, const struct kind *kind, struct series *series,
                        struct why *why)
{
    struct bench *bench = lookups->bench;
    struct trial trial = {.measure = measure,
                          .context = lookups,
                          .figures = 1,
                          .tries = bench->tries,
                          .best = &bench->best_verify};
    bench_step("%s", kind->name);
    lookups->kind = kind;
    TRY(pairs_run(series, &trial, why));
    struct row row = {.name = kind->name,
                      .bar_text = kind->bar_text,
                      .bar = BAR_AT_LEAST,
                      .limit = 1,
                      .unit = "/s"};
    report_add(&bench->report, &row, series);
    return OK;
}

enum err bench_lookups(struct bench *bench, struct desk *desk, struct why *why)
{
    static struct series series[2];
    char loops[16];
    struct lookups lookups = {.bench = bench, .desk = desk, .random = desk->seed};
    lookups.threads = bench->cores < THREADS_MAX ? bench->cores : THREADS_MAX;
    snprintf(loops, sizeof loops, "%zu", lookups.threads);
    const char *const argv[] = {"run", desk->dir, "--listen", "127.0.0.1:0", "--http-threads",
                                loops, NULL};
    TRY(served_start(&lookups.server, argv, why));
    enum err err = add_row(&lookups, &digests, &series[0], why);
    if (err == OK) {
        err = add_row(&lookups, &proofs, &series[1], why);
    }
    child_end(&lookups.server.child, SIGTERM);
    return err;
}
