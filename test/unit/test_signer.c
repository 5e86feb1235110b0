#include "base/file.h"
#include "check.h"
#include "crypto/ecdsa.h"
#include "crypto/signer.h"

#include <pthread.h>
#include <unistd.h>

static const enum alg algs[] = {ALG_ED25519, ALG_ES256, ALG_SM2};
static const char *const spki_heads[] = {"302a300506032b6570032100",
                                         "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
                                         "3059301306072a8648ce3d020106082a811ccf5501822d03420004"};

static void signs_and_verifies(const struct signer *signer)
{
    uint8_t signature[64];
    for (int i = 0; i < 40; i++) { /* half of the ES256 ones come with a high s */
        uint8_t message[3] = {1, 2, (uint8_t)i};
        CHECK_OK(signer_sign(signer, signature, BYTES_OF(message)));
        CHECK_OK(pubkey_verify(signer_pubkey(signer), BYTES_OF(message), BYTES_OF(signature)));
        message[0] ^= 1;
        CHECK_ERR(pubkey_verify(signer_pubkey(signer), BYTES_OF(message), BYTES_OF(signature)),
                  ERR_SIGNATURE);
    }
    CHECK_OK(signer_sign(signer, signature, BYTES_NONE));
    CHECK_OK(pubkey_verify(signer_pubkey(signer), BYTES_NONE, BYTES_OF(signature)));
}

static void a_new_key_signs_after_it_is_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf pem = {0};
        struct signer *signer;
        CHECK_OK(key_generate(&pem, algs[i], NULL));
        CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
        CHECK(signer_alg(signer) == algs[i]);
        struct bytes head = hex(spki_heads[i]);
        struct bytes spki = pubkey_spki(signer_pubkey(signer));
        CHECK_BYTES(((struct bytes){spki.at, head.len}), head);
        signs_and_verifies(signer);
        signer_free(signer);
        wipe(pem.at, pem.len);
        buf_clear(&pem);
    }
    signer_free(NULL);
}

static void webauthn_keys_are_not_made_here(void **state)
{
    (void)state;
    struct buf pem = {0};
    CHECK_ERR(key_generate(&pem, ALG_WEBAUTHN, NULL), ERR_UNSUPPORTED);
    CHECK_UINT(pem.len, 0);
}

struct asked {
    int times;
    const char *answer;
};

static bool answer(void *context, const char *path, char *out, size_t cap)
{
    struct asked *asked = context;
    CHECK(strstr(path, "key") != NULL);
    asked->times++;
    if (asked->answer) {
        snprintf(out, cap, "%s", asked->answer);
    }
    return asked->answer != NULL;
}

static void an_encrypted_key_opens_only_under_its_passphrase(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf pem = {0};
        struct signer *signer;
        CHECK_OK(key_generate(&pem, algs[i], "correct horse"));
        CHECK(strncmp((char *)pem.at, "-----BEGIN ENCRYPTED PRIVATE KEY-----", 37) == 0);
        CHECK_ERR(signer_parse(&signer, buf_bytes(&pem), NULL), ERR_PASSPHRASE);
        CHECK(signer == NULL);
        CHECK_ERR(signer_parse(&signer, buf_bytes(&pem), "wrong horse"), ERR_PASSPHRASE);
        CHECK_OK(signer_parse(&signer, buf_bytes(&pem), "correct horse"));
        CHECK(signer_alg(signer) == algs[i]);
        signs_and_verifies(signer);
        signer_free(signer);
        buf_clear(&pem);
    }
}

static void a_file_asks_for_its_passphrase_once_and_only_if_encrypted(void **state)
{
    (void)state;
    char dir[] = "/tmp/cairn-test-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    char *path = path_join(dir, "my.key");
    struct why why = {0};
    struct signer *signer;
    struct asked asked = {0, NULL};
    CHECK_ERR(signer_open(&signer, path, answer, &asked, &why), ERR_NOT_FOUND);
    CHECK(strcmp(why.value, path) == 0);
    CHECK_ERR(signer_open(&signer, dir, answer, &asked, &why), ERR_IO);

    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, ALG_ES256, NULL));
    CHECK_OK(file_write(path, buf_bytes(&pem), 0600, NULL));
    CHECK_OK(signer_open(&signer, path, answer, &asked, &why));
    CHECK_UINT(asked.times, 0);
    signer_free(signer);

    pem.len = 0;
    CHECK_OK(key_generate(&pem, ALG_ES256, "yes"));
    CHECK_OK(file_write(path, buf_bytes(&pem), 0600, NULL));
    CHECK_ERR(signer_open(&signer, path, NULL, NULL, &why), ERR_PASSPHRASE);
    CHECK_ERR(signer_open(&signer, path, answer, &asked, &why), ERR_PASSPHRASE);
    CHECK_UINT(asked.times, 1);
    asked.answer = "no";
    CHECK_ERR(signer_open(&signer, path, answer, &asked, &why), ERR_PASSPHRASE);
    CHECK(strcmp(why.value, path) == 0 && strstr(why.problem, "passphrase"));
    asked.answer = "yes";
    CHECK_OK(signer_open(&signer, path, answer, &asked, NULL));
    CHECK_UINT(asked.times, 3);
    signer_free(signer);

    uint8_t *filler = mem_zalloc(20000);
    CHECK_OK(file_write(path, (struct bytes){filler, 20000}, 0600, NULL));
    CHECK_ERR(signer_open(&signer, path, answer, &asked, &why), ERR_KEY);
    CHECK(strcmp(why.value, path) == 0 && strstr(why.remedy, "PKCS#8"));
    CHECK_OK(file_write(path, bytes_text("no key"), 0600, NULL));
    CHECK_ERR(signer_open(&signer, path, answer, &asked, &why), ERR_KEY);
    CHECK_UINT(asked.times, 3);
    free(filler);
    buf_clear(&pem);
    unlink(path);
    CHECK(rmdir(dir) == 0);
    free(path);
}

/* A cut at each byte may leave a whole key only where nothing but the last newline is missing. */
static void a_cut_key_file_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf pem = {0};
        struct signer *signer;
        CHECK_OK(key_generate(&pem, algs[i], NULL));
        for (size_t len = 0; len + 1 < pem.len; len++) {
            CHECK_ERR(signer_parse(&signer, (struct bytes){pem.at, len}, NULL), ERR_KEY);
            CHECK(signer == NULL);
        }
        buf_clear(&pem);
    }
}

static void write_temporary(char path[32], struct bytes bytes)
{
    strcpy(path, "/tmp/cairn-test-XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len);
    close(fd);
}

/* Runs a command with its input from and its output to memory; returns its exit status. */
static int run(const char *command, struct bytes in, struct buf *out)
{
    char path[32];
    write_temporary(path, in);
    char line[512];
    snprintf(line, sizeof line, "(%s) < %s 2>/dev/null", command, path);
    FILE *pipe = popen(line, "r");
    CHECK(pipe != NULL);
    uint8_t block[4096];
    size_t got;
    while ((got = fread(block, 1, sizeof block, pipe)) > 0) {
        buf_put(out, (struct bytes){block, got});
    }
    int status = pclose(pipe);
    unlink(path);
    return status;
}

static void the_openssl_command_reads_our_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct buf pem = {0};
        struct buf spki = {0};
        struct signer *signer;
        const char *passphrase = i < 3 ? NULL : "correct horse";
        CHECK_OK(key_generate(&pem, algs[i % 3], passphrase));
        CHECK_OK(signer_parse(&signer, buf_bytes(&pem), passphrase));
        CHECK(run("openssl pkey -passin 'pass:correct horse' -pubout -outform DER", buf_bytes(&pem),
                  &spki) == 0);
        CHECK_BYTES(buf_bytes(&spki), pubkey_spki(signer_pubkey(signer)));
        signer_free(signer);
        buf_clear(&pem);
        buf_clear(&spki);
    }
}

static void keys_of_the_openssl_command_are_read_if_of_our_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        enum err want;
    } cases[] = {
        {"openssl genpkey -algorithm ed25519", OK},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", OK},
        {"openssl genpkey -algorithm SM2", OK},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2", OK},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", ERR_KEY},
        {"openssl genpkey -algorithm X25519", ERR_KEY},
        {"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024", ERR_KEY},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
         " -pkeyopt ec_param_enc:explicit",
         ERR_KEY},
        {"openssl ecparam -name prime256v1 -genkey -noout", ERR_KEY},
        {"openssl genpkey -algorithm ed25519 | openssl pkey -pubout", ERR_KEY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf pem = {0};
        struct signer *signer;
        CHECK(run(cases[i].command, BYTES_NONE, &pem) == 0);
        enum err got = signer_parse(&signer, buf_bytes(&pem), NULL);
        if (got != cases[i].want) {
            fail_msg("%s: %s", cases[i].command, err_name(got));
        }
        if (signer) {
            signs_and_verifies(signer);
        }
        signer_free(signer);
        buf_clear(&pem);
    }
}

static void a_key_under_another_label_or_with_headers_is_refused(void **state)
{
    (void)state;
    static const char body[] = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n";
    static const struct {
        const char *label;
        const char *headers;
        enum err want;
    } cases[] = {
        {"PRIVATE KEY", "", OK},
        {"EC PRIVATE KEY", "", ERR_KEY},
        {"CERTIFICATE", "", ERR_KEY},
        {"ENCRYPTED PRIVATE KEY", "", ERR_KEY},
        {"PRIVATE KEY", "Comment: mine\n\n", ERR_KEY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char pem[512];
        snprintf(pem, sizeof pem, "-----BEGIN %s-----\n%s%s-----END %s-----\n", cases[i].label,
                 cases[i].headers, body, cases[i].label);
        struct signer *signer;
        CHECK_ERR(signer_parse(&signer, bytes_text(pem), "a passphrase"), cases[i].want);
        signer_free(signer);
    }
}

static void a_byte_after_the_key_is_refused(void **state)
{
    (void)state;
    static const char *const labels[] = {"PRIVATE KEY", "ENCRYPTED PRIVATE KEY"};
    static const char *const passphrases[] = {NULL, "correct horse"};
    for (size_t i = 0; i < 2; i++) {
        struct buf pem = {0};
        struct buf body = {0};
        struct signer *signer;
        char longer[1024];
        CHECK_OK(key_generate(&pem, ALG_ES256, passphrases[i]));
        CHECK(run("(grep -v -e ----- | base64 -d; printf '\\0') | base64", buf_bytes(&pem),
                  &body) == 0);
        snprintf(longer, sizeof longer, "-----BEGIN %s-----\n%.*s-----END %s-----\n", labels[i],
                 (int)body.len, (const char *)body.at, labels[i]);
        CHECK_ERR(signer_parse(&signer, bytes_text(longer), passphrases[i]), ERR_KEY);
        buf_clear(&pem);
        buf_clear(&body);
    }
}

static void the_openssl_command_verifies_our_signatures(void **state)
{
    (void)state;
    static const char *const options[] = {"", "-digest sha256",
                                          "-digest sm3 -pkeyopt distid:1234567812345678"};
    for (size_t i = 0; i < 3; i++) {
        struct buf pem = {0};
        struct buf said = {0};
        struct signer *signer;
        uint8_t raw[64];
        uint8_t der[ECDSA_DER_MAX];
        char key[32];
        char signature[32];
        char message[32];
        char line[256];
        CHECK_OK(key_generate(&pem, algs[i], NULL));
        CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
        CHECK_OK(signer_sign(signer, raw, bytes_text("some message")));
        write_temporary(key, pubkey_spki(signer_pubkey(signer)));
        write_temporary(signature,
                        i == 0 ? BYTES_OF(raw) : (struct bytes){der, ecdsa_der_write(der, raw)});
        write_temporary(message, bytes_text("some message"));
        snprintf(line, sizeof line,
                 "openssl pkeyutl -verify -pubin -keyform DER -inkey %s -sigfile %s -rawin -in %s "
                 "%s",
                 key, signature, message, options[i]);
        CHECK_UINT(run(line, BYTES_NONE, &said), 0);
        CHECK(said.len > 0 && strncmp((char *)said.at, "Signature Verified", 18) == 0);
        unlink(key);
        unlink(signature);
        unlink(message);
        signer_free(signer);
        buf_clear(&pem);
        buf_clear(&said);
    }
}

/* RFC 8410, 10.3. */
static void the_example_of_rfc_8410_gives_its_public_key(void **state)
{
    (void)state;
    static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                              "-----END PRIVATE KEY-----\n";
    struct signer *signer;
    CHECK_OK(signer_parse(&signer, bytes_text(pem), NULL));
    CHECK_BYTES(pubkey_spki(signer_pubkey(signer)),
                hex("302a300506032b6570032100"
                    "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"));
    signs_and_verifies(signer);
    signer_free(signer);
}

/* Two P-256 keys, the second's public point put into the first's file. */
static void a_file_whose_halves_differ_is_refused(void **state)
{
    (void)state;
    struct buf pem = {0};
    struct buf der = {0};
    struct signer *signer;
    CHECK_OK(key_generate(&pem, ALG_ES256, NULL));
    CHECK(run("openssl pkcs8 -topk8 -nocrypt -outform DER", buf_bytes(&pem), &der) == 0);
    CHECK_UINT(der.len, 138); /* the public point is at the end */
    pem.len = 0;
    CHECK_OK(key_generate(&pem, ALG_ES256, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    memcpy(der.at + der.len - 64, pubkey_spki(signer_pubkey(signer)).at + 27, 64);
    signer_free(signer);
    pem.len = 0;
    buf_put(&pem, bytes_text("-----BEGIN PRIVATE KEY-----\n"));
    CHECK(run("base64", buf_bytes(&der), &pem) == 0);
    buf_put(&pem, bytes_text("-----END PRIVATE KEY-----\n"));
    CHECK_ERR(signer_parse(&signer, buf_bytes(&pem), NULL), ERR_KEY);
    buf_clear(&pem);
    buf_clear(&der);
}

static void *sign_many(void *argument)
{
    signs_and_verifies(argument);
    return NULL;
}

static void many_threads_sign_with_one_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf pem = {0};
        struct signer *signer;
        pthread_t threads[4];
        CHECK_OK(key_generate(&pem, algs[i], NULL));
        CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
        for (size_t t = 0; t < 4; t++) {
            CHECK(pthread_create(&threads[t], NULL, sign_many, signer) == 0);
        }
        for (size_t t = 0; t < 4; t++) {
            CHECK(pthread_join(threads[t], NULL) == 0);
        }
        signer_free(signer);
        buf_clear(&pem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_signs_after_it_is_read_back),
        cmocka_unit_test(webauthn_keys_are_not_made_here),
        cmocka_unit_test(an_encrypted_key_opens_only_under_its_passphrase),
        cmocka_unit_test(a_file_asks_for_its_passphrase_once_and_only_if_encrypted),
        cmocka_unit_test(a_cut_key_file_is_refused),
        cmocka_unit_test(the_openssl_command_reads_our_files),
        cmocka_unit_test(keys_of_the_openssl_command_are_read_if_of_our_kinds),
        cmocka_unit_test(a_key_under_another_label_or_with_headers_is_refused),
        cmocka_unit_test(a_byte_after_the_key_is_refused),
        cmocka_unit_test(the_openssl_command_verifies_our_signatures),
        cmocka_unit_test(the_example_of_rfc_8410_gives_its_public_key),
        cmocka_unit_test(a_file_whose_halves_differ_is_refused),
        cmocka_unit_test(many_threads_sign_with_one_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
