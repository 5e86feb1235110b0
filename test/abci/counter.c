/* usage: counter FOLDER NAME
 * An application of the engine's own conformance tests on the socket NAME in FOLDER: a transaction
 * is the number of good ones before it, big-endian, and the application hash is how many there
 * were. Serves until its input ends; every connection that ends is a line of output. */
#include "base/bytes.h"
#include "order/comet/abci_server.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CODE_FORMAT 2 /* as the engine's examples call it */

struct counter {
    pthread_mutex_t lock;
    uint64_t height;
    uint64_t count;  /* committed */
    uint64_t next;   /* after the block that waits for Commit */
    uint8_t hash[8]; /* of `next` */
};

/* Whether `tx` is the number `want`, in as many bytes as it likes. */
static bool is_next(struct bytes tx, uint64_t want)
{
    uint64_t value = 0;
    for (size_t i = 0; i < tx.len; i++) {
        value = value << 8 | tx.at[i];
    }
    return tx.len > 0 && tx.len <= 8 && value == want;
}

static struct bytes hash_of(struct counter *counter, uint64_t count)
{
    put_u64(counter->hash, count);
    return count == 0 ? BYTES_NONE : (struct bytes){counter->hash, sizeof counter->hash};
}

static enum err info(void *context, const struct abci_info *asked, struct abci_info_answer *out,
                     struct arena *arena, struct why *why)
{
    struct counter *counter = context;
    (void)asked;
    (void)why;
    pthread_mutex_lock(&counter->lock);
    *out =
        (struct abci_info_answer){.data = bytes_text("counter"),
                                  .version = bytes_text("1"),
                                  .height = counter->height,
                                  .app_hash = arena_copy(arena, hash_of(counter, counter->count))};
    pthread_mutex_unlock(&counter->lock);
    return OK;
}

static enum err init_chain(void *context, const struct abci_init_chain *init,
                           struct abci_init_answer *out, struct arena *arena, struct why *why)
{
    (void)context;
    (void)init;
    (void)out;
    (void)arena;
    (void)why;
    return OK;
}

/* "/count" gives the count; "/fail" fails. */
static enum err query(void *context, const struct abci_query *asked, struct abci_query_answer *out,
                      struct arena *arena, struct why *why)
{
    struct counter *counter = context;
    if (bytes_equal(asked->path, bytes_text("/fail"))) {
        return why_say(why, ERR_REFUSED, "path", "/fail", "is there to fail", "Ask /count.");
    }
    pthread_mutex_lock(&counter->lock);
    char *text = arena_alloc(arena, 24);
    snprintf(text, 24, "%llu", (unsigned long long)counter->count);
    *out = (struct abci_query_answer){
        .key = asked->path, .value = bytes_text(text), .height = counter->height};
    pthread_mutex_unlock(&counter->lock);
    return OK;
}

static enum err check_tx(void *context, const struct abci_check_tx *check, struct abci_result *out,
                         struct arena *arena, struct why *why)
{
    struct counter *counter = context;
    (void)arena;
    (void)why;
    pthread_mutex_lock(&counter->lock);
    if (!is_next(check->tx, counter->count)) {
        *out = (struct abci_result){.code = CODE_FORMAT, .log = bytes_text("not the next one")};
    }
    pthread_mutex_unlock(&counter->lock);
    return OK;
}

static enum err prepare(void *context, const struct abci_block *block, struct abci_txs *out,
                        struct arena *arena, struct why *why)
{
    (void)context;
    (void)arena;
    (void)why;
    *out = (struct abci_txs){block->tx_count, block->txs};
    return OK;
}

/* Numbers of more than eight bytes are no numbers. */
static enum err process(void *context, const struct abci_block *block, enum abci_verdict *out,
                        struct arena *arena, struct why *why)
{
    (void)context;
    (void)arena;
    (void)why;
    *out = ABCI_ACCEPT;
    for (size_t i = 0; i < block->tx_count; i++) {
        *out = block->txs[i].len > 8 ? ABCI_REJECT : *out;
    }
    return OK;
}

static enum err finalize(void *context, const struct abci_block *block, struct abci_finalized *out,
                         struct arena *arena, struct why *why)
{
    struct counter *counter = context;
    (void)why;
    struct abci_result *results = arena_array(arena, block->tx_count + 1, sizeof *results);
    pthread_mutex_lock(&counter->lock);
    counter->next = counter->count;
    for (size_t i = 0; i < block->tx_count; i++) {
        bool good = is_next(block->txs[i], counter->next);
        results[i].code = good ? 0 : CODE_FORMAT;
        counter->next += good;
    }
    *out = (struct abci_finalized){.result_count = block->tx_count,
                                   .results = results,
                                   .app_hash = arena_copy(arena, hash_of(counter, counter->next))};
    pthread_mutex_unlock(&counter->lock);
    return OK;
}

static enum err commit(void *context, uint64_t *retain_height, struct why *why)
{
    struct counter *counter = context;
    (void)retain_height;
    (void)why;
    pthread_mutex_lock(&counter->lock);
    counter->count = counter->next;
    counter->height++;
    pthread_mutex_unlock(&counter->lock);
    return OK;
}

static void closed(void *context, enum err err, const struct why *why)
{
    (void)context;
    char text[640];
    why_print(why, err, text, sizeof text);
    printf("closed %s %s\n", err_name(err), text);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct counter counter = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct abci_handler handler = {&counter, info,    init_chain, query,  check_tx,
                                   prepare,  process, finalize,   commit, closed};
    struct abci_server *server;
    struct why why = {0};
    int dir_fd = argc == 3 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir_fd < 0 || abci_server_start(&server, dir_fd, argv[2], &handler, &why) != OK) {
        fprintf(stderr, "counter: %s %s\n", why.field, why.problem);
        return 1;
    }
    puts("serving");
    fflush(stdout);
    char input;
    while (read(STDIN_FILENO, &input, 1) > 0) {
    }
    abci_server_stop(server);
    close(dir_fd);
    return 0;
}
