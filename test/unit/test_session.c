/* Session statements: what a member signs to be known as a reader. */
#include "check.h"

#include "codec/text.h"
#include "crypto/digest.h"
#include "proof/session.h"

#define ORIGIN "https://ledger.example"

static const uint8_t nonce[SESSION_NONCE_LEN] = {7};

static struct session_draft draft_good(void)
{
    return (struct session_draft){
        .chain = {{1}},
        .origin = bytes_text(ORIGIN),
        .nonce16 = nonce,
        .iat_ms = 1000000,
        .expiry_ms = 1000000 + SESSION_VALID_MAX_MS,
    };
}

static struct signer *signer_new(enum alg alg)
{
    struct signer *signer;
    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, alg, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    buf_clear(&pem);
    return signer;
}

static struct buf signed_by(const struct signer *signer, const struct session_draft *draft)
{
    struct buf out = {0};
    CHECK_OK(session_statement_sign(&out, draft, signer));
    return out;
}

static void each_kind_of_key_signs_one_that_reads_back_and_verifies(void **state)
{
    (void)state;
    static const enum alg algs[] = {ALG_ED25519, ALG_ES256, ALG_SM2};
    for (size_t i = 0; i < 3; i++) {
        struct signer *signer = signer_new(algs[i]);
        struct session_draft draft = draft_good();
        struct buf bytes = signed_by(signer, &draft);
        struct session_statement statement;
        CHECK_OK(session_statement_parse(&statement, buf_bytes(&bytes), NULL));
        CHECK(hash_equal(&statement.chain, &draft.chain));
        CHECK(hash_equal(&statement.kid, pubkey_kid(signer_pubkey(signer))));
        CHECK_BYTES(statement.origin, draft.origin);
        CHECK_BYTES(statement.nonce, ((struct bytes){nonce, sizeof nonce}));
        CHECK_UINT(statement.iat_ms, draft.iat_ms);
        CHECK_UINT(statement.expiry_ms, draft.expiry_ms);
        struct key_record record = {.alg = algs[i]};
        const struct pubkey *key = signer_pubkey(signer);
        CHECK_OK(session_statement_verify(&statement, &record, key, NULL));
        record.alg = algs[(i + 1) % 3];
        CHECK_ERR(session_statement_verify(&statement, &record, key, NULL), ERR_SIGNATURE);
        buf_clear(&bytes);
        signer_free(signer);
    }
}

static void each_truncation_and_a_trailing_byte_are_refused(void **state)
{
    (void)state;
    struct signer *signer = signer_new(ALG_ED25519);
    struct session_draft draft = draft_good();
    struct buf bytes = signed_by(signer, &draft);
    struct session_statement statement;
    for (size_t len = 0; len < bytes.len; len++) {
        CHECK(session_statement_parse(&statement, (struct bytes){bytes.at, len}, NULL) != OK);
    }
    buf_put_byte(&bytes, 0);
    CHECK_ERR(session_statement_parse(&statement, buf_bytes(&bytes), NULL), ERR_TRAILING);
    buf_grow(&bytes, SESSION_STATEMENT_MAX);
    CHECK_ERR(session_statement_parse(&statement, buf_bytes(&bytes), NULL), ERR_RANGE);
    buf_clear(&bytes);
    signer_free(signer);
}

static void each_changed_byte_is_refused_or_fails_to_verify(void **state)
{
    (void)state;
    struct signer *signer = signer_new(ALG_ED25519);
    struct session_draft draft = draft_good();
    struct buf bytes = signed_by(signer, &draft);
    struct key_record record = {.alg = ALG_ED25519};
    for (size_t i = 0; i < bytes.len; i++) {
        struct session_statement statement;
        bytes.at[i] ^= 1;
        bool good =
            session_statement_parse(&statement, buf_bytes(&bytes), NULL) == OK &&
            session_statement_verify(&statement, &record, signer_pubkey(signer), NULL) == OK;
        CHECK(!good);
        bytes.at[i] ^= 1;
    }
    buf_clear(&bytes);
    signer_free(signer);
}

static enum err parse_of(const struct session_draft *draft)
{
    struct signer *signer = signer_new(ALG_ED25519);
    struct buf bytes = signed_by(signer, draft);
    struct session_statement statement;
    struct why why = {0};
    enum err err = session_statement_parse(&statement, buf_bytes(&bytes), &why);
    CHECK(err == OK || why.field[0]);
    buf_clear(&bytes);
    signer_free(signer);
    return err;
}

static void an_expiry_lies_within_five_minutes_after_iat(void **state)
{
    (void)state;
    struct session_draft draft = draft_good();
    CHECK_OK(parse_of(&draft));
    draft.expiry_ms++;
    CHECK_ERR(parse_of(&draft), ERR_RANGE);
    draft.expiry_ms = draft.iat_ms;
    CHECK_OK(parse_of(&draft));
    draft.expiry_ms--;
    CHECK_ERR(parse_of(&draft), ERR_RANGE);
}

static void an_origin_is_written_in_one_way(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://ledger.example",    "http://localhost:8420",  "https://a:1",
        "https://ledger.example:80", "http://127.0.0.1:65535", "http://[::1]:8420",
        "http://[::ffff:1.2.3.4]"};
    static const char *const bad[] = {
        "https://",    "http://",       "ftp://a",        "https://Ledger.example",
        "https://a/",  "https://a:443", "http://a:80",    "http://a:",
        "http://a:0",  "http://a:08",   "http://a:65536", "http://a:1234567",
        "http://a:1x", "http://[::1",   "http://[]",      "http://[g]",
        "https://u@a", "https://a?b",   "HTTPS://a",      "//a",
        "a",           "https://a b"};
    struct session_draft draft = draft_good();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        draft.origin = bytes_text(good[i]);
        CHECK_OK(parse_of(&draft));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        draft.origin = bytes_text(bad[i]);
        CHECK_ERR(parse_of(&draft), ERR_FORMAT);
    }
}

/* Signs a payload and header of the test's own. */
static enum err parse_parts(const char *typ, int64_t alg, const struct hash *kid, uint64_t version)
{
    struct signer *signer = signer_new(ALG_ED25519);
    struct buf protected = {0};
    struct buf payload = {0};
    struct buf bytes = {0};
    cbor_put_map(&protected, 3);
    cbor_put_int(&protected, 1);
    cbor_put_int(&protected, alg);
    cbor_put_int(&protected, 4);
    cbor_put_hash(&protected, pubkey_kid(signer_pubkey(signer)));
    cbor_put_int(&protected, 16);
    cbor_put_literal(&protected, typ);
    cbor_put_array(&payload, 7);
    cbor_put_uint(&payload, version);
    cbor_put_hash(&payload, &(struct hash){{1}});
    cbor_put_literal(&payload, ORIGIN);
    cbor_put_hash(&payload, kid ? kid : pubkey_kid(signer_pubkey(signer)));
    cbor_put_bytes(&payload, (struct bytes){nonce, sizeof nonce});
    cbor_put_uint(&payload, 5);
    cbor_put_uint(&payload, 6);
    sign1_write(&bytes, &(struct sign1){.protected = buf_bytes(&protected),
                                        .payload = buf_bytes(&payload),
                                        .signature = BYTES_OF("sixty-four")});
    struct session_statement statement;
    enum err err = session_statement_parse(&statement, buf_bytes(&bytes), NULL);
    buf_clear(&protected);
    buf_clear(&payload);
    buf_clear(&bytes);
    signer_free(signer);
    return err;
}

static void another_typ_alg_kid_or_version_is_refused(void **state)
{
    (void)state;
    static const char typ[] = "application/vnd.cairn.session+cose";
    CHECK_OK(parse_parts(typ, ALG_ED25519, NULL, 1));
    CHECK_OK(parse_parts(typ, -19, NULL, 1));
    CHECK_ERR(parse_parts("application/vnd.cairn.statement+cose", -8, NULL, 1), ERR_FORMAT);
    CHECK_ERR(parse_parts(typ, -37, NULL, 1), ERR_UNSUPPORTED);
    CHECK_ERR(parse_parts(typ, ALG_ED25519, &(struct hash){{9}}, 1), ERR_MISMATCH);
    CHECK_ERR(parse_parts(typ, ALG_ED25519, NULL, 2), ERR_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_signs_one_that_reads_back_and_verifies),
        cmocka_unit_test(each_truncation_and_a_trailing_byte_are_refused),
        cmocka_unit_test(each_changed_byte_is_refused_or_fails_to_verify),
        cmocka_unit_test(an_expiry_lies_within_five_minutes_after_iat),
        cmocka_unit_test(an_origin_is_written_in_one_way),
        cmocka_unit_test(another_typ_alg_kid_or_version_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
