#include "base/file.h"
#include "check.h"
#include "config/secret.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[40];
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/test-secret-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/secret", dir);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    CHECK(rmdir(dir) == 0);
    return 0;
}

static void put(const char *text, mode_t mode)
{
    CHECK_OK(file_write(path, bytes_text(text), mode, NULL));
}

static void a_file_of_ones_own_is_good(void **state)
{
    (void)state;
    put("1234", 0600);
    CHECK_OK(secret_file_check(path, NULL));
    put("1234", 0400);
    CHECK_OK(secret_file_check(path, NULL));
}

static void a_file_that_others_may_read_is_refused_with_the_command(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0777};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct why why = {0};
        put("1234", modes[i]);
        CHECK_ERR(secret_file_check(path, &why), ERR_REFUSED);
        CHECK(strstr(why.remedy, "chmod 600 '/tmp/test-secret-") != NULL);
        CHECK(!strstr(why.value, "1234"));
    }
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    put("", 0600);
    CHECK_ERR(secret_file_check(dir, NULL), ERR_REFUSED);
    CHECK_ERR(secret_file_check("/nonexistent", NULL), ERR_NOT_FOUND);
    char below[80];
    snprintf(below, sizeof below, "%s/below", path);
    CHECK_ERR(secret_file_check(below, NULL), ERR_IO);
}

static void the_file_of_another_user_is_refused(void **state)
{
    (void)state;
    struct why why = {0};
    put("1234", 0600);
    if (geteuid() == 0) {
        CHECK(chown(path, 65534, 65534) == 0);
        CHECK_ERR(secret_file_check(path, &why), ERR_REFUSED);
        CHECK(strstr(why.remedy, "chown 0 ") != NULL);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_file_of_ones_own_is_good),
        CASE(a_file_that_others_may_read_is_refused_with_the_command),
        CASE(what_is_no_file_is_refused),
        CASE(the_file_of_another_user_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
