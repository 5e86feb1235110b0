/* What audit.c and audit_read.c share. */
#ifndef CAIRN_STORE_AUDIT_INTERNAL_H
#define CAIRN_STORE_AUDIT_INTERNAL_H

#include "store/audit.h"

#include <dirent.h>

#define AUDIT_MEMBERS  6u
#define AUDIT_FILE_CAP ((size_t)256 << 20) /* of a file that is read */
#define AUDIT_HEAD_LEN 86u                 /* "NUMBER HASH\n", 20 digits and 64 of hex */

/* Reads audit.head. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
must_use enum err audit_head_read(struct audit_head *out, const char *path, struct why *why);
/* The names of full files in order, as scandir gives them; -1 on an error. */
int audit_full_files(const char *dir, struct dirent ***out);

#endif
