/* The program: a table of verbs. Each stands in its own file of src/cli/. */
#include "cli/verbs.h"

static const struct verb *const verbs[] = {
    &verb_key_new,
    &verb_key_show,
    NULL,
};

int main(int argc, char **argv)
{
    return cli_main(verbs, argc, argv);
}
