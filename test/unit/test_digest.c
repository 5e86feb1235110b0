#include "check.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "crypto/signer.h"

#include <pthread.h>

#define CHECK_HASH(call, text)                        \
    do {                                              \
        struct hash check_hash;                       \
        call;                                         \
        CHECK_BYTES(BYTES_OF(check_hash), hex(text)); \
    } while (0)

/* FIPS 180-4 examples (NIST CSRC, SHA256.pdf). */
static void sha256_gives_the_published_digests(void **state)
{
    (void)state;
    CHECK_HASH(sha256(&check_hash, BYTES_NONE),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_HASH(sha256(&check_hash, bytes_text("abc")),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_HASH(sha256(&check_hash, bytes_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomn"
                                              "opnopq")),
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* GB/T 32905-2016, annex A. */
static void sm3_gives_the_published_digests(void **state)
{
    (void)state;
    CHECK_HASH(sm3(&check_hash, bytes_text("abc")),
               "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    CHECK_HASH(sm3(&check_hash, bytes_text("abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
                                           "abcdabcdabcd")),
               "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
    CHECK_HASH(sm3(&check_hash, BYTES_NONE),
               "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b");
}

/* RFC 4231, 4.2 to 4.8 (without the truncated one). */
static void hmac_gives_the_published_codes(void **state)
{
    (void)state;
    uint8_t key[131];
    uint8_t data[50];
    memset(key, 0x0b, 20);
    CHECK_HASH(hmac_sha256(&check_hash, (struct bytes){key, 20}, bytes_text("Hi There")),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK_HASH(
        hmac_sha256(&check_hash, bytes_text("Jefe"), bytes_text("what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    CHECK_HASH(hmac_sha256(&check_hash, (struct bytes){key, 20}, BYTES_OF(data)),
               "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    CHECK_HASH(hmac_sha256(&check_hash, BYTES_OF(key),
                           bytes_text("Test Using Larger Than Block-Size Key - Hash Key First")),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK_HASH(hmac_sha256(&check_hash, BYTES_NONE, BYTES_NONE),
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void parts_digest_as_their_concatenation(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    struct hash whole;
    struct hash whole_sm3;
    sha256(&whole, BYTES_OF(data));
    sm3(&whole_sm3, BYTES_OF(data));
    struct sm3_state *running = sm3_new();
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        struct bytes parts[3] = {{data, cut}, BYTES_NONE, {data + cut, sizeof data - cut}};
        struct hash got;
        sha256_parts(&got, parts, 3);
        CHECK(hash_equal(&got, &whole));
        sm3_update(running, parts[0]);
        sm3_update(running, parts[2]);
        sm3_final(running, &got);
        CHECK(hash_equal(&got, &whole_sm3));
    }
    sm3_free(running);
    sm3_free(NULL);
}

static void a_running_sha256_can_be_copied(void **state)
{
    (void)state;
    struct sha256_state first;
    sha256_init(&first);
    sha256_update(&first, bytes_text("a"));
    struct sha256_state second = first;
    sha256_update(&first, bytes_text("bc"));
    struct hash got;
    sha256_final(&first, &got);
    memset(&first, 0xff, sizeof first);
    CHECK_BYTES(BYTES_OF(got),
                hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    sha256_update(&second, bytes_text("bc"));
    struct hash again;
    sha256_final(&second, &again);
    CHECK(hash_equal(&got, &again));
}

static void *sm3_in_a_thread(void *out)
{
    for (int i = 0; i < 1000; i++) {
        sm3(out, bytes_text("abc"));
    }
    return NULL;
}

static void threads_take_sm3_without_sharing(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct hash got[4];
    for (size_t i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, sm3_in_a_thread, &got[i]) == 0);
    }
    for (size_t i = 0; i < 4; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK_BYTES(BYTES_OF(got[i]),
                    hex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"));
    }
}

static void random_bytes_fill_exactly_what_was_asked(void **state)
{
    (void)state;
    uint8_t out[2][1026] = {{0}};
    random_bytes(out[0] + 1, 1024);
    random_bytes(out[1] + 1, 1024);
    random_bytes(out[1], 0);
    CHECK(memcmp(out[0] + 1, out[1] + 1, 1024) != 0);
    for (size_t i = 0; i < 2; i++) {
        CHECK_UINT(out[i][0], 0);
        CHECK_UINT(out[i][1025], 0);
    }
    wipe(out, sizeof out);
    CHECK_UINT(out[0][500] | out[1][500], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(sm3_gives_the_published_digests),
        cmocka_unit_test(hmac_gives_the_published_codes),
        cmocka_unit_test(parts_digest_as_their_concatenation),
        cmocka_unit_test(a_running_sha256_can_be_copied),
        cmocka_unit_test(threads_take_sm3_without_sharing),
        cmocka_unit_test(random_bytes_fill_exactly_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
