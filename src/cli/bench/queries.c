/* Rows about a ledger that holds many items, in process: proofs made and checked, searches. */
#include "base/clock.h"
#include "cli/bench/bench.h"
#include "cli/bench/reference.h"
#include "cli/bench/wire.h"
#include "codec/text.h"
#include "node/node.h"
#include "proof/verify.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define SIGNED_LEN   400
#define REFERENCE_MS 300
#define PROOFS       1000 /* in a slice */
#define KEPT         200  /* proofs that are checked again and again */
#define SEARCH_MS    ((uint64_t)1000)
#define CHECK_MS     ((uint64_t)700)
#define THREADS_MAX  64

struct queries {
    struct bench *bench;
    struct desk *desk;
    struct node *node;
    struct served server; /* of the row over HTTP */
    int fd;
    struct trust *trust;
    struct buf proofs[KEPT];
    size_t proof_len; /* the longest */
    bool absent;      /* searches for what is not there */
    uint64_t random;
    uint64_t search_ns; /* CPU time of all searches of a row */
    uint64_t searched;
};

/* A number below `count`: good enough to pick things. */
static uint64_t pick(uint64_t *random, uint64_t count)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint64_t)(((unsigned __int128)(*random ^ (*random >> 29)) * count) >> 64);
}

/* ---- proofs */

static bool take_index(void *context, struct node_found *found)
{
    *(uint64_t *)context = found->index;
    return true;
}

/* Finds a random evidence id and proves it, as GET /v1/proofs would. */
static enum err prove_one(struct queries *queries, struct buf *out, struct why *why)
{
    const struct hash *id = &queries->desk->ids[pick(&queries->random, queries->desk->batches)];
    uint16_t number = (uint16_t)pick(&queries->random, BATCH_ITEMS);
    uint64_t index = 0;
    TRY(node_find_prefix(queries->node, id->at, number, take_index, &index));
    return node_prove(queries->node, index, number, true, out, why);
}

static enum err measure_proofs(void *context, struct slice *out, struct why *why)
{
    struct queries *queries = context;
    double seconds[PROOFS];
    out->reference = reference_verify(SIGNED_LEN, REFERENCE_MS, NULL);
    for (size_t i = 0; i < PROOFS; i++) {
        struct buf *proof = &queries->proofs[i % KEPT];
        proof->len = 0;
        uint64_t began = clock_mono_ns();
        TRY(prove_one(queries, proof, why));
        seconds[i] = (double)(clock_mono_ns() - began) / 1e9;
        queries->proof_len = proof->len > queries->proof_len ? proof->len : queries->proof_len;
    }
    double p99 = percentile(seconds, PROOFS, 0.99);
    out->of[0].figure = p99 * 1e3;
    out->of[0].ratio = p99 / 0.002;
    out->of[1].figure = percentile(seconds, PROOFS, 0.5) * 1e3;
    return OK;
}

static enum err proofs(struct queries *queries, struct why *why)
{
    static struct series series[2];
    struct bench *bench = queries->bench;
    bench_step("proofs of random items");
    struct trial trial = {.measure = measure_proofs,
                          .context = queries,
                          .figures = 2,
                          .tries = bench->tries,
                          .best = &bench->best_verify};
    TRY(pairs_run(series, &trial, why));
    struct row p99 = {.name = "a proof for a random evidence id: server time, p99",
                      .bar_text = "below 2 ms",
                      .bar = BAR_AT_MOST,
                      .limit = 1,
                      .unit = "ms"};
    struct row size = {.name = "size of a proof file",
                       .bar_text = "at most 4 KB",
                       .bar = BAR_AT_MOST,
                       .limit = 1,
                       .unit = "B"};
    struct row *added = report_add(&bench->report, &p99, &series[0]);
    snprintf(added->note, sizeof added->note, "p50 %.3f ms; search and proof, in process",
             series_figure(&series[1]).median);
    report_single(&bench->report, &size, (double)queries->proof_len,
                  (double)queries->proof_len / 4096);
    return OK;
}

/* ---- proofs over HTTP */

/* GET of one random proof. */
static enum err fetch_one(struct queries *queries, struct buf *head, struct buf *in)
{
    const struct hash *id = &queries->desk->ids[pick(&queries->random, queries->desk->batches)];
    char hex[2 * sizeof id->at + 1];
    char path[128];
    struct wire_reply reply;
    hex_write(hex, hash_bytes(id));
    snprintf(path, sizeof path, "/v1/proofs/%s/%u", hex,
             (unsigned)pick(&queries->random, BATCH_ITEMS));
    head->len = 0;
    wire_head(head, path, NULL, 0);
    TRY(wire_call(queries->fd, buf_bytes(head), BYTES_NONE, in, &reply));
    return reply.status == 200 ? OK : ERR_REFUSED;
}

static enum err measure_fetches(void *context, struct slice *out, struct why *why)
{
    struct queries *queries = context;
    struct buf head = {0};
    struct buf in = {0};
    double seconds[PROOFS];
    enum err err = OK;
    out->reference = reference_verify(SIGNED_LEN, REFERENCE_MS, NULL);
    for (size_t i = 0; err == OK && i < PROOFS; i++) {
        uint64_t began = clock_mono_ns();
        err = fetch_one(queries, &head, &in);
        seconds[i] = (double)(clock_mono_ns() - began) / 1e9;
    }
    buf_clear(&head);
    buf_clear(&in);
    out->of[0].figure = percentile(seconds, PROOFS, 0.99) * 1e3;
    out->of[1].figure = percentile(seconds, PROOFS, 0.5) * 1e3;
    return err == OK ? OK : why_say(why, err, "server", NULL, "gave no proof", NULL);
}

static enum err fetches(struct queries *queries, struct why *why)
{
    static struct series series[2];
    struct bench *bench = queries->bench;
    bench_step("proofs over HTTP");
    TRY(desk_serve(queries->desk, &queries->server, why));
    queries->fd = wire_open(queries->server.port);
    struct trial trial = {.measure = measure_fetches,
                          .context = queries,
                          .figures = 2,
                          .tries = bench->tries,
                          .best = &bench->best_verify};
    enum err err = queries->fd < 0 ? ERR_UNREACHABLE : pairs_run(series, &trial, why);
    if (queries->fd >= 0) {
        close(queries->fd);
    }
    child_end(&queries->server.child, SIGTERM);
    TRY(err);
    struct row row = {.name = "a proof of a random item over HTTP, one connection: p99",
                      .unit = "ms"};
    struct row *added = report_add(&bench->report, &row, &series[0]);
    snprintf(added->note, sizeof added->note, "p50 %.3f ms", series_figure(&series[1]).median);
    return OK;
}

/* ---- checking */

static enum err check_one(const struct queries *queries, struct bytes file, struct why *why)
{
    struct proof *proof;
    TRY(proof_parse(&proof, file, why));
    struct subject subject = {SUBJECT_FILE, proof->item.sha256, proof->item.sm3, proof->item.size};
    struct verdict verdict = {0};
    proof_verify(&verdict, proof, queries->trust, &subject);
    enum err err = verdict.status == VERDICT_PASS
                       ? OK
                       : why_say(why, ERR_MISMATCH, "proof", NULL, verdict.summary, NULL);
    verdict_clear(&verdict);
    proof_free(proof);
    return err;
}

static enum err measure_check(void *context, struct slice *out, struct why *why)
{
    struct queries *queries = context;
    double verify = reference_verify(SIGNED_LEN, REFERENCE_MS, NULL);
    uint64_t began = clock_mono_ns();
    uint64_t now = began;
    size_t count = 0;
    for (; now - began < CHECK_MS * 1000000; now = clock_mono_ns()) {
        TRY(check_one(queries, buf_bytes(&queries->proofs[count++ % KEPT]), why));
    }
    double each = (double)(now - began) / 1e9 / (double)count;
    out->reference = verify;
    out->of[0].figure = each * 1e6;
    out->of[0].ratio = each / (2 * verify + 0.0001);
    return OK;
}

static enum err checks(struct queries *queries, struct why *why)
{
    static struct series series;
    struct bench *bench = queries->bench;
    bench_step("checking proofs");
    struct trial trial = {.measure = measure_check,
                          .context = queries,
                          .figures = 1,
                          .tries = bench->tries,
                          .best = &bench->best_verify};
    TRY(pairs_run(&series, &trial, why));
    struct row row = {.name = "a proof checked natively",
                      .bar_text = "at most 2 x verify + 0.1 ms",
                      .bar = BAR_AT_MOST,
                      .limit = 1,
                      .unit = "us"};
    report_add(&bench->report, &row, &series);
    return OK;
}

/* ---- searches */

struct searcher {
    pthread_t thread;
    struct queries *queries;
    uint64_t random;
    uint64_t count;
    enum err err;
};

static bool found_one(void *context, struct node_found *found)
{
    (void)found;
    ++*(unsigned *)context;
    return true;
}

static enum err search_one(struct searcher *searcher)
{
    struct queries *queries = searcher->queries;
    uint64_t batch = pick(&searcher->random, queries->desk->batches);
    uint32_t number = (uint32_t)pick(&searcher->random, BATCH_ITEMS);
    struct hash key =
        desk_digest(queries->desk, queries->absent ? batch + UINT32_MAX : batch, number);
    unsigned found = 0;
    enum err err = node_find(queries->node, NODE_BY_SHA256, hash_bytes(&key), 0, found_one, &found);
    if (queries->absent) {
        return err == ERR_NOT_FOUND ? OK : err == OK ? ERR_EXISTS : err;
    }
    return err == OK && found != 1 ? ERR_NOT_FOUND : err;
}

static void *search(void *context)
{
    struct searcher *searcher = context;
    uint64_t end = clock_mono_ns() + SEARCH_MS * 1000000;
    while (searcher->err == OK && clock_mono_ns() < end) {
        searcher->err = search_one(searcher);
        searcher->count++;
    }
    return NULL;
}

static enum err measure_searches(void *context, struct slice *out, struct why *why)
{
    struct queries *queries = context;
    struct searcher searchers[THREADS_MAX] = {0};
    size_t threads = queries->bench->cores < THREADS_MAX ? queries->bench->cores : THREADS_MAX;
    out->reference = reference_verify(SIGNED_LEN, REFERENCE_MS, NULL);
    uint64_t began = clock_mono_ns();
    uint64_t cpu = clock_cpu_ns();
    for (size_t i = 0; i < threads; i++) {
        searchers[i].queries = queries;
        searchers[i].random = queries->random += 977;
        BUG_ON(pthread_create(&searchers[i].thread, NULL, search, &searchers[i]) != 0);
    }
    uint64_t count = 0;
    enum err err = OK;
    for (size_t i = 0; i < threads; i++) {
        pthread_join(searchers[i].thread, NULL);
        count += searchers[i].count;
        err = err == OK ? searchers[i].err : err;
    }
    queries->search_ns += clock_cpu_ns() - cpu;
    queries->searched += count;
    double rate = (double)count * 1e9 / (double)(clock_mono_ns() - began);
    out->of[0].figure = rate;
    out->of[0].ratio = rate / 20000;
    return err == OK ? OK : why_say(why, err, "search", NULL, "answered wrongly", NULL);
}

static enum err searches(struct queries *queries, bool absent, struct why *why)
{
    struct series *series = mem_zalloc(sizeof *series);
    struct bench *bench = queries->bench;
    bench_step("searches for digests that are %s", absent ? "absent" : "present");
    queries->absent = absent;
    queries->search_ns = 0;
    queries->searched = 0;
    struct trial trial = {.measure = measure_searches,
                          .context = queries,
                          .figures = 1,
                          .tries = bench->tries,
                          .best = &bench->best_verify};
    enum err err = pairs_run(series, &trial, why);
    struct row row = {.name = absent ? "searches by digest, absent, in process, all cores"
                                     : "searches by digest, present, in process, all cores",
                      .bar_text = "at least 20,000/s",
                      .bar = BAR_AT_LEAST,
                      .limit = 1,
                      .unit = "/s"};
    if (err == OK) {
        struct row *added = report_add(&bench->report, &row, series);
        snprintf(added->note, sizeof added->note, "%.1f us of CPU a search",
                 (double)queries->search_ns / 1e3 / (double)queries->searched);
    }
    free(series);
    return err;
}

enum err bench_queries(struct bench *bench, struct desk *desk, struct why *why)
{
    struct queries *queries = mem_zalloc(sizeof *queries);
    struct node_options options = {.dir = desk->dir};
    queries->bench = bench;
    queries->desk = desk;
    queries->random = desk->seed;
    enum err err = node_open(&queries->node, &options, why);
    if (err == OK) {
        err = trust_parse(&queries->trust, node_trust_file(queries->node), why);
    }
    if (err == OK) {
        err = proofs(queries, why);
    }
    if (err == OK) {
        err = checks(queries, why);
    }
    if (err == OK) {
        err = searches(queries, false, why);
    }
    if (err == OK) {
        err = searches(queries, true, why);
    }
    trust_free(queries->trust);
    if (queries->node) {
        node_close(queries->node);
    }
    if (err == OK) {
        err = fetches(queries, why);
    }
    for (size_t i = 0; i < KEPT; i++) {
        buf_clear(&queries->proofs[i]);
    }
    free(queries);
    return err;
}
