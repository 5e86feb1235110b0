/* Files and folders: bounded reads, durable writes. */
#ifndef CAIRN_BASE_FILE_H
#define CAIRN_BASE_FILE_H

#include "base/bytes.h"
#include "base/why.h"

#include <sys/types.h>

/* Appends the whole file to `out`. ERR_NOT_FOUND, ERR_RANGE if it is larger than `max` bytes,
 * ERR_IO; `why` (may be NULL) names the path. */
must_use enum err file_read(struct buf *out, const char *path, size_t max, struct why *why);
/* Writes the file whole or not at all and returns when it is on the disk: a temporary file beside
 * it, fsync, rename, fsync of the folder. Replaces what was there. ERR_IO. */
must_use enum err file_write(const char *path, struct bytes bytes, mode_t mode, struct why *why);
/* As file_write, but ERR_EXISTS if there is a file of that name. */
must_use enum err file_create(const char *path, struct bytes bytes, mode_t mode, struct why *why);
bool file_exists(const char *path);
/* Creates one folder; OK if it is there already. ERR_IO. */
must_use enum err dir_make(const char *path, mode_t mode, struct why *why);
/* Makes what changed in a folder (names, not contents) durable. ERR_IO. */
must_use enum err dir_sync(const char *path);
/* Returns "dir/name" in new memory; the caller frees it. */
char *path_join(const char *dir, const char *name);

#endif
