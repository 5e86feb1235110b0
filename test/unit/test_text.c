#include "codec/text.h"
#include "seeded.h"

static void put(const char *kind, struct buf *out, struct bytes in)
{
    out->len = 0;
    if (strcmp(kind, "hex") == 0) {
        hex_put(out, in);
    } else if (strcmp(kind, "base64") == 0) {
        base64_put(out, in);
    } else {
        base64url_put(out, in);
    }
}

static enum err append(const char *kind, struct buf *out, struct bytes text)
{
    out->len = 0;
    if (strcmp(kind, "hex") == 0) {
        return hex_append(out, text);
    }
    return strcmp(kind, "base64") == 0 ? base64_append(out, text) : base64url_append(out, text);
}

static void the_examples_of_rfc_4648_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *bytes, *text;
    } cases[] = {
        {"base64", "", ""},
        {"base64", "f", "Zg=="},
        {"base64", "fo", "Zm8="},
        {"base64", "foo", "Zm9v"},
        {"base64", "foob", "Zm9vYg=="},
        {"base64", "fooba", "Zm9vYmE="},
        {"base64", "foobar", "Zm9vYmFy"},
        {"base64url", "", ""},
        {"base64url", "f", "Zg"},
        {"base64url", "fo", "Zm8"},
        {"base64url", "foobar", "Zm9vYmFy"},
        {"base64", "\xfb\xff\xbf", "+/+/"},
        {"base64url", "\xfb\xff\xbf", "-_-_"},
        {"hex", "", ""},
        {"hex", "foobar", "666f6f626172"},
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(cases[i].kind, &out, bytes_text(cases[i].bytes));
        CHECK_BYTES(buf_bytes(&out), bytes_text(cases[i].text));
        CHECK_OK(append(cases[i].kind, &out, bytes_text(cases[i].text)));
        CHECK_BYTES(buf_bytes(&out), bytes_text(cases[i].bytes));
    }
    buf_clear(&out);
}

static void malformed_text_is_refused_and_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *text;
    } cases[] = {
        {"base64", "Zg"},    {"base64", "Zg="},      {"base64", "Zh=="},     {"base64", "Zm9="},
        {"base64", "Z==="},  {"base64", "===="},     {"base64", "Zg==Zg=="}, {"base64", "Zm9v\n"},
        {"base64", "Zm 9"},  {"base64", "-_-_"},     {"base64", "Zm9vZg=a"}, {"base64", "Zm9v===="},
        {"base64url", "Z"},  {"base64url", "Zg=="},  {"base64url", "Zh"},    {"base64url", "Zm9"},
        {"base64url", "+/"}, {"base64url", "Zm9vY"}, {"base64url", "Zg\n"},  {"hex", "0"},
        {"hex", "0g"},       {"hex", "g0"},          {"hex", "00 0"},        {"hex", "0x00"},
        {"hex", "\x10\x10"}, {"hex", "66@0"},        {"hex", "66`0"},        {"hex", "/0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        enum err got = append(cases[i].kind, &out, bytes_text(cases[i].text));
        if (got != ERR_FORMAT || out.len != 0) {
            fail_msg("%s %s gives %s and %zu bytes", cases[i].kind, cases[i].text, err_name(got),
                     out.len);
        }
        buf_clear(&out);
    }
}

static void appending_keeps_what_the_buffer_holds(void **state)
{
    (void)state;
    struct buf out = {0};
    buf_put(&out, bytes_text("a"));
    CHECK_OK(hex_append(&out, bytes_text("62")));
    CHECK_OK(base64_append(&out, bytes_text("Yw==")));
    CHECK_OK(base64url_append(&out, bytes_text("ZA")));
    CHECK_ERR(hex_append(&out, bytes_text("626x")), ERR_FORMAT);
    CHECK_ERR(base64_append(&out, bytes_text("Zm9vZh==")), ERR_FORMAT);
    CHECK_ERR(base64url_append(&out, bytes_text("Zm9vZh")), ERR_FORMAT);
    CHECK_BYTES(buf_bytes(&out), bytes_text("abcd"));
    buf_clear(&out);
}

static void hex_of_a_fixed_size_takes_exactly_that_size_in_either_case(void **state)
{
    (void)state;
    uint8_t out[3];
    CHECK_OK(hex_read(out, 3, bytes_text("00aBFf")));
    CHECK_BYTES(BYTES_OF(out), hex("00abff"));
    CHECK_ERR(hex_read(out, 3, bytes_text("00abf")), ERR_FORMAT);
    CHECK_ERR(hex_read(out, 3, bytes_text("00abfx")), ERR_FORMAT);
    CHECK_ERR(hex_read(out, 3, bytes_text("00ab")), ERR_RANGE);
    CHECK_ERR(hex_read(out, 3, bytes_text("00abff00")), ERR_RANGE);
    CHECK_OK(hex_read(out, 0, BYTES_NONE));
    char text[7];
    hex_write(text, BYTES_OF(out));
    assert_string_equal(text, "00abff");
}

static void random_bytes_come_back_from_every_encoding(void **state)
{
    (void)state;
    seeded_start("random bytes as text");
    static const char *const kinds[] = {"hex", "base64", "base64url"};
    struct buf text = {0}, back = {0};
    for (unsigned i = 0; i < 600; i++) {
        uint8_t bytes[64];
        for (size_t k = 0; k < sizeof bytes; k++) {
            bytes[k] = (uint8_t)seeded_u64();
        }
        struct bytes in = {bytes, i % sizeof bytes};
        put(kinds[i % 3], &text, in);
        CHECK_OK(append(kinds[i % 3], &back, buf_bytes(&text)));
        CHECK_BYTES(buf_bytes(&back), in);
    }
    buf_clear(&text);
    buf_clear(&back);
}

static void crockford_digits_read_back_and_confusable_letters_are_forgiven(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 32; value++) {
        char digit = crockford_digit(value);
        CHECK_UINT(crockford_value(digit), value);
        CHECK(digit < 'A' || crockford_value((char)(digit + 32)) == (int)value);
        CHECK(strchr("ILOU", digit) == NULL);
    }
    CHECK(crockford_digit(10) == 'A' && crockford_digit(31) == 'Z' && crockford_digit(18) == 'J');
    CHECK(crockford_value('I') == 1 && crockford_value('l') == 1 && crockford_value('o') == 0);
    for (const char *bad = "uU-* \x80\x7f@[`{/:"; *bad != 0; bad++) {
        CHECK(crockford_value(*bad) == -1);
    }
    CHECK(crockford_value(0) == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_rfc_4648_come_out),
        cmocka_unit_test(malformed_text_is_refused_and_leaves_the_buffer_as_it_was),
        cmocka_unit_test(appending_keeps_what_the_buffer_holds),
        cmocka_unit_test(hex_of_a_fixed_size_takes_exactly_that_size_in_either_case),
        cmocka_unit_test(random_bytes_come_back_from_every_encoding),
        cmocka_unit_test(crockford_digits_read_back_and_confusable_letters_are_forgiven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
