#include "check.h"

#include "base/file.h"
#include "store/mark.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOT_SIZE = 4096, SLOT_LEN = 68 };

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/cairn-mark-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static char *head_path(void)
{
    return path_join(dir, "head");
}

static int remove_dir(void **state)
{
    (void)state;
    char *path = head_path();
    unlink(path);
    free(path);
    return rmdir(dir);
}

static struct mark_head head_at(uint64_t height)
{
    struct mark_head head = {.epoch = 3, .height = height};
    memset(head.header_hash.at, (int)(height % 251), 32);
    return head;
}

static void check_head(uint64_t height)
{
    struct mark *mark;
    struct mark_head got;
    struct mark_head want = head_at(height);
    CHECK_OK(mark_open(&mark, dir, false, NULL));
    CHECK_OK(mark_read(mark, &got));
    CHECK_UINT(got.epoch, 3);
    CHECK_UINT(got.height, height);
    CHECK(hash_equal(&got.header_hash, &want.header_hash));
    mark_close(mark);
}

static void mark_to(uint64_t height)
{
    struct mark *mark;
    CHECK_OK(mark_open(&mark, dir, true, NULL));
    for (uint64_t i = 1; i <= height; i++) {
        struct mark_head head = head_at(i);
        CHECK_OK(mark_write(mark, &head));
    }
    mark_close(mark);
}

static void replace_file(struct bytes bytes)
{
    char *path = head_path();
    CHECK_OK(file_write(path, bytes, 0600, NULL));
    free(path);
}

static struct buf read_file(void)
{
    struct buf file = {0};
    char *path = head_path();
    CHECK_OK(file_read(&file, path, 65536, NULL));
    free(path);
    return file;
}

static void a_missing_mark_is_not_found(void **state)
{
    (void)state;
    struct mark *mark;
    CHECK_ERR(mark_open(&mark, dir, false, NULL), ERR_NOT_FOUND);
}

static void a_new_mark_holds_no_head(void **state)
{
    (void)state;
    struct mark *mark;
    struct mark_head head;
    CHECK_OK(mark_open(&mark, dir, true, NULL));
    CHECK_ERR(mark_read(mark, &head), ERR_NOT_FOUND);
    mark_close(mark);
    CHECK_OK(mark_open(&mark, dir, false, NULL));
    CHECK_ERR(mark_read(mark, &head), ERR_NOT_FOUND);
    mark_close(mark);
}

static void the_last_head_is_read_back_and_create_keeps_it(void **state)
{
    (void)state;
    mark_to(7);
    check_head(7);
    struct mark *mark;
    CHECK_OK(mark_open(&mark, dir, true, NULL));
    struct mark_head head = head_at(8);
    CHECK_OK(mark_write(mark, &head));
    mark_close(mark);
    check_head(8);
}

/* Head 7 is in slot 1 and head 6 in slot 0. */
static void any_flipped_byte_of_a_slot_leaves_the_other(void **state)
{
    (void)state;
    mark_to(7);
    struct buf file = read_file();
    for (size_t i = 0; i < SLOT_LEN; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            file.at[SLOT_SIZE + i] ^= (uint8_t)(1u << bit);
            replace_file(buf_bytes(&file));
            check_head(6);
            file.at[SLOT_SIZE + i] ^= (uint8_t)(1u << bit);
        }
        file.at[i] ^= 0x40;
        replace_file(buf_bytes(&file));
        check_head(7);
        file.at[i] ^= 0x40;
    }
    buf_clear(&file);
}

static void a_write_torn_at_any_byte_leaves_the_old_or_the_new_head(void **state)
{
    (void)state;
    mark_to(7);
    struct buf before = read_file();
    mark_to(1); /* one more write: sequence 8 */
    struct buf after = read_file();
    for (size_t cut = 0; cut <= SLOT_LEN; cut++) {
        struct buf torn = {0};
        buf_put(&torn, buf_bytes(&before));
        memcpy(torn.at, after.at, cut);
        replace_file(buf_bytes(&torn));
        bool whole = memcmp(torn.at, after.at, SLOT_LEN) == 0;
        bool untouched = memcmp(torn.at, before.at, SLOT_LEN) == 0;
        check_head(whole && !untouched ? 1 : 7);
        buf_clear(&torn);
    }
    buf_clear(&before);
    buf_clear(&after);
}

static void two_bad_slots_are_corrupt(void **state)
{
    (void)state;
    mark_to(7);
    struct buf file = read_file();
    struct mark *mark;
    struct why why = {0};
    file.at[20] ^= 1;
    file.at[SLOT_SIZE + 20] ^= 1;
    replace_file(buf_bytes(&file));
    CHECK_ERR(mark_open(&mark, dir, false, &why), ERR_CORRUPT);
    CHECK(strstr(why.value, "head") != NULL);
    CHECK_ERR(mark_open(&mark, dir, true, NULL), ERR_CORRUPT);
    buf_clear(&file);
}

static void a_file_of_another_length_is_corrupt(void **state)
{
    (void)state;
    mark_to(7);
    struct buf file = read_file();
    struct mark *mark;
    for (size_t len = 0; len < SLOT_SIZE + SLOT_LEN; len += 97) {
        replace_file((struct bytes){file.at, len});
        CHECK_ERR(mark_open(&mark, dir, false, NULL), ERR_CORRUPT);
    }
    buf_put_byte(&file, 0);
    replace_file(buf_bytes(&file));
    CHECK_ERR(mark_open(&mark, dir, false, NULL), ERR_CORRUPT);
    buf_clear(&file);
}

/* A limit of the file's size stands for a disk that refuses to write. */
static void a_failed_write_is_an_error_for_ever_and_keeps_the_last_head(void **state)
{
    (void)state;
    mark_to(7);
    struct mark *mark;
    CHECK_OK(mark_open(&mark, dir, false, NULL));
    struct mark_head head = head_at(8);
    struct rlimit old;
    CHECK_UINT(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit none = {0, old.rlim_max};
    CHECK_UINT(setrlimit(RLIMIT_FSIZE, &none), 0);
    enum err refused = mark_write(mark, &head);
    CHECK_UINT(setrlimit(RLIMIT_FSIZE, &old), 0);
    CHECK_ERR(refused, ERR_IO);
    CHECK_ERR(mark_write(mark, &head), ERR_IO);
    mark_close(mark);
    check_head(7);
}

static void a_mark_that_cannot_be_made_is_an_io_error(void **state)
{
    (void)state;
    struct mark *mark;
    char *path = head_path();
    CHECK_OK(dir_make(path, 0700, NULL));
    CHECK_ERR(mark_open(&mark, dir, true, NULL), ERR_IO);
    rmdir(path);
    free(path);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_missing_mark_is_not_found),
        CASE(a_new_mark_holds_no_head),
        CASE(the_last_head_is_read_back_and_create_keeps_it),
        CASE(any_flipped_byte_of_a_slot_leaves_the_other),
        CASE(a_write_torn_at_any_byte_leaves_the_old_or_the_new_head),
        CASE(two_bad_slots_are_corrupt),
        CASE(a_file_of_another_length_is_corrupt),
        CASE(a_failed_write_is_an_error_for_ever_and_keeps_the_last_head),
        CASE(a_mark_that_cannot_be_made_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
