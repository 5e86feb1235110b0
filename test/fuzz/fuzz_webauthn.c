/* WebAuthn assertions by an authenticator that signs whatever it is given: what passes says at the
 * places where the standard has it that the user was there and verified, at a listed origin, for
 * this challenge. An input is the client data's length and bytes, then authenticator data. */
#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "crypto/signer.h"
#include "crypto/webauthn.h"
#include "fuzz.h"

#define ORIGINS 2

static const char *const origin_texts[ORIGINS] = {"https://example.org", "https://a\"b\\c\n"};
static const char *const starts[ORIGINS] = {
    "{\"type\":\"webauthn.get\",\"challenge\":\"bWVzc2FnZQ\",\"origin\":\"https://example.org\","
    "\"crossOrigin\":false",
    "{\"type\":\"webauthn.get\",\"challenge\":\"bWVzc2FnZQ\",\"origin\":"
    "\"https://a\\\"b\\\\c\\u000a\",\"crossOrigin\":false",
};
static struct signer *signer;

static void sign(uint8_t der[ECDSA_DER_MAX], struct webauthn *assertion)
{
    uint8_t rs64[64];
    struct buf signed_bytes = {0};
    struct hash hash;
    if (signer == NULL) {
        struct buf pem = {0};
        BUG_ON(key_generate(&pem, ALG_ES256, NULL) != OK);
        BUG_ON(signer_parse(&signer, buf_bytes(&pem), NULL) != OK);
        buf_clear(&pem);
    }
    sha256(&hash, assertion->client_data_json);
    buf_put(&signed_bytes, assertion->authenticator_data);
    buf_put(&signed_bytes, hash_bytes(&hash));
    BUG_ON(signer_sign(signer, rs64, buf_bytes(&signed_bytes)) != OK);
    assertion->signature_der = (struct bytes){der, ecdsa_der_write(der, rs64)};
    buf_clear(&signed_bytes);
}

static bool begins(struct bytes text, struct bytes start)
{
    return text.len > start.len && bytes_equal((struct bytes){text.at, start.len}, start);
}

static bool rules_hold(const struct webauthn *assertion)
{
    struct hash rp_hash;
    struct bytes data = assertion->authenticator_data;
    struct bytes json = assertion->client_data_json;
    bool listed = false;
    sha256(&rp_hash, bytes_text("example.org"));
    if (data.len < 37 || !begins(data, hash_bytes(&rp_hash)) || (data.at[32] & 0x45) != 0x05 ||
        (data.len > 37) != ((data.at[32] & 0x80) != 0)) {
        return false;
    }
    for (size_t i = 0; i < ORIGINS; i++) {
        size_t len = strlen(starts[i]);
        listed = listed || (begins(json, bytes_text(starts[i])) &&
                            (json.at[len] == '}' || json.at[len] == ','));
    }
    return listed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data, size};
    struct webauthn assertion = {.client_data_json = take_block(&rest)};
    uint8_t der[ECDSA_DER_MAX];
    assertion.authenticator_data = rest;
    sign(der, &assertion);
    struct bytes origins[ORIGINS] = {bytes_text(origin_texts[0]), bytes_text(origin_texts[1])};
    struct relying_party party = {bytes_text("example.org"), origins, ORIGINS};
    struct why why = {0};
    struct bytes challenge = bytes_text("message");
    enum err err = webauthn_check(signer_pubkey(signer), &party, challenge, &assertion, &why);
    BUG_ON((err == OK) != rules_hold(&assertion));
    BUG_ON(err != OK && (err != ERR_SIGNATURE || why.field[0] == '\0'));
    if (err == OK) {
        der[assertion.signature_der.len - 1] ^= 1;
        BUG_ON(webauthn_check(signer_pubkey(signer), &party, challenge, &assertion, NULL) == OK);
    }
    return 0;
}
