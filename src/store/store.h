/* One RocksDB database per node, seen as families of sorted keys with atomic, durable batches.
 *
 * Errors: ERR_IO (the disk or the library failed; the writer must stop), ERR_CORRUPT (a checksum
 * or our own framing is wrong), ERR_NOT_FOUND. Thread-safe but for `struct batch` and
 * `struct cursor`. */
#ifndef CAIRN_STORE_STORE_H
#define CAIRN_STORE_STORE_H

#include "base/bytes.h"
#include "base/why.h"
#include "store/mark.h"

/* What is not derived, and what is cheap to keep beside it in the same batch. */
enum family {
    FAMILY_LOG,     /* sequence -> height, entry */
    FAMILY_ITEMS,   /* sequence, chunk -> up to 256 items of a batch; its tree's nodes above them */
    FAMILY_BLOCK,   /* height -> header and its results */
    FAMILY_RECENT,  /* valid-until, statement id -> sequence */
    FAMILY_STATE,   /* module, key -> value */
    FAMILY_ATTEST,  /* receipts of others, tokens, notes */
    FAMILY_META,    /* format version, identity, last height, pruned ranges */
    FAMILY_TILES,   /* full tiles of the log tree */
    FAMILY_HISTORY, /* full tiles of the tree of header hashes */
    FAMILY_COUNT
};

struct store;
struct store_options {
    size_t cache_len; /* block cache, bytes */
    bool read_only;
    bool create; /* make the database; ERR_EXISTS if there is one */
};

/* Opens DIR/db with write-ahead-log recovery "absolute consistency" (a torn or damaged log does
 * not open by itself: ERR_CORRUPT; see store_recover). Read-only it shows what is whole of the log,
 * also while another process has it open. ERR_NOT_FOUND, ERR_EXISTS; ERR_BUSY while
 * another process has it open; ERR_VERSION if a newer version of the program has added families.
 * DIR must exist. The caller closes *out. */
must_use enum err store_open(struct store **out, const char *dir,
                             const struct store_options *options, struct why *why);
/* Leaves nothing in the write-ahead log, so that the next start is quick. No cursor, snapshot or
 * index may be open. After a failed commit it frees nothing, and the directory stays locked until
 * the process ends. NULL is allowed. */
void store_close(struct store *store);

enum store_health {
    STORE_GOOD,  /* complete; holds the marked head or a later one */
    STORE_TORN,  /* as STORE_GOOD, once a last record was dropped that was never acknowledged */
    STORE_BEHIND /* read-only: it ends before the marked head, or with another hash at its height:
                  * a damaged log or an older copy. Acknowledged blocks are missing. */
};

/* Opens DIR/db as a start of the node must: reads it first, compares its head (store_head) with the
 * one last marked (NULL if nothing ever was), and opens it for writing only if nothing that was
 * acknowledged is missing and `options` do not say read_only. Errors as store_open; ERR_CORRUPT if
 * no part of the database can be trusted. */
must_use enum err store_recover(struct store **out, enum store_health *health, const char *dir,
                                const struct store_options *options, const struct mark_head *mark,
                                struct why *why);

/* Changes to be made together. One owner; cleared by commit or batch_clear. */
struct batch;
struct batch *batch_new(void);
void batch_free(struct batch *batch);
void batch_put(struct batch *batch, enum family family, struct bytes key, struct bytes value);
void batch_delete(struct batch *batch, enum family family, struct bytes key);
void batch_clear(struct batch *batch);
/* Bytes that the batch will add to the write-ahead log, about. */
size_t batch_len(const struct batch *batch);

/* Makes all changes of the batch, or none, returns when they are on the disk (one fsync) and clears
 * the batch. ERR_READ_ONLY; ERR_RANGE if it is larger than STORE_BATCH_MAX; ERR_IO, and then for
 * every later call: after a failed write nobody can say what is on the disk. */
#define STORE_BATCH_MAX ((size_t)64 << 20)
must_use enum err store_commit(struct store *store, struct batch *batch);

/* The head of the ledger, which every block's batch puts under FAMILY_META "head": epoch and height
 * (u64, big-endian), then the header hash. ERR_NOT_FOUND before the first; ERR_CORRUPT. */
void batch_put_head(struct batch *batch, const struct mark_head *head);
must_use enum err store_head(struct store *store, struct mark_head *out);

/* A consistent view of all families. NULL stands for "now" wherever one is taken. */
struct snapshot;
struct snapshot *snapshot_open(struct store *store);
void snapshot_close(struct store *store, struct snapshot *snapshot);

/* Appends the value to `out`. ERR_NOT_FOUND leaves it unchanged. */
must_use enum err store_get(struct store *store, const struct snapshot *snapshot,
                            enum family family, struct bytes key, struct buf *out);

/* Walks keys in order. `key` and `value` borrow from the cursor until its next move. */
struct cursor;
struct cursor *cursor_open(struct store *store, const struct snapshot *snapshot,
                           enum family family);
void cursor_close(struct cursor *cursor);
/* Moves to the first key >= `key`, to the last key <= `key`, or one on or back. Returns whether it
 * stands on a key; at the end ask cursor_err. */
bool cursor_seek(struct cursor *cursor, struct bytes key);
bool cursor_seek_back(struct cursor *cursor, struct bytes key);
bool cursor_next(struct cursor *cursor);
bool cursor_back(struct cursor *cursor);
struct bytes cursor_key(const struct cursor *cursor);
struct bytes cursor_value(const struct cursor *cursor);
must_use enum err cursor_err(const struct cursor *cursor);

/* One figure of a family; names are RocksDB properties. 0 if unknown. */
uint64_t store_property(struct store *store, enum family family, const char *name);

/* The database as a whole; lengths are bytes. */
struct store_figures {
    uint64_t memtables_len;
    uint64_t cache_len;
    uint64_t cache_max;
    uint64_t wal_len;
    uint64_t live_len; /* estimated */
    uint64_t files_len;
    uint64_t pending_len; /* that compactions still have to rewrite, estimated */
    uint64_t jobs;        /* flushes and compactions that run or are due */
};
void store_figures(struct store *store, struct store_figures *out);

#endif
