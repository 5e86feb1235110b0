/* What the server decides without a socket: bounds, routes, framing, entity tags, refusals. */
#include "base/metrics.h"
#include "check.h"
#include "http/etag.h"
#include "http/framing.h"
#include "http/limits.h"
#include "http/refusal.h"
#include "http/route.h"

#include <jansson.h>
#include <string.h>

#define SECOND 1000000000ull

/* ---- limits */

static void what_is_not_set_has_its_default(void **state)
{
    (void)state;
    struct server_limits limits = {.connections = 7, .requests_per_second = 5};
    limits_complete(&limits);
    CHECK_UINT(limits.connections, 7);
    CHECK_UINT(limits.memory_len, 256u << 20);
    CHECK_UINT(limits.connections_per_address, 256);
    CHECK_UINT(limits.requests_burst, 10);
    CHECK_UINT(limits.streams, 10000);
    CHECK_UINT(limits.header_max, 16384);
    CHECK_UINT(limits.chunked_max, 1u << 20);
    CHECK_UINT(limits.body_rate, 16384);
    CHECK_UINT(limits.body_grace_s, 5);
    CHECK_UINT(limits.header_wait_s, 10);
    CHECK_UINT(limits.idle_s, 60);
    CHECK_UINT(limits.answer_wait_s, 30);
}

static void a_rate_is_asked_for_once_the_grace_is_over(void **state)
{
    (void)state;
    CHECK(rate_is_kept(0, 5 * SECOND, 16384, 5));
    CHECK(!rate_is_kept(0, 5 * SECOND + 2000000, 16384, 5));
    CHECK(rate_is_kept(16384, 6 * SECOND, 16384, 5));
    CHECK(!rate_is_kept(16000, 6 * SECOND, 16384, 5));
    CHECK(rate_is_kept(10 * 16384, 15 * SECOND, 16384, 5));
    CHECK(!rate_is_kept(10 * 16384 - 100, 15 * SECOND, 16384, 5));
    CHECK(rate_is_kept(UINT64_MAX, UINT64_MAX, 1, 0));
}

static void the_budget_is_never_exceeded_by_what_may_be_refused(void **state)
{
    (void)state;
    struct budget budget = {.max = 100};
    CHECK(budget_take(&budget, 60));
    CHECK(!budget_take(&budget, 41));
    CHECK(budget_take(&budget, 40));
    CHECK(!budget_take(&budget, 1));
    CHECK(budget_take(&budget, 0));
    budget_force(&budget, 50);
    CHECK(!budget_take(&budget, 0));
    budget_give(&budget, 150);
    CHECK(!budget_take(&budget, SIZE_MAX));
    CHECK(budget_take(&budget, 100));
    CHECK_UINT(budget.used, 100);
}

static void connections_are_counted_by_address(void **state)
{
    (void)state;
    struct addresses *addresses = addresses_new();
    char text[32];
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "2001:db8::%x", i);
        CHECK_UINT(addresses_add(addresses, text), 1);
    }
    CHECK_UINT(addresses_add(addresses, "2001:db8::7"), 2);
    CHECK_UINT(addresses_add(addresses, "192.0.2.7"), 1);
    addresses_remove(addresses, "2001:db8::7");
    CHECK_UINT(addresses_add(addresses, "2001:db8::7"), 2);
    addresses_remove(addresses, "2001:db8::7");
    addresses_remove(addresses, "192.0.2.7");
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "2001:db8::%x", i);
        addresses_remove(addresses, text);
    }
    addresses_free(addresses);
}

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(10, 20);
    struct bytes alice = bytes_text("alice");
    uint64_t now = 1000 * SECOND;
    for (unsigned i = 0; i < 20; i++) {
        CHECK_UINT(buckets_take(buckets, alice, now), 0);
    }
    CHECK_UINT(buckets_take(buckets, alice, now), 1);
    CHECK_UINT(buckets_take(buckets, bytes_text("bob"), now), 0);
    now += SECOND / 10;
    CHECK_UINT(buckets_take(buckets, alice, now), 0);
    CHECK_UINT(buckets_take(buckets, alice, now), 1);
    now += 100000 * SECOND;
    for (unsigned i = 0; i < 20; i++) {
        CHECK_UINT(buckets_take(buckets, alice, now), 0);
    }
    CHECK_UINT(buckets_take(buckets, alice, now), 1);
    /* A clock of another thread may be a little behind. */
    CHECK_UINT(buckets_take(buckets, alice, now - SECOND), 1);
    buckets_free(buckets);
}

static void a_full_table_of_buckets_forgets_the_fullest(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(1, 2);
    uint64_t now = 1000 * SECOND;
    struct bytes greedy = bytes_text("greedy");
    CHECK_UINT(buckets_take(buckets, greedy, now), 0);
    CHECK_UINT(buckets_take(buckets, greedy, now), 0);
    for (unsigned i = 0; i < 200000; i++) {
        CHECK_UINT(buckets_take(buckets, BYTES_OF(i), now), 0);
    }
    CHECK_UINT(buckets_take(buckets, greedy, now), 1);
    buckets_free(buckets);
}

/* ---- routes */

static void nothing(void *context, struct exchange *exchange)
{
    (void)context;
    (void)exchange;
}

static const struct route routes[] = {
    {"GET", "/v1/things", nothing, 0, NULL, ROUTE_READ},
    {"POST", "/v1/things", nothing, 9, NULL, ROUTE_WRITE},
    {"GET", "/v1/things/{id}", nothing, 0, NULL, ROUTE_READ},
    {"GET", "/v1/things/{id}/parts/{number}", nothing, 0, NULL, ROUTE_READ},
    {NULL, NULL, NULL, 0, NULL, ROUTE_OPEN},
};

static struct route_match find(const char *method, const char *path, char cut[64])
{
    struct route_match match;
    snprintf(cut, 64, "%s", path);
    route_find(&match, routes, method, cut);
    return match;
}

static void a_path_finds_its_route_and_its_parts(void **state)
{
    (void)state;
    char path[64];
    struct route_match match = find("GET", "/v1/things/a b/parts/7", path);
    CHECK(match.route == &routes[3]);
    assert_string_equal(match.parts[0], "a b");
    assert_string_equal(match.parts[1], "7");
    CHECK(find("HEAD", "/v1/things", path).route == &routes[0]);
    CHECK(find("POST", "/v1/things", path).route == &routes[1]);
    static const char *const none[] = {"/v1/things/",        "/v1/thing",           "/v1/thingss",
                                       "/v1/things/a/",      "/v1/things/a/parts",  "",
                                       "/v1/things//parts/", "/v1/things//parts/7", "*"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        match = find("GET", none[i], path);
        CHECK(match.route == NULL && match.allow[0] == '\0');
    }
}

static void another_method_is_told_which_there_are(void **state)
{
    (void)state;
    char path[64];
    struct route_match match = find("DELETE", "/v1/things", path);
    CHECK(match.route == NULL);
    assert_string_equal(match.allow, "GET, HEAD, POST, OPTIONS");
    assert_string_equal(find("POST", "/v1/things/a", path).allow, "GET, HEAD, OPTIONS");
    CHECK(find("get", "/v1/things", path).route == NULL);
}

/* ---- framing */

struct field {
    const char *name;
    const char *value;
};

static struct framing frame(const struct field *fields, size_t count, bool is_http_1_1)
{
    struct framing framing = {0};
    for (size_t i = 0; i < count; i++) {
        framing_header(&framing, fields[i].name, fields[i].value);
    }
    framing_end(&framing, is_http_1_1);
    return framing;
}

static struct framing frame_one(const char *name, const char *value)
{
    struct field field = {name, value};
    return frame(&field, 1, true);
}

static void a_body_is_announced_in_one_way(void **state)
{
    (void)state;
    struct framing framing = frame_one("content-length", "12");
    CHECK(!framing.bad && framing.has_length && framing_has_body(&framing));
    CHECK_UINT(framing.length, 12);
    framing = frame_one("Content-Length", "0");
    CHECK(!framing.bad && !framing_has_body(&framing));
    framing = frame_one("Transfer-Encoding", "Chunked");
    CHECK(!framing.bad && framing.chunked && framing_has_body(&framing));
    framing = frame_one("Content-Length", "99999999999999999999999");
    CHECK(!framing.bad && framing.length == UINT64_MAX);
    framing = frame_one("Content-Length", "18446744073709551615");
    CHECK(framing.length == UINT64_MAX);
    framing = frame_one("X", "y\tz \xe4");
    CHECK(!framing.bad && !framing_has_body(&framing));
    CHECK_UINT(framing.names_len, 1 + 5 + 4);
}

static void what_two_readers_could_read_differently_is_bad(void **state)
{
    (void)state;
    static const struct field twice[][2] = {
        {{"Content-Length", "1"}, {"content-length", "1"}},
        {{"Content-Length", "1"}, {"Content-Length", "2"}},
        {{"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}},
        {{"Transfer-Encoding", "chunked"}, {"Content-Length", "1"}},
        {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
    };
    for (size_t i = 0; i < sizeof twice / sizeof twice[0]; i++) {
        CHECK(frame(twice[i], 2, true).bad);
    }
    static const struct field once[] = {
        {"Content-Length", ""},
        {"Content-Length", "+1"},
        {"Content-Length", "-1"},
        {"Content-Length", "1 "},
        {"Content-Length", "0x1"},
        {"Content-Length", "1,1"},
        {"Transfer-Encoding", "gzip"},
        {"Transfer-Encoding", "chunked, chunked"},
        {"Transfer-Encoding", "chunked "},
        {"Transfer-Encoding", ""},
        {"Content-Length ", "1"},
        {" X", "y"},
        {"", "y"},
        {"X\ty", "z"},
        {"X", "a\rb"},
        {"X", "a\x01"},
        {"X", "a\x7f"},
        {"X(", "a"},
    };
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        CHECK(frame(&once[i], 1, true).bad);
    }
    struct field chunked = {"Transfer-Encoding", "chunked"};
    CHECK(frame(&chunked, 1, false).bad);
}

/* ---- entity tags */

static void a_tag_follows_from_type_and_body(void **state)
{
    (void)state;
    char a[ETAG_LEN + 1];
    char b[ETAG_LEN + 1];
    etag_make(a, "text/plain", bytes_text("x"));
    CHECK_UINT(strlen(a), ETAG_LEN);
    CHECK(a[0] == '"' && a[ETAG_LEN - 1] == '"');
    etag_make(b, "text/plain", bytes_text("x"));
    assert_string_equal(a, b);
    etag_make(b, "text/plain", bytes_text("y"));
    CHECK(strcmp(a, b) != 0);
    etag_make(b, "text/plainx", bytes_text(""));
    CHECK(strcmp(a, b) != 0);
    /* printf 'text/plain\0x' | sha256sum, the first 32 digits */
    assert_string_equal(a, "\"691db0d36b904307bb79e35c8b9dae62\"");
}

static void if_none_match_is_a_list(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "\"a\"", "*", " * ", "W/\"a\"", "\"b\", \"a\"", "\"b\" ,,W/\"a\"", "\"b,\"a\"x\"a\""};
    static const char *const no[] = {"",      "\"b\"",   "a",      "\"a",          "**",
                                     "\"A\"", "w/\"a\"", "\"aa\"", "\"b\" x \"a\""};
    for (size_t i = 0; i < 6; i++) {
        CHECK(etag_listed(yes[i], "\"a\""));
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        CHECK(!etag_listed(no[i], "\"a\""));
    }
    CHECK(!etag_listed(NULL, "\"a\""));
}

/* ---- refusals */

static void every_refusal_is_a_problem_document(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        struct buf text = {0};
        refusal_write(&text, i);
        json_t *json = json_loadb((const char *)text.at, text.len, 0, NULL);
        CHECK(json != NULL);
        CHECK_UINT((unsigned)json_integer_value(json_object_get(json, "status")),
                   refusal_status(i));
        static const char *const names[] = {"type",  "title",   "detail",
                                            "field", "problem", "remedy"};
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            CHECK(json_string_length(json_object_get(json, names[n])) > 0);
        }
        unsigned status = refusal_status(i);
        CHECK((refusal_retry_after_s(i) > 0) == (status == 503 || status == 429));
        json_decref(json);
        buf_clear(&text);
    }
}

static void the_metric_has_a_value_for_each_refusal(void **state)
{
    (void)state;
    char values[512] = "";
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        snprintf(values + strlen(values), sizeof values - strlen(values), "%s%s", i ? "," : "",
                 refusal_reason(i));
    }
    assert_string_equal(metric_row(METRIC_HTTP_REFUSALS)->values, values);
}

static void a_rate_can_be_changed_and_taken_away(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(0, 0);
    struct bytes who = bytes_text("somebody");
    for (unsigned i = 0; i < 100; i++) {
        CHECK_UINT(buckets_take(buckets, who, 1), 0);
    }
    buckets_set_rate(buckets, 1, 2);
    CHECK_UINT(buckets_take(buckets, who, 2), 0);
    CHECK_UINT(buckets_take(buckets, who, 2), 0);
    CHECK_UINT(buckets_take(buckets, who, 2), 1);
    buckets_set_rate(buckets, 0, 0);
    CHECK_UINT(buckets_take(buckets, who, 3), 0);
    buckets_free(buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_set_has_its_default),
        cmocka_unit_test(a_rate_is_asked_for_once_the_grace_is_over),
        cmocka_unit_test(the_budget_is_never_exceeded_by_what_may_be_refused),
        cmocka_unit_test(connections_are_counted_by_address),
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
        cmocka_unit_test(a_full_table_of_buckets_forgets_the_fullest),
        cmocka_unit_test(a_path_finds_its_route_and_its_parts),
        cmocka_unit_test(another_method_is_told_which_there_are),
        cmocka_unit_test(a_body_is_announced_in_one_way),
        cmocka_unit_test(what_two_readers_could_read_differently_is_bad),
        cmocka_unit_test(a_tag_follows_from_type_and_body),
        cmocka_unit_test(if_none_match_is_a_list),
        cmocka_unit_test(every_refusal_is_a_problem_document),
        cmocka_unit_test(the_metric_has_a_value_for_each_refusal),
        cmocka_unit_test(a_rate_can_be_changed_and_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
