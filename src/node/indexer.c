/* The orderer's thread hands over one list of pairs a block; the indexer's thread adds them to the
 * index, which now and then writes a run to the disk. How far the index has come is a height, and
 * who searches waits for the height of the head it knows: usually that is there already. */
#include "node/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/index.h"

#include <stdlib.h>
#include <time.h>

/* Pairs that may wait: 2 million are 48 MiB. A single block is always taken. */
#define WAITING_MAX (2u << 20)

struct pair_block {
    struct pair_block *next;
    uint64_t height;
    size_t count;
    size_t capacity;
    struct pair pairs[];
};

struct indexer {
    struct index *index;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct pair_block *first;
    struct pair_block **last;
    size_t waiting;  /* pairs */
    uint64_t height; /* up to which searches find everything */
    enum err err;
    bool stopping;
};

struct pair_block *pair_block_new(size_t capacity)
{
    struct pair_block *block = mem_alloc(sizeof *block + capacity * sizeof(struct pair));
    *block = (struct pair_block){.capacity = capacity};
    return block;
}

void pair_block_add(struct pair_block *block, struct pair pair)
{
    BUG_ON(block->count == block->capacity);
    block->pairs[block->count++] = pair;
}

static void add_pair(struct index *index, const struct pair *pair)
{
    uint8_t prefix8[8];
    put_u64(prefix8, pair->prefix);
    index_add(index, (enum index_kind)pair->kind, prefix8,
              (struct place){pair->index, pair->number});
}

static enum err add_block(struct index *index, const struct pair_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        add_pair(index, &block->pairs[i]);
    }
    return index_end_block(index, block->height);
}

static struct pair_block *take(struct indexer *indexer)
{
    pthread_mutex_lock(&indexer->lock);
    while (!indexer->first && !indexer->stopping) {
        pthread_cond_wait(&indexer->changed, &indexer->lock);
    }
    struct pair_block *block = indexer->first;
    if (block) {
        indexer->first = block->next;
        if (!indexer->first) {
            indexer->last = &indexer->first;
        }
    }
    pthread_mutex_unlock(&indexer->lock);
    return block;
}

static void note(struct indexer *indexer, const struct pair_block *block, enum err err)
{
    pthread_mutex_lock(&indexer->lock);
    indexer->waiting -= block->count;
    if (err == OK) {
        indexer->height = block->height;
    } else if (indexer->err == OK) {
        indexer->err = err;
        log_event(LOG_ERROR, "index.failed", "err=%s", err_name(err));
    }
    pthread_cond_broadcast(&indexer->changed);
    pthread_mutex_unlock(&indexer->lock);
}

static void *indexer_run(void *context)
{
    struct indexer *indexer = context;
    struct pair_block *block;
    while ((block = take(indexer)) != NULL) {
        note(indexer, block, add_block(indexer->index, block));
        free(block);
    }
    return NULL;
}

void indexer_push(struct indexer *indexer, struct pair_block *block, uint64_t height)
{
    block->height = height;
    pthread_mutex_lock(&indexer->lock);
    while (indexer->waiting > 0 && indexer->waiting + block->count > WAITING_MAX &&
           indexer->err == OK) {
        pthread_cond_wait(&indexer->changed, &indexer->lock);
    }
    indexer->waiting += block->count;
    *indexer->last = block;
    indexer->last = &block->next;
    pthread_cond_broadcast(&indexer->changed);
    pthread_mutex_unlock(&indexer->lock);
}

enum err indexer_wait(struct indexer *indexer, uint64_t height)
{
    struct timespec deadline = {.tv_sec = (time_t)(clock_wall_ms() / 1000) + 3};
    enum err err = OK;
    pthread_mutex_lock(&indexer->lock);
    while (indexer->height < height && indexer->err == OK && err == OK) {
        if (pthread_cond_timedwait(&indexer->changed, &indexer->lock, &deadline) != 0) {
            err = indexer->height < height ? ERR_TIMEOUT : OK;
        }
    }
    if (indexer->err != OK) {
        err = indexer->err;
    }
    pthread_mutex_unlock(&indexer->lock);
    return err;
}

static enum err again(void *context, unsigned kind, uint64_t prefix, uint64_t index,
                      uint16_t number)
{
    struct pair pair = {prefix, index, number, (uint8_t)kind};
    add_pair(context, &pair);
    return OK;
}

/* Blocks above what the runs on disk hold are indexed again, one at a time, so that the index can
 * write a run whenever it is full. */
static enum err catch_up(struct index *index, struct view *view)
{
    uint64_t upto;
    enum err err = index_upto(index, &upto);
    if (err != OK && err != ERR_NOT_FOUND) {
        return err;
    }
    uint64_t from = err == OK ? upto + 1 : 0;
    for (uint64_t height = from; height <= view_header(view)->height; height++) {
        TRY(view_pairs(view, height, height, again, index));
        TRY(index_end_block(index, height));
    }
    return OK;
}

enum err indexer_start(struct indexer **out, struct index *index, struct view *view)
{
    TRY(catch_up(index, view));
    struct indexer *indexer = mem_zalloc(sizeof *indexer);
    indexer->index = index;
    indexer->last = &indexer->first;
    indexer->height = view_header(view)->height;
    pthread_mutex_init(&indexer->lock, NULL);
    pthread_cond_init(&indexer->changed, NULL);
    BUG_ON(pthread_create(&indexer->thread, NULL, indexer_run, indexer) != 0);
    *out = indexer;
    return OK;
}

void indexer_stop(struct indexer *indexer)
{
    pthread_mutex_lock(&indexer->lock);
    indexer->stopping = true;
    pthread_cond_broadcast(&indexer->changed);
    pthread_mutex_unlock(&indexer->lock);
    pthread_join(indexer->thread, NULL);
    pthread_mutex_destroy(&indexer->lock);
    pthread_cond_destroy(&indexer->changed);
    free(indexer);
}
