/* The vectors on which implementations could disagree: here they decide. */
#include "vectors.h"

#include "codec/cbor.h"
#include "crypto/edges.h"
#include "crypto/key.h"

static bool is_good(const char *word)
{
    CHECK(strcmp(word, "good") == 0 || strcmp(word, "bad") == 0);
    return strcmp(word, "good") == 0;
}

static bool takes(struct bytes input, bool foreign)
{
    struct cbor_reader reader;
    if (foreign) {
        cbor_init_foreign(&reader, input);
    } else {
        cbor_init(&reader, input);
    }
    cbor_item(&reader);
    return cbor_end(&reader) == OK;
}

static void both_readers_answer_as_the_vectors_say(void **state)
{
    (void)state;
    unsigned rows = 0;
    struct vector table = vector_open("cbor_modes.txt");
    while (vector_next(&table)) {
        struct bytes input = vector_bytes(&table, 0);
        rows++;
        if (takes(input, false) != is_good(table.fields[1]) ||
            takes(input, true) != is_good(table.fields[2])) {
            fail_msg("row %u, %s, is answered otherwise", rows, table.fields[0]);
        }
    }
    CHECK_UINT(rows, 32);
}

static void ed25519_answers_as_the_vectors_say(void **state)
{
    (void)state;
    unsigned rows = 0;
    struct vector table = vector_open("ed25519_edges.txt");
    while (vector_next(&table)) {
        struct bytes key = vector_bytes(&table, 1);
        CHECK_UINT(key.len, 32);
        bool good = ed25519_verify(key.at, vector_bytes(&table, 2), vector_bytes(&table, 3)) == OK;
        if (good != is_good(table.fields[0])) {
            fail_msg("row %u is answered otherwise", rows);
        }
        rows++;
    }
    CHECK_UINT(rows, sizeof ed25519_edges / sizeof *ed25519_edges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_readers_answer_as_the_vectors_say),
        cmocka_unit_test(ed25519_answers_as_the_vectors_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
