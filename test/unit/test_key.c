#include "check.h"
#include "crypto/ecdsa.h"
#include "crypto/edges.h"
#include "crypto/key.h"
#include "crypto/pubkey.h"
#include "vectors.h"

#include <pthread.h>

#define P256_SPKI "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
#define SM2_SPKI  "3059301306072a8648ce3d020106082a811ccf5501822d03420004"
#define P256_KEY                                                                 \
    P256_SPKI "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" \
              "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define SM2_KEY                                                                 \
    SM2_SPKI "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020" \
             "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
#define ED25519_KEY            \
    "302a300506032b6570032100" \
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define P256_HALF  "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8"
#define ONE        "0000000000000000000000000000000000000000000000000000000000000001"
#define ZERO       "0000000000000000000000000000000000000000000000000000000000000000"

static struct pubkey *key_of(struct bytes spki)
{
    struct pubkey *key;
    CHECK_OK(pubkey_parse(&key, spki));
    return key;
}

static void the_self_test_passes(void **state)
{
    (void)state;
    crypto_self_test();
}

static void keys_of_three_kinds_come_back_as_they_were(void **state)
{
    (void)state;
    static const char *const spkis[] = {ED25519_KEY, P256_KEY, SM2_KEY};
    static const enum key_kind kinds[] = {KEY_ED25519, KEY_P256, KEY_SM2};
    for (size_t i = 0; i < 3; i++) {
        struct bytes spki = hex(spkis[i]);
        struct pubkey *key = key_of(spki);
        CHECK_BYTES(pubkey_spki(key), spki);
        CHECK(pubkey_kind(key) == kinds[i]);
        CHECK(pubkey_fits(key, ALG_ED25519) == (kinds[i] == KEY_ED25519));
        CHECK(pubkey_fits(key, ALG_ES256) == (kinds[i] == KEY_P256));
        CHECK(pubkey_fits(key, ALG_WEBAUTHN) == (kinds[i] == KEY_P256));
        CHECK(pubkey_fits(key, ALG_SM2) == (kinds[i] == KEY_SM2));
        pubkey_free(key);
    }
    pubkey_free(NULL);
}

static void a_key_is_refused_cut_or_longer_or_changed_in_its_frame(void **state)
{
    (void)state;
    static const char *const spkis[] = {ED25519_KEY, P256_KEY, SM2_KEY};
    for (size_t i = 0; i < 3; i++) {
        uint8_t spki[SPKI_MAX + 1] = {0};
        struct bytes whole = hex(spkis[i]);
        memcpy(spki, whole.at, whole.len);
        struct pubkey *key;
        for (size_t len = 0; len < whole.len; len++) {
            CHECK_ERR(pubkey_parse(&key, (struct bytes){spki, len}), ERR_KEY);
            CHECK(key == NULL);
        }
        CHECK_ERR(pubkey_parse(&key, (struct bytes){spki, whole.len + 1}), ERR_KEY);
        size_t frame = whole.len - (i == 0 ? 32 : 64);
        for (size_t at = 0; at < frame * 8; at++) {
            spki[at / 8] ^= (uint8_t)(1 << at % 8);
            CHECK_ERR(pubkey_parse(&key, (struct bytes){spki, whole.len}), ERR_KEY);
            spki[at / 8] ^= (uint8_t)(1 << at % 8);
        }
    }
}

static void a_point_off_the_curve_or_beyond_the_field_is_no_key(void **state)
{
    (void)state;
    static const char *const bad[] = {
        /* Of the curve of the other kind. */
        P256_SPKI "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
                  "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
        SM2_SPKI "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                 "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        P256_SPKI ZERO ZERO,
        SM2_SPKI ZERO ZERO,
        /* x = 5 + p, where 5 is on the curve: a coordinate that is not reduced. */
        P256_SPKI "ffffffff00000001000000000000000000000001000000000000000000000004"
                  "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc",
        /* y = 2 and others have no x. */
        "302a300506032b65700321000200000000000000000000000000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pubkey *key;
        CHECK_ERR(pubkey_parse(&key, hex(bad[i])), ERR_KEY);
        CHECK(key == NULL);
    }
    struct pubkey *five =
        key_of(hex(P256_SPKI "0000000000000000000000000000000000000000000000000000000000000005"
                             "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc"));
    pubkey_free(five);
}

/* y of these is on the curve, so that y + p is a second encoding of a point of large order. */
static void an_ed25519_key_is_written_in_one_way_only(void **state)
{
    (void)state;
    static const uint8_t on_curve[] = {3, 4, 5, 6, 9, 10, 14, 15, 16, 18};
    uint8_t spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21};
    for (size_t i = 0; i < 2 * sizeof on_curve; i++) {
        uint8_t sign = (uint8_t)(i % 2 * 0x80);
        struct pubkey *key;
        memset(spki + 12, 0, 32);
        spki[12] = on_curve[i / 2];
        spki[43] = sign;
        CHECK_OK(pubkey_parse(&key, BYTES_OF(spki)));
        pubkey_free(key);
        memset(spki + 12, 0xff, 32);
        spki[12] = (uint8_t)(0xed + on_curve[i / 2]);
        spki[43] = sign | 0x7f;
        CHECK_ERR(pubkey_parse(&key, BYTES_OF(spki)), ERR_KEY);
    }
}

static bool edge_key_is_bad(const struct ed25519_edge *edge)
{
    return strncmp(edge->rule, "A ", 2) == 0 && !edge->good;
}

static void each_ed25519_edge_is_judged_by_its_rule(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t i = 0; i < sizeof ed25519_edges / sizeof *ed25519_edges; i++) {
        const struct ed25519_edge *edge = &ed25519_edges[i];
        enum err want = edge->good ? OK : ERR_SIGNATURE;
        struct bytes message = bytes_text(edge->message);
        uint8_t spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21};
        memcpy(spki + 12, hex(edge->key).at, 32);
        enum err got = ed25519_verify(spki + 12, message, hex(edge->signature));
        if (got != want) {
            fail_msg("%s: %s", edge->rule, err_name(got));
        }
        struct pubkey *key;
        CHECK_ERR(pubkey_parse(&key, BYTES_OF(spki)), edge_key_is_bad(edge) ? ERR_KEY : OK);
        if (key) {
            CHECK_ERR(pubkey_verify(key, message, hex(edge->signature)), want);
        }
        pubkey_free(key);
        refused += !edge->good;
    }
    CHECK_UINT(refused, 27);
}

static void algorithms_have_numbers_and_names(void **state)
{
    (void)state;
    static const struct {
        int64_t number;
        enum alg alg;
        const char *name;
    } known[] = {{-8, ALG_ED25519, "ed25519"},
                 {-7, ALG_ES256, "es256"},
                 {-65537, ALG_SM2, "sm2"},
                 {-65538, ALG_WEBAUTHN, "webauthn"}};
    enum alg alg;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        CHECK_OK(alg_parse(&alg, known[i].number));
        CHECK(alg == known[i].alg);
        CHECK_OK(alg_of_header(&alg, known[i].number));
        CHECK(alg == known[i].alg);
        CHECK(strcmp(alg_name(alg), known[i].name) == 0);
    }
    CHECK_OK(alg_of_header(&alg, -19));
    CHECK(alg == ALG_ED25519);
    CHECK_OK(alg_of_header(&alg, -9));
    CHECK(alg == ALG_ES256);
    static const int64_t unknown[] = {-19, -9, 0, 7, -35, -65536, -65539, -4294967304, INT64_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_ERR(alg_parse(&alg, unknown[i]), ERR_UNSUPPORTED);
    }
    CHECK_ERR(alg_of_header(&alg, -35), ERR_UNSUPPORTED);
}

static void wycheproof_agrees_on_ed25519(void **state)
{
    (void)state;
    size_t count = 0;
    struct vector vector = vector_open("wycheproof_ed25519.txt");
    while (vector_next(&vector)) {
        struct pubkey *key = key_of(vector_bytes(&vector, 2));
        bool good = strcmp(vector.fields[1], "valid") == 0;
        CHECK_ERR(pubkey_verify(key, vector_bytes(&vector, 3), vector_bytes(&vector, 4)),
                  good ? OK : ERR_SIGNATURE);
        pubkey_free(key);
        count++;
    }
    CHECK_UINT(count, 151);
}

/* Judges one r || s vector; returns whether only our low-s rule refuses it. */
static bool raw_agrees(struct bytes spki, struct bytes message, struct bytes signature, bool good)
{
    struct pubkey *key = key_of(spki);
    CHECK_ERR(pubkey_verify_any_s(key, message, signature), good ? OK : ERR_SIGNATURE);
    enum err strict = pubkey_verify(key, message, signature);
    bool high = good && !p256_low_s(signature.at);
    CHECK(strict == (good && !high ? OK : ERR_SIGNATURE));
    if (high) {
        uint8_t lower[64];
        memcpy(lower, signature.at, sizeof lower);
        CHECK_OK(es256_normalise(lower));
        CHECK_OK(pubkey_verify(key, message, BYTES_OF(lower)));
    }
    pubkey_free(key);
    return high;
}

static void wycheproof_agrees_on_p256_but_for_high_s(void **state)
{
    (void)state;
    size_t count = 0;
    size_t high = 0;
    struct vector vector = vector_open("wycheproof_p256_raw.txt");
    while (vector_next(&vector)) {
        bool good = strcmp(vector.fields[1], "valid") == 0;
        high += raw_agrees(vector_bytes(&vector, 2), vector_bytes(&vector, 3),
                           vector_bytes(&vector, 4), good);
        count++;
    }
    print_message("raw P-256: %zu vectors, %zu valid ones refused for high s\n", count, high);
    CHECK_UINT(count, 262);
    CHECK_UINT(high, 70);
}

static void wycheproof_agrees_on_p256_der_but_for_high_s(void **state)
{
    (void)state;
    size_t count = 0;
    size_t high = 0;
    size_t not_der = 0;
    struct vector vector = vector_open("wycheproof_p256_der.txt");
    while (vector_next(&vector)) {
        bool good = strcmp(vector.fields[1], "valid") == 0;
        uint8_t rs64[64];
        count++;
        if (ecdsa_der_read(rs64, vector_bytes(&vector, 4)) != OK) {
            CHECK(!good);
            not_der++;
            continue;
        }
        high +=
            raw_agrees(vector_bytes(&vector, 2), vector_bytes(&vector, 3), BYTES_OF(rs64), good);
    }
    print_message("DER P-256: %zu vectors, %zu no DER, %zu valid ones refused for high s\n", count,
                  not_der, high);
    CHECK_UINT(count, 484);
    CHECK_UINT(high, 71);
    CHECK_UINT(not_der, 235);
}

static void an_independent_implementation_signs_what_is_accepted(void **state)
{
    (void)state;
    size_t count = 0;
    struct vector vector = vector_open("cairn_signatures.txt");
    while (vector_next(&vector)) {
        struct pubkey *key = key_of(vector_bytes(&vector, 1));
        CHECK_BYTES(hash_bytes(pubkey_kid(key)), vector_bytes(&vector, 2));
        enum alg alg;
        CHECK_OK(alg_of_header(&alg, atoll(vector.fields[0])));
        CHECK(pubkey_fits(key, alg));
        struct bytes message = vector_bytes(&vector, 5);
        struct bytes signature = vector_bytes(&vector, 6);
        if (alg != ALG_WEBAUTHN) {
            CHECK_OK(pubkey_verify(key, message, signature));
            for (size_t i = 0; i < signature.len; i++) {
                vector.bytes[6].at[i] ^= 0x10;
                CHECK_ERR(pubkey_verify(key, message, signature), ERR_SIGNATURE);
                vector.bytes[6].at[i] ^= 0x10;
            }
            vector.bytes[5].at[0] ^= 1;
            CHECK_ERR(pubkey_verify(key, message, signature), ERR_SIGNATURE);
            count++;
        }
        pubkey_free(key);
    }
    CHECK_UINT(count, 5);
}

static void a_signature_of_another_length_is_refused(void **state)
{
    (void)state;
    struct vector vector = vector_open("cairn_signatures.txt");
    while (vector_next(&vector)) {
        uint8_t signature[66] = {0};
        struct bytes message = vector_bytes(&vector, 5);
        struct pubkey *key;
        CHECK_OK(pubkey_parse(&key, vector_bytes(&vector, 1)));
        memcpy(signature, vector_bytes(&vector, 6).at, 64);
        for (size_t len = 0; len <= sizeof signature; len++) {
            struct bytes cut = {signature, len};
            bool whole = len == 64 && strcmp(vector.fields[0], "-65538") != 0;
            CHECK_ERR(pubkey_verify(key, message, cut), whole ? OK : ERR_SIGNATURE);
            CHECK_ERR(pubkey_verify_any_s(key, message, cut), whole ? OK : ERR_SIGNATURE);
            if (pubkey_kind(key) == KEY_ED25519) {
                const uint8_t *key32 = pubkey_spki(key).at + 12;
                CHECK_ERR(ed25519_verify(key32, message, cut), whole ? OK : ERR_SIGNATURE);
            }
        }
        pubkey_free(key);
    }
}

static void normalising_gives_low_s_and_refuses_what_is_out_of_range(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *out; /* NULL: out of range */
    } cases[] = {
        {ONE ONE, ONE ONE},
        {ONE P256_HALF, ONE P256_HALF},
        {ONE "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9", ONE P256_HALF},
        {ONE "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", ONE ONE},
        {ONE ZERO, NULL},
        {ZERO ONE, NULL},
        {ONE P256_ORDER, NULL},
        {P256_ORDER ONE, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t rs64[64];
        memcpy(rs64, hex(cases[i].in).at, sizeof rs64);
        uint8_t der[ECDSA_DER_MAX];
        struct bytes as_der = {der, ecdsa_der_write(der, rs64)};
        struct buf got = {0};
        CHECK_ERR(ecdsa_der_normalise(&got, as_der), cases[i].out ? OK : ERR_SIGNATURE);
        CHECK_ERR(es256_normalise(rs64), cases[i].out ? OK : ERR_SIGNATURE);
        CHECK_BYTES(BYTES_OF(rs64), hex(cases[i].out ? cases[i].out : cases[i].in));
        if (cases[i].out) {
            uint8_t back[64];
            CHECK_OK(ecdsa_der_read(back, buf_bytes(&got)));
            CHECK_BYTES(BYTES_OF(back), BYTES_OF(rs64));
        }
        buf_clear(&got);
    }
}

static void der_signatures_are_read_in_one_form_only(void **state)
{
    (void)state;
    uint8_t rs64[64];
    uint8_t der[ECDSA_DER_MAX + 1] = {0};
    for (size_t r_len = 0; r_len <= 32; r_len++) {
        memset(rs64, 0, sizeof rs64);
        memset(rs64 + 32 - r_len, 0x80, r_len);
        memset(rs64 + 32 + r_len, 0x7f, 32 - r_len);
        size_t len = ecdsa_der_write(der, rs64);
        uint8_t back[64];
        CHECK_OK(ecdsa_der_read(back, (struct bytes){der, len}));
        CHECK_BYTES(BYTES_OF(back), BYTES_OF(rs64));
        for (size_t cut = 0; cut < len; cut++) {
            CHECK_ERR(ecdsa_der_read(back, (struct bytes){der, cut}), ERR_SIGNATURE);
        }
        CHECK_ERR(ecdsa_der_read(back, (struct bytes){der, len + 1}), ERR_SIGNATURE);
    }
    static const char *const bad[] = {
        "3007020200010201"
        "01",                 /* r with a needless zero */
        "3006020181020101",   /* r negative */
        "300602010102010100", /* a byte after */
        "3007020101020101"
        "00", /* a byte after, within */
        "30810602010102"
        "0101", /* the length in its long form */
        "3080020101020101"
        "0000", /* indefinite length */
        "3005020002010"
        "1",                /* r of no bytes */
        "3106020101020101", /* a SET */
        "3006030101020101", /* a BIT STRING */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERR(ecdsa_der_read(rs64, hex(bad[i])), ERR_SIGNATURE);
        struct buf out = {0};
        CHECK_ERR(ecdsa_der_normalise(&out, hex(bad[i])), ERR_SIGNATURE);
        CHECK_UINT(out.len, 0);
    }
}

struct shared_work {
    const struct pubkey *key;
    struct bytes message;
    struct bytes signature;
    size_t wrong;
};

static void *verify_many(void *argument)
{
    struct shared_work *work = argument;
    uint8_t bad[64];
    memcpy(bad, work->signature.at, sizeof bad);
    bad[40] ^= 1;
    for (int i = 0; i < 200; i++) {
        work->wrong += pubkey_verify(work->key, work->message, work->signature) != OK;
        work->wrong += pubkey_verify(work->key, work->message, BYTES_OF(bad)) == OK;
    }
    return NULL;
}

static void many_threads_verify_with_one_key(void **state)
{
    (void)state;
    struct vector vector = vector_open("cairn_signatures.txt");
    while (vector_next(&vector)) {
        if (strcmp(vector.fields[0], "-65538") == 0) {
            continue;
        }
        struct pubkey *key = key_of(vector_bytes(&vector, 1));
        struct shared_work work[8];
        pthread_t threads[8];
        for (size_t i = 0; i < 8; i++) {
            work[i] =
                (struct shared_work){key, vector_bytes(&vector, 5), vector_bytes(&vector, 6), 0};
        }
        for (size_t i = 0; i < 8; i++) {
            CHECK(pthread_create(&threads[i], NULL, verify_many, &work[i]) == 0);
        }
        for (size_t i = 0; i < 8; i++) {
            CHECK(pthread_join(threads[i], NULL) == 0);
            CHECK_UINT(work[i].wrong, 0);
        }
        pubkey_free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_self_test_passes),
        cmocka_unit_test(keys_of_three_kinds_come_back_as_they_were),
        cmocka_unit_test(a_key_is_refused_cut_or_longer_or_changed_in_its_frame),
        cmocka_unit_test(a_point_off_the_curve_or_beyond_the_field_is_no_key),
        cmocka_unit_test(an_ed25519_key_is_written_in_one_way_only),
        cmocka_unit_test(each_ed25519_edge_is_judged_by_its_rule),
        cmocka_unit_test(algorithms_have_numbers_and_names),
        cmocka_unit_test(wycheproof_agrees_on_ed25519),
        cmocka_unit_test(wycheproof_agrees_on_p256_but_for_high_s),
        cmocka_unit_test(wycheproof_agrees_on_p256_der_but_for_high_s),
        cmocka_unit_test(an_independent_implementation_signs_what_is_accepted),
        cmocka_unit_test(a_signature_of_another_length_is_refused),
        cmocka_unit_test(normalising_gives_low_s_and_refuses_what_is_out_of_range),
        cmocka_unit_test(der_signatures_are_read_in_one_form_only),
        cmocka_unit_test(many_threads_verify_with_one_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
