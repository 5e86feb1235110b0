/* Media types of files, by name and first bytes. */
#ifndef CAIRN_CLI_MEDIA_H
#define CAIRN_CLI_MEDIA_H

#include "base/bytes.h"

/* The media type that a file's name ends in, else the one that its first bytes begin like, else
 * "application/octet-stream". Static. */
const char *media_type(const char *path, struct bytes first);

#endif
