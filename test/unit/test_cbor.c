#include "cbor_copy.h"
#include "seeded.h"
#include "vectors.h"

/* What cbor_item and then cbor_end say. */
static enum err item_check(struct bytes input, bool foreign)
{
    struct cbor_reader reader;
    if (foreign) {
        cbor_init_foreign(&reader, input);
    } else {
        cbor_init(&reader, input);
    }
    struct bytes item = cbor_item(&reader);
    enum err err = cbor_end(&reader);
    CHECK(err != OK || bytes_equal(item, input));
    CHECK(reader.err == OK || item.len == 0);
    return err;
}

/* What the typed calls say, reading the same input. */
static enum err copy_check(struct buf *out, struct bytes input, bool foreign)
{
    struct cbor_reader reader;
    if (foreign) {
        cbor_init_foreign(&reader, input);
    } else {
        cbor_init(&reader, input);
    }
    out->len = 0;
    cbor_copy(out, &reader);
    return cbor_end(&reader);
}

/* An accepted item comes back to the same bytes, and is refused when cut anywhere or when a byte
 * follows. */
static void check_accepted(struct bytes input)
{
    struct buf out = {0};
    CHECK_OK(item_check(input, false));
    CHECK_OK(copy_check(&out, input, false));
    CHECK_BYTES(buf_bytes(&out), input);
    CHECK_OK(item_check(input, true));
    for (size_t len = 0; len < input.len; len++) {
        CHECK_ERR(item_check((struct bytes){input.at, len}, false), ERR_TRUNCATED);
    }
    buf_put_byte(&out, 0x00);
    CHECK_ERR(item_check(buf_bytes(&out), false), ERR_TRAILING);
    buf_clear(&out);
}

static void rfc_8949_appendix_a_is_taken_or_refused_for_the_reason_given(void **state)
{
    (void)state;
    struct vector vector = vector_open("cbor_appendix_a.txt");
    unsigned rows = 0;
    for (; vector_next(&vector); rows++) {
        struct bytes input = vector_bytes(&vector, 0);
        const char *want = vector.fields[1], *got = err_name(item_check(input, false));
        if (strcmp(got, want) != 0) {
            fail_msg("%s is %s, want %s", vector.fields[0], got, want);
        }
        if (strcmp(want, "OK") == 0) {
            check_accepted(input);
        }
    }
    CHECK_UINT(rows, 82);
}

static void what_an_independent_implementation_refuses_is_refused(void **state)
{
    (void)state;
    struct vector vector = vector_open("cbor_refused.txt");
    struct buf out = {0};
    unsigned rows = 0;
    for (; vector_next(&vector); rows++) {
        struct bytes input = vector_bytes(&vector, 0);
        enum err err = item_check(input, false);
        CHECK(err != OK);
        /* Two whole items are a sequence to the typed calls, and refused as one item. */
        CHECK(copy_check(&out, input, false) != OK || err == ERR_TRAILING);
    }
    CHECK_UINT(rows, 28);
    buf_clear(&out);
}

static void each_refusal_has_its_own_error(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        enum err err;
    } cases[] = {
        {"", ERR_TRUNCATED},
        {"18", ERR_TRUNCATED},
        {"1b00000001000000", ERR_TRUNCATED},
        {"4100ff", ERR_TRAILING},
        {"0000", ERR_TRAILING},
        {"42ff", ERR_TRUNCATED},
        {"62c3", ERR_TRUNCATED},
        {"8200", ERR_TRUNCATED},
        {"a100", ERR_TRUNCATED},
        {"a16161", ERR_TRUNCATED},
        {"a16261", ERR_TRUNCATED},
        {"a17bffffffffffffffff00", ERR_TRUNCATED},
        {"a26261610061", ERR_TRUNCATED},
        {"c1", ERR_TRUNCATED},
        {"5bffffffffffffffff", ERR_TRUNCATED},
        {"9bffffffffffffffff", ERR_TRUNCATED},
        {"bbffffffffffffffff", ERR_TRUNCATED},
        {"bb800000000000000000", ERR_TRUNCATED},
        {"1817", ERR_NOT_CANONICAL},
        {"1900ff", ERR_NOT_CANONICAL},
        {"1a0000ffff", ERR_NOT_CANONICAL},
        {"1b00000000ffffffff", ERR_NOT_CANONICAL},
        {"3817", ERR_NOT_CANONICAL},
        {"580100", ERR_NOT_CANONICAL},
        {"780161", ERR_NOT_CANONICAL},
        {"980100", ERR_NOT_CANONICAL},
        {"b8010000", ERR_NOT_CANONICAL},
        {"d80100", ERR_NOT_CANONICAL},
        {"5f4100ff", ERR_NOT_CANONICAL},
        {"7f6161ff", ERR_NOT_CANONICAL},
        {"9f00ff", ERR_NOT_CANONICAL},
        {"bf0000ff", ERR_NOT_CANONICAL},
        {"a202000100", ERR_NOT_CANONICAL},
        {"a261620061610000", ERR_NOT_CANONICAL},
        {"a2616100200000", ERR_NOT_CANONICAL},
        {"a262616100616200", ERR_NOT_CANONICAL},
        {"a3010002000100", ERR_NOT_CANONICAL},
        {"a201000100", ERR_FORMAT},
        {"a2616100616100", ERR_FORMAT},
        {"1c", ERR_FORMAT},
        {"1f", ERR_FORMAT},
        {"3f", ERR_FORMAT},
        {"df", ERR_FORMAT},
        {"5c", ERR_FORMAT},
        {"fc", ERR_FORMAT},
        {"ff", ERR_FORMAT},
        {"61ff", ERR_FORMAT},
        {"63eda080", ERR_FORMAT},
        {"a161ff00", ERR_FORMAT},
        {"f7", ERR_UNSUPPORTED},
        {"e0", ERR_UNSUPPORTED},
        {"f820", ERR_UNSUPPORTED},
        {"f93c00", ERR_UNSUPPORTED},
        {"81fb0000000000000000", ERR_UNSUPPORTED},
        {"c249010000000000000000", ERR_UNSUPPORTED},
        {"c340", ERR_UNSUPPORTED},
        {"a1410000", ERR_TYPE},
        {"a1f500", ERR_TYPE},
        {"a1f600", ERR_TYPE},
        {"a18000", ERR_TYPE},
        {"a1a000", ERR_TYPE},
        {"a1c10000", ERR_TYPE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum err got = item_check(hex(cases[i].input), false);
        if (got != cases[i].err) {
            fail_msg("%s is %s, want %s", cases[i].input, err_name(got), err_name(cases[i].err));
        }
    }
}

static void arrays_maps_and_tags_nest_eight_deep_together(void **state)
{
    (void)state;
    check_accepted(hex("818181818181818100"));
    check_accepted(hex("8181818181818180"));
    check_accepted(hex("c181a100c181a1008180"));
    check_accepted(hex("8281818181818181008181818181818100"));
    CHECK_ERR(item_check(hex("81818181818181818100"), false), ERR_DEPTH);
    CHECK_ERR(item_check(hex("818181818181818180"), false), ERR_DEPTH);
    CHECK_ERR(item_check(hex("8181818181818181a0"), false), ERR_DEPTH);
    CHECK_ERR(item_check(hex("8181818181818181c100"), false), ERR_DEPTH);
    CHECK_ERR(item_check(hex("c181a100c181a100818180"), false), ERR_DEPTH);
    struct buf out = {0};
    CHECK_ERR(copy_check(&out, hex("8181818181818181c100"), false), ERR_DEPTH);
    buf_clear(&out);
}

static void integers_have_the_range_that_the_call_names(void **state)
{
    (void)state;
    struct cbor_reader reader;
    cbor_init(&reader, hex("1bffffffffffffffff"));
    CHECK_UINT(cbor_uint(&reader), UINT64_MAX);
    CHECK_OK(cbor_end(&reader));
    cbor_init(&reader, hex("1b7fffffffffffffff"));
    CHECK(cbor_int(&reader) == INT64_MAX);
    CHECK_OK(cbor_end(&reader));
    cbor_init(&reader, hex("3b7fffffffffffffff"));
    CHECK(cbor_int(&reader) == INT64_MIN);
    CHECK_OK(cbor_end(&reader));
    cbor_init(&reader, hex("1b8000000000000000"));
    CHECK(cbor_int(&reader) == 0);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
    cbor_init(&reader, hex("3b8000000000000000"));
    CHECK(cbor_int(&reader) == 0);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
    cbor_init(&reader, hex("1864"));
    CHECK_UINT(cbor_uint_max(&reader, 100), 100);
    CHECK_OK(cbor_end(&reader));
    cbor_init(&reader, hex("1864"));
    CHECK_UINT(cbor_uint_max(&reader, 99), 0);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
}

static void another_type_than_asked_for_is_an_error_of_every_call(void **state)
{
    (void)state;
    for (unsigned call = 0; call < 10; call++) {
        struct cbor_reader reader;
        /* Nothing but the two integer calls takes the integer 0. */
        cbor_init(&reader, call < 2 ? hex("40") : hex("00"));
        switch (call) {
        case 0:
            CHECK_UINT(cbor_uint(&reader), 0);
            break;
        case 1:
            CHECK(cbor_int(&reader) == 0);
            break;
        case 2:
            CHECK(!cbor_bool(&reader));
            break;
        case 3:
            CHECK(cbor_bytes(&reader, 0, 9).at == NULL);
            break;
        case 4:
            CHECK(cbor_text(&reader, 0, 9).at == NULL);
            break;
        case 5: {
            struct hash hash = cbor_hash(&reader);
            CHECK(hash_is_zero(&hash));
            break;
        }
        case 6:
            CHECK_UINT(cbor_array(&reader, 0, 9), 0);
            break;
        case 7:
            CHECK_UINT(cbor_map(&reader, 0, 9), 0);
            break;
        case 8:
            CHECK_UINT(cbor_tag(&reader), 0);
            break;
        default:
            CHECK(!cbor_null(&reader));
            CHECK_UINT(cbor_uint(&reader), 0);
            CHECK_OK(cbor_end(&reader));
            continue;
        }
        CHECK_ERR(cbor_end(&reader), ERR_TYPE);
    }
}

static void sizes_outside_the_limits_are_refused_before_the_content_is_looked_at(void **state)
{
    (void)state;
    struct cbor_reader reader;
    cbor_init(&reader, hex("5bffffffffffffffff"));
    CHECK(cbor_bytes(&reader, 0, 8).at == NULL);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
    cbor_init(&reader, hex("6161"));
    CHECK(cbor_text(&reader, 2, 8).at == NULL);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
    cbor_init(&reader, hex("4100"));
    (void)cbor_hash(&reader);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
    cbor_init(&reader, hex("9bffffffffffffffff"));
    CHECK_UINT(cbor_array(&reader, 0, 8), 0);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
    /* Four thousand million members can't follow: nobody is to reserve room for them. */
    cbor_init(&reader, hex("9affffffff00"));
    CHECK_UINT(cbor_array(&reader, 0, SIZE_MAX), 0);
    CHECK_ERR(cbor_end(&reader), ERR_TRUNCATED);
    cbor_init(&reader, hex("80"));
    CHECK_UINT(cbor_array(&reader, 1, 8), 0);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
    cbor_init(&reader, hex("a10000"));
    CHECK_UINT(cbor_map(&reader, 2, 8), 0);
    CHECK_ERR(cbor_end(&reader), ERR_RANGE);
}

static void strings_and_hashes_borrow_or_copy_what_they_hold(void **state)
{
    (void)state;
    struct bytes input =
        hex("83430102036261625820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    struct cbor_reader reader;
    cbor_init(&reader, input);
    CHECK_UINT(cbor_array(&reader, 3, 3), 3);
    struct bytes bytes = cbor_bytes(&reader, 3, 3);
    CHECK(bytes.at == input.at + 2);
    CHECK_BYTES(bytes, hex("010203"));
    CHECK_BYTES(cbor_text(&reader, 0, 2), bytes_text("ab"));
    struct hash hash = cbor_hash(&reader);
    CHECK_OK(cbor_end(&reader));
    CHECK(memcmp(hash.at, input.at + input.len - sizeof hash.at, sizeof hash.at) == 0);
}

static void expected_values_and_versions_have_errors_of_their_own(void **state)
{
    (void)state;
    struct cbor_reader reader;
    cbor_init(&reader, hex("d28207f6"));
    cbor_expect_tag(&reader, 18);
    CHECK_UINT(cbor_array(&reader, 2, 2), 2);
    cbor_expect_uint(&reader, 7);
    CHECK(cbor_null(&reader));
    CHECK_OK(cbor_end(&reader));
    cbor_init(&reader, hex("01"));
    cbor_version(&reader, 1);
    CHECK_OK(cbor_end(&reader));

    cbor_init(&reader, hex("02"));
    cbor_version(&reader, 1);
    CHECK_ERR(cbor_end(&reader), ERR_VERSION);
    cbor_init(&reader, hex("6131"));
    cbor_version(&reader, 1);
    CHECK_ERR(cbor_end(&reader), ERR_TYPE);
    cbor_init(&reader, hex("02"));
    cbor_expect_uint(&reader, 1);
    CHECK_ERR(cbor_end(&reader), ERR_FORMAT);
    cbor_init(&reader, hex("c100"));
    cbor_expect_tag(&reader, 18);
    CHECK_ERR(cbor_end(&reader), ERR_FORMAT);
}

static void peek_names_the_next_item_and_consumes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        enum cbor_type type;
    } cases[] = {
        {"00", CBOR_UINT},  {"20", CBOR_NINT}, {"40", CBOR_BYTES}, {"60", CBOR_TEXT},
        {"80", CBOR_ARRAY}, {"a0", CBOR_MAP},  {"c1", CBOR_TAG},   {"f4", CBOR_FALSE},
        {"f5", CBOR_TRUE},  {"f6", CBOR_NULL}, {"", CBOR_NONE},
    };
    struct cbor_reader reader;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes input = hex(cases[i].input);
        cbor_init(&reader, input);
        CHECK_UINT(cbor_peek(&reader), cases[i].type);
        CHECK_UINT(cbor_peek(&reader), cases[i].type);
        CHECK(input.len == 0 || reader.at == input.at);
        CHECK_OK(reader.err);
    }
    cbor_init(&reader, hex("f93c00"));
    CHECK_UINT(cbor_peek(&reader), CBOR_NONE);
    CHECK_ERR(cbor_end(&reader), ERR_UNSUPPORTED);
    cbor_init(&reader, hex("f4f5"));
    CHECK(!cbor_bool(&reader));
    CHECK(cbor_bool(&reader));
    CHECK_OK(cbor_end(&reader));
}

static void after_the_first_error_every_call_returns_nothing(void **state)
{
    (void)state;
    struct cbor_reader reader;
    cbor_init(&reader, hex("0102"));
    CHECK_UINT(cbor_uint(&reader), 1);
    cbor_fail(&reader, ERR_REFUSED);
    cbor_fail(&reader, ERR_EXPIRED);
    const uint8_t *at = reader.at;
    CHECK_UINT(cbor_uint(&reader), 0);
    CHECK_UINT(cbor_uint_max(&reader, 9), 0);
    CHECK(cbor_int(&reader) == 0);
    CHECK(!cbor_bool(&reader));
    CHECK(!cbor_null(&reader));
    CHECK(cbor_bytes(&reader, 0, 9).len == 0);
    CHECK(cbor_text(&reader, 1, 9).len == 0);
    CHECK_UINT(cbor_array(&reader, 1, 9), 0);
    CHECK_UINT(cbor_map(&reader, 1, 9), 0);
    CHECK_UINT(cbor_tag(&reader), 0);
    CHECK(cbor_item(&reader).len == 0);
    CHECK_UINT(cbor_peek(&reader), CBOR_NONE);
    cbor_expect_uint(&reader, 5);
    cbor_version(&reader, 5);
    cbor_expect_tag(&reader, 5);
    struct hash hash = cbor_hash(&reader);
    CHECK(hash_is_zero(&hash));
    CHECK(reader.at == at);
    CHECK_ERR(cbor_end(&reader), ERR_REFUSED);
}

static void members_left_unread_or_asked_for_too_often_are_errors(void **state)
{
    (void)state;
    struct cbor_reader reader;
    cbor_init(&reader, hex("820102"));
    cbor_array(&reader, 0, 9);
    cbor_uint(&reader);
    CHECK_ERR(cbor_end(&reader), ERR_FORMAT);
    cbor_init(&reader, hex("c101"));
    cbor_tag(&reader);
    CHECK_ERR(cbor_end(&reader), ERR_FORMAT);
    cbor_init(&reader, hex("a10102"));
    cbor_map(&reader, 0, 9);
    CHECK(cbor_int(&reader) == 1);
    CHECK_ERR(cbor_end(&reader), ERR_FORMAT);
    cbor_init(&reader, hex("8101"));
    cbor_array(&reader, 0, 9);
    cbor_uint(&reader);
    cbor_uint(&reader);
    CHECK_ERR(cbor_end(&reader), ERR_TRUNCATED);
    /* The inner array's second member is taken for the outer's, whose own is then left over. */
    cbor_init(&reader, hex("8282010203"));
    cbor_array(&reader, 2, 2);
    cbor_array(&reader, 1, 2);
    cbor_uint(&reader);
    cbor_uint(&reader);
    CHECK_ERR(cbor_end(&reader), ERR_FORMAT);
}

static void frames_close_by_themselves_after_their_last_member(void **state)
{
    (void)state;
    struct cbor_reader reader;
    cbor_init(&reader, hex("8381c10180a10180"));
    CHECK_UINT(cbor_array(&reader, 3, 3), 3);
    CHECK_UINT(cbor_array(&reader, 1, 1), 1);
    CHECK_UINT(cbor_tag(&reader), 1);
    CHECK_UINT(reader.depth, 3);
    CHECK_UINT(cbor_uint(&reader), 1);
    CHECK_UINT(reader.depth, 1);
    CHECK_UINT(cbor_array(&reader, 0, 0), 0);
    CHECK_UINT(reader.depth, 1);
    CHECK_UINT(cbor_map(&reader, 1, 1), 1);
    CHECK(cbor_int(&reader) == 1);
    CHECK_BYTES(cbor_item(&reader), hex("80"));
    CHECK_UINT(reader.depth, 0);
    CHECK_OK(cbor_end(&reader));
}

static void an_item_is_taken_whole_where_the_reader_stands(void **state)
{
    (void)state;
    struct cbor_reader reader;
    cbor_init(&reader, hex("8301a26161820102616280626162"));
    CHECK_UINT(cbor_array(&reader, 3, 3), 3);
    CHECK_BYTES(cbor_item(&reader), hex("01"));
    CHECK_BYTES(cbor_item(&reader), hex("a26161820102616280"));
    CHECK_BYTES(cbor_item(&reader), hex("626162"));
    CHECK_OK(cbor_end(&reader));
}

static void map_keys_read_one_by_one_are_held_to_their_order(void **state)
{
    (void)state;
    struct cbor_reader reader;
    cbor_init(&reader, hex("a401002000616100626161f6"));
    CHECK_UINT(cbor_map(&reader, 0, 9), 4);
    CHECK(cbor_int(&reader) == 1);
    cbor_expect_uint(&reader, 0);
    CHECK(cbor_int(&reader) == -1);
    cbor_expect_uint(&reader, 0);
    CHECK_BYTES(cbor_text(&reader, 0, 9), bytes_text("a"));
    cbor_expect_uint(&reader, 0);
    CHECK_BYTES(cbor_text(&reader, 0, 9), bytes_text("aa"));
    CHECK(cbor_null(&reader));
    CHECK_OK(cbor_end(&reader));

    cbor_init(&reader, hex("a22000010000"));
    cbor_map(&reader, 0, 9);
    cbor_int(&reader);
    cbor_uint(&reader);
    CHECK(cbor_int(&reader) == 0);
    CHECK_ERR(cbor_end(&reader), ERR_NOT_CANONICAL);

    /* A nested map has an order of its own, and the outer one's goes on after it. */
    check_accepted(hex("a205a101020600"));
    CHECK_ERR(item_check(hex("a205a101020500"), false), ERR_FORMAT);
    CHECK_ERR(item_check(hex("a205a101020400"), false), ERR_NOT_CANONICAL);
    CHECK_ERR(item_check(hex("8205a1f602"), false), ERR_TYPE);
}

static void a_sequence_leaves_what_follows(void **state)
{
    (void)state;
    struct cbor_reader reader;
    struct bytes rest;
    cbor_init(&reader, hex("8101f5ff"));
    CHECK_BYTES(cbor_item(&reader), hex("8101"));
    CHECK_OK(cbor_end_sequence(&reader, &rest));
    CHECK_BYTES(rest, hex("f5ff"));
    CHECK(cbor_bool(&reader));
    CHECK_OK(cbor_end_sequence(&reader, &rest));
    CHECK_BYTES(rest, hex("ff"));
    (void)cbor_item(&reader);
    CHECK_ERR(cbor_end_sequence(&reader, &rest), ERR_FORMAT);
    CHECK_UINT(rest.len, 0);
    cbor_init(&reader, hex("820102"));
    cbor_array(&reader, 2, 2);
    CHECK_ERR(cbor_end_sequence(&reader, &rest), ERR_FORMAT);
    cbor_init(&reader, BYTES_NONE);
    CHECK_OK(cbor_end_sequence(&reader, &rest));
    CHECK_OK(cbor_end(&reader));
}

static void a_foreign_reader_takes_any_order_and_longer_numbers_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        enum err err;
        const char *copy;
    } cases[] = {
        {"a202000100", OK, "a202000100"},
        {"a2616200616100", OK, "a2616200616100"},
        {"1801", OK, "01"},
        {"1b0000000000000001", OK, "01"},
        {"390000", OK, "20"},
        {"590001ff", OK, "41ff"},
        {"79000161", OK, "6161"},
        {"9900011800", OK, "8100"},
        {"b900011800d90001f5", OK, "a100c1f5"},
        {"a301a2020003000200f600", ERR_TYPE, NULL},
        {"a301a202000300020003f6", OK, "a301a202000300020003f6"},
        {"a201000100", ERR_FORMAT, NULL},
        {"a30100020001f5", ERR_FORMAT, NULL},
        {"a3020001001802f5", ERR_FORMAT, NULL},
        {"a2010019000100", ERR_FORMAT, NULL},
        {"a2616100780161f5", ERR_FORMAT, NULL},
        {"a301a202000300020001f6", ERR_FORMAT, NULL},
        {"81a2616100616100", ERR_FORMAT, NULL},
        {"a2200000f5", OK, "a2200000f5"},
        {"9f00ff", ERR_NOT_CANONICAL, NULL},
        {"f93c00", ERR_UNSUPPORTED, NULL},
        {"d9000240", ERR_UNSUPPORTED, NULL},
        {"81818181818181818100", ERR_DEPTH, NULL},
        {"61ff", ERR_FORMAT, NULL},
        {"a1410000", ERR_TYPE, NULL},
        {"a1616200ff", ERR_TRAILING, NULL},
        {"b900", ERR_TRUNCATED, NULL},
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes input = hex(cases[i].input);
        enum err item = item_check(input, true);
        if (item != cases[i].err) {
            fail_msg("%s is %s, want %s", cases[i].input, err_name(item), err_name(cases[i].err));
        }
        enum err copied = copy_check(&out, input, true);
        if (item == OK) {
            CHECK_OK(copied);
            CHECK_BYTES(buf_bytes(&out), hex(cases[i].copy));
        } else {
            CHECK(copied != OK);
        }
    }
    buf_clear(&out);
}

static void foreign_maps_that_are_open_together_hold_64_keys(void **state)
{
    (void)state;
    for (unsigned pairs = 63; pairs <= 65; pairs++) {
        struct buf map = {0};
        cbor_put_map(&map, pairs);
        for (unsigned i = pairs; i > 0; i--) {
            cbor_put_uint(&map, i);
            cbor_put_null(&map);
        }
        CHECK_ERR(item_check(buf_bytes(&map), true), pairs > 64 ? ERR_RANGE : OK);
        /* Closed maps give their keys back; an outer one's count on. */
        struct buf outer = {0};
        cbor_put_array(&outer, 3);
        for (unsigned i = 0; i < 2; i++) {
            buf_put(&outer, buf_bytes(&map));
        }
        cbor_put_map(&outer, 1);
        cbor_put_uint(&outer, 0);
        buf_put(&outer, buf_bytes(&map));
        CHECK_ERR(item_check(buf_bytes(&outer), true), pairs > 63 ? ERR_RANGE : OK);
        buf_clear(&outer);
        buf_clear(&map);
    }
}

static void the_writer_uses_the_shortest_head(void **state)
{
    (void)state;
    struct buf out = {0};
    static const uint64_t values[] = {0,      23,      24,         0xff,        0x100,
                                      0xffff, 0x10000, 0xffffffff, 0x100000000, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        cbor_put_uint(&out, values[i]);
    }
    CHECK_BYTES(buf_bytes(&out),
                hex("0017181818ff19010019ffff1a000100001affffffff1b0000000100000000"
                    "1bffffffffffffffff"));
    out.len = 0;
    cbor_put_int(&out, 0);
    cbor_put_int(&out, -1);
    cbor_put_int(&out, -25);
    cbor_put_int(&out, -65802);
    cbor_put_int(&out, INT64_MIN);
    cbor_put_int(&out, INT64_MAX);
    CHECK_BYTES(buf_bytes(&out), hex("00203818"
                                     "3a00010109"
                                     "3b7fffffffffffffff"
                                     "1b7fffffffffffffff"));
    out.len = 0;
    struct hash zero = {0};
    cbor_put_tag(&out, 18);
    cbor_put_array(&out, 24);
    cbor_put_map(&out, 2);
    cbor_put_bool(&out, false);
    cbor_put_bool(&out, true);
    cbor_put_null(&out);
    cbor_put_literal(&out, "Signature1");
    cbor_put_text(&out, BYTES_NONE);
    cbor_put_bytes(&out, BYTES_NONE);
    cbor_put_bytes_head(&out, 300);
    CHECK_BYTES(buf_bytes(&out), hex("d29818a2f4f5f66a5369676e61747572653160405901"
                                     "2c"));
    out.len = 0;
    cbor_put_hash(&out, &zero);
    CHECK_UINT(out.len, 34);
    CHECK_UINT(get_u16(out.at), 0x5820);
    buf_clear(&out);
}

static void put_random(struct buf *out, unsigned depth);

/* A map's keys ascend: two positive numbers, then negative ones. */
static void put_random_members(struct buf *out, unsigned count, bool is_map, unsigned depth)
{
    for (unsigned i = 0; i < count; i++) {
        if (is_map) {
            cbor_put_int(out, i < 2 ? (int64_t)(i + count) : -(int64_t)i);
        }
        put_random(out, depth);
    }
}

/* Writes a random item, which holds up to `depth` levels of others. */
static void put_random(struct buf *out, unsigned depth)
{
    unsigned count = (unsigned)seeded_below(4);
    uint64_t value = seeded_u64() >> seeded_below(64);
    switch (seeded_below(depth == 0 ? 6 : 9)) {
    case 0:
        cbor_put_uint(out, value);
        return;
    case 1:
        cbor_put_int(out, -(int64_t)(value / 2) - 1);
        return;
    case 2:
        cbor_put_bool(out, count > 1);
        return;
    case 3:
        cbor_put_null(out);
        return;
    case 4:
        cbor_put_bytes(out, (struct bytes){(const uint8_t *)&value, seeded_below(9)});
        return;
    case 5:
        cbor_put_literal(out, count > 1 ? "\xe4\xb8\xad" : "");
        return;
    case 6:
        cbor_put_tag(out, 4 + value / 2);
        put_random(out, depth - 1);
        return;
    case 7:
        cbor_put_array(out, count);
        put_random_members(out, count, false, depth - 1);
        return;
    default:
        cbor_put_map(out, count);
        put_random_members(out, count, true, depth - 1);
        return;
    }
}

static void random_items_come_back_and_what_is_taken_after_a_change_does_too(void **state)
{
    (void)state;
    seeded_start("random CBOR items");
    struct buf item = {0}, out = {0};
    for (unsigned i = 0; i < 3000; i++) {
        item.len = 0;
        put_random(&item, CBOR_DEPTH);
        CHECK_OK(item_check(buf_bytes(&item), false));
        CHECK_OK(copy_check(&out, buf_bytes(&item), false));
        CHECK_BYTES(buf_bytes(&out), buf_bytes(&item));
        item.at[seeded_below(item.len)] ^= (uint8_t)(1u << seeded_below(8));
        if (item_check(buf_bytes(&item), false) == OK) {
            CHECK_OK(copy_check(&out, buf_bytes(&item), false));
            CHECK_BYTES(buf_bytes(&out), buf_bytes(&item));
            CHECK_OK(item_check(buf_bytes(&item), true));
        }
    }
    buf_clear(&item);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_8949_appendix_a_is_taken_or_refused_for_the_reason_given),
        cmocka_unit_test(what_an_independent_implementation_refuses_is_refused),
        cmocka_unit_test(each_refusal_has_its_own_error),
        cmocka_unit_test(arrays_maps_and_tags_nest_eight_deep_together),
        cmocka_unit_test(integers_have_the_range_that_the_call_names),
        cmocka_unit_test(another_type_than_asked_for_is_an_error_of_every_call),
        cmocka_unit_test(sizes_outside_the_limits_are_refused_before_the_content_is_looked_at),
        cmocka_unit_test(strings_and_hashes_borrow_or_copy_what_they_hold),
        cmocka_unit_test(expected_values_and_versions_have_errors_of_their_own),
        cmocka_unit_test(peek_names_the_next_item_and_consumes_nothing),
        cmocka_unit_test(after_the_first_error_every_call_returns_nothing),
        cmocka_unit_test(members_left_unread_or_asked_for_too_often_are_errors),
        cmocka_unit_test(frames_close_by_themselves_after_their_last_member),
        cmocka_unit_test(an_item_is_taken_whole_where_the_reader_stands),
        cmocka_unit_test(map_keys_read_one_by_one_are_held_to_their_order),
        cmocka_unit_test(a_sequence_leaves_what_follows),
        cmocka_unit_test(a_foreign_reader_takes_any_order_and_longer_numbers_and_nothing_else),
        cmocka_unit_test(foreign_maps_that_are_open_together_hold_64_keys),
        cmocka_unit_test(the_writer_uses_the_shortest_head),
        cmocka_unit_test(random_items_come_back_and_what_is_taken_after_a_change_does_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
