#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

#define SECOND_NS 1000000000u
#define EVERY_NS  100000000u
#define WIDTH     ((size_t)40)

void progress_init(struct progress *progress, const char *label, uint64_t total)
{
    *progress = (struct progress){
        .label = label,
        .total = total,
        .start_ns = clock_mono_ns(),
        .wanted = total > 0 && isatty(STDERR_FILENO),
    };
    pthread_mutex_init(&progress->lock, NULL);
}

static void draw(const struct progress *progress, uint64_t done)
{
    char bar[WIDTH + 1];
    uint64_t share = done < progress->total ? done * 1000 / progress->total : 1000;
    for (unsigned i = 0; i < WIDTH; i++) {
        bar[i] = (uint64_t)i * 1000 < share * WIDTH ? '#' : '.';
    }
    bar[WIDTH] = 0;
    fprintf(stderr, "\r%s [%s] %3u %%", progress->label, bar, (unsigned)(share / 10));
}

void progress_add(struct progress *progress, uint64_t amount)
{
    uint64_t done = atomic_fetch_add(&progress->done, amount) + amount;
    if (!progress->wanted || pthread_mutex_trylock(&progress->lock) != 0) {
        return;
    }
    uint64_t now = clock_mono_ns();
    if (now - progress->start_ns > SECOND_NS && now - progress->drawn_ns > EVERY_NS) {
        progress->drawn_ns = now;
        draw(progress, done);
    }
    pthread_mutex_unlock(&progress->lock);
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn_ns) {
        fputs("\r\033[K", stderr);
    }
    pthread_mutex_destroy(&progress->lock);
}
