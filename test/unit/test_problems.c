/* Every type of a problem document has a page that says its status, and every page is of a type. */
#include "check.h"

#include "http/problem.h"
#include "http/problems.h"
#include "http/refusal.h"

static bool page_has_status(const struct problem_page *page, unsigned status)
{
    char text[16];
    const char *line = strstr(page->markdown, "\nStatus: ");
    CHECK(line != NULL);
    size_t len = strcspn(line + 1, "\n");
    snprintf(text, sizeof text, "%u", status);
    const char *found = strstr(line, text);
    return found && found < line + 1 + len;
}

static void check_type(const char *type, unsigned status)
{
    const struct problem_page *page = problem_page(type);
    if (!page) {
        fail_msg("docs/problems/%s.md is missing", type);
    } else if (!page_has_status(page, status)) {
        fail_msg("docs/problems/%s.md does not name status %u", type, status);
    }
}

static void every_error_and_every_refusal_has_a_page_with_its_status(void **state)
{
    (void)state;
    char type[32];
    for (unsigned err = OK + 1; err < ERR_COUNT; err++) {
        problem_type(type, sizeof type, (enum err)err);
        check_type(type, problem_status((enum err)err));
    }
    for (unsigned refusal = 0; refusal < REFUSAL_COUNT; refusal++) {
        check_type(refusal_type((enum refusal)refusal), refusal_status((enum refusal)refusal));
    }
}

static bool is_type(const char *name)
{
    char type[32];
    for (unsigned err = OK + 1; err < ERR_COUNT; err++) {
        problem_type(type, sizeof type, (enum err)err);
        if (strcmp(type, name) == 0) {
            return true;
        }
    }
    for (unsigned refusal = 0; refusal < REFUSAL_COUNT; refusal++) {
        if (strcmp(refusal_type((enum refusal)refusal), name) == 0) {
            return true;
        }
    }
    return false;
}

static void every_page_is_of_an_error_or_a_refusal(void **state)
{
    (void)state;
    for (const struct problem_page *page = problem_pages; page->name; page++) {
        if (page->name[0] && !is_type(page->name)) {
            fail_msg("nothing has the type of docs/problems/%s.md", page->name);
        }
    }
}

static void the_index_names_every_page(void **state)
{
    (void)state;
    char link[80];
    const struct problem_page *index = problem_page("");
    for (const struct problem_page *page = problem_pages; page->name; page++) {
        snprintf(link, sizeof link, "(/problems/%s)", page->name);
        CHECK(page == index || strstr(index->markdown, link) != NULL);
        snprintf(link, sizeof link, "<a href=\"/problems/%s\">", page->name);
        CHECK(page == index || strstr(index->html, link) != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_and_every_refusal_has_a_page_with_its_status),
        cmocka_unit_test(every_page_is_of_an_error_or_a_refusal),
        cmocka_unit_test(the_index_names_every_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
