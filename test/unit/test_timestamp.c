#include "check.h"
#include "crypto/timestamp.h"
#include "vectors.h"

#include <time.h>

#define ENTRIES_MAX 32

/* The table of tokens and roots, by name. */
struct entry {
    char name[64];
    struct buf der;
};
static struct entry entries[ENTRIES_MAX];

static int entries_load(void **state)
{
    (void)state;
    size_t count = 0;
    struct vector vector = vector_open("timestamps.txt");
    while (vector_next(&vector)) {
        BUG_ON(count == ENTRIES_MAX);
        snprintf(entries[count].name, sizeof entries[count].name, "%s", vector.fields[0]);
        buf_put(&entries[count].der, vector_bytes(&vector, 1));
        count++;
    }
    return 0;
}

static int entries_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        buf_clear(&entries[i].der);
    }
    return 0;
}

static struct bytes entry(const char *name)
{
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return buf_bytes(&entries[i].der);
        }
    }
    fail_msg("no %s", name);
    return BYTES_NONE;
}

static const char *state_name(enum token_state state)
{
    switch (state) {
    case TOKEN_MALFORMED:
        return "TOKEN_MALFORMED";
    case TOKEN_UNKNOWN:
        return "TOKEN_UNKNOWN";
    case TOKEN_WRONG:
        return "TOKEN_WRONG";
    case TOKEN_GOOD:
        return "TOKEN_GOOD";
    }
    return "none";
}

static struct token under_first(struct bytes token, const char *message)
{
    struct bytes root = entry("root_first");
    return token_check(token, bytes_text(message), &root, 1);
}

static void each_token_is_judged_under_the_first_root(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum token_state want;
    } cases[] = {
        {"good_sha256", TOKEN_GOOD},
        {"good_sha384", TOKEN_GOOD},
        {"good_sha512", TOKEN_GOOD},
        {"good_sm3", TOKEN_GOOD},
        {"good_sha1", TOKEN_WRONG}, /* good for others, but no digest of ours */
        {"by_intermediate", TOKEN_GOOD},
        {"resigned_good", TOKEN_GOOD},
        {"resigned_long_ago", TOKEN_GOOD}, /* the certificate has expired since */
        {"by_second", TOKEN_UNKNOWN},
        {"by_forged", TOKEN_UNKNOWN},
        {"without_certificate", TOKEN_UNKNOWN},
        {"resigned_expired", TOKEN_WRONG},
        {"resigned_early", TOKEN_WRONG},
        {"resigned_not_critical", TOKEN_WRONG},
        {"resigned_web", TOKEN_WRONG},
        {"content_no_tstinfo", TOKEN_MALFORMED},
        {"content_plain_data", TOKEN_MALFORMED},
        {"response_not_token", TOKEN_MALFORMED},
        {"root_first", TOKEN_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct token got = under_first(entry(cases[i].name), "message");
        if (got.state != cases[i].want) {
            fail_msg("%s: %s", cases[i].name, state_name(got.state));
        }
        CHECK((got.time_ms != 0) == (got.state == TOKEN_GOOD));
    }
}

static void the_time_has_milliseconds(void **state)
{
    (void)state;
    struct bytes token = entry("good_sha256");
    struct token got = under_first(token, "message");
    CHECK(got.state == TOKEN_GOOD);
    /* genTime stands in the token as text: the first GeneralizedTime (tag 0x18) with a point. */
    const uint8_t *at = token.at;
    while (!(at[0] == 0x18 && at[16] == '.')) {
        at++;
        CHECK(at + 20 < token.at + token.len);
    }
    struct tm tm = {0};
    CHECK(strptime((const char *)at + 2, "%Y%m%d%H%M%S", &tm) != NULL);
    unsigned fraction = 0;
    CHECK(sscanf((const char *)at + 17, "%3u", &fraction) == 1);
    for (size_t digits = at[1] - 16u; digits < 3; digits++) {
        fraction *= 10;
    }
    CHECK_UINT(got.time_ms, (uint64_t)timegm(&tm) * 1000 + fraction);
}

static void another_message_is_wrong_only_by_a_listed_authority(void **state)
{
    (void)state;
    static const char *const good[] = {"good_sha256", "good_sha384", "good_sha512", "good_sm3"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(under_first(entry(good[i]), "massage").state == TOKEN_WRONG);
        CHECK(under_first(entry(good[i]), "").state == TOKEN_WRONG);
    }
    CHECK(under_first(entry("by_second"), "massage").state == TOKEN_UNKNOWN);
}

static void any_listed_root_will_do_and_none_is_unknown(void **state)
{
    (void)state;
    struct bytes roots[] = {hex("3003020100"), BYTES_NONE, entry("root_second"),
                            entry("root_first")};
    struct bytes message = bytes_text("message");
    CHECK(token_check(entry("by_second"), message, roots, 4).state == TOKEN_GOOD);
    CHECK(token_check(entry("good_sha256"), message, roots, 4).state == TOKEN_GOOD);
    CHECK(token_check(entry("good_sha256"), message, roots, 3).state == TOKEN_UNKNOWN);
    CHECK(token_check(entry("good_sha256"), message, roots, 0).state == TOKEN_UNKNOWN);
    CHECK(token_check(entry("good_sha256"), message, NULL, 0).state == TOKEN_UNKNOWN);
}

static void a_cut_or_longer_token_is_malformed(void **state)
{
    (void)state;
    struct bytes token = entry("good_sha256");
    for (size_t len = 0; len < token.len; len++) {
        CHECK(under_first((struct bytes){token.at, len}, "message").state == TOKEN_MALFORMED);
    }
    struct buf longer = {0};
    buf_put(&longer, token);
    buf_put_byte(&longer, 0);
    CHECK(under_first(buf_bytes(&longer), "message").state == TOKEN_MALFORMED);
    buf_clear(&longer);
    uint8_t *large = mem_zalloc(70000);
    CHECK(under_first((struct bytes){large, 70000}, "message").state == TOKEN_MALFORMED);
    free(large);
}

/* A signed byte that changes can at best leave something unreadable or unlisted. What no signature
 * covers (the version of SignedData, the list of digest algorithms, the signer's name) may change
 * the verdict or not, but never the time. */
static void no_flipped_bit_changes_the_time(void **state)
{
    (void)state;
    struct buf token = {0};
    buf_put(&token, entry("good_sha256"));
    uint64_t time_ms = under_first(buf_bytes(&token), "message").time_ms;
    size_t still_good = 0;
    for (size_t bit = 0; bit < token.len * 8; bit++) {
        token.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct token got = under_first(buf_bytes(&token), "message");
        CHECK(got.state != TOKEN_GOOD || got.time_ms == time_ms);
        still_good += got.state == TOKEN_GOOD;
        token.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    print_message("%zu of %zu flipped bits are covered by no signature\n", still_good,
                  token.len * 8);
    CHECK(still_good < 200);
    buf_clear(&token);
}

static void a_token_in_ber_is_malformed(void **state)
{
    (void)state;
    struct bytes token = entry("good_sha256");
    struct buf ber = {0};
    /* The outermost length as indefinite: 30 82 xx xx ... becomes 30 80 ... 00 00. */
    CHECK(token.at[1] == 0x82);
    buf_put(&ber, hex("3080"));
    buf_put(&ber, (struct bytes){token.at + 4, token.len - 4});
    buf_put(&ber, hex("0000"));
    CHECK(under_first(buf_bytes(&ber), "message").state == TOKEN_MALFORMED);
    buf_clear(&ber);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_token_is_judged_under_the_first_root),
        cmocka_unit_test(the_time_has_milliseconds),
        cmocka_unit_test(another_message_is_wrong_only_by_a_listed_authority),
        cmocka_unit_test(any_listed_root_will_do_and_none_is_unknown),
        cmocka_unit_test(a_cut_or_longer_token_is_malformed),
        cmocka_unit_test(no_flipped_bit_changes_the_time),
        cmocka_unit_test(a_token_in_ber_is_malformed),
    };
    return cmocka_run_group_tests(tests, entries_load, entries_free);
}
