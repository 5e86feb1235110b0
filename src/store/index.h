/* Secondary indexes, derived from what is stored: from 8 bytes of a digest, reference or statement
 * id to the places in the log that hold it. The caller compares the whole digest at the place.
 *
 * One indexer thread adds the pairs of block after block. They stay in sorted chunks in memory (the
 * delta); a full delta becomes one sorted file a kind, which the database takes over as it is, and
 * only then does `upto` advance. What was in the delta when the process ended is added again from
 * the blocks above `upto`; adding a pair twice does no harm. Places may be stale (a block lost with
 * a restore), never missing.
 *
 * Any thread may search at any time and waits only while a pointer is exchanged. */
#ifndef CAIRN_STORE_INDEX_H
#define CAIRN_STORE_INDEX_H

#include "base/bytes.h"
#include "base/why.h"

/* Each kind is one family "index.NAME". New kinds go at the end. */
enum index_kind {
    INDEX_SHA256,
    INDEX_SM3,
    INDEX_REF,
    INDEX_STATEMENT,
    INDEX_TARGET,
    INDEX_KIND_COUNT
};

/* Item `number` of the log entry at index `sequence`, which is below 2^48. */
struct place {
    uint64_t sequence;
    uint16_t number;
};

struct store;
struct index;

/* A delta of 64 MiB: about two million items with both digests, which is what a start after a kill
 * has to add again. */
#define INDEX_DELTA_PAIRS ((size_t)1 << 22)

/* `delta_pairs`: how many pairs, 16 bytes each, the delta holds before it becomes runs; twice that
 * for a moment while it does. Over a read-only store the delta grows and no run is written. The
 * store stays open longer than the index. ERR_IO; ERR_CORRUPT if upto can't be read. */
must_use enum err index_open(struct index **out, struct store *store, size_t delta_pairs,
                             struct why *why);
/* Forgets what index_flush has not written. No search may be under way. */
void index_close(struct index *index);

/* The height up to which the runs on disk are complete. ERR_NOT_FOUND before the first run, and
 * where they were made before there was one of the kinds: all blocks are then added again. */
must_use enum err index_upto(const struct index *index, uint64_t *height);
/* The height up to which searches find everything: upto, or the last block that was ended. */
must_use enum err index_height(struct index *index, uint64_t *height);
/* Pairs in memory, not yet in a run. */
size_t index_delta_len(struct index *index);

/* Indexer thread. Notes a pair of the block that is being added; searches do not see it yet. */
void index_add(struct index *index, enum index_kind kind, const uint8_t prefix8[8],
               struct place place);
/* Indexer thread. Shows the pairs noted since the last call; they are all of blocks up to `height`,
 * which are durable. Writes runs if the delta is full. ERR_IO, and then for ever. */
must_use enum err index_end_block(struct index *index, uint64_t height);
/* Indexer thread. Writes the delta as runs, however small: before a clean stop. ERR_IO;
 * ERR_READ_ONLY. */
must_use enum err index_flush(struct index *index);

/* A search for places at or after `from` in the order of the log. */
struct index_query {
    enum index_kind kind;
    uint8_t prefix8[8];
    struct place from;
};

/* Writes the first `cap` places (at most INDEX_FIND_MAX) in order, each once, and how many there
 * are. ERR_IO, ERR_CORRUPT. */
#define INDEX_FIND_MAX 256
must_use enum err index_find(struct index *index, struct place *out, size_t cap, size_t *count,
                             const struct index_query *query);

/* A RocksDB property of the kind's family, as store_property. */
uint64_t index_property(struct index *index, enum index_kind kind, const char *name);

#endif
