/* How long the disk lasts, from the times of blocks and the sizes of the log at them. */
#ifndef CAIRN_CLI_DOCTOR_GROWTH_H
#define CAIRN_CLI_DOCTOR_GROWTH_H

#include "cli/doctor/findings.h"

#include <stdint.h>

/* A block, as far as growth is concerned. */
struct growth_block {
    uint64_t time_ms;
    uint64_t size; /* of the log after it */
};
/* Reads the block at a height up to the newest. */
typedef enum err growth_block_fn(void *context, uint64_t height, struct growth_block *out);

struct growth_source {
    growth_block_fn *block;
    void *context;
    uint64_t height;   /* of the newest block */
    uint64_t used_len; /* bytes that the ledger takes */
    uint64_t free_len; /* bytes that are free on its disk */
};

/* Bytes that the ledger grows by in a day, judged by its last seven days (or its whole life, if
 * that is shorter); 0 if it stands still. ERR_RANGE if it is younger than an hour, and the errors
 * of `block`. */
must_use enum err growth_a_day(const struct growth_source *source, uint64_t *out);
/* Adds what that means for the disk. */
void growth_find(const struct growth_source *source, struct findings *findings);

#endif
