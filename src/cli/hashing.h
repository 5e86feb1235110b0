/* Digests of files, many at a time. */
#ifndef CAIRN_CLI_HASHING_H
#define CAIRN_CLI_HASHING_H

#include "base/bytes.h"
#include "base/why.h"

#define SALT_LEN  32
#define BLIND_MAX 65536u /* bytes below which a file is blinded unless said otherwise */

enum blinding { BLIND_SMALL, BLIND_ALL, BLIND_NONE, BLIND_GIVEN /* with the salt that is there */ };

/* One file and what its item will say. */
struct file_digest {
    const char *path; /* borrowed */
    bool blinded;
    uint8_t salt[SALT_LEN]; /* random, if it is blinded */
    struct hash sha256;     /* of the salt, if there is one, and the file */
    struct hash sm3;
    struct hash bare; /* SHA-256 of the file alone */
    uint64_t size;    /* of the file alone */
    const char *media_type;
};

/* Fills all but `path`, in one pass over the file. ERR_NOT_FOUND, ERR_FORMAT (not a regular file),
 * ERR_IO (also if it changes meanwhile). */
must_use enum err file_digest_fill(struct file_digest *file, enum blinding blinding,
                                   struct why *why);
/* file_digest_fill for many files on all cores, with a progress bar. The first error in their
 * order. */
must_use enum err file_digests_fill(struct file_digest *files, size_t count, enum blinding blinding,
                                    struct why *why);

#endif
