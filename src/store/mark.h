/* Head mark: the height and header hash that were last acknowledged, in a small preallocated file
 * of two slots with checksums, written after a block's fsync and no later than its answer.
 *
 * It tells a torn, never acknowledged last record of the write-ahead log from a damaged log: a log
 * that is shorter than the mark never opens for writing. */
#ifndef CAIRN_STORE_MARK_H
#define CAIRN_STORE_MARK_H

#include "base/bytes.h"
#include "base/why.h"

#define MARK_FILE "head" /* in the ledger's folder */

struct mark_head {
    uint64_t epoch;
    uint64_t height;
    struct hash header_hash;
};

struct mark;

/* Opens DIR/head, creating it (with no head) if `create`. ERR_NOT_FOUND, ERR_IO; ERR_CORRUPT if
 * neither slot has a good checksum. */
must_use enum err mark_open(struct mark **out, const char *dir, bool create, struct why *why);
void mark_close(struct mark *mark);
/* ERR_NOT_FOUND while nothing has been marked. */
must_use enum err mark_read(const struct mark *mark, struct mark_head *out);
/* Returns when the head is on the disk (one fdatasync). The other slot stays intact. ERR_IO. */
must_use enum err mark_write(struct mark *mark, const struct mark_head *head);

/* Places in the label of METRIC_STORE_FSYNC. */
enum { FSYNC_LOG, FSYNC_MARK };

#endif
