/* Which media type is given, and which are taken. */
#include "check.h"

#include "http/negotiate.h"

#define BOTH "application/json, application/cbor"

static void check_choice(const char *accept, const char *list, int want)
{
    int got = accept_choose(accept, list);
    if (got != want) {
        fail_msg("accept '%s' of '%s' is %d, want %d", accept ? accept : "(none)", list, got, want);
    }
}

static void who_has_no_wish_gets_the_first(void **state)
{
    (void)state;
    check_choice(NULL, BOTH, 0);
    check_choice("", BOTH, 0);
    check_choice("  ", BOTH, 0);
    check_choice("*/*", BOTH, 0);
    check_choice("application/*", BOTH, 0);
}

static void the_best_wish_is_fulfilled(void **state)
{
    (void)state;
    check_choice("application/cbor", BOTH, 1);
    check_choice("APPLICATION/CBOR", BOTH, 1);
    check_choice("application/json;q=0.5, application/cbor", BOTH, 1);
    check_choice("application/json; q=0.5 ,application/cbor ; q=0.4", BOTH, 0);
    check_choice("application/json;q=0.001,application/cbor;q=0.002", BOTH, 1);
    check_choice("text/html, application/xml;q=0.9, */*;q=0.8", "text/markdown, text/html", 1);
}

/* RFC 9110, 12.5.1: the most specific range that matches says it. */
static void the_most_exact_range_counts(void **state)
{
    (void)state;
    check_choice("*/*, application/json;q=0", BOTH, 1);
    check_choice("application/*;q=0, */*", BOTH, -1);
    check_choice("text/*;q=0.3, text/plain;q=0.7, text/html;q=0.5, */*;q=0.1",
                 "text/html, text/plain, image/jpeg", 1);
    check_choice("application/cbor;q=0.2, application/cbor;q=0.9, application/json;q=0.5", BOTH, 1);
}

static void what_is_not_there_is_not_given(void **state)
{
    (void)state;
    check_choice("text/html", BOTH, -1);
    check_choice("application/jso", BOTH, -1);
    check_choice("application/json2", BOTH, -1);
    check_choice("application", BOTH, -1);
    check_choice("*", BOTH, -1);
    check_choice(",,;,", BOTH, -1);
    check_choice("application/json;q=0", BOTH, -1);
}

static void parameters_and_quotes_confuse_nobody(void **state)
{
    (void)state;
    check_choice("text/html;a=\"x, application/cbor\"", BOTH, -1);
    check_choice("application/cbor;a=\"b;q=0\";q=0.5", BOTH, 1);
    check_choice("application/cbor;q=", BOTH, 1);
    check_choice("application/cbor;q=9", BOTH, 1);
    check_choice("application/cbor;q=0.1234", BOTH, 1);
    check_choice("application/cbor;a=\"", BOTH, 1);
}

static void a_content_type_is_compared_without_its_parameters(void **state)
{
    (void)state;
    CHECK(type_listed(NULL, BOTH));
    CHECK(type_listed("application/json", BOTH));
    CHECK(type_listed("Application/CBOR", BOTH));
    CHECK(type_listed("application/json; charset=utf-8", BOTH));
    CHECK(!type_listed("", BOTH));
    CHECK(!type_listed("application/jsonx", BOTH));
    CHECK(!type_listed("*/*", BOTH));
    CHECK(!type_listed("application/x-www-form-urlencoded", BOTH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_no_wish_gets_the_first),
        cmocka_unit_test(the_best_wish_is_fulfilled),
        cmocka_unit_test(the_most_exact_range_counts),
        cmocka_unit_test(what_is_not_there_is_not_given),
        cmocka_unit_test(parameters_and_quotes_confuse_nobody),
        cmocka_unit_test(a_content_type_is_compared_without_its_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
