/* Keys and signatures as others send them: public keys and DER have one encoding, normalising is
 * done once, a private key that is taken signs for its public key, and no signature is made up. The
 * first byte says which of them. */
#include "crypto/ecdsa.h"
#include "crypto/signer.h"
#include "fuzz.h"

static const struct bytes message = {(const uint8_t *)"message", 7};

static enum err spki_parse(struct bytes in)
{
    struct pubkey *key;
    enum err err = pubkey_parse(&key, in);
    BUG_ON((err == OK) != (key != NULL));
    pubkey_free(key);
    return err;
}

/* The key is the front of the input, the rest a signature, which can't be right. */
static void check_spki(struct bytes input)
{
    struct bytes rest = input;
    struct bytes spki = take_block(&rest);
    struct pubkey *key;
    if (pubkey_parse(&key, spki) == OK) {
        BUG_ON(!bytes_equal(pubkey_spki(key), spki));
        check_whole_only(spki_parse, spki);
        enum err err = pubkey_verify(key, message, rest);
        BUG_ON(err == OK && pubkey_verify_any_s(key, message, rest) != OK);
        BUG_ON(err == OK && rest.len != 64);
    }
    pubkey_free(key);
}

static enum err der_read(struct bytes in)
{
    uint8_t rs64[64];
    return ecdsa_der_read(rs64, in);
}

static void check_der(struct bytes input)
{
    uint8_t rs64[64], der[ECDSA_DER_MAX];
    struct buf low = {0}, again = {0};
    enum err err = ecdsa_der_normalise(&low, input);
    BUG_ON(err != OK && low.len != 0);
    if (ecdsa_der_read(rs64, input) == OK) {
        size_t len = ecdsa_der_write(der, rs64);
        BUG_ON(!bytes_equal((struct bytes){der, len}, input));
        check_whole_only(der_read, input);
        BUG_ON(es256_normalise(rs64) != err);
    }
    if (err == OK) {
        BUG_ON(ecdsa_der_read(rs64, buf_bytes(&low)) != OK || !p256_low_s(rs64));
        BUG_ON(ecdsa_der_normalise(&again, buf_bytes(&low)) != OK);
        BUG_ON(!bytes_equal(buf_bytes(&low), buf_bytes(&again)));
    }
    buf_clear(&low);
    buf_clear(&again);
}

static void check_pem(struct bytes input)
{
    struct signer *signer;
    uint8_t signature[64];
    enum err err = signer_parse(&signer, input, "secret");
    BUG_ON((err == OK) != (signer != NULL));
    if (err == OK) {
        BUG_ON(signer_sign(signer, signature, message) != OK);
        BUG_ON(pubkey_verify(signer_pubkey(signer), message, BYTES_OF(signature)) != OK);
        BUG_ON(!pubkey_fits(signer_pubkey(signer), signer_alg(signer)));
        signer_free(signer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    switch (take_byte(&input) % 3) {
    case 0:
        check_spki(input);
        break;
    case 1:
        check_der(input);
        break;
    default:
        check_pem(input);
    }
    return 0;
}
