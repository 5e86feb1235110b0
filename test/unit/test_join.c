#include "proof/join.h"

#include "check.h"
#include "proof/inspect.h"
#include "proof/protected.h"

#include <stdlib.h>
#include <string.h>

static struct signer *signers[JOIN_KEYS];
static struct signer *es256;

static struct signer *make(enum alg alg)
{
    struct buf pem = {0};
    struct signer *signer;
    CHECK_OK(key_generate(&pem, alg, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    buf_clear(&pem);
    return signer;
}

static int make_signers(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        signers[i] = make(ALG_ED25519);
    }
    es256 = make(ALG_ES256);
    return 0;
}

static int free_signers(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        signer_free(signers[i]);
    }
    signer_free(es256);
    return 0;
}

static const uint8_t random32[32] = {1, 2, 3};

static struct join sample(void)
{
    return (struct join){.ledger = bytes_text("court"),
                         .organisation = bytes_text("bank-1"),
                         .address = bytes_text("node.bank.example:26656"),
                         .url = bytes_text("https://node.bank.example"),
                         .random32 = {random32, sizeof random32},
                         .time_ms = 1767225600123};
}

/* The signers with `with` in the place of one of them. */
static struct buf made(const struct join *join, enum join_key which, struct signer *with)
{
    struct buf out = {0};
    const struct signer *used[JOIN_KEYS];
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        used[i] = i == which ? with : signers[i];
    }
    CHECK_OK(join_sign(&out, join, used));
    return out;
}

static struct buf good(const struct join *join)
{
    return made(join, JOIN_OPERATOR, signers[JOIN_OPERATOR]);
}

static enum err parsed(struct buf *file, struct why *why)
{
    struct join join;
    enum err err = join_parse(&join, buf_bytes(file), why);
    buf_clear(file);
    return err;
}

static void a_join_file_says_what_was_signed(void **state)
{
    (void)state;
    struct join join = sample();
    struct join back;
    struct buf file = good(&join);
    CHECK_OK(join_parse(&back, buf_bytes(&file), NULL));
    CHECK_BYTES(back.ledger, join.ledger);
    CHECK_BYTES(back.organisation, join.organisation);
    CHECK_BYTES(back.address, join.address);
    CHECK_BYTES(back.url, join.url);
    CHECK_BYTES(back.random32, join.random32);
    CHECK_UINT(back.time_ms, join.time_ms);
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        CHECK_BYTES(back.keys[i].spki, pubkey_spki(signer_pubkey(signers[i])));
    }
    buf_clear(&file);
}

static void keys_of_other_kinds_are_for_operator_receipts_and_audit(void **state)
{
    (void)state;
    struct join join = sample();
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        struct why why = {0};
        bool may = i == JOIN_OPERATOR || i == JOIN_RECEIPT || i == JOIN_AUDIT;
        struct buf file = made(&join, (enum join_key)i, es256);
        CHECK_ERR(parsed(&file, &why), may ? OK : ERR_UNSUPPORTED);
        CHECK(may || strncmp(why.value, join_key_name((enum join_key)i), 5) == 0);
    }
}

static void a_key_has_one_purpose(void **state)
{
    (void)state;
    struct join join = sample();
    struct why why = {0};
    struct buf file = made(&join, JOIN_AUDIT, signers[JOIN_RECEIPT]);
    CHECK_ERR(parsed(&file, &why), ERR_EXISTS);
    assert_string_equal(why.value, "audit");
}

/* No byte of a join file can be changed, left out or added. */
static void every_byte_is_covered(void **state)
{
    (void)state;
    struct join join = sample();
    struct join back;
    struct buf file = good(&join);
    for (size_t i = 0; i < file.len; i++) {
        for (unsigned bit = 0; bit < 8; bit += 3) {
            file.at[i] ^= (uint8_t)(1u << bit);
            CHECK(join_parse(&back, buf_bytes(&file), NULL) != OK);
            file.at[i] ^= (uint8_t)(1u << bit);
        }
        uint8_t *part = mem_alloc(i);
        memcpy(part, file.at, i);
        CHECK_ERR(join_parse(&back, (struct bytes){part, i}, NULL), ERR_TRUNCATED);
        free(part);
    }
    CHECK_OK(join_parse(&back, buf_bytes(&file), NULL));
    buf_put_byte(&file, 0);
    CHECK_ERR(join_parse(&back, buf_bytes(&file), NULL), ERR_TRAILING);
    buf_grow(&file, JOIN_MAX);
    CHECK_ERR(parsed(&file, NULL), ERR_RANGE);
}

/* A signature of another body by the same key, in the place of each of the six. */
static void a_signature_of_another_body_is_named(void **state)
{
    (void)state;
    struct join join = sample();
    struct join other = sample();
    other.url = bytes_text("https://node.evil.example");
    struct buf file = good(&join);
    struct buf forged = good(&other);
    struct bytes a = bytes_text("node.bank");
    struct bytes b = bytes_text("node.evil");
    unsigned changed = 0;
    /* What stays signed is the honest body; what is read, another. */
    for (size_t i = 0; i + a.len <= file.len; i++) {
        if (memcmp(file.at + i, a.at, a.len) == 0) {
            memcpy(file.at + i, b.at, b.len);
            changed++;
        }
    }
    CHECK_UINT(changed, 2);
    struct why why = {0};
    CHECK_ERR(parsed(&file, &why), ERR_SIGNATURE);
    assert_string_equal(why.value, "of the operator key");
    CHECK_OK(parsed(&forged, &why));
}

/* The operator's key alone can't bring a key that it does not hold. */
static void possession_of_every_key_is_asked_for(void **state)
{
    (void)state;
    struct join join = sample();
    struct signer *other = make(ALG_ED25519);
    for (size_t which = JOIN_RECEIPT; which < JOIN_KEYS; which++) {
        struct buf file = good(&join);
        struct buf foreign = made(&join, (enum join_key)which, other);
        struct sign1 outer;
        struct sign1 strange;
        struct cbor_reader reader;
        struct cbor_reader its;
        struct buf payload = {0};
        struct buf forged = {0};
        struct buf protected = {0};
        CHECK_OK(sign1_parse(&outer, buf_bytes(&file)));
        CHECK_OK(sign1_parse(&strange, buf_bytes(&foreign)));
        cbor_init(&reader, outer.payload);
        cbor_init(&its, strange.payload);
        cbor_array(&reader, 3, 3);
        cbor_array(&its, 3, 3);
        cbor_put_array(&payload, 3);
        cbor_put_uint(&payload, cbor_uint(&reader));
        CHECK_UINT(cbor_uint(&its), 1);
        CHECK(cbor_bytes(&its, 1, JOIN_MAX).len > 0);
        cbor_put_bytes(&payload, cbor_bytes(&reader, 1, JOIN_MAX));
        cbor_put_array(&payload, JOIN_KEYS - 1);
        cbor_array(&reader, JOIN_KEYS - 1, JOIN_KEYS - 1);
        cbor_array(&its, JOIN_KEYS - 1, JOIN_KEYS - 1);
        for (size_t i = 1; i < JOIN_KEYS; i++) {
            struct bytes honest = cbor_bytes(&reader, 1, JOIN_MAX);
            struct bytes other_one = cbor_bytes(&its, 1, JOIN_MAX);
            cbor_put_bytes(&payload, i == which ? other_one : honest);
        }
        key_header_write(&protected, signers[JOIN_OPERATOR], JOIN_TYP);
        CHECK_OK(sign1_sign(&forged, buf_bytes(&protected), buf_bytes(&payload), false,
                            signers[JOIN_OPERATOR]));
        struct why why = {0};
        CHECK_ERR(parsed(&forged, &why), ERR_KEY);
        CHECK(strstr(why.value, join_key_name((enum join_key)which)) != NULL);
        buf_clear(&file);
        buf_clear(&foreign);
        buf_clear(&payload);
        buf_clear(&protected);
    }
    signer_free(other);
}

static void names_and_addresses_are_checked(void **state)
{
    (void)state;
    static const char *const organisations[] = {"Bank", "-a", "a-", "a.b", "a-node", "a-audit"};
    static const char *const addresses[] = {"bank", "bank:0", "bank:65536", ":1", "[::1:1"};
    static const char *const urls[] = {"bank.example", "https://bank/x", "ftp://bank", "https://"};
    struct why why = {0};
    for (size_t i = 0; i < sizeof organisations / sizeof *organisations; i++) {
        struct join join = sample();
        join.organisation = bytes_text(organisations[i]);
        struct buf file = good(&join);
        CHECK_ERR(parsed(&file, &why), ERR_FORMAT);
        assert_string_equal(why.field, "organisation");
        assert_string_equal(why.value, organisations[i]);
    }
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct join join = sample();
        join.address = bytes_text(addresses[i]);
        struct buf file = good(&join);
        CHECK_ERR(parsed(&file, &why), ERR_FORMAT);
        assert_string_equal(why.field, "address");
    }
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct join join = sample();
        join.url = bytes_text(urls[i]);
        struct buf file = good(&join);
        CHECK_ERR(parsed(&file, &why), ERR_FORMAT);
        assert_string_equal(why.field, "URL");
    }
}

static void another_version_is_refused(void **state)
{
    (void)state;
    struct join back;
    struct sign1 outer;
    struct join join = sample();
    struct buf file = good(&join);
    CHECK_OK(sign1_parse(&outer, buf_bytes(&file)));
    file.at[outer.payload.at - file.at + 1] = 2;
    CHECK_ERR(join_parse(&back, buf_bytes(&file), NULL), ERR_VERSION);
    buf_clear(&file);
}

static void an_inspection_shows_it(void **state)
{
    (void)state;
    struct join join = sample();
    struct buf file = good(&join);
    struct buf text = {0};
    CHECK_OK(inspect(&text, buf_bytes(&file), NULL));
    buf_put_byte(&text, 0);
    CHECK(strstr((char *)text.at, "join file") != NULL);
    CHECK(strstr((char *)text.at, "bank-1") != NULL);
    CHECK(strstr((char *)text.at, "node.bank.example:26656") != NULL);
    CHECK(strstr((char *)text.at, "consensus key") != NULL);
    buf_clear(&text);
    buf_clear(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_join_file_says_what_was_signed),
        cmocka_unit_test(keys_of_other_kinds_are_for_operator_receipts_and_audit),
        cmocka_unit_test(a_key_has_one_purpose),
        cmocka_unit_test(every_byte_is_covered),
        cmocka_unit_test(a_signature_of_another_body_is_named),
        cmocka_unit_test(possession_of_every_key_is_asked_for),
        cmocka_unit_test(names_and_addresses_are_checked),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(an_inspection_shows_it),
    };
    return cmocka_run_group_tests(tests, make_signers, free_signers);
}
