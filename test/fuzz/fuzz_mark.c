/* The head mark: of two slots the later one that is whole counts, whatever the other holds, and
 * what is written then is what the next start finds. The first byte says which checksums are put
 * right (bits 0 and 1) and how much of the file is there; then come the bodies of the two slots. */
#include "base/file.h"
#include "fuzz.h"
#include "store/mark.h"

#include <stdio.h>
#include <unistd.h>

#define SLOT_SIZE 4096
#define SLOT_BODY 64

static char dir[64];
static char path[80];

static void dir_end(void)
{
    unlink(path);
    rmdir(dir);
}

static void dir_begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/cairn-fuzz-XXXXXX");
    BUG_ON(mkdtemp(dir) == NULL);
    snprintf(path, sizeof path, "%s/head", dir);
    atexit(dir_end);
}

/* CRC-32C, bit by bit. */
static uint32_t checksum(const uint8_t *at)
{
    uint32_t crc = UINT32_MAX;
    for (size_t bit = 0; bit < 8 * (size_t)SLOT_BODY; bit++) {
        crc ^= at[bit / 8] >> bit % 8 & 1;
        crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

static bool slot_is_whole(const uint8_t *slot)
{
    return memcmp(slot, "cairnmrk", 8) == 0 && get_u32(slot + SLOT_BODY) == checksum(slot);
}

static void file_make(uint8_t file[2 * SLOT_SIZE], struct bytes *rest, unsigned how)
{
    memset(file, 0, 2 * (size_t)SLOT_SIZE);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *slot = file + i * SLOT_SIZE;
        for (size_t k = 0; k < SLOT_BODY + 4; k++) {
            slot[k] = take_byte(rest);
        }
        if (how >> i & 1) {
            put_u32(slot + SLOT_BODY, checksum(slot));
        }
    }
}

static enum err head_read(struct mark_head *out)
{
    struct mark *mark;
    enum err err = mark_open(&mark, dir, false, NULL);
    if (err == OK) {
        err = mark_read(mark, out);
        BUG_ON(err != OK && err != ERR_NOT_FOUND);
        mark_close(mark);
    }
    return err;
}

static void check_written(const struct mark_head *head)
{
    struct mark *mark;
    struct mark_head again;
    BUG_ON(mark_open(&mark, dir, false, NULL) != OK);
    enum err err = mark_write(mark, head);
    mark_close(mark);
    if (err == OK) {
        BUG_ON(head_read(&again) != OK || again.height != head->height);
        BUG_ON(again.epoch != head->epoch || !hash_equal(&again.header_hash, &head->header_hash));
    }
}

/* 2^64 - 1 blocks are never written, so that a sequence that wraps is not looked at. */
static void check_file(const uint8_t *file, unsigned how)
{
    struct mark_head head = {0};
    uint64_t sequence[2] = {get_u64(file + 8), get_u64(file + SLOT_SIZE + 8)};
    bool whole[2] = {slot_is_whole(file), slot_is_whole(file + SLOT_SIZE)};
    enum err err = head_read(&head);
    BUG_ON((err == ERR_CORRUPT) != (!whole[0] && !whole[1]));
    if (err == OK) {
        unsigned later = whole[1] && (!whole[0] || sequence[1] > sequence[0]);
        BUG_ON(head.height != get_u64(file + later * SLOT_SIZE + 24));
        BUG_ON(head.epoch != get_u64(file + later * SLOT_SIZE + 16));
    }
    bool wraps = sequence[0] == UINT64_MAX || sequence[1] == UINT64_MAX;
    if (err != ERR_CORRUPT && !wraps) {
        head.height = how;
        head.epoch = 7;
        check_written(&head);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data, size};
    uint8_t file[2 * SLOT_SIZE];
    unsigned how = take_byte(&rest);
    if (dir[0] == '\0') {
        dir_begin();
    }
    file_make(file, &rest, how);
    size_t len = how & 4 ? sizeof file - how : sizeof file;
    FILE *stream = fopen(path, "wb");
    BUG_ON(stream == NULL || fwrite(file, 1, len, stream) != len || fclose(stream) != 0);
    check_file(file, how);
    return 0;
}
