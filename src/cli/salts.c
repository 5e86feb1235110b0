/* The salts that a client keeps of its batches (bundle.h). */
#include "cli/bundle.h"

#include "base/file.h"
#include "codec/cbor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LEN 4096

static struct bytes salt_of(const struct file_digest *file)
{
    return (struct bytes){file->salt, SALT_LEN};
}

static void salts_write(struct buf *out, const struct hash *statement, const struct bundle *batch)
{
    size_t blinded = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        blinded += batch->files[i].blinded;
    }
    cbor_put_array(out, 3);
    cbor_put_uint(out, 1);
    cbor_put_hash(out, statement);
    cbor_put_array(out, blinded);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct file_digest *file = &batch->files[i];
        if (file->blinded) {
            cbor_put_array(out, 4);
            cbor_put_uint(out, i);
            cbor_put_bytes(out, bytes_text(file->path));
            cbor_put_hash(out, &file->bare);
            cbor_put_bytes(out, salt_of(file));
        }
    }
}

/* Goes through one deposit's entries; *done if `each` has found what it looks for. */
static enum err salts_one(struct bytes *rest, kept_fn *each, void *context, bool *done)
{
    struct cbor_reader reader;
    struct kept kept = {0};
    cbor_init(&reader, *rest);
    cbor_array(&reader, 3, 3);
    cbor_version(&reader, 1);
    kept.statement = cbor_hash(&reader);
    size_t count = cbor_array(&reader, 1, DEPOSIT_ITEMS_MAX);
    for (size_t i = 0; i < count && reader.err == OK; i++) {
        cbor_array(&reader, 4, 4);
        kept.number = (uint32_t)cbor_uint_max(&reader, DEPOSIT_ITEMS_MAX - 1);
        kept.name = cbor_bytes(&reader, 1, NAME_MAX_LEN);
        kept.bare = cbor_hash(&reader);
        struct bytes salt = cbor_bytes(&reader, SALT_LEN, SALT_LEN);
        if (reader.err == OK && !*done) {
            memcpy(kept.salt, salt.at, SALT_LEN);
            *done = each(context, &kept);
        }
    }
    return cbor_end_sequence(&reader, rest);
}

enum err salts_each(struct bytes file, kept_fn *each, void *context)
{
    bool done = false;
    while (file.len > 0 && !done) {
        TRY(salts_one(&file, each, context, &done));
    }
    return OK;
}

static bool keep_on(void *context, const struct kept *kept)
{
    (void)context;
    (void)kept;
    return false;
}

enum err salts_check(const char *path, struct why *why)
{
    struct buf before = {0};
    enum err err = file_read(&before, path, SALTS_MAX, why);
    if (err == ERR_NOT_FOUND) {
        return OK;
    }
    if (err == OK && salts_each(buf_bytes(&before), keep_on, NULL) != OK) {
        err = why_say(why, ERR_CORRUPT, "salts file", path, "is not a whole file of salts",
                      "Keep it, and give another name with --salts.");
    }
    buf_clear(&before);
    return err;
}

static bool write_whole(int fd, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.at, bytes.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        bytes.at += put;
        bytes.len -= (size_t)put;
    }
    return fsync(fd) == 0;
}

static enum err append(const char *path, struct bytes bytes, struct why *why)
{
    bool existed = file_exists(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat before;
    bool good = fd >= 0 && fstat(fd, &before) == 0;
    if (good && !write_whole(fd, bytes)) {
        good = false;
        int cut = ftruncate(fd, before.st_size);
        (void)cut; /* salts_check finds what could not be cut off */
    }
    if (fd >= 0 && close(fd) != 0) {
        good = false;
    }
    if (good && !existed) {
        char folder[NAME_MAX_LEN];
        snprintf(folder, sizeof folder, "%s", path);
        char *slash = strrchr(folder, '/');
        if (slash) {
            slash[slash == folder] = 0;
        }
        good = dir_sync(slash ? folder : ".") == OK;
    }
    return good ? OK
                : why_say(why, ERR_IO, "salts file", path, NULL,
                          "Nothing was sent. Check the folder and the disk.");
}

enum err salts_append(const char *path, const struct hash *statement, const struct bundle *batch,
                      struct why *why)
{
    struct buf bytes = {0};
    salts_write(&bytes, statement, batch);
    enum err err = append(path, buf_bytes(&bytes), why);
    buf_clear(&bytes);
    return err;
}
