/* The names of tiles. */
#include "check.h"

#include "http/route.h"
#include "http/tlog.h"

static void check_name(const char *text, uint64_t number, unsigned width)
{
    struct tile_path path;
    CHECK_OK(tile_path_parse(&path, text));
    CHECK_UINT(path.number, number);
    CHECK_UINT(path.width, width);
}

static void a_number_stands_in_groups_of_three_digits(void **state)
{
    (void)state;
    check_name("000", 0, 256);
    check_name("067", 67, 256);
    check_name("x001/x234/067", 1234067, 256);
    check_name("x999/x999/x999/x999/x999/999", 999999999999999999u, 256);
    check_name("000.p/1", 0, 1);
    check_name("x001/000.p/255", 1000, 255);
}

static void what_is_written_otherwise_is_refused(void **state)
{
    (void)state;
    struct tile_path path;
    static const char *const bad[] = {"",
                                      "0",
                                      "00",
                                      "0000",
                                      "abc",
                                      "001/000",
                                      "x001",
                                      "x001/",
                                      "x001/00",
                                      "x001/x000",
                                      "x000/001",
                                      "x00/001",
                                      "/000",
                                      "000/",
                                      "000.p",
                                      "000.p/",
                                      "000.p/0",
                                      "000.p/256",
                                      "000.p/01",
                                      "000.p/1/",
                                      "000.p/-1",
                                      "000.q/1",
                                      "000p/1",
                                      "x1/000",
                                      "x0010/000",
                                      "000.p/1x",
                                      "000.p/ 1",
                                      " 000",
                                      "x001/x000/x000/x000/x000/x000/000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERR(tile_path_parse(&path, bad[i]), ERR_FORMAT);
    }
}

/* Every beginning of a good name is read as what it says, or refused. */
static void a_name_cut_short_is_never_read_beyond_its_end(void **state)
{
    (void)state;
    const char *const name = "x001/x234/067.p/255";
    struct tile_path path;
    for (size_t len = 0; len < strlen(name); len++) {
        char *copy = mem_alloc(len + 1);
        memcpy(copy, name, len);
        copy[len] = '\0';
        enum err err = tile_path_parse(&path, copy);
        bool whole = len == 13 || len >= 17;
        CHECK_UINT(err, whole ? OK : ERR_FORMAT);
        free(copy);
    }
}

static void none(void *context, struct exchange *exchange)
{
    (void)context;
    (void)exchange;
}

static void the_rest_of_a_path_is_one_part(void **state)
{
    (void)state;
    static const struct route routes[] = {
        {.method = "GET", .pattern = "/t/entries/{tile...}", .handler = none},
        {.method = "GET", .pattern = "/t/{level}/{tile...}", .handler = none},
        {0}};
    struct route_match match;
    char entries[] = "/t/entries/x001/000.p/1";
    route_find(&match, routes, "GET", entries);
    CHECK(match.route == &routes[0] && strcmp(match.parts[0], "x001/000.p/1") == 0);
    char tile[] = "/t/0/000";
    route_find(&match, routes, "GET", tile);
    CHECK(match.route == &routes[1] && strcmp(match.parts[0], "0") == 0);
    CHECK(strcmp(match.parts[1], "000") == 0);
    char nothing[] = "/t/0/";
    route_find(&match, routes, "GET", nothing);
    CHECK(match.route == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_stands_in_groups_of_three_digits),
        cmocka_unit_test(what_is_written_otherwise_is_refused),
        cmocka_unit_test(the_rest_of_a_path_is_one_part),
        cmocka_unit_test(a_name_cut_short_is_never_read_beyond_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
