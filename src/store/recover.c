/* What RocksDB 7.8 does with a write-ahead log that does not end well (test_store.c holds it to
 * this): with absolute consistency a record that is cut short, or whose checksum is wrong, fails
 * the open, wherever it is. With point-in-time recovery the same record ends the replay without a
 * word, and what follows it is gone. So the second is asked for only when the first has failed,
 * read-only, and what it found is believed only after the head mark has vouched for it. */
#include "store/internal.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head_key[] = "head";

enum { HEAD_LEN = 8 + 8 + 32 };

void batch_put_head(struct batch *batch, const struct mark_head *head)
{
    uint8_t value[HEAD_LEN];
    put_u64(value, head->epoch);
    put_u64(value + 8, head->height);
    memcpy(value + 16, head->header_hash.at, 32);
    batch_put(batch, FAMILY_META, bytes_text(head_key), (struct bytes){value, sizeof value});
}

enum err store_head(struct store *store, struct mark_head *out)
{
    struct buf value = {0};
    enum err err = store_get(store, NULL, FAMILY_META, bytes_text(head_key), &value);
    if (err == OK && value.len != HEAD_LEN) {
        err = ERR_CORRUPT;
    }
    if (err == OK) {
        out->epoch = get_u64(value.at);
        out->height = get_u64(value.at + 8);
        memcpy(out->header_hash.at, value.at + 16, 32);
    }
    buf_clear(&value);
    return err;
}

/* Whether the store holds everything up to the marked head. */
static enum err compare(bool *complete, struct store *store, const struct mark_head *mark)
{
    struct mark_head head;
    enum err err = store_head(store, &head);
    if (err != OK && err != ERR_NOT_FOUND) {
        return err;
    }
    if (mark == NULL) {
        *complete = true;
    } else if (err == ERR_NOT_FOUND) {
        *complete = false;
    } else if (head.epoch != mark->epoch) {
        *complete = head.epoch > mark->epoch;
    } else if (head.height != mark->height) {
        *complete = head.height > mark->height;
    } else {
        *complete = hash_equal(&head.header_hash, &mark->header_hash);
    }
    return OK;
}

/* Reading takes no lock, so a database that another process is writing must be noticed first. */
static enum err check_unlocked(const char *dir, struct why *why)
{
    char *path = path_join(dir, "db/LOCK");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    free(path);
    if (fd < 0) {
        return OK;
    }
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int failed = fcntl(fd, F_GETLK, &lock);
    close(fd);
    if (failed != 0 || lock.l_type != F_UNLCK) {
        return why_say(why, ERR_BUSY, "store", dir, "is open in another process",
                       "Stop that process first.");
    }
    return OK;
}

enum err store_recover(struct store **out, enum store_health *health, const char *dir,
                       const struct store_options *options, const struct mark_head *mark,
                       struct why *why)
{
    TRY(check_unlocked(dir, why));
    struct store_options reading = *options;
    reading.read_only = true;
    reading.create = false;
    enum wal_mode mode = WAL_ABSOLUTE;
    struct store *store;
    enum err err = store_open_mode(&store, dir, &reading, mode, why);
    if (err == ERR_CORRUPT) {
        mode = WAL_POINT_IN_TIME;
        err = store_open_mode(&store, dir, &reading, mode, why);
    }
    TRY(err);
    bool complete;
    err = compare(&complete, store, mark);
    if (err != OK) {
        store_close(store);
        return why_say(why, err, "store", dir, "has an unreadable head",
                       "Restore the directory from a backup or from another node.");
    }
    *health = !complete ? STORE_BEHIND : mode == WAL_ABSOLUTE ? STORE_GOOD : STORE_TORN;
    if (complete && !options->read_only) {
        store_close(store);
        reading.read_only = false;
        return store_open_mode(out, dir, &reading, mode, why);
    }
    *out = store;
    return OK;
}
