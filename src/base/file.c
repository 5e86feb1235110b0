#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err say_errno(struct why *why, const char *path, int code)
{
    enum err err = code == ENOENT ? ERR_NOT_FOUND : code == EEXIST ? ERR_EXISTS : ERR_IO;
    char text[128];
    const char *remedy = code == EACCES   ? "Check the permissions of the file and its folders."
                         : code == ENOSPC ? "Free some space on the disk."
                         : code == ENOENT ? "Check the path."
                                          : NULL;
    return why_say(why, err, "file", path, strerror_r(code, text, sizeof text), remedy);
}

static enum err read_all(struct buf *out, int fd, size_t max, size_t *total)
{
    *total = 0;
    for (;;) {
        size_t want = 65536;
        buf_reserve(out, want);
        ssize_t got = read(fd, out->at + out->len, want);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return ERR_IO;
        }
        if (got == 0) {
            return OK;
        }
        out->len += (size_t)got;
        *total += (size_t)got;
        if (*total > max) {
            return ERR_RANGE;
        }
    }
}

enum err file_read(struct buf *out, const char *path, size_t max, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return say_errno(why, path, errno);
    }
    size_t before = out->len;
    size_t total;
    enum err err = read_all(out, fd, max, &total);
    int code = errno;
    close(fd);
    if (err != OK) {
        out->len = before;
    }
    if (err == ERR_RANGE) {
        return why_sayf(why, err, "file", "is larger than the limit for its kind",
                        "Check that it is the file you meant.", "%s (limit %zu bytes)", path, max);
    }
    return err == OK ? OK : say_errno(why, path, code);
}

static enum err write_all(int fd, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.at, bytes.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return ERR_IO;
        }
        bytes.at += put;
        bytes.len -= (size_t)put;
    }
    return OK;
}

enum err dir_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return ERR_IO;
    }
    enum err err = fsync(fd) == 0 ? OK : ERR_IO;
    close(fd);
    return err;
}

/* Fills and syncs `fd`, which it closes. */
static enum err fill(int fd, struct bytes bytes)
{
    enum err err = write_all(fd, bytes);
    if (err == OK && fsync(fd) != 0) {
        err = ERR_IO;
    }
    if (close(fd) != 0 && err == OK) {
        err = ERR_IO;
    }
    return err;
}

static enum err sync_parent(const char *path)
{
    char *copy = mem_strdup(path);
    enum err err = dir_sync(dirname(copy));
    free(copy);
    return err;
}

/* Writes a temporary file beside `path` and gives it that name, replacing or not. */
static enum err write_and_name(const char *path, struct bytes bytes, mode_t mode, bool replace,
                               struct why *why)
{
    size_t cap = strlen(path) + 8;
    char *temporary = mem_alloc(cap);
    snprintf(temporary, cap, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        int code = errno;
        free(temporary);
        return say_errno(why, path, code);
    }
    enum err err = fchmod(fd, mode) == 0 ? OK : ERR_IO;
    enum err filled = fill(fd, bytes);
    if (err == OK) {
        err = filled;
    }
    if (err == OK) {
        int named = replace ? rename(temporary, path) : link(temporary, path);
        err = named == 0 ? sync_parent(path) : ERR_IO;
    }
    int code = errno;
    if (err != OK || !replace) {
        unlink(temporary);
    }
    free(temporary);
    return err == OK ? OK : say_errno(why, path, code);
}

enum err file_write(const char *path, struct bytes bytes, mode_t mode, struct why *why)
{
    return write_and_name(path, bytes, mode, true, why);
}

enum err file_create(const char *path, struct bytes bytes, mode_t mode, struct why *why)
{
    return write_and_name(path, bytes, mode, false, why);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

enum err dir_make(const char *path, mode_t mode, struct why *why)
{
    if (mkdir(path, mode) == 0 || errno == EEXIST) {
        return OK;
    }
    return say_errno(why, path, errno);
}

char *path_join(const char *dir, const char *name)
{
    size_t cap = strlen(dir) + strlen(name) + 2;
    char *path = mem_alloc(cap);
    snprintf(path, cap, "%s/%s", dir, name);
    return path;
}
