/* Protocol Buffers on the wire: the examples of the format's own description, and what is refused.
 */
#include "check.h"

#include "codec/protobuf.h"

static void the_examples_of_the_description_are_read_and_written(void **state)
{
    (void)state;
    /* protobuf.dev, "Encoding": Test1 {a: 150}, Test2 {b: "testing"}, Test3 {c: {a: 150}}. */
    struct pb_reader reader, inner;
    struct pb_field field;
    pb_init(&reader, hex("0896011207"
                         "74657374696e67"
                         "1a03089601"));
    CHECK(pb_next(&reader, &field) && field.number == 1);
    CHECK_UINT(pb_uint(&reader, &field, UINT64_MAX), 150);
    CHECK(pb_next(&reader, &field) && field.number == 2);
    CHECK_BYTES(pb_bytes(&reader, &field, 7), bytes_text("testing"));
    CHECK(pb_next(&reader, &field) && field.number == 3);
    pb_init(&inner, pb_bytes(&reader, &field, 3));
    CHECK(pb_next(&inner, &field) && pb_int(&inner, &field) == 150);
    CHECK(!pb_next(&inner, &field) && !pb_next(&reader, &field));
    CHECK_OK(pb_end(&inner));
    CHECK_OK(pb_end(&reader));

    struct buf message = {0}, out = {0};
    pb_put_uint(&message, 1, 150);
    pb_put_uint(&out, 1, 150);
    pb_put_bytes(&out, 2, bytes_text("testing"));
    pb_put_message(&out, 3, buf_bytes(&message));
    CHECK_BYTES(buf_bytes(&out), hex("0896011207"
                                     "74657374696e67"
                                     "1a03089601"));
    CHECK_UINT(pb_message_len(3, message.len), 5);
    buf_clear(&message);
    buf_clear(&out);
}

static void numbers_round_trip_to_their_bounds(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {1,          127,        128,          16383,     16384,
                                       UINT32_MAX, 1ull << 32, (uint64_t)-2, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buf out = {0};
        struct pb_reader reader;
        struct pb_field field;
        pb_put_uint(&out, (1u << 29) - 1, numbers[i]);
        pb_put_fixed64(&out, 1, numbers[i]);
        pb_init(&reader, buf_bytes(&out));
        CHECK(pb_next(&reader, &field) && field.number == (1u << 29) - 1);
        CHECK(pb_int(&reader, &field) == (int64_t)numbers[i] && pb_bool(&reader, &field));
        CHECK(pb_next(&reader, &field) && field.wire == PB_FIXED64 && field.value == numbers[i]);
        CHECK(!pb_next(&reader, &field));
        CHECK_OK(pb_end(&reader));
        buf_clear(&out);
    }
}

static void zero_and_nothing_are_left_out_but_a_message_is_not(void **state)
{
    (void)state;
    struct buf out = {0};
    pb_put_uint(&out, 1, 0);
    pb_put_fixed64(&out, 2, 0);
    pb_put_bytes(&out, 3, BYTES_NONE);
    CHECK_UINT(out.len, 0);
    pb_put_message(&out, 16, BYTES_NONE);
    CHECK_BYTES(buf_bytes(&out), hex("820100"));
    CHECK_UINT(pb_message_len(16, 0), 3);
    buf_clear(&out);
}

/* Reads all fields of whatever kind and gives the error. */
static enum err read_all(struct bytes message, size_t *count)
{
    struct pb_reader reader;
    struct pb_field field;
    *count = 0;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        (*count)++;
    }
    return pb_end(&reader);
}

static void a_message_that_is_cut_is_truncated_or_shorter_by_whole_fields(void **state)
{
    (void)state;
    /* Varint, 64 bits, bytes, 32 bits: 3 + 9 + 5 + 6 bytes. */
    struct bytes whole = hex("08ffff7f1101020304050607081a036162632d0a0b0c0d");
    size_t ends[] = {0, 4, 13, 18, whole.len};
    size_t count;
    for (size_t len = 0; len <= whole.len; len++) {
        size_t fields = 0;
        bool at_end = false;
        for (size_t i = 0; i < 5; i++) {
            at_end = at_end || ends[i] == len;
            fields += i > 0 && ends[i] <= len;
        }
        CHECK_ERR(read_all((struct bytes){whole.at, len}, &count), at_end ? OK : ERR_TRUNCATED);
        CHECK_UINT(count, fields);
    }
    CHECK_UINT(pb_count(whole, 3), 1);
    CHECK_UINT(pb_count(whole, 4), 0);
}

static void what_is_no_message_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        enum err err;
    } cases[] = {
        {"00", ERR_RANGE},                       /* field 0 */
        {"808080801001", ERR_RANGE},             /* field 2^29 */
        {"08ffffffffffffffffff02", ERR_RANGE},   /* 65 bits */
        {"08ffffffffffffffffffff01", ERR_RANGE}, /* 11 bytes */
        {"0b0c", ERR_UNSUPPORTED},               /* a group */
        {"0c", ERR_UNSUPPORTED},                 /* the end of one */
        {"0e", ERR_FORMAT},                      /* wire types that there are not */
        {"0f", ERR_FORMAT},
        {"0affffffffffffffffff01", ERR_TRUNCATED}, /* a length beyond all memory */
    };
    size_t count;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_ERR(read_all(hex(cases[i].message), &count), cases[i].err);
    }
    uint64_t value = 0;
    CHECK(pb_varint_parse(hex("ffffffffffffffffff01"), &value) == 10 && value == UINT64_MAX);
    CHECK(pb_varint_parse(BYTES_NONE, &value) == 0);
}

static void a_field_in_another_form_or_beyond_its_bound_is_an_error_that_stays(void **state)
{
    (void)state;
    struct pb_reader reader;
    struct pb_field field;
    struct bytes message = hex("0801120161");
    pb_init(&reader, message);
    CHECK(pb_next(&reader, &field) && pb_bytes(&reader, &field, 9).len == 0);
    CHECK(!pb_next(&reader, &field));
    CHECK_ERR(pb_end(&reader), ERR_TYPE);
    pb_init(&reader, message);
    CHECK(pb_next(&reader, &field) && pb_uint(&reader, &field, 0) == 0);
    CHECK_ERR(pb_end(&reader), ERR_RANGE);
    pb_init(&reader, message);
    CHECK(pb_next(&reader, &field) && pb_next(&reader, &field));
    CHECK(!pb_bool(&reader, &field) && pb_int(&reader, &field) == 0);
    CHECK_ERR(pb_end(&reader), ERR_TYPE);
    pb_init(&reader, message);
    CHECK(pb_next(&reader, &field) && pb_next(&reader, &field));
    CHECK(pb_bytes(&reader, &field, 0).len == 0 && pb_bytes(&reader, &field, 1).len == 0);
    CHECK_ERR(pb_end(&reader), ERR_RANGE);
    pb_fail(&reader, ERR_CORRUPT);
    CHECK_ERR(pb_end(&reader), ERR_RANGE);
}

static void fields_left_unread_are_trailing(void **state)
{
    (void)state;
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, hex("08011002"));
    CHECK(pb_next(&reader, &field));
    CHECK_ERR(pb_end(&reader), ERR_TRAILING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_description_are_read_and_written),
        cmocka_unit_test(numbers_round_trip_to_their_bounds),
        cmocka_unit_test(zero_and_nothing_are_left_out_but_a_message_is_not),
        cmocka_unit_test(a_message_that_is_cut_is_truncated_or_shorter_by_whole_fields),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(a_field_in_another_form_or_beyond_its_bound_is_an_error_that_stays),
        cmocka_unit_test(fields_left_unread_are_trailing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
