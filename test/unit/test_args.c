#include "check.h"

#include "cli/args.h"

static int run_nothing(const struct args *args)
{
    (void)args;
    return 0;
}

static const struct arg options[] = {
    {"key", "FILE", "the key", NULL, true, false},
    {"role", "ROLE", "a role", NULL, false, true},
    {"proofs", "WHICH", "which proofs", "each one none", false, false},
    {"json", NULL, "answer in JSON", NULL, false, false},
    {0},
};

static const struct verb verb = {
    .name = "try this",
    .operands = "FILE [OTHER]",
    .operands_min = 1,
    .operands_max = 2,
    .summary = "try something",
    .example = "cairn try this file --key a.key",
    .args = options,
    .run = run_nothing,
};

/* Parses a command line of up to 12 words, parted by single blanks; they stay in static memory. */
static enum err parse(struct args *out, const char *line, struct why *why)
{
    static char text[200];
    static char *argv[13];
    int argc = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = text; word && argc < 12; argc++) {
        argv[argc] = word;
        word = strchr(word, ' ');
        if (word) {
            *word++ = 0;
        }
    }
    argv[argc] = NULL;
    return args_parse(out, &verb, argc, argv, why);
}

static void options_stand_anywhere_between_the_operands(void **state)
{
    (void)state;
    struct args args;
    struct why why = {0};
    CHECK_OK(parse(&args, "this a --role x --key=k b --json --role y --proofs none", &why));
    CHECK_UINT(args.operand_count, 2);
    CHECK(strcmp(args.operands[0], "a") == 0);
    CHECK(strcmp(args.operands[1], "b") == 0);
    CHECK(strcmp(args_text(&args, "key"), "k") == 0);
    CHECK(strcmp(args_nth(&args, "role", 0), "x") == 0);
    CHECK(strcmp(args_nth(&args, "role", 1), "y") == 0);
    CHECK(args_nth(&args, "role", 2) == NULL);
    CHECK(strcmp(args_text(&args, "proofs"), "none") == 0);
    CHECK(args_flag(&args, "json"));
    args_clear(&args);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct args args;
    struct why why = {0};
    CHECK_OK(parse(&args, "this --key k -- --json", &why));
    CHECK(!args_flag(&args, "json"));
    CHECK(strcmp(args.operands[0], "--json") == 0);
    args_clear(&args);
}

static void help_wins_over_what_is_missing(void **state)
{
    (void)state;
    struct args args;
    struct why why = {0};
    CHECK_OK(parse(&args, "this --help", &why));
    CHECK(args.help);
    args_clear(&args);
    CHECK_OK(parse(&args, "this -h", &why));
    CHECK(args.help);
    args_clear(&args);
}

static void check_refused(const char *line, const char *field, const char *problem)
{
    struct args args;
    struct why why = {0};
    CHECK_ERR(parse(&args, line, &why), ERR_FORMAT);
    args_clear(&args);
    if (strcmp(why.field, field) != 0 || !strstr(why.problem, problem)) {
        fail_msg("%s: says '%s' '%s'", line, why.field, why.problem);
    }
    CHECK(strcmp(why.remedy, "See cairn try this --help.") == 0);
}

static void every_mistake_is_named_with_its_option(void **state)
{
    (void)state;
    check_refused("this a", "--key", "is missing");
    check_refused("this --key k", "command line", "is too short");
    check_refused("this a b c --key k", "argument", "is one too many");
    check_refused("this a --key", "option", "needs a value");
    check_refused("this a --key k --nokey", "option", "is not an option");
    check_refused("this a --key k --json=1", "option", "is not an option");
    check_refused("this a --key k -x", "option", "is not an option");
    check_refused("this a --key k --key l", "--key", "is given twice");
    check_refused("this a --key k --proofs some", "--proofs", "is not one of: each one none");
    check_refused("this a --key k --proofs on", "--proofs", "is not one of");
}

static void a_word_of_a_list_is_a_whole_word(void **state)
{
    (void)state;
    CHECK(words_hold("each one none", "each"));
    CHECK(words_hold("each one none", "none"));
    CHECK(!words_hold("each one none", "on"));
    CHECK(!words_hold("each one none", "ones"));
    CHECK(!words_hold("each one none", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere_between_the_operands),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(help_wins_over_what_is_missing),
        cmocka_unit_test(every_mistake_is_named_with_its_option),
        cmocka_unit_test(a_word_of_a_list_is_a_whole_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
