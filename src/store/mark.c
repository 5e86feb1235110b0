/* The file is two slots of 4096 bytes, so that a torn write of one never touches the other's
 * sector. A slot: "cairnmrk", u64 sequence number, u64 epoch, u64 height, 32-byte header hash,
 * CRC-32C of these 64 bytes; all big-endian. The higher sequence number is the later one; sequence
 * 0 holds no head. */
#include "store/mark.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOT_SIZE = 4096, SLOT_BODY = 64, SLOT_LEN = SLOT_BODY + 4 };

static const char magic[8] = {'c', 'a', 'i', 'r', 'n', 'm', 'r', 'k'};

struct slot {
    uint64_t sequence;
    struct mark_head head;
};

struct mark {
    int fd;
    struct slot last;
    bool failed; /* a write failed: the slots are no longer known */
};

/* CRC-32C (Castagnoli), RFC 3720 appendix B.4. */
static uint32_t crc32c(struct bytes bytes)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.at[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
        }
    }
    return ~crc;
}

static void slot_write(uint8_t out[SLOT_LEN], const struct slot *slot)
{
    memcpy(out, magic, sizeof magic);
    put_u64(out + 8, slot->sequence);
    put_u64(out + 16, slot->head.epoch);
    put_u64(out + 24, slot->head.height);
    memcpy(out + 32, slot->head.header_hash.at, 32);
    put_u32(out + SLOT_BODY, crc32c((struct bytes){out, SLOT_BODY}));
}

static bool slot_parse(struct slot *out, const uint8_t in[SLOT_LEN])
{
    if (memcmp(in, magic, sizeof magic) != 0 ||
        get_u32(in + SLOT_BODY) != crc32c((struct bytes){in, SLOT_BODY})) {
        return false;
    }
    out->sequence = get_u64(in + 8);
    out->head.epoch = get_u64(in + 16);
    out->head.height = get_u64(in + 24);
    memcpy(out->head.header_hash.at, in + 32, 32);
    return true;
}

/* Both slots begin empty, with sequence 0. */
static enum err make_file(const char *path, struct why *why)
{
    uint8_t file[2 * SLOT_SIZE] = {0};
    struct slot empty = {0};
    slot_write(file, &empty);
    slot_write(file + SLOT_SIZE, &empty);
    return file_create(path, (struct bytes){file, sizeof file}, 0600, why);
}

static enum err load(struct slot *out, const char *path, struct why *why)
{
    struct buf file = {0};
    enum err err = file_read(&file, path, (size_t)2 * SLOT_SIZE, why);
    if (err == ERR_RANGE || (err == OK && file.len < SLOT_SIZE + SLOT_LEN)) {
        err = ERR_CORRUPT;
    }
    struct slot slots[2];
    if (err == OK) {
        bool good0 = slot_parse(&slots[0], file.at);
        bool good1 = slot_parse(&slots[1], file.at + SLOT_SIZE);
        if (good0 || good1) {
            *out = slots[good1 && (!good0 || slots[1].sequence > slots[0].sequence)];
        } else {
            err = ERR_CORRUPT;
        }
    }
    buf_clear(&file);
    if (err == ERR_CORRUPT) {
        why_say(why, err, "head mark", path, NULL,
                "Find the last head that was given out from a trust file or a witness.");
    }
    return err;
}

static enum err open_file(struct mark **out, const char *path, struct why *why)
{
    struct slot last;
    TRY(load(&last, path, why));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return why_say(why, ERR_IO, "head mark", path, strerror(errno), NULL);
    }
    struct mark *mark = mem_zalloc(sizeof *mark);
    mark->fd = fd;
    mark->last = last;
    *out = mark;
    return OK;
}

enum err mark_open(struct mark **out, const char *dir, bool create, struct why *why)
{
    char *path = path_join(dir, MARK_FILE);
    enum err err = create && !file_exists(path) ? make_file(path, why) : OK;
    if (err == OK) {
        err = open_file(out, path, why);
    }
    free(path);
    return err;
}

void mark_close(struct mark *mark)
{
    if (mark != NULL) {
        close(mark->fd);
        free(mark);
    }
}

enum err mark_read(const struct mark *mark, struct mark_head *out)
{
    if (mark->last.sequence == 0) {
        return ERR_NOT_FOUND;
    }
    *out = mark->last.head;
    return OK;
}

enum err mark_write(struct mark *mark, const struct mark_head *head)
{
    if (mark->failed) {
        return ERR_IO;
    }
    struct slot next = {mark->last.sequence + 1, *head};
    uint8_t out[SLOT_LEN];
    slot_write(out, &next);
    off_t at = next.sequence % 2 == 0 ? 0 : SLOT_SIZE;
    uint64_t from_ns = clock_mono_ns();
    ssize_t put = pwrite(mark->fd, out, sizeof out, at);
    if (put != (ssize_t)sizeof out || fdatasync(mark->fd) != 0) {
        mark->failed = true;
        return ERR_IO;
    }
    metric_observe_us(METRIC_STORE_FSYNC, FSYNC_MARK, (clock_mono_ns() - from_ns) / 1000);
    mark->last = next;
    return OK;
}
