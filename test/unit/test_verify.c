/* Whole proofs of the interop vectors: every exit status and every failing check agrees. */
#include "interop.h"

#define CASES 240

/* "statement_signature" in the index is the check "statement signature". */
static bool check_is(enum check check, const char *name)
{
    const char *own = check_name(check);
    for (; *own && *name; own++, name++) {
        if (*own != *name && !(*own == ' ' && *name == '_')) {
            return false;
        }
    }
    return *own == *name;
}

/* The check named in the index is the only one that fails; "-" is none. */
static bool fails_only(const struct verdict *verdict, const char *name)
{
    bool seen = strcmp(name, "-") == 0;
    for (enum check check = 0; check < CHECK_COUNT; check++) {
        if (!verdict_fails(verdict, check)) {
            continue;
        }
        if (!check_is(check, name)) {
            return false;
        }
        seen = true;
    }
    return seen;
}

static bool case_agrees(struct vector *table)
{
    struct buf proof = {0};
    struct buf trust = {0};
    struct verdict verdict = {0};
    interop_read(&proof, table->fields[CASE_PROOF]);
    if (strcmp(table->fields[CASE_TRUST], "-") != 0) {
        interop_read(&trust, table->fields[CASE_TRUST]);
    }
    interop_verify(&verdict, buf_bytes(&proof), buf_bytes(&trust), table->fields[CASE_FILE],
                   table->fields[CASE_HASH]);
    bool agrees = (int)verdict.status == (int)strtol(table->fields[CASE_EXIT], NULL, 10) &&
                  fails_only(&verdict, table->fields[CASE_CHECK]);
    if (!agrees || getenv("CAIRN_TEST_PRINT")) {
        fprintf(stderr, "%s: want %s %s\n", table->fields[CASE_NAME], table->fields[CASE_EXIT],
                table->fields[CASE_CHECK]);
        verdict_print(&verdict);
    }
    verdict_clear(&verdict);
    buf_clear(&proof);
    buf_clear(&trust);
    return agrees;
}

static void every_interop_case_gets_its_exit_status_and_failing_check(void **state)
{
    (void)state;
    struct vector table = vector_open("cairn/index.txt");
    unsigned cases = 0;
    unsigned wrong = 0;
    while (vector_next(&table)) {
        cases++;
        wrong += !case_agrees(&table);
    }
    CHECK_UINT(cases, CASES);
    CHECK_UINT(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_interop_case_gets_its_exit_status_and_failing_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
