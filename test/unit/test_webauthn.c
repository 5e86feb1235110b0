#include "check.h"
#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "crypto/signer.h"
#include "crypto/webauthn.h"
#include "vectors.h"

/* What the authenticator signs: authenticatorData, then SHA-256 of clientDataJSON. */
static struct bytes signed_bytes(uint8_t out[512], const struct webauthn *assertion)
{
    struct hash hash;
    size_t len = assertion->authenticator_data.len;
    BUG_ON(len + sizeof hash > 512);
    sha256(&hash, assertion->client_data_json);
    memcpy(out, assertion->authenticator_data.at, len);
    memcpy(out + len, hash.at, sizeof hash);
    return (struct bytes){out, len + sizeof hash};
}

static void checks_as(const struct pubkey *key, const struct relying_party *party,
                      struct bytes challenge, const struct webauthn *assertion, const char *problem)
{
    struct why why = {0};
    enum err got = webauthn_check(key, party, challenge, assertion, &why);
    CHECK_ERR(webauthn_check(key, party, challenge, assertion, NULL), got);
    if (got != (problem ? ERR_SIGNATURE : OK) || (problem && !strstr(why.problem, problem))) {
        fail_msg("%s: %s %s, want %s", err_name(got), why.field, why.problem,
                 problem ? problem : "OK");
    }
}

/* Which rule of ours refuses a W3C vector once its s is low; NULL if none does. */
static const char *w3c_refusal(const char *name)
{
    static const struct {
        const char *name;
        const char *problem;
    } refused[] = {
        {"none-es256", "not verified"},
        {"packed-self-es256", "not verified"},
        {"none-es256-crossOrigin", "cross-origin"},
        {"none-es256-topOrigin", "cross-origin"},
        {"android-key-es256", "not verified"},
        {"apple-es256", "not verified"},
        {"fido-u2f-es256", "not verified"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (strcmp(refused[i].name, name) == 0) {
            return refused[i].problem;
        }
    }
    return NULL;
}

static void w3c_vectors_pass_after_normalising_but_for_our_rules(void **state)
{
    (void)state;
    struct bytes origin = bytes_text("https://example.org");
    struct relying_party party = {bytes_text("example.org"), &origin, 1};
    size_t high = 0;
    size_t taken = 0;
    size_t count = 0;
    struct vector vector = vector_open("webauthn_w3c.txt");
    while (vector_next(&vector)) {
        struct pubkey *key;
        CHECK_OK(pubkey_parse(&key, vector_bytes(&vector, 1)));
        struct bytes challenge = vector_bytes(&vector, 2);
        struct webauthn assertion = {vector_bytes(&vector, 3), vector_bytes(&vector, 4),
                                     vector_bytes(&vector, 5)};
        const char *problem = w3c_refusal(vector.fields[0]);
        uint8_t rs64[64];
        uint8_t room[512];
        CHECK_OK(ecdsa_der_read(rs64, assertion.signature_der));
        struct bytes message = signed_bytes(room, &assertion);
        CHECK_OK(pubkey_verify_any_s(key, message, BYTES_OF(rs64)));
        bool is_high = !p256_low_s(rs64);
        CHECK_ERR(pubkey_verify(key, message, BYTES_OF(rs64)), is_high ? ERR_SIGNATURE : OK);
        checks_as(key, &party, challenge, &assertion,
                  !problem && is_high ? "has a high s" : problem);
        struct buf low = {0};
        CHECK_OK(ecdsa_der_normalise(&low, assertion.signature_der));
        assertion.signature_der = buf_bytes(&low);
        CHECK_OK(es256_normalise(rs64));
        CHECK_OK(pubkey_verify(key, message, BYTES_OF(rs64)));
        checks_as(key, &party, challenge, &assertion, problem);
        buf_clear(&low);
        pubkey_free(key);
        high += is_high;
        taken += problem == NULL;
        count++;
    }
    print_message("W3C: %zu ES256 vectors, %zu with high s, %zu taken once low; refused: 5 without "
                  "user verification, 2 cross-origin\n",
                  count, high, taken);
    CHECK_UINT(count, 10);
    CHECK_UINT(taken, 3);
    CHECK_UINT(high, 6);
}

/* A byte string of CBOR with a one-byte length, as the array of three in the vector holds them. */
static struct bytes cbor_part(struct bytes *rest)
{
    CHECK(rest->len > 2 && rest->at[0] == 0x58 && rest->at[1] <= rest->len - 2);
    struct bytes part = {rest->at + 2, rest->at[1]};
    *rest = (struct bytes){part.at + part.len, rest->len - 2 - part.len};
    return part;
}

static void an_independent_assertion_is_taken_and_each_flipped_bit_refused(void **state)
{
    (void)state;
    struct vector vector = vector_open("cairn_signatures.txt");
    size_t count = 0;
    while (vector_next(&vector)) {
        if (strcmp(vector.fields[0], "-65538") != 0) {
            continue;
        }
        struct pubkey *key;
        CHECK_OK(pubkey_parse(&key, vector_bytes(&vector, 1)));
        struct bytes origins[2];
        char *second = strchr(vector.fields[4], ',');
        CHECK(second != NULL);
        *second = 0;
        origins[0] = bytes_text(vector.fields[4]);
        origins[1] = bytes_text(second + 1);
        struct relying_party party = {bytes_text(vector.fields[3]), origins, 2};
        struct bytes message = vector_bytes(&vector, 5);
        struct bytes rest = vector_bytes(&vector, 6);
        rest = (struct bytes){rest.at + 1, rest.len - 1};
        struct bytes parts[3];
        for (size_t i = 0; i < 3; i++) {
            parts[i] = cbor_part(&rest);
        }
        struct webauthn assertion = {parts[0], parts[1], parts[2]};
        CHECK_OK(webauthn_verify(key, &party, message, &assertion, NULL));
        for (size_t i = 0; i < 3; i++) {
            uint8_t *part = vector.bytes[6].at + (parts[i].at - vector.bytes[6].at);
            for (size_t bit = 0; bit < parts[i].len * 8; bit++) {
                part[bit / 8] ^= (uint8_t)(1 << bit % 8);
                CHECK_ERR(webauthn_verify(key, &party, message, &assertion, NULL), ERR_SIGNATURE);
                part[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
        }
        pubkey_free(key);
        count++;
    }
    CHECK_UINT(count, 1);
}

/* An authenticator of the test: its key, and what it would sign with every rule kept. */
struct device {
    struct signer *signer;
    uint8_t data[64];
    size_t data_len;
    char json[512];
    uint8_t der[ECDSA_DER_MAX];
    struct webauthn assertion;
};

static const char rp_id[] = "ledger.example";
static const char message[] = "what is signed";
/* SHA-256 of the message in base64url, from `openssl dgst | basenc --base64url`. */
#define CHALLENGE "gZiTQ0xP6YGGqTzieCx6cwI6RrWIsIm7VZ-Y_EuJXDw"
#define GOOD_JSON                                                                                  \
    "{\"type\":\"webauthn.get\",\"challenge\":\"" CHALLENGE "\",\"origin\":\"https://a.example\"," \
    "\"crossOrigin\":false}"

static void device_sign(struct device *device)
{
    uint8_t room[1024];
    uint8_t rs64[64];
    device->assertion.authenticator_data = (struct bytes){device->data, device->data_len};
    device->assertion.client_data_json = bytes_text(device->json);
    CHECK_OK(signer_sign(device->signer, rs64, signed_bytes(room, &device->assertion)));
    size_t len = ecdsa_der_write(device->der, rs64);
    device->assertion.signature_der = (struct bytes){device->der, len};
}

static struct device device_new(void)
{
    struct device device = {.data_len = 37};
    struct buf pem = {0};
    struct hash hash;
    CHECK_OK(key_generate(&pem, ALG_ES256, NULL));
    CHECK_OK(signer_parse(&device.signer, buf_bytes(&pem), NULL));
    buf_clear(&pem);
    sha256(&hash, bytes_text(rp_id));
    memcpy(device.data, hash.at, sizeof hash);
    device.data[32] = 0x05;
    strcpy(device.json, GOOD_JSON);
    return device;
}

/* Signs what the device holds and checks the verdict and its reason. */
static void device_answers(struct device *device, const char *problem)
{
    static const char *const texts[] = {"https://a.example", "https://\"q\\\n\x7f\xc3\xa9",
                                        "https://b"};
    struct bytes origins[3];
    for (size_t i = 0; i < 3; i++) {
        origins[i] = bytes_text(texts[i]);
    }
    device_sign(device);
    struct why why = {0};
    struct relying_party party = {bytes_text(rp_id), origins, 3};
    enum err got = webauthn_verify(signer_pubkey(device->signer), &party, bytes_text(message),
                                   &device->assertion, &why);
    if (got != (problem ? ERR_SIGNATURE : OK) || (problem && !strstr(why.problem, problem))) {
        fail_msg("%s %s: %s %s, want %s", device->json, err_name(got), why.field, why.problem,
                 problem ? problem : "OK");
    }
}

static void authenticator_data_is_judged_by_its_flags_and_length(void **state)
{
    (void)state;
    struct device device = device_new();
    static const struct {
        uint8_t flags;
        size_t len;
        const char *problem;
    } cases[] = {
        {0x05, 37, NULL},
        {0x1d, 37, NULL}, /* kept in the cloud */
        {0x0d, 37, NULL},
        {0x04, 37, "nobody was present"},
        {0x01, 37, "not verified"},
        {0x00, 37, "nobody was present"},
        {0x45, 37, "new credential"},
        {0x45, 60, "new credential"},
        {0x85, 38, NULL},
        {0x85, 60, NULL},
        {0x85, 37, "length"},
        {0x05, 38, "length"},
        {0x05, 36, "shorter"},
        {0x05, 0, "shorter"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        device.data[32] = cases[i].flags;
        device.data_len = cases[i].len;
        device_answers(&device, cases[i].problem);
    }
    device.data[32] = 0x05;
    device.data_len = 37;
    device.data[31] ^= 1;
    device_answers(&device, "another relying party");
    signer_free(device.signer);
}

#define TYPED(type)  "{\"type\":\"" type "\",\"challenge\":\"" CHALLENGE "\","
#define FROM(origin) TYPED("webauthn.get") "\"origin\":\"" origin "\","
#define ENDING(end)  FROM("https://a.example") end

static void client_data_is_compared_as_the_limited_algorithm_says(void **state)
{
    (void)state;
    struct device device = device_new();
    static const struct {
        const char *json;
        const char *problem;
    } cases[] = {
        {GOOD_JSON, NULL},
        {ENDING("\"crossOrigin\":false,\"other\":1}"), NULL},
        {ENDING("\"crossOrigin\":false}}"), NULL},
        {ENDING("\"crossOrigin\":false"), "go on"},
        {ENDING("\"crossOrigin\":false }"), "go on"},
        {ENDING("\"crossOrigin\":true}"), "cross-origin"},
        {ENDING("\"crossOrigin\":true,\"topOrigin\":\"https://a.example\"}"), "cross-origin"},
        {ENDING("\"crossOrigin\":fals"), "cross-origin"},
        {ENDING("\"topOrigin\":\"https://a.example\",\"crossOrigin\":false}"), "cross-origin"},
        {FROM("https://b") "\"crossOrigin\":false}", NULL},
        {FROM("https://\\\"q\\\\\\u000a\x7f\xc3\xa9") "\"crossOrigin\":false}", NULL},
        {FROM("https://\\\"q\\\\\\u000A\x7f\xc3\xa9") "\"crossOrigin\":false}", "origin"},
        {FROM("https://\\\"q\\\\\\n\x7f\xc3\xa9") "\"crossOrigin\":false}", "origin"},
        {FROM("https://a.example.evil") "\"crossOrigin\":false}", "origin"},
        {FROM("https://a.exampl") "\"crossOrigin\":false}", "origin"},
        {FROM("https:\\/\\/a.example") "\"crossOrigin\":false}", "origin"},
        {FROM("") "\"crossOrigin\":false}", "origin"},
        {TYPED("webauthn.create") "\"origin\":\"https://a.example\",\"crossOrigin\":false}",
         "begin"},
        {"{\"type\":\"webauthn.get\",\"challenge\":\"" CHALLENGE "=\","
         "\"origin\":\"https://a.example\",\"crossOrigin\":false}",
         "challenge"},
        {"{\"type\":\"webauthn.get\",\"challenge\":\"\","
         "\"origin\":\"https://a.example\",\"crossOrigin\":false}",
         "challenge"},
        {"{\"challenge\":\"" CHALLENGE "\",\"type\":\"webauthn.get\","
         "\"origin\":\"https://a.example\",\"crossOrigin\":false}",
         "begin"},
        {"{ \"type\":\"webauthn.get\"", "begin"},
        {"", "begin"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        strcpy(device.json, cases[i].json);
        device_answers(&device, cases[i].problem);
    }
    for (size_t len = 0; len < strlen(GOOD_JSON); len++) {
        strcpy(device.json, GOOD_JSON);
        device.json[len] = 0;
        device_answers(&device, "");
    }
    signer_free(device.signer);
}

static void an_assertion_stands_on_a_p256_key_and_a_strict_low_signature(void **state)
{
    (void)state;
    struct device device = device_new();
    struct bytes origin = bytes_text("https://a.example");
    struct relying_party party = {bytes_text(rp_id), &origin, 1};
    struct hash challenge;
    sha256(&challenge, bytes_text(message));
    const struct pubkey *key = signer_pubkey(device.signer);
    device_sign(&device);
    checks_as(key, &party, hash_bytes(&challenge), &device.assertion, NULL);

    struct webauthn other = device.assertion;
    other.signature_der = (struct bytes){device.der, other.signature_der.len - 1};
    checks_as(key, &party, hash_bytes(&challenge), &other, "strict DER");
    other.signature_der = hex("3006020101020101");
    checks_as(key, &party, hash_bytes(&challenge), &other, "does not verify");
    party.origin_count = 0;
    checks_as(key, &party, hash_bytes(&challenge), &device.assertion, "origin");
    party.origin_count = 1;

    struct pubkey *ed25519;
    CHECK_OK(pubkey_parse(&ed25519, hex("302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c"
                                        "982ccf2ec4968cc0cd55f12af4660c")));
    checks_as(ed25519, &party, hash_bytes(&challenge), &device.assertion, "P-256");
    pubkey_free(ed25519);
    signer_free(device.signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w3c_vectors_pass_after_normalising_but_for_our_rules),
        cmocka_unit_test(an_independent_assertion_is_taken_and_each_flipped_bit_refused),
        cmocka_unit_test(authenticator_data_is_judged_by_its_flags_and_length),
        cmocka_unit_test(client_data_is_compared_as_the_limited_algorithm_says),
        cmocka_unit_test(an_assertion_stands_on_a_p256_key_and_a_strict_low_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
