/* A progress bar on stderr, if that is a terminal and the work takes over a second. */
#ifndef CAIRN_CLI_PROGRESS_H
#define CAIRN_CLI_PROGRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label;
    uint64_t total;
    atomic_uint_fast64_t done;
    uint64_t start_ns;
    uint64_t drawn_ns; /* guarded by `lock`; 0 until the bar is shown */
    bool wanted;
    pthread_mutex_t lock;
};

/* `label` is borrowed: "hashing". A total of 0 shows nothing. */
void progress_init(struct progress *progress, const char *label, uint64_t total);
/* Any thread may say how much more is done. */
void progress_add(struct progress *progress, uint64_t amount);
/* Takes the bar away. */
void progress_clear(struct progress *progress);

#endif
