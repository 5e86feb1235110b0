/* What the libraries in use must answer before the program trusts them. */
#include "crypto/digest.h"
#include "crypto/edges.h"
#include "crypto/key.h"
#include "crypto/pubkey.h"
#include "crypto/signer.h"

#include <sodium.h>
#include <string.h>

#define VECTOR_MAX 128

/* Bytes of a hex literal in the caller's memory. */
static struct bytes unhex(uint8_t out[VECTOR_MAX], const char *text)
{
    size_t len = 0;
    BUG_ON(sodium_hex2bin(out, VECTOR_MAX, text, strlen(text), NULL, &len, NULL) != 0);
    return (struct bytes){out, len};
}

static bool is_hex(const struct hash *hash, const char *text)
{
    uint8_t want[VECTOR_MAX];
    return bytes_equal(hash_bytes(hash), unhex(want, text));
}

static void digests_test(void)
{
    struct hash got;
    sha256(&got, bytes_text("abc")); /* FIPS 180-4, example */
    BUG_ON(!is_hex(&got, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    sm3(&got, bytes_text("abc")); /* GB/T 32905-2016, A.1 */
    BUG_ON(!is_hex(&got, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"));
    /* RFC 4231, test case 2 */
    hmac_sha256(&got, bytes_text("Jefe"), bytes_text("what do ya want for nothing?"));
    BUG_ON(!is_hex(&got, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

static void ed25519_test(void)
{
    for (size_t i = 0; i < sizeof ed25519_edges / sizeof *ed25519_edges; i++) {
        const struct ed25519_edge *edge = &ed25519_edges[i];
        uint8_t key[VECTOR_MAX];
        uint8_t signature[VECTOR_MAX];
        unhex(key, edge->key);
        enum err got =
            ed25519_verify(key, bytes_text(edge->message), unhex(signature, edge->signature));
        BUG_ON((got == OK) != edge->good);
    }
}

struct known_signature {
    const char *spki;
    const char *message;
    const char *signature;
    enum err strict;
    enum err any_s;
};

#define P256_SPKI "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
#define SM2_SPKI  "3059301306072a8648ce3d020106082a811ccf5501822d03420004"
#define RFC6979_KEY                                                    \
    P256_SPKI                                                          \
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" \
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"

static const struct known_signature known_signatures[] = {
    /* RFC 8032, 7.1, test 2 (its message is the byte 0x72, "r") */
    {"302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "r",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
     OK, OK},
    /* RFC 6979, A.2.5, "test" with SHA-256: a low s */
    {RFC6979_KEY, "test",
     "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
     "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
     OK, OK},
    /* The same, "sample": a high s */
    {RFC6979_KEY, "sample",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
     ERR_SIGNATURE, OK},
    /* GB/T 32918.5-2017, A.2 */
    {SM2_SPKI "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
              "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
     "message digest",
     "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
     "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
     OK, OK},
};

static void signatures_test(void)
{
    for (size_t i = 0; i < sizeof known_signatures / sizeof *known_signatures; i++) {
        const struct known_signature *known = &known_signatures[i];
        uint8_t spki[VECTOR_MAX];
        uint8_t raw[VECTOR_MAX];
        struct bytes message = bytes_text(known->message);
        struct bytes signature = unhex(raw, known->signature);
        struct pubkey *key;
        BUG_ON(pubkey_parse(&key, unhex(spki, known->spki)) != OK);
        BUG_ON(pubkey_verify(key, message, signature) != known->strict);
        BUG_ON(pubkey_verify_any_s(key, message, signature) != known->any_s);
        raw[0] ^= 1;
        BUG_ON(pubkey_verify_any_s(key, message, signature) == OK);
        pubkey_free(key);
    }
}

void crypto_self_test(void)
{
    BUG_ON(sodium_init() < 0);
    digests_test();
    ed25519_test();
    signatures_test();
}
