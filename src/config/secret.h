/* Files that hold secrets. */
#ifndef CAIRN_CONFIG_SECRET_H
#define CAIRN_CONFIG_SECRET_H

#include "base/why.h"

/* Whether a file is a secret's place: a regular file of this user or root, which no other
 * user or group may read or write. ERR_REFUSED with the command that mends it, ERR_NOT_FOUND,
 * ERR_IO. */
must_use enum err secret_file_check(const char *path, struct why *why);

#endif
