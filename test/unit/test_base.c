#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

static void a_buffer_grows_and_keeps_its_bytes(void **state)
{
    (void)state;
    struct buf buf = {0};
    for (unsigned i = 0; i < 1000; i++) {
        buf_put_byte(&buf, (uint8_t)i);
    }
    CHECK_UINT(buf.len, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        CHECK_UINT(buf.at[i], i & 0xff);
    }
    buf_clear(&buf);
    CHECK(buf.at == NULL);
}

static void big_endian_integers_come_back(void **state)
{
    (void)state;
    uint8_t out[8];
    put_u64(out, 0x0102030405060708u);
    CHECK_BYTES(BYTES_OF(out), hex("0102030405060708"));
    CHECK_UINT(get_u64(out), 0x0102030405060708u);
    CHECK_UINT(get_u32(out), 0x01020304u);
    CHECK_UINT(get_u16(out + 6), 0x0708);
}

static void byte_ranges_sort_as_memcmp_with_prefixes_first(void **state)
{
    (void)state;
    CHECK(bytes_compare(hex("01"), hex("0100")) < 0);
    CHECK(bytes_compare(hex("02"), hex("0100")) > 0);
    CHECK(bytes_compare(BYTES_NONE, BYTES_NONE) == 0);
    CHECK(bytes_equal(hex("ff"), hex("ff")));
}

static void utf8_is_checked_to_rfc_3629(void **state)
{
    (void)state;
    CHECK(bytes_is_utf8(bytes_text("plain")));
    CHECK(bytes_is_utf8(hex("e4b8ade69687f09f8c80")));
    static const char *const bad[] = {"80",       "c080",     "c1bf",     "e0809f", "eda080",
                                      "f08080af", "f4908080", "f5808080", "e4b8",   "c3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!bytes_is_utf8(hex(bad[i])));
    }
}

static void an_arena_hands_out_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t len = 1; len < 40000; len = len * 3 + 1) {
        uint8_t *at = arena_alloc(&arena, len);
        CHECK_UINT((uintptr_t)at % 16, 0);
        for (size_t i = 0; i < len; i++) {
            CHECK_UINT(at[i], 0);
        }
        memset(at, 0xff, len);
    }
    arena_reset(&arena);
    CHECK_UINT(*(uint8_t *)arena_alloc(&arena, 1), 0);
    arena_clear(&arena);
}

static void a_file_is_written_whole_and_read_bounded(void **state)
{
    (void)state;
    char dir[] = "/tmp/cairn-test-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    char *path = path_join(dir, "file");
    struct why why = {0};
    struct buf got = {0};
    CHECK_ERR(file_read(&got, path, 10, &why), ERR_NOT_FOUND);
    CHECK(strcmp(why.field, "file") == 0 && strcmp(why.value, path) == 0);
    CHECK_OK(file_write(path, bytes_text("12345"), 0600, &why));
    CHECK_ERR(file_create(path, bytes_text("other"), 0600, &why), ERR_EXISTS);
    CHECK_OK(file_read(&got, path, 5, &why));
    CHECK_BYTES(buf_bytes(&got), bytes_text("12345"));
    CHECK_ERR(file_read(&got, path, 4, &why), ERR_RANGE);
    CHECK_UINT(got.len, 5);
    struct stat info;
    CHECK(stat(path, &info) == 0);
    CHECK_UINT(info.st_mode & 0777, 0600);
    unlink(path);
    CHECK(rmdir(dir) == 0); /* no temporary file is left behind */
    buf_clear(&got);
    free(path);
}

static void a_refusal_names_field_value_and_remedy(void **state)
{
    (void)state;
    struct why why;
    CHECK_ERR(why_sayf(&why, ERR_RANGE, "count", "is over the limit", "Split the batch.", "%d", 7),
              ERR_RANGE);
    char text[256];
    why_print(&why, ERR_RANGE, text, sizeof text);
    CHECK(strcmp(text, "count '7' is over the limit. Split the batch.") == 0);
}

static void times_are_written_as_rfc_3339(void **state)
{
    (void)state;
    char text[25];
    clock_format(text, 1700000000123u);
    CHECK(strcmp(text, "2023-11-14T22:13:20.123Z") == 0);
    clock_format(text, UINT64_MAX);
    CHECK(strcmp(text, "9999-12-31T23:59:59.999Z") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_and_keeps_its_bytes),
        cmocka_unit_test(big_endian_integers_come_back),
        cmocka_unit_test(byte_ranges_sort_as_memcmp_with_prefixes_first),
        cmocka_unit_test(utf8_is_checked_to_rfc_3629),
        cmocka_unit_test(an_arena_hands_out_zeroed_aligned_memory),
        cmocka_unit_test(a_file_is_written_whole_and_read_bounded),
        cmocka_unit_test(a_refusal_names_field_value_and_remedy),
        cmocka_unit_test(times_are_written_as_rfc_3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
