/* The row about look-ups of many digests in one request, over HTTP: a connection and an event loop
 * for each core. */
#include "base/clock.h"
#include "cli/bench/bench.h"
#include "cli/bench/reference.h"
#include "cli/bench/wire.h"
#include "codec/text.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIGNED_LEN   400
#define REFERENCE_MS 300
#define LOOKUPS_MS   ((uint64_t)1000)
#define ASKED        1000 /* digests in a request */
#define THREADS_MAX  64   /* as many loops as a server has */
#define BAR_RATE     50000

struct lookups {
    struct bench *bench;
    struct desk *desk;
    struct served server;
    size_t threads;
    uint64_t random;
};

struct asker {
    pthread_t thread;
    const struct lookups *lookups;
    uint64_t random;
    uint64_t count; /* of digests that were answered */
    enum err err;
};

/* A question about random items, all of which are there. */
static void question_make(struct buf *out, struct asker *asker)
{
    const struct desk *desk = asker->lookups->desk;
    out->len = 0;
    buf_put(out, bytes_text("{\"sha256\":["));
    for (unsigned i = 0; i < ASKED; i++) {
        asker->random = asker->random * 6364136223846793005u + 1442695040888963407u;
        uint64_t number = asker->random >> 16;
        struct hash digest = desk_digest(desk, number / BATCH_ITEMS % desk->batches,
                                         (uint32_t)(number % BATCH_ITEMS));
        buf_put(out, bytes_text(i ? ",\"" : "\""));
        hex_put(out, hash_bytes(&digest));
        buf_put_byte(out, '"');
    }
    buf_put(out, bytes_text("]}"));
}

static enum err ask(struct asker *asker, int fd)
{
    struct buf body = {0};
    struct buf head = {0};
    struct buf in = {0};
    struct wire_reply reply;
    enum err err = fd < 0 ? ERR_UNREACHABLE : OK;
    uint64_t end = clock_mono_ns() + LOOKUPS_MS * 1000000;
    while (err == OK && clock_mono_ns() < end) {
        question_make(&body, asker);
        head.len = 0;
        wire_head(&head, "/v1/digests", "application/json", body.len);
        err = wire_call(fd, buf_bytes(&head), buf_bytes(&body), &in, &reply);
        err = err == OK && reply.status != 200 ? ERR_REFUSED : err;
        asker->count += ASKED;
    }
    buf_clear(&body);
    buf_clear(&head);
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
    out->of[0].ratio = rate / BAR_RATE;
    return err == OK ? OK : why_say(why, err, "server", NULL, "answered no look-ups", NULL);
}

enum err bench_lookups(struct bench *bench, struct desk *desk, struct why *why)
{
    static struct series series;
    char loops[16];
    struct lookups lookups = {.bench = bench, .desk = desk, .random = desk->seed};
    lookups.threads = bench->cores < THREADS_MAX ? bench->cores : THREADS_MAX;
    snprintf(loops, sizeof loops, "%zu", lookups.threads);
    const char *const argv[] = {"run", desk->dir, "--listen", "127.0.0.1:0", "--http-threads",
                                loops, NULL};
    bench_step("look-ups of %d digests in a request", ASKED);
    TRY(served_start(&lookups.server, argv, why));
    struct trial trial = {.measure = measure,
                          .context = &lookups,
                          .figures = 1,
                          .tries = bench->tries,
                          .best = &bench->best_verify};
    enum err err = pairs_run(&series, &trial, why);
    child_end(&lookups.server.child, SIGTERM);
    TRY(err);
    struct row row = {.name = "digests looked up over HTTP, 1,000 in a request, all cores",
                      .bar_text = "at least 50,000/s",
                      .bar = BAR_AT_LEAST,
                      .limit = 1,
                      .unit = "/s"};
    report_add(&bench->report, &row, &series);
    return OK;
}
