#include "codec/cose.h"
#include "crypto/key.h"
#include "vectors.h"

static const char protected_hex[] = "a10127";
static const char message_hex[] = "d28443a10127a104423131" /* tag, array, headers */
                                  "43010203"               /* payload */
                                  "42aabb";                /* signature */

static void the_cose_working_group_s_examples_are_read_and_signed_as_they_say(void **state)
{
    (void)state;
    struct vector vector = vector_open("cose_sign1.txt");
    unsigned rows = 0;
    for (; vector_next(&vector); rows++) {
        struct sign1 sign1;
        struct bytes input = vector_bytes(&vector, 3);
        bool is_good = strcmp(vector.fields[1], "good") == 0;
        if (strcmp(vector.fields[1], "shape") == 0) {
            CHECK_ERR(sign1_parse(&sign1, input), ERR_FORMAT);
            continue;
        }
        CHECK_OK(sign1_parse(&sign1, input));
        struct buf out = {0};
        sig_structure_write(&out, sign1.protected, sign1.payload);
        CHECK(bytes_equal(buf_bytes(&out), vector_bytes(&vector, 4)) == is_good);
        out.len = 0;
        sign1_write(&out, &sign1);
        CHECK_BYTES(buf_bytes(&out), input);
        buf_clear(&out);
    }
    CHECK_UINT(rows, 11);
}

/* Whether the signature of `sign1` by `spki` is over its own Sig_structure. */
static enum err signature_check(const struct sign1 *sign1, struct bytes spki)
{
    struct pubkey *key;
    CHECK_OK(pubkey_parse(&key, spki));
    struct buf out = {0};
    sig_structure_write(&out, sign1->protected, sign1->payload);
    enum err err = pubkey_verify_any_s(key, buf_bytes(&out), sign1->signature);
    buf_clear(&out);
    pubkey_free(key);
    return err;
}

static void the_signatures_of_the_examples_verify_where_they_should(void **state)
{
    (void)state;
    struct vector vector = vector_open("cose_sign1.txt");
    unsigned checked = 0;
    while (vector_next(&vector)) {
        struct sign1 sign1;
        struct bytes spki = vector_bytes(&vector, 2);
        if (strcmp(vector.fields[1], "shape") == 0 || spki.len == 0) {
            continue;
        }
        CHECK_OK(sign1_parse(&sign1, vector_bytes(&vector, 3)));
        enum err want = strcmp(vector.fields[1], "good") == 0 ? OK : ERR_SIGNATURE;
        CHECK_ERR(signature_check(&sign1, spki), want);
        checked++;
    }
    CHECK_UINT(checked, 8);
}

static void a_message_is_taken_apart_and_borrows_from_its_input(void **state)
{
    (void)state;
    struct bytes input = hex(message_hex);
    struct sign1 sign1;
    CHECK_OK(sign1_parse(&sign1, input));
    CHECK(sign1.protected.at == input.at + 3);
    CHECK_BYTES(sign1.protected, hex(protected_hex));
    CHECK_BYTES(sign1.unprotected, hex("a104423131"));
    CHECK_BYTES(sign1.payload, hex("010203"));
    CHECK(!sign1.detached);
    CHECK_BYTES(sign1.signature, hex("aabb"));
    CHECK_OK(sign1_parse(&sign1, hex("d28440a0f640")));
    CHECK(sign1.detached);
    CHECK_UINT(sign1.payload.len + sign1.protected.len + sign1.signature.len, 0);
    CHECK_BYTES(sign1.unprotected, hex("a0"));
}

static void a_message_cut_anywhere_or_with_a_byte_more_is_refused(void **state)
{
    (void)state;
    struct sign1 sign1;
    struct bytes input = hex(message_hex);
    for (size_t len = 0; len < input.len; len++) {
        CHECK_ERR(sign1_parse(&sign1, (struct bytes){input.at, len}), ERR_TRUNCATED);
    }
    struct buf longer = {0};
    buf_put(&longer, input);
    buf_put(&longer, hex("820102"));
    CHECK_ERR(sign1_parse(&sign1, buf_bytes(&longer)), ERR_TRAILING);
    CHECK_ERR(sign1_parse_foreign(&sign1, buf_bytes(&longer)), ERR_TRAILING);
    struct bytes rest;
    CHECK_OK(sign1_parse_first(&sign1, buf_bytes(&longer), &rest));
    CHECK_BYTES(rest, hex("820102"));
    CHECK_BYTES(sign1.signature, hex("aabb"));
    CHECK_ERR(sign1_parse_first(&sign1, (struct bytes){input.at, input.len - 1}, &rest),
              ERR_TRUNCATED);
    CHECK_UINT(rest.len, 0);
    buf_clear(&longer);
}

static void another_shape_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        enum err err;
    } cases[] = {
        {"8440a04040", ERR_FORMAT},     /* no tag */
        {"d18440a04040", ERR_FORMAT},   /* tag 17 */
        {"d28340a040", ERR_FORMAT},     /* three members */
        {"d28540a0404040", ERR_FORMAT}, /* five */
        {"d240", ERR_TYPE},             /* no array */
        {"d284a0a04040", ERR_TYPE},     /* protected is a map */
        {"d28440804040", ERR_FORMAT},   /* unprotected is an array */
        {"d28440f64040", ERR_FORMAT},   /* unprotected is null */
        {"d28440a06040", ERR_TYPE},     /* payload is text */
        {"d28440a040f6", ERR_TYPE},     /* signature is null */
        {"d28440a20200010040", ERR_NOT_CANONICAL},
        {"d28440a2020002004040", ERR_FORMAT}, /* a label twice */
        {"d9001284", ERR_NOT_CANONICAL},
    };
    struct sign1 sign1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum err got = sign1_parse(&sign1, hex(cases[i].input));
        if (got != cases[i].err) {
            fail_msg("%s is %s, want %s", cases[i].input, err_name(got), err_name(cases[i].err));
        }
    }
}

static void a_signature_has_at_most_1024_bytes(void **state)
{
    (void)state;
    static const uint8_t zeros[1025];
    for (size_t len = 1024; len <= 1025; len++) {
        struct buf out = {0};
        struct sign1 sign1 = {.signature = {zeros, len}};
        sign1_write(&out, &sign1);
        CHECK_ERR(sign1_parse(&sign1, buf_bytes(&out)), len == 1024 ? OK : ERR_RANGE);
        buf_clear(&out);
    }
}

static void foreign_messages_may_be_encoded_loosely(void **state)
{
    (void)state;
    struct bytes input = hex("d9001284580140b90002190003010102405800");
    struct sign1 sign1;
    CHECK_ERR(sign1_parse(&sign1, input), ERR_NOT_CANONICAL);
    CHECK_OK(sign1_parse_foreign(&sign1, input));
    CHECK_BYTES(sign1.protected, hex("40"));
    CHECK_BYTES(sign1.unprotected, hex("b90002190003010102"));
    CHECK_ERR(sign1_parse_foreign(&sign1, hex("d28440a20100010040")), ERR_FORMAT);
}

static void writing_fills_in_the_empty_map_and_the_detached_payload(void **state)
{
    (void)state;
    struct buf out = {0};
    struct sign1 sign1 = {.protected = hex(protected_hex), .signature = hex("aabb")};
    sign1_write(&out, &sign1);
    CHECK_BYTES(buf_bytes(&out), hex("d28443a10127a04042aabb"));
    out.len = 0;
    sign1.detached = true;
    sign1.payload = hex("01");
    sign1.unprotected = hex("a10102");
    sign1_write(&out, &sign1);
    CHECK_BYTES(buf_bytes(&out), hex("d28443a10127a10102f642aabb"));
    buf_clear(&out);
}

static void the_signed_bytes_treat_an_encoded_empty_map_as_empty(void **state)
{
    (void)state;
    struct buf out = {0}, other = {0};
    sig_structure_write(&out, hex("a0"), hex("01"));
    sig_structure_write(&other, BYTES_NONE, hex("01"));
    CHECK_BYTES(buf_bytes(&out), hex("846a5369676e61747572653140404101"));
    CHECK_BYTES(buf_bytes(&other), buf_bytes(&out));
    buf_clear(&out);
    buf_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cose_working_group_s_examples_are_read_and_signed_as_they_say),
        cmocka_unit_test(the_signatures_of_the_examples_verify_where_they_should),
        cmocka_unit_test(a_message_is_taken_apart_and_borrows_from_its_input),
        cmocka_unit_test(a_message_cut_anywhere_or_with_a_byte_more_is_refused),
        cmocka_unit_test(another_shape_is_refused),
        cmocka_unit_test(a_signature_has_at_most_1024_bytes),
        cmocka_unit_test(foreign_messages_may_be_encoded_loosely),
        cmocka_unit_test(writing_fills_in_the_empty_map_and_the_detached_payload),
        cmocka_unit_test(the_signed_bytes_treat_an_encoded_empty_map_as_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
