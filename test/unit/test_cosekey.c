/* Public keys as COSE_Key. */
#include "check.h"

#include "proof/cosekey.h"

/* The public key of RFC 8032 section 7.1, TEST 1, as RFC 8410 wraps it. */
#define ED25519_X "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
/* The first key of RFC 9052 appendix C.7.1, as RFC 5480 wraps it. */
#define P256_X "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
#define P256_Y "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"

static void check_key(enum alg alg, const char *spki, const char *want)
{
    struct buf bytes = {0};
    struct buf out = {0};
    struct hash kid = {{0xaa}};
    struct pubkey *key;
    buf_put(&bytes, hex(spki));
    CHECK_OK(pubkey_parse(&key, buf_bytes(&bytes)));
    struct key_record record = {.spki = pubkey_spki(key), .alg = alg, .purpose = PURPOSE_RECEIPT};
    cose_key_write(&out, &kid, &record);
    struct bytes read = buf_bytes(&out);
    CHECK_BYTES(read, hex(want));
    struct cbor_reader reader;
    cbor_init(&reader, read);
    cbor_item(&reader);
    CHECK_OK(cbor_end(&reader));
    pubkey_free(key);
    buf_clear(&bytes);
    buf_clear(&out);
}

#define KID "025820aa00000000000000000000000000000000000000000000000000000000000000"

static void an_ed25519_key_is_an_octet_key_pair(void **state)
{
    (void)state;
    check_key(ALG_ED25519, "302a300506032b6570032100" ED25519_X,
              "a50101" KID "03272006215820" ED25519_X);
}

static void a_p256_key_has_both_coordinates(void **state)
{
    (void)state;
    check_key(ALG_ES256, "3059301306072a8648ce3d020106082a8648ce3d03010703420004" P256_X P256_Y,
              "a60102" KID "03262001215820" P256_X "225820" P256_Y);
}

/* The key of the recommended curve's example in GB/T 32918.5, annex A. */
#define SM2_X "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
#define SM2_Y "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"

static void an_sm2_key_has_a_curve_number_of_ours(void **state)
{
    (void)state;
    check_key(ALG_SM2, "3059301306072a8648ce3d020106082a811ccf5501822d03420004" SM2_X SM2_Y,
              "a60102" KID "033a00010000203a00010000215820" SM2_X "225820" SM2_Y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ed25519_key_is_an_octet_key_pair),
        cmocka_unit_test(a_p256_key_has_both_coordinates),
        cmocka_unit_test(an_sm2_key_has_a_curve_number_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
