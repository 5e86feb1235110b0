#include "config/secret.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum err secret_file_check(const char *path, struct why *why)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return why_say(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "file", path,
                       errno == ENOENT ? "does not exist" : "can't be looked at",
                       "Check the path and the permissions of its folders.");
    }
    if (!S_ISREG(info.st_mode)) {
        return why_say(why, ERR_REFUSED, "file", path, "is not a regular file",
                       "Name the file that holds the secret.");
    }
    char remedy[160];
    if (info.st_uid != geteuid() && info.st_uid != 0) {
        snprintf(remedy, sizeof remedy, "Run: chown %u '%.120s'", (unsigned)geteuid(), path);
        return why_say(why, ERR_REFUSED, "file", path, "belongs to another user", remedy);
    }
    if (info.st_mode & 077) {
        snprintf(remedy, sizeof remedy, "Run: chmod 600 '%.120s'", path);
        char problem[80];
        snprintf(problem, sizeof problem, "has mode %04o: others may read or write it",
                 (unsigned)(info.st_mode & 07777));
        return why_say(why, ERR_REFUSED, "file", path, problem, remedy);
    }
    return OK;
}
