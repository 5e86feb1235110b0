#include "cli/hashing.h"

#include "cli/media.h"
#include "cli/progress.h"
#include "crypto/digest.h"
#include "crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_LEN    262144
#define THREADS_MAX 64

static enum err say_errno(struct why *why, const char *path, int code)
{
    char text[128];
    return why_say(why, code == ENOENT ? ERR_NOT_FOUND : ERR_IO, "file", path,
                   strerror_r(code, text, sizeof text), "Check the path and its permissions.");
}

/* The states of one pass. */
struct pass {
    struct sha256_state sha256;
    struct sha256_state bare;
    struct sm3_state *sm3;
};

static void pass_begin(struct pass *pass, const struct file_digest *file)
{
    sha256_init(&pass->sha256);
    sha256_init(&pass->bare);
    if (file->blinded) {
        struct bytes salt = {file->salt, sizeof file->salt};
        sha256_update(&pass->sha256, salt);
        sm3_update(pass->sm3, salt);
    }
}

static void pass_update(struct pass *pass, const struct file_digest *file, struct bytes part)
{
    sha256_update(&pass->sha256, part);
    sm3_update(pass->sm3, part);
    if (file->blinded) {
        sha256_update(&pass->bare, part);
    }
}

static void pass_end(struct pass *pass, struct file_digest *file)
{
    sha256_final(&pass->sha256, &file->sha256);
    sm3_final(pass->sm3, &file->sm3);
    if (file->blinded) {
        sha256_final(&pass->bare, &file->bare);
    } else {
        file->bare = file->sha256;
    }
}

static enum err read_through(struct file_digest *file, int fd, struct pass *pass, struct why *why,
                             struct progress *progress)
{
    uint8_t *part = mem_alloc(PART_LEN);
    ssize_t got;
    file->media_type = media_type(file->path, BYTES_NONE);
    while ((got = read(fd, part, PART_LEN)) > 0) {
        struct bytes bytes = {part, (size_t)got};
        if (file->size == 0) {
            file->media_type = media_type(file->path, bytes);
        }
        file->size += bytes.len;
        pass_update(pass, file, bytes);
        if (progress) {
            progress_add(progress, bytes.len);
        }
    }
    int code = errno;
    free(part);
    return got < 0 ? say_errno(why, file->path, code) : OK;
}

static enum err fill_open(struct file_digest *file, int fd, enum blinding blinding, struct why *why,
                          struct progress *progress)
{
    struct stat before;
    if (fstat(fd, &before) != 0) {
        return say_errno(why, file->path, errno);
    }
    if (!S_ISREG(before.st_mode)) {
        return why_say(why, ERR_FORMAT, "file", file->path, "is not a regular file",
                       "Name files; for a folder: find DIR -type f > LIST, then @LIST.");
    }
    uint64_t size = (uint64_t)before.st_size;
    file->size = 0;
    file->blinded = blinding == BLIND_ALL || blinding == BLIND_GIVEN ||
                    (blinding == BLIND_SMALL && size < BLIND_MAX);
    if (file->blinded && blinding != BLIND_GIVEN) {
        random_bytes(file->salt, sizeof file->salt);
    }
    struct pass pass = {.sm3 = sm3_new()};
    pass_begin(&pass, file);
    enum err err = read_through(file, fd, &pass, why, progress);
    pass_end(&pass, file);
    sm3_free(pass.sm3);
    if (err == OK && file->size != size) {
        return why_say(why, ERR_IO, "file", file->path, "changed while it was read",
                       "Deposit it when it is complete.");
    }
    return err;
}

static enum err fill(struct file_digest *file, enum blinding blinding, struct why *why,
                     struct progress *progress)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return say_errno(why, file->path, errno);
    }
    enum err err = fill_open(file, fd, blinding, why, progress);
    close(fd);
    return err;
}

enum err file_digest_fill(struct file_digest *file, enum blinding blinding, struct why *why)
{
    return fill(file, blinding, why, NULL);
}

/* ---- many */

/* Shared by the threads; each takes the next file that nobody has. */
struct work {
    struct file_digest *files;
    size_t count;
    enum blinding blinding;
    struct progress progress;
    atomic_size_t next;
    pthread_mutex_t lock; /* of what follows: the error of the first file that has one */
    size_t failed;
    enum err err;
    struct why why;
};

static void *work_run(void *context)
{
    struct work *work = context;
    size_t i;
    while ((i = atomic_fetch_add(&work->next, 1)) < work->count) {
        struct why why = {0};
        enum err err = fill(&work->files[i], work->blinding, &why, &work->progress);
        if (err == OK) {
            continue;
        }
        atomic_store(&work->next, work->count); /* the others end soon */
        pthread_mutex_lock(&work->lock);
        if (work->err == OK || i < work->failed) {
            work->err = err;
            work->failed = i;
            work->why = why;
        }
        pthread_mutex_unlock(&work->lock);
    }
    return NULL;
}

static void work_share(struct work *work)
{
    pthread_t threads[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = cores < 1 ? 1 : (size_t)cores;
    wanted = wanted > THREADS_MAX ? THREADS_MAX : wanted;
    size_t started = 0;
    while (started + 1 < wanted && started + 1 < work->count &&
           pthread_create(&threads[started], NULL, work_run, work) == 0) {
        started++;
    }
    work_run(work);
    while (started > 0) {
        pthread_join(threads[--started], NULL);
    }
}

static uint64_t total_size(const struct file_digest *files, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat stat_now;
        total += stat(files[i].path, &stat_now) == 0 ? (uint64_t)stat_now.st_size : 0;
    }
    return total;
}

enum err file_digests_fill(struct file_digest *files, size_t count, enum blinding blinding,
                           struct why *why)
{
    struct work work = {.files = files, .count = count, .blinding = blinding};
    pthread_mutex_init(&work.lock, NULL);
    progress_init(&work.progress, "hashing", total_size(files, count));
    work_share(&work);
    progress_clear(&work.progress);
    pthread_mutex_destroy(&work.lock);
    if (work.err != OK && why) {
        *why = work.why;
    }
    return work.err;
}
