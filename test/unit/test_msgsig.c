/* HTTP message signatures: the examples of RFC 9421, and the requests that this API takes. */
#include "vectors.h"

#include "codec/msgsig.h"
#include "crypto/digest.h"

/* ---- the RFC's examples */

#define VALUES_MAX 8

struct message {
    struct buf names[VALUES_MAX];
    struct buf values[VALUES_MAX];
    size_t count;
};

static void message_clear(struct message *message)
{
    for (size_t i = 0; i < message->count; i++) {
        buf_clear(&message->names[i]);
        buf_clear(&message->values[i]);
    }
    message->count = 0;
}

static enum err message_value(void *context, const struct sf_node *component, struct buf *out)
{
    const struct message *message = context;
    struct buf name = {0};
    enum err err = ERR_UNSUPPORTED;
    sf_write(&name, component);
    for (size_t i = 0; i < message->count; i++) {
        if (bytes_equal(buf_bytes(&name), buf_bytes(&message->names[i]))) {
            buf_put(out, buf_bytes(&message->values[i]));
            err = OK;
        }
    }
    buf_clear(&name);
    return err;
}

static bool example_verifies(const char *kind, struct bytes key, struct bytes base,
                             struct bytes signature)
{
    if (strcmp(kind, "hmac") == 0) {
        struct hash mac;
        hmac_sha256(&mac, key, base);
        return bytes_equal(hash_bytes(&mac), signature);
    }
    struct pubkey *pubkey;
    CHECK_OK(pubkey_parse(&pubkey, key));
    bool good = pubkey_verify_any_s(pubkey, base, signature) == OK;
    pubkey_free(pubkey);
    return good;
}

static void the_examples_of_the_rfc_have_their_bases_and_signatures(void **state)
{
    (void)state;
    struct message message = {0};
    struct vector table = vector_open("http_signatures.txt");
    unsigned checked = 0;
    while (vector_next(&table)) {
        if (strcmp(table.fields[0], "value") == 0) {
            buf_put(&message.names[message.count], vector_bytes(&table, 2));
            buf_put(&message.values[message.count++], vector_bytes(&table, 3));
            continue;
        }
        struct sf_dictionary inputs;
        struct buf base = {0};
        const char *kind = table.fields[2];
        bool bad = strncmp(table.fields[1], "bad-", 4) == 0;
        CHECK_OK(sf_dictionary_parse(&inputs, vector_bytes(&table, 4)));
        CHECK_OK(signature_base_write(&base, inputs.members, message_value, &message));
        CHECK_BYTES(buf_bytes(&base), vector_bytes(&table, 6));
        if (strcmp(kind, "rsa") != 0) {
            CHECK(example_verifies(kind, vector_bytes(&table, 3), buf_bytes(&base),
                                   vector_bytes(&table, 5)) == !bad);
            checked++;
        }
        buf_clear(&base);
        message_clear(&message);
    }
    CHECK_UINT(checked, 10);
}

static void a_base_needs_strings_that_stand_once_and_have_values(void **state)
{
    (void)state;
    struct message message = {0};
    struct sf_dictionary inputs;
    struct buf base = {0};
    CHECK_OK(sf_dictionary_parse(&inputs, bytes_text("a=(\"x\" \"x\")")));
    CHECK_ERR(signature_base_write(&base, inputs.members, message_value, &message), ERR_EXISTS);
    CHECK_OK(sf_dictionary_parse(&inputs, bytes_text("a=(x)")));
    CHECK_ERR(signature_base_write(&base, inputs.members, message_value, &message), ERR_TYPE);
    CHECK_OK(sf_dictionary_parse(&inputs, bytes_text("a=\"x\"")));
    CHECK_ERR(signature_base_write(&base, inputs.members, message_value, &message), ERR_TYPE);
    CHECK_OK(sf_dictionary_parse(&inputs, bytes_text("a=(\"x\")")));
    CHECK_ERR(signature_base_write(&base, inputs.members, message_value, &message),
              ERR_UNSUPPORTED);
    buf_clear(&base);
}

/* ---- requests of this API */

#define NOW_S 1700000000u

static struct signer *signer_new(enum alg alg)
{
    struct signer *signer;
    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, alg, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    buf_clear(&pem);
    return signer;
}

static struct signed_request request_of(const char *method, const char *target, const char *digest)
{
    return (struct signed_request){.method = method,
                                   .authority = bytes_text("ledger.example"),
                                   .target = bytes_text(target),
                                   .content_digest = bytes_text(digest)};
}

struct signed_fields {
    struct buf input;
    struct buf signature;
};

static struct signed_fields sign(const struct signer *signer, const struct signed_request *request)
{
    struct signed_fields fields = {0};
    CHECK_OK(request_signature_write(&fields.input, &fields.signature, request, signer, NOW_S));
    return fields;
}

static void fields_clear(struct signed_fields *fields)
{
    buf_clear(&fields->input);
    buf_clear(&fields->signature);
}

static enum err verify(const struct signed_fields *fields, const struct signed_request *request,
                       const struct signer *signer)
{
    struct request_signature signature;
    TRY(request_signature_parse(&signature, SIGNED_BY_MEMBER, buf_bytes(&fields->input),
                                buf_bytes(&fields->signature), NULL));
    CHECK(hash_equal(&signature.kid, pubkey_kid(signer_pubkey(signer))));
    CHECK_UINT(signature.created_s, NOW_S);
    return request_signature_verify(&signature, request, signer_pubkey(signer), signer_alg(signer),
                                    NULL);
}

static void each_kind_of_key_signs_requests_that_verify_and_no_others(void **state)
{
    (void)state;
    static const enum alg algs[] = {ALG_ED25519, ALG_ES256, ALG_SM2};
    for (size_t i = 0; i < 3; i++) {
        struct signer *signer = signer_new(algs[i]);
        struct signed_request get = request_of("GET", "/v1/evidence?sha256=00", "");
        struct signed_request post = request_of("POST", "/v1/digests", "sha-256=:eA==:");
        struct signed_fields got = sign(signer, &get);
        struct signed_fields posted = sign(signer, &post);
        CHECK_OK(verify(&got, &get, signer));
        CHECK_OK(verify(&posted, &post, signer));
        struct signed_request other = get;
        other.method = "DELETE";
        CHECK_ERR(verify(&got, &other, signer), ERR_SIGNATURE);
        other = get;
        other.target = bytes_text("/v1/evidence?sha256=01");
        CHECK_ERR(verify(&got, &other, signer), ERR_SIGNATURE);
        other.target = bytes_text("/v1/evidence/?sha256=00");
        CHECK_ERR(verify(&got, &other, signer), ERR_SIGNATURE);
        other = get;
        other.authority = bytes_text("other.example");
        CHECK_ERR(verify(&got, &other, signer), ERR_SIGNATURE);
        other = post;
        other.content_digest = bytes_text("sha-256=:eQ==:");
        CHECK_ERR(verify(&posted, &other, signer), ERR_SIGNATURE);
        other.content_digest = BYTES_NONE;
        CHECK_ERR(verify(&posted, &other, signer), ERR_FORMAT);
        other = get;
        other.content_digest = bytes_text("sha-256=:eA==:");
        CHECK_ERR(verify(&got, &other, signer), ERR_FORMAT);
        fields_clear(&got);
        fields_clear(&posted);
        signer_free(signer);
    }
}

static void the_alg_must_be_the_keys_and_passkeys_sign_none(void **state)
{
    (void)state;
    struct signer *signer = signer_new(ALG_ES256);
    struct signed_request request = request_of("GET", "/", "");
    struct signed_fields fields = sign(signer, &request);
    struct request_signature signature;
    const struct pubkey *key = signer_pubkey(signer);
    CHECK_OK(request_signature_parse(&signature, SIGNED_BY_MEMBER, buf_bytes(&fields.input),
                                     buf_bytes(&fields.signature), NULL));
    CHECK_ERR(request_signature_verify(&signature, &request, key, ALG_ED25519, NULL),
              ERR_SIGNATURE);
    CHECK_ERR(request_signature_verify(&signature, &request, key, ALG_WEBAUTHN, NULL),
              ERR_UNSUPPORTED);
    fields_clear(&fields);
    signer_free(signer);
}

#define COVERED "(\"@method\" \"@authority\" \"@path\" \"@query\")"
#define KEYID   ";keyid=\"0000000000000000000000000000000000000000000000000000000000000000\""
#define ZEROS16 "AAAAAAAAAAAAAAAAAAAAAA"
#define VALUE   ":" ZEROS16 ZEROS16 ZEROS16 "AAAAAAAAAAAAAAAAAAAA==:"

static enum err parse(const char *input, const char *value)
{
    struct request_signature signature;
    struct why why = {0};
    enum err err = request_signature_parse(&signature, SIGNED_BY_MEMBER, bytes_text(input),
                                           bytes_text(value), &why);
    CHECK(err == OK || (why.field[0] && why.problem[0]) || why.remedy[0]);
    return err;
}

static void what_a_signature_must_say_and_must_not_say(void **state)
{
    (void)state;
    static const char good[] = "a=" COVERED ";created=1;nonce=\"n\"" KEYID ";tag=\"cairn\"";
    CHECK_OK(parse(good, "a=" VALUE));
    CHECK_OK(parse("b=();created=1, a=" COVERED ";tag=\"cairn\";created=1;nonce=\"n\"" KEYID
                   ";alg=\"ed25519\";expires=9",
                   "b=:eA==:, a=" VALUE));
    const struct {
        const char *input;
        const char *value;
        enum err err;
    } rows[] = {
        {"a=" COVERED ";created=1;nonce=\"n\"" KEYID, "a=" VALUE, ERR_NOT_FOUND},
        {"", "", ERR_NOT_FOUND},
        {"a=1;tag=\"cairn\"", "a=" VALUE, ERR_NOT_FOUND},
        {"a=();tag=\"cairn\", b=();tag=\"cairn\"", "a=" VALUE, ERR_EXISTS},
        {"a=(", "a=" VALUE, ERR_FORMAT},
        {"a=(\"@method\" \"@path\" \"@query\");tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=(\"@method\" \"@method\" \"@authority\" \"@path\" \"@query\");tag=\"cairn\"",
         "a=" VALUE, ERR_EXISTS},
        {"a=(\"@method\" \"@authority\" \"@path\" \"@query\" \"date\");tag=\"cairn\"", "a=" VALUE,
         ERR_UNSUPPORTED},
        {"a=(\"@method\" \"@authority\" \"@path\" \"@query\";req);tag=\"cairn\"", "a=" VALUE,
         ERR_UNSUPPORTED},
        {"a=(@method \"@authority\" \"@path\" \"@query\");tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=" COVERED ";nonce=\"n\"" KEYID ";tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=" COVERED ";created=-1;nonce=\"n\"" KEYID ";tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=" COVERED ";created=1.0;nonce=\"n\"" KEYID ";tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=" COVERED ";created=1" KEYID ";tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=" COVERED ";created=1;nonce=\"\"" KEYID ";tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=" COVERED ";created=1;nonce=\"n\";tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=" COVERED ";created=1;nonce=\"n\";keyid=\"00\";tag=\"cairn\"", "a=" VALUE, ERR_FORMAT},
        {"a=" COVERED ";created=1;nonce=\"n\"" KEYID ";tag=\"cairn\";expires=x", "a=" VALUE,
         ERR_FORMAT},
        {"a=" COVERED ";created=1;nonce=\"n\"" KEYID ";tag=\"cairn\";alg=x", "a=" VALUE,
         ERR_FORMAT},
        {"a=" COVERED ";created=1;nonce=\"n\"" KEYID ";tag=\"cairn\";more", "a=" VALUE,
         ERR_UNSUPPORTED},
        {good, "b=" VALUE, ERR_FORMAT},
        {good, "a=:eA==:", ERR_FORMAT},
        {good, "a=1", ERR_FORMAT},
        {good, "a=1,", ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum err err = parse(rows[i].input, rows[i].value);
        if (err != rows[i].err) {
            fail_msg("row %zu is %s, want %s", i, err_name(err), err_name(rows[i].err));
        }
    }
}

static void each_truncation_of_the_fields_is_refused(void **state)
{
    (void)state;
    struct signer *signer = signer_new(ALG_ED25519);
    struct signed_request request = request_of("GET", "/", "");
    struct signed_fields fields = sign(signer, &request);
    struct request_signature out;
    for (size_t len = 0; len < fields.input.len; len++) {
        CHECK(request_signature_parse(&out, SIGNED_BY_MEMBER, (struct bytes){fields.input.at, len},
                                      buf_bytes(&fields.signature), NULL) != OK);
    }
    for (size_t len = 0; len < fields.signature.len; len++) {
        CHECK(request_signature_parse(&out, SIGNED_BY_MEMBER, buf_bytes(&fields.input),
                                      (struct bytes){fields.signature.at, len}, NULL) != OK);
    }
    fields_clear(&fields);
    signer_free(signer);
}

static void a_signature_counts_for_a_minute_around_its_time(void **state)
{
    (void)state;
    struct request_signature signature = {.created_s = NOW_S};
    CHECK_OK(request_signature_time_check(&signature, (NOW_S + 60u) * 1000ull + 999, NULL));
    CHECK_OK(request_signature_time_check(&signature, (NOW_S - 60u) * 1000ull, NULL));
    CHECK_ERR(request_signature_time_check(&signature, (NOW_S + 61u) * 1000ull, NULL), ERR_EXPIRED);
    CHECK_ERR(request_signature_time_check(&signature, (NOW_S - 61u) * 1000ull, NULL), ERR_EXPIRED);
    signature.has_expires = true;
    signature.expires_s = NOW_S + 1;
    CHECK_OK(request_signature_time_check(&signature, (NOW_S + 1u) * 1000ull, NULL));
    CHECK_ERR(request_signature_time_check(&signature, (NOW_S + 2u) * 1000ull, NULL), ERR_EXPIRED);
}

static void a_digest_of_the_body_is_compared(void **state)
{
    (void)state;
    struct buf field = {0};
    struct bytes body = bytes_text("{\"hello\": \"world\"}");
    content_digest_write(&field, body);
    /* What `openssl dgst -sha256 -binary | base64` says of it. */
    CHECK_BYTES(buf_bytes(&field),
                bytes_text("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"));
    CHECK_OK(content_digest_check(buf_bytes(&field), body, NULL));
    CHECK_ERR(content_digest_check(buf_bytes(&field), bytes_text(""), NULL), ERR_MISMATCH);
    CHECK_ERR(content_digest_check(bytes_text("sha-512=:eA==:"), body, NULL), ERR_UNSUPPORTED);
    CHECK_ERR(content_digest_check(bytes_text("sha-256=1"), body, NULL), ERR_TYPE);
    CHECK_ERR(content_digest_check(bytes_text("sha-256="), body, NULL), ERR_FORMAT);
    buf_clear(&field);
}

/* ---- what nodes say to each other */

static struct signed_request node_request(const char *to, const char *digest)
{
    return (struct signed_request){.by = SIGNED_BY_NODE,
                                   .method = "POST",
                                   .to = bytes_text(to),
                                   .target = bytes_text("/v1/node/receipts"),
                                   .content_digest = bytes_text(digest)};
}

static enum err verify_node(const struct signed_fields *fields,
                            const struct signed_request *request, const struct signer *signer)
{
    struct request_signature signature;
    TRY(request_signature_parse(&signature, SIGNED_BY_NODE, buf_bytes(&fields->input),
                                buf_bytes(&fields->signature), NULL));
    return request_signature_verify(&signature, request, signer_pubkey(signer), signer_alg(signer),
                                    NULL);
}

static void a_nodes_request_is_for_one_node_and_none_of_a_members(void **state)
{
    (void)state;
    struct signer *signer = signer_new(ALG_ED25519);
    struct signed_request request = node_request("org2-node 00ff", "sha-256=:eA==:");
    struct signed_fields fields = sign(signer, &request);
    CHECK_OK(verify_node(&fields, &request, signer));
    struct signed_request other = node_request("org3-node 00ff", "sha-256=:eA==:");
    CHECK_ERR(verify_node(&fields, &other, signer), ERR_SIGNATURE);
    other = node_request("org2-node 00fe", "sha-256=:eA==:");
    CHECK_ERR(verify_node(&fields, &other, signer), ERR_SIGNATURE);
    other = node_request("org2-node 00ff", "sha-256=:eQ==:");
    CHECK_ERR(verify_node(&fields, &other, signer), ERR_SIGNATURE);
    other = request;
    other.to = BYTES_NONE;
    CHECK_ERR(verify_node(&fields, &other, signer), ERR_SIGNATURE);
    CHECK_ERR(verify(&fields, &request, signer), ERR_NOT_FOUND); /* the tag is another */
    fields_clear(&fields);
    struct signed_request read = request_of("POST", "/v1/node/receipts", "sha-256=:eA==:");
    fields = sign(signer, &read);
    CHECK_ERR(verify_node(&fields, &request, signer), ERR_NOT_FOUND);
    fields_clear(&fields);
    signer_free(signer);
}

static void a_request_names_node_and_ledger(void **state)
{
    (void)state;
    struct hash chain = {{0xab}};
    struct buf out = {0};
    request_to_write(&out, bytes_text("org1-node"), &chain);
    CHECK_BYTES(buf_bytes(&out),
                bytes_text("org1-node "
                           "ab00000000000000000000000000000000000000000000000000000000000000"));
    CHECK(out.len <= MSGSIG_TO_MAX);
    buf_clear(&out);
}

static enum err verify_answer(const struct signed_fields *fields,
                              const struct signed_answer *answer, const struct signer *signer)
{
    struct answer_signature signature;
    TRY(answer_signature_parse(&signature, buf_bytes(&fields->input), buf_bytes(&fields->signature),
                               NULL));
    CHECK(hash_equal(&signature.kid, pubkey_kid(signer_pubkey(signer))));
    CHECK_UINT(signature.created_s, NOW_S);
    return answer_signature_verify(&signature, answer, signer_pubkey(signer), signer_alg(signer),
                                   NULL);
}

static void an_answer_belongs_to_its_request_status_and_body(void **state)
{
    (void)state;
    struct signer *signer = signer_new(ALG_ED25519);
    struct signer *another = signer_new(ALG_ED25519);
    const uint8_t request[64] = {1, 2, 3};
    const uint8_t other_request[64] = {1, 2, 4};
    struct signed_answer answer = {200, bytes_text("sha-256=:eA==:"), request};
    struct signed_fields fields = {0};
    CHECK_OK(answer_signature_write(&fields.input, &fields.signature, &answer, signer, NOW_S));
    CHECK_OK(verify_answer(&fields, &answer, signer));
    struct signed_answer other = answer;
    other.status = 201;
    CHECK_ERR(verify_answer(&fields, &other, signer), ERR_SIGNATURE);
    other = answer;
    other.content_digest = bytes_text("sha-256=:eQ==:");
    CHECK_ERR(verify_answer(&fields, &other, signer), ERR_SIGNATURE);
    other = answer;
    other.request_signature = other_request;
    CHECK_ERR(verify_answer(&fields, &other, signer), ERR_SIGNATURE);
    struct answer_signature parsed;
    CHECK_OK(answer_signature_parse(&parsed, buf_bytes(&fields.input), buf_bytes(&fields.signature),
                                    NULL));
    CHECK_ERR(answer_signature_verify(&parsed, &answer, signer_pubkey(another), ALG_ED25519, NULL),
              ERR_SIGNATURE);
    CHECK_ERR(answer_signature_verify(&parsed, &answer, signer_pubkey(signer), ALG_ES256, NULL),
              ERR_SIGNATURE);
    for (size_t len = 0; len < fields.input.len; len++) {
        CHECK(answer_signature_parse(&parsed, (struct bytes){fields.input.at, len},
                                     buf_bytes(&fields.signature), NULL) != OK);
    }
    for (size_t len = 0; len < fields.signature.len; len++) {
        CHECK(answer_signature_parse(&parsed, buf_bytes(&fields.input),
                                     (struct bytes){fields.signature.at, len}, NULL) != OK);
    }
    fields_clear(&fields);
    signer_free(signer);
    signer_free(another);
}

#define ANSWERED "(\"@status\" \"content-digest\" \"signature\";req;key=\"cairn-node\")"

static void what_an_answers_signature_must_say(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        const char *value;
        enum err err;
    } rows[] = {
        {"a=" ANSWERED ";created=1" KEYID ";alg=\"ed25519\";tag=\"cairn-node\"", "a=" VALUE, OK},
        {"a=" ANSWERED ";created=1" KEYID ";alg=\"ed25519\";tag=\"cairn\"", "a=" VALUE,
         ERR_NOT_FOUND},
        {"a=(\"@status\" \"content-digest\");created=1" KEYID ";alg=\"ed25519\";tag=\"cairn-node\"",
         "a=" VALUE, ERR_UNSUPPORTED},
        {"a=" ANSWERED KEYID ";alg=\"ed25519\";tag=\"cairn-node\"", "a=" VALUE, ERR_FORMAT},
        {"a=" ANSWERED ";created=1;keyid=\"00\";alg=\"ed25519\";tag=\"cairn-node\"", "a=" VALUE,
         ERR_FORMAT},
        {"a=" ANSWERED ";created=1" KEYID ";tag=\"cairn-node\"", "a=" VALUE, ERR_FORMAT},
        {"a=" ANSWERED ";created=1" KEYID ";alg=\"ed25519\";tag=\"cairn-node\"", "b=" VALUE,
         ERR_FORMAT},
        {"a=(", "a=" VALUE, ERR_FORMAT},
        {"", "", ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer_signature out;
        struct why why = {0};
        enum err err = answer_signature_parse(&out, bytes_text(rows[i].input),
                                              bytes_text(rows[i].value), &why);
        if (err != rows[i].err) {
            fail_msg("row %zu is %s, want %s", i, err_name(err), err_name(rows[i].err));
        }
        CHECK(err == OK || (why.field[0] && why.remedy[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_have_their_bases_and_signatures),
        cmocka_unit_test(a_base_needs_strings_that_stand_once_and_have_values),
        cmocka_unit_test(each_kind_of_key_signs_requests_that_verify_and_no_others),
        cmocka_unit_test(the_alg_must_be_the_keys_and_passkeys_sign_none),
        cmocka_unit_test(what_a_signature_must_say_and_must_not_say),
        cmocka_unit_test(each_truncation_of_the_fields_is_refused),
        cmocka_unit_test(a_signature_counts_for_a_minute_around_its_time),
        cmocka_unit_test(a_digest_of_the_body_is_compared),
        cmocka_unit_test(a_nodes_request_is_for_one_node_and_none_of_a_members),
        cmocka_unit_test(a_request_names_node_and_ledger),
        cmocka_unit_test(an_answer_belongs_to_its_request_status_and_body),
        cmocka_unit_test(what_an_answers_signature_must_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
