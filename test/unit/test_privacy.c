#include "check.h"
#include "codec/privacy.h"

struct sample {
    const char *text;
    enum private_kind kind;
};

static void check_samples(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum private_kind got = private_find(bytes_text(samples[i].text));
        if (got != samples[i].kind) {
            fail_msg("'%s' is of kind %d, want %d", samples[i].text, (int)got,
                     (int)samples[i].kind);
        }
    }
}
#define CHECK_SAMPLES(samples) check_samples(samples, sizeof(samples) / sizeof *(samples))

/* The first is the example of GB 11643-1999; the cards are the ones that payment companies publish
 * for tests. */
static void numbers_of_people_are_found(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"11010519491231002X", PRIVATE_RESIDENT_ID},
        {"11010519491231002x", PRIVATE_RESIDENT_ID},
        {"id 11010519491231002X.", PRIVATE_RESIDENT_ID},
        {"ID11010519491231002X", PRIVATE_RESIDENT_ID},
        {"借款人11010519491231002X已还款", PRIVATE_RESIDENT_ID},
        {"１１０１０５１９４９１２３１００２X", PRIVATE_RESIDENT_ID},
        {"110105 19491231 002X", PRIVATE_RESIDENT_ID},
        {"110105-1949-1231-002X", PRIVATE_RESIDENT_ID},
        {"510108197205052137", PRIVATE_RESIDENT_ID},
        {"510108 19720505 2137", PRIVATE_RESIDENT_ID},
        {"110105491231002", PRIVATE_RESIDENT_ID},
        {"4111111111111111", PRIVATE_BANK_CARD},
        {"5555555555554444", PRIVATE_BANK_CARD},
        {"3530111333300000", PRIVATE_BANK_CARD},
        {"6200000000000005", PRIVATE_BANK_CARD},
        {"6205500000000000004", PRIVATE_BANK_CARD},
        {"card 6200 0000 0000 0005", PRIVATE_BANK_CARD},
        {"6205-5000-0000-0000-004", PRIVATE_BANK_CARD},
        {"13800138000", PRIVATE_PHONE},
        {"called 13800138000 twice", PRIVATE_PHONE},
        {"电话：１３８００１３８０００。", PRIVATE_PHONE},
        {"tel19900001111", PRIVATE_PHONE},
        {"138-0013-8000", PRIVATE_PHONE},
        {"138 0013 8000", PRIVATE_PHONE},
        {"+8613800138000", PRIVATE_PHONE},
        {"+86 13800138000", PRIVATE_PHONE},
        {"+86 138 0013 8000", PRIVATE_PHONE},
        {"008613800138000", PRIVATE_PHONE},
        {"2026-11-24 13800138000", PRIVATE_PHONE},
    };
    CHECK_SAMPLES(samples);
}

static void other_numbers_are_left_alone(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"", PRIVATE_NONE},
        {"no number at all", PRIVATE_NONE},
        {"110105194912310021", PRIVATE_NONE},        /* wrong check character */
        {"11010519490231002X", PRIVATE_NONE},        /* no such day */
        {"010105194912310026", PRIVATE_NONE},        /* no such province */
        {"110105491331002", PRIVATE_NONE},           /* no such month */
        {"110105190002291116", PRIVATE_NONE},        /* 1900 was no leap year */
        {"4111111111111112", PRIVATE_NONE},          /* Luhn */
        {"7992739871300008", PRIVATE_NONE},          /* begins with 7 */
        {"400000000000006", PRIVATE_NONE},           /* 15 digits */
        {"12800138000", PRIVATE_NONE},               /* no mobile prefix */
        {"138001380001", PRIVATE_NONE},              /* 12 digits */
        {"1380013800", PRIVATE_NONE},                /* 10 digits */
        {"138--0013-8000", PRIVATE_NONE},            /* not the groups that people write */
        {"138-0013 8000", PRIVATE_NONE},             /* one separator each way */
        {"138.0013.8000", PRIVATE_NONE},             /* a version */
        {"010-62345678", PRIVATE_NONE},              /* a landline */
        {"1764021429123", PRIVATE_NONE},             /* milliseconds */
        {"1764021429123456", PRIVATE_NONE},          /* microseconds */
        {"1764021429123456789", PRIVATE_NONE},       /* nanoseconds */
        {"20261124221609", PRIVATE_NONE},            /* a time as one number */
        {"2026-11-24T22:16:09.123Z", PRIVATE_NONE},  /* RFC 3339 */
        {"2026-11-24 22:16:09", PRIVATE_NONE},       /* the same, parted */
        {"20261124 221609 1234", PRIVATE_NONE},      /* the same, parted */
        {"978-7-111-12345-6", PRIVATE_NONE},         /* ISBN */
        {"SF1391234567890", PRIVATE_NONE},           /* a parcel */
        {"（2026）京0105民初13800号", PRIVATE_NONE}, /* a case number */
        {"LN-2026-000123456", PRIVATE_NONE},         /* a loan */
        {"91110105MA01ABCD2X", PRIVATE_NONE},        /* an organisation's code */
        {"550e8400-e29b-41d4-a716-446655440000", PRIVATE_NONE},
        {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", PRIVATE_NONE},
        {"7K3M9Q-0XW4TZ-8RPA2C-F5HD1JV", PRIVATE_NONE},
        {"a13800138000b1", PRIVATE_NONE},
        {"1234-5678-9012-3456", PRIVATE_NONE},
        {"4111 1111 1111", PRIVATE_NONE},
        {"255.255.255.255:13800", PRIVATE_NONE},
        {"100000000000000000000000000000000000000000000000", PRIVATE_NONE},
    };
    CHECK_SAMPLES(samples);
}

/* Both check digits find every wrong digit. */
static void one_wrong_digit_makes_another_number(void **state)
{
    (void)state;
    static const char *const numbers[] = {"510108197205052137", "6205500000000000004"};
    for (size_t n = 0; n < 2; n++) {
        enum private_kind kind = private_find(bytes_text(numbers[n]));
        char text[20];
        for (size_t i = 0; i < strlen(numbers[n]); i++) {
            for (char digit = '0'; digit <= '9'; digit++) {
                snprintf(text, sizeof text, "%s", numbers[n]);
                text[i] = digit;
                CHECK((private_find(bytes_text(text)) == kind) == (digit == numbers[n][i]));
            }
        }
    }
}

/* xorshift64*, so that a failure can be run again. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545f4914f6cdd1dull;
}

static void hex_digests_never_look_like_numbers(void **state)
{
    (void)state;
    uint64_t seed = 20261124;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < 20000; i++) {
        char text[65];
        for (unsigned part = 0; part < 4; part++) {
            snprintf(text + 16 * part, 17, "%016llx", (unsigned long long)next_random(&seed));
        }
        if (private_find(bytes_text(text)) != PRIVATE_NONE) {
            fail_msg("%s", text);
        }
    }
}

static void any_bytes_can_be_searched(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (unsigned i = 0; i < 20000; i++) {
        static const char alphabet[] = "0123456789 -xX\xef\xbc\x90\x99q";
        uint8_t *text = mem_alloc(24);
        size_t len = next_random(&seed) % 24 + 1;
        for (size_t n = 0; n < len; n++) {
            text[n] = (uint8_t)alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        }
        (void)private_find((struct bytes){text, len});
        free(text);
    }
}

static void a_refusal_names_the_field_and_the_kind_and_not_the_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *kind;
    } cases[] = {{"11010519491231002X", "resident id"},
                 {"4111111111111111", "bank card"},
                 {"13800138000", "mobile phone"}};
    for (size_t i = 0; i < 3; i++) {
        struct why why;
        char line[600];
        CHECK_ERR(clear_text_check("reason", bytes_text(cases[i].text), &why), ERR_REFUSED);
        why_print(&why, ERR_REFUSED, line, sizeof line);
        CHECK(strstr(line, "reason") && strstr(line, cases[i].kind));
        CHECK(!strstr(line, cases[i].text));
        CHECK_ERR(clear_text_check("reason", bytes_text(cases[i].text), NULL), ERR_REFUSED);
    }
    CHECK_OK(clear_text_check("reason", bytes_text("a clerical error"), NULL));
}

static void a_text_in_clear_is_one_printable_line(void **state)
{
    (void)state;
    static const char *const good[] = {"20", "e696b9e6ae8b", "c3a9", "f09f9180", "e2808d", "c2a0"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK_OK(clear_text_check("reason", hex(good[i]), NULL));
    }
    static const char *const bad[] = {"00",     "610a62", "7f",     "c280",   "c29f",   "e2808e",
                                      "e2808f", "d89c",   "e280a9", "e280aa", "e280a8", "e280ae",
                                      "e281a6", "e281a9", "efbbbf", "ff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERR(clear_text_check("reason", hex(bad[i]), NULL), ERR_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_people_are_found),
        cmocka_unit_test(other_numbers_are_left_alone),
        cmocka_unit_test(one_wrong_digit_makes_another_number),
        cmocka_unit_test(hex_digests_never_look_like_numbers),
        cmocka_unit_test(any_bytes_can_be_searched),
        cmocka_unit_test(a_refusal_names_the_field_and_the_kind_and_not_the_number),
        cmocka_unit_test(a_text_in_clear_is_one_printable_line),
    };
    return cmocka_run_group_tests_name("privacy", tests, NULL, NULL);
}
