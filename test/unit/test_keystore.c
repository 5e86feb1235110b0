/* Keys by URI, with tokens of SoftHSM in a folder of the test's own. */
#include "check.h"

#include "base/file.h"
#include "keystore/keystore.h"
#include "keystore/object.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE      "/usr/lib/softhsm/libsofthsm2.so"
#define THREADS     6
#define SIGNATURES  40
#define AMPLE       1024
#define WITH_MODULE "?module-path=" MODULE
#define TOKEN       "pkcs11:token=court%20one"

/* SoftHSM leaks an ASN.1 string for each Ed25519 signature, from within OpenSSL's allocator. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:CRYPTO_zalloc\n";
}

static char folder[] = "/tmp/cairn-keystore-XXXXXX";
static char pin_file[64];

static void shell(const char *command)
{
    if (system(command) != 0) {
        fail_msg("%s failed", command);
    }
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    char *path = path_join(folder, name);
    CHECK_OK(file_write(path, bytes_text(text), mode, NULL));
    free(path);
}

static int token_setup(void **state)
{
    (void)state;
    char text[AMPLE];
    CHECK(mkdtemp(folder) != NULL);
    char *tokens = path_join(folder, "tokens");
    CHECK_OK(dir_make(tokens, 0700, NULL));
    snprintf(text, sizeof text, "directories.tokendir = %s\nobjectstore.backend = file\n", tokens);
    free(tokens);
    write_file("softhsm.conf", text, 0600);
    snprintf(text, sizeof text, "%s/softhsm.conf", folder);
    setenv("SOFTHSM2_CONF", text, 1);
    unsetenv("CREDENTIALS_DIRECTORY");
    snprintf(pin_file, sizeof pin_file, "%s/pin", folder);
    write_file("pin", "1234\n", 0600);
    shell("softhsm2-util --init-token --free --label 'court one' --pin 1234 --so-pin 4321 "
          ">/dev/null");
    return 0;
}

static int token_teardown(void **state)
{
    (void)state;
    char text[AMPLE];
    snprintf(text, sizeof text, "rm -r %s", folder);
    shell(text);
    return 0;
}

/* The URI of an object, with module and PIN file. */
static const char *uri_of(const char *object)
{
    static char text[AMPLE];
    snprintf(text, sizeof text, "%s;object=%.100s" WITH_MODULE "&pin-source=%s", TOKEN, object,
             pin_file);
    return text;
}

/* A passphrase_fn that says its context and counts. */
static unsigned asked;
static bool say(void *context, const char *path, char *out, size_t cap)
{
    CHECK(keystore_is_uri(path));
    asked++;
    snprintf(out, cap, "%s", (const char *)context);
    return true;
}

static void check_refused(const char *uri, enum err want, const char *words)
{
    struct signer *signer;
    struct why why = {0};
    char text[AMPLE + 256];
    enum err err = keystore_open(&signer, uri, NULL, NULL, &why);
    if (err != want) {
        fail_msg("%s is %s, want %s", uri, err_name(err), err_name(want));
    }
    why_print(&why, want, text, sizeof text);
    if (!strstr(text, words) || strstr(text, "1234")) {
        fail_msg("%s is refused with: %s", uri, text);
    }
    CHECK(signer == NULL);
}

static void uris_that_name_no_key_are_refused(void **state)
{
    (void)state;
    check_refused("pkcs11:token", ERR_FORMAT, "is not a PKCS#11 URI");
    check_refused("pkcs11:token=%4", ERR_FORMAT, "is not a PKCS#11 URI");
    check_refused("pkcs11:token=x;colour=red", ERR_FORMAT, "attribute that is not known");
    check_refused("pkcs11:token=x;type=public", ERR_FORMAT, "something else than a private key");
    check_refused("PKCS11:token=x?pin-value=1234", ERR_REFUSED, "holds a PIN");
    check_refused("pkcs11:token=x?pin-value=1234", ERR_REFUSED, "holds a PIN");
    check_refused("pkcs11:token=x?module-path=softhsm.so", ERR_REFUSED, "relative path");
    check_refused("pkcs11:token=x?module-path=/nowhere/module.so", ERR_NOT_FOUND, "/nowhere");
    check_refused("pkcs11:token=other" WITH_MODULE, ERR_NOT_FOUND, "is not there");
    check_refused("pkcs11:slot-id=77" WITH_MODULE, ERR_NOT_FOUND, "is not there");
    check_refused("pkcs11:library-manufacturer=nobody" WITH_MODULE, ERR_NOT_FOUND, "is not there");
    char text[1200];
    memset(text, 'a', sizeof text);
    memcpy(text, "pkcs11:", 7);
    text[sizeof text - 1] = 0;
    check_refused(text, ERR_RANGE, "longer than 1024 bytes");
}

static void each_truncation_of_a_uri_opens_or_is_refused(void **state)
{
    (void)state;
    char text[AMPLE];
    snprintf(text, sizeof text, "%s", uri_of("cut;id=%01;type=private"));
    for (size_t len = strlen(text); len > strlen("pkcs11:"); len--) {
        text[len] = 0;
        P11KitUri *uri;
        struct why why = {0};
        enum err err = uri_parse(&uri, text, &why);
        CHECK((err == OK) == (uri != NULL));
        CHECK(err == OK || why.problem[0]);
        p11_kit_uri_free(uri);
    }
}

static void a_pin_comes_from_the_source_the_credential_or_a_person(void **state)
{
    (void)state;
    char text[AMPLE];
    struct signer *signer;
    CHECK_OK(keystore_generate(uri_of("pins"), ALG_ED25519, NULL, NULL, NULL));
    check_refused(TOKEN ";object=pins" WITH_MODULE, ERR_PASSPHRASE, "nobody says it");
    asked = 0;
    char right[] = "1234";
    CHECK_OK(keystore_open(&signer, TOKEN ";object=pins" WITH_MODULE, say, right, NULL));
    signer_free(signer);
    CHECK_UINT(asked, 1);
    snprintf(text, sizeof text, "%s;object=pins" WITH_MODULE "&pin-source=file:%s", TOKEN,
             pin_file);
    CHECK_OK(keystore_open(&signer, text, say, right, NULL));
    signer_free(signer);
    CHECK_UINT(asked, 1);
    write_file("pkcs11-pin", "1234", 0644); /* systemd guards the folder, not the modes */
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    CHECK_OK(keystore_open(&signer, TOKEN ";object=pins" WITH_MODULE, NULL, NULL, NULL));
    signer_free(signer);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void a_pin_file_must_be_private_and_hold_a_line(void **state)
{
    (void)state;
    chmod(pin_file, 0640);
    check_refused(uri_of("pins"), ERR_REFUSED, "may be read by others");
    chmod(pin_file, 0600);
    write_file("pin", "\n1234\n", 0600);
    check_refused(uri_of("pins"), ERR_FORMAT, "has no first line");
    unlink(pin_file);
    check_refused(uri_of("pins"), ERR_NOT_FOUND, pin_file);
    write_file("pin", "1234\n", 0600);
    check_refused(TOKEN WITH_MODULE "&pin-source=|echo", ERR_REFUSED, "commands are not run");
}

static void a_wrong_pin_is_said_so(void **state)
{
    (void)state;
    struct signer *signer;
    struct why why = {0};
    char wrong[] = "0000";
    CHECK_ERR(keystore_open(&signer, TOKEN ";object=pins" WITH_MODULE, say, wrong, &why),
              ERR_PASSPHRASE);
    CHECK(strstr(why.problem, "refuses the PIN") && strstr(why.value, "court one"));
}

static void keys_are_made_once_and_found_by_label_or_id(void **state)
{
    (void)state;
    struct signer *signer;
    static const struct {
        const char *object;
        enum alg alg;
    } kinds[] = {{"ed", ALG_ED25519}, {"p256;id=%01%02", ALG_ES256}};
    for (size_t i = 0; i < 2; i++) {
        const char *uri = uri_of(kinds[i].object);
        CHECK_OK(keystore_generate(uri, kinds[i].alg, NULL, NULL, NULL));
        CHECK_ERR(keystore_generate(uri, kinds[i].alg, NULL, NULL, NULL), ERR_EXISTS);
        CHECK_OK(keystore_open(&signer, uri, NULL, NULL, NULL));
        CHECK(signer_alg(signer) == kinds[i].alg && signer_is_foreign(signer));
        for (unsigned n = 0; n < 16; n++) { /* half of all P-256 signatures come with a high s */
            uint8_t signature64[64];
            CHECK_OK(signer_sign(signer, signature64, BYTES_OF(n)));
            CHECK_OK(pubkey_verify(signer_pubkey(signer), BYTES_OF(n), BYTES_OF(signature64)));
        }
        signer_free(signer);
    }
    char text[AMPLE];
    snprintf(text, sizeof text, "%s;id=%%01%%02" WITH_MODULE "&pin-source=%s", TOKEN, pin_file);
    CHECK_OK(keystore_open(&signer, text, NULL, NULL, NULL));
    CHECK(signer_alg(signer) == ALG_ES256);
    signer_free(signer);
    check_refused(uri_of("none"), ERR_NOT_FOUND, "no private key that the URI's object and id fit");
    snprintf(text, sizeof text, "%s" WITH_MODULE "&pin-source=%s", TOKEN, pin_file);
    check_refused(text, ERR_EXISTS, "'p256' (id 0102)");
    CHECK_ERR(keystore_generate(text, ALG_ED25519, NULL, NULL, NULL), ERR_FORMAT);
    CHECK_ERR(keystore_generate(uri_of("s"), ALG_SM2, NULL, NULL, NULL), ERR_UNSUPPORTED);
    memset(text, 'l', OBJECT_LABEL_MAX + 1);
    text[OBJECT_LABEL_MAX + 1] = 0;
    CHECK_ERR(keystore_generate(uri_of(text), ALG_ED25519, NULL, NULL, NULL), ERR_RANGE);
}

static void several_tokens_are_refused_with_their_names(void **state)
{
    (void)state;
    shell("softhsm2-util --init-token --free --label other --pin 1234 --so-pin 4321 >/dev/null");
    check_refused("pkcs11:object=ed" WITH_MODULE, ERR_EXISTS, "court one (serial");
    shell("softhsm2-util --delete-token --token other >/dev/null");
}

static void other_kinds_of_keys_are_refused(void **state)
{
    (void)state;
    shell("pkcs11-tool --module " MODULE " --token-label 'court one' --login --pin 1234 "
          "--keypairgen --key-type EC:secp384r1 --label p384 --id 03 >/dev/null 2>&1");
    check_refused(uri_of("p384"), ERR_UNSUPPORTED, "neither Ed25519 nor P-256");
}

static void a_key_without_its_public_part_is_refused(void **state)
{
    (void)state;
    CHECK_OK(keystore_generate(uri_of("alone"), ALG_ED25519, NULL, NULL, NULL));
    shell("pkcs11-tool --module " MODULE " --token-label 'court one' --login --pin 1234 "
          "--delete-object --type pubkey --label alone >/dev/null 2>&1");
    check_refused(uri_of("alone"), ERR_KEY, "no readable public key");
}

struct worker {
    struct signer *signer;
    pthread_t thread;
    unsigned bad;
};

static void *worker_run(void *context)
{
    struct worker *worker = context;
    for (unsigned i = 0; i < SIGNATURES; i++) {
        uint8_t signature64[64];
        struct bytes message = BYTES_OF(i);
        worker->bad +=
            signer_sign(worker->signer, signature64, message) != OK ||
            pubkey_verify(signer_pubkey(worker->signer), message, BYTES_OF(signature64)) != OK;
    }
    return NULL;
}

static void one_signer_serves_many_threads_and_two_keys_share_a_token(void **state)
{
    (void)state;
    struct signer *signers[2];
    struct worker workers[THREADS] = {0};
    CHECK_OK(keystore_open(&signers[0], uri_of("ed"), NULL, NULL, NULL));
    CHECK_OK(keystore_open(&signers[1], uri_of("p256"), NULL, NULL, NULL));
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].signer = signers[i % 2];
        pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK_UINT(workers[i].bad, 0);
    }
    signer_free(signers[0]);
    uint8_t signature64[64]; /* the other one is still logged in */
    CHECK_OK(signer_sign(signers[1], signature64, BYTES_NONE));
    signer_free(signers[1]);
}

static void rename_tokens(const char *from, const char *to)
{
    char *old = path_join(folder, from);
    char *new = path_join(folder, to);
    CHECK(rename(old, new) == 0);
    free(old);
    free(new);
}

static void a_token_that_goes_and_comes_back_is_opened_anew(void **state)
{
    (void)state;
    struct signer *signer;
    struct why why = {0};
    uint8_t signature64[64];
    CHECK_OK(keystore_open(&signer, uri_of("ed"), NULL, NULL, NULL));
    CHECK_OK(signer_sign(signer, signature64, BYTES_NONE));
    rename_tokens("tokens", "away");
    shell("mkdir $(dirname $SOFTHSM2_CONF)/tokens");
    CHECK_ERR(signer_sign(signer, signature64, BYTES_NONE), ERR_IO);
    CHECK_ERR(signer_explain(signer, ERR_IO, &why), ERR_IO);
    CHECK(strstr(why.problem, "is not there") && why.remedy[0]);
    shell("rmdir $(dirname $SOFTHSM2_CONF)/tokens");
    rename_tokens("away", "tokens");
    CHECK_OK(signer_sign(signer, signature64, BYTES_NONE));
    CHECK_OK(pubkey_verify(signer_pubkey(signer), BYTES_NONE, BYTES_OF(signature64)));
    signer_free(signer);
}

static void points_are_read_raw_and_wrapped(void **state)
{
    (void)state;
    struct signer *signer;
    struct pubkey *pubkey;
    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    struct bytes spki = pubkey_spki(signer_pubkey(signer));
    uint8_t raw[35] = {3, 33, 0};
    memcpy(raw + 3, spki.at + spki.len - 32, 32);
    CHECK_OK(point_pubkey(&pubkey, ALG_ED25519, (struct bytes){raw, 35}));
    CHECK_BYTES(pubkey_spki(pubkey), spki);
    pubkey_free(pubkey);
    CHECK_OK(point_pubkey(&pubkey, ALG_ED25519, (struct bytes){raw + 3, 32}));
    pubkey_free(pubkey);
    raw[1] = 4;
    raw[2] = 32;
    CHECK_OK(point_pubkey(&pubkey, ALG_ED25519, (struct bytes){raw + 1, 34}));
    pubkey_free(pubkey);
    for (size_t len = 0; len < 34; len++) {
        if (len != 32) { /* which would be a point by its length, whatever it holds */
            CHECK_ERR(point_pubkey(&pubkey, ALG_ED25519, (struct bytes){raw + 1, len}), ERR_KEY);
        }
    }
    CHECK_ERR(point_pubkey(&pubkey, ALG_ES256, (struct bytes){raw + 1, 34}), ERR_KEY);
    CHECK_ERR(point_pubkey(&pubkey, ALG_SM2, (struct bytes){raw + 1, 34}), ERR_UNSUPPORTED);
    signer_free(signer);
    buf_clear(&pem);
}

/* A device that signs with another key than it says. */
static enum err lie(void *key, uint8_t *signature64, struct bytes message)
{
    return signer_sign(key, signature64, message);
}
static void shrug(void *key, struct why *why)
{
    (void)key;
    (void)why;
}
static void drop(void *key)
{
    signer_free(key);
}

static void a_device_whose_signatures_do_not_verify_is_refused(void **state)
{
    (void)state;
    static const struct signer_ops ops = {lie, shrug, drop};
    struct signer *two[2];
    struct pubkey *pubkey;
    struct signer *signer;
    struct why why = {0};
    for (unsigned i = 0; i < 2; i++) {
        struct buf pem = {0};
        CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
        CHECK_OK(signer_parse(&two[i], buf_bytes(&pem), NULL));
        buf_clear(&pem);
    }
    CHECK_OK(pubkey_parse(&pubkey, pubkey_spki(signer_pubkey(two[0]))));
    CHECK_ERR(signer_wrap(&signer, pubkey, ALG_ED25519, &ops, two[1], &why), ERR_KEY);
    CHECK(strstr(why.problem, "do not belong together") && signer == NULL);
    CHECK_OK(pubkey_parse(&pubkey, pubkey_spki(signer_pubkey(two[0]))));
    CHECK_OK(signer_wrap(&signer, pubkey, ALG_ED25519, &ops, two[0], &why));
    struct hash digest = {{1}};
    uint8_t signature[64];
    CHECK_ERR(signer_sign_digest(signer, signature, &digest), ERR_UNSUPPORTED);
    CHECK_ERR(signer_sign_digest(two[0], signature, &digest), ERR_UNSUPPORTED);
    signer_free(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_that_name_no_key_are_refused),
        cmocka_unit_test(each_truncation_of_a_uri_opens_or_is_refused),
        cmocka_unit_test(a_pin_comes_from_the_source_the_credential_or_a_person),
        cmocka_unit_test(a_pin_file_must_be_private_and_hold_a_line),
        cmocka_unit_test(a_wrong_pin_is_said_so),
        cmocka_unit_test(keys_are_made_once_and_found_by_label_or_id),
        cmocka_unit_test(several_tokens_are_refused_with_their_names),
        cmocka_unit_test(other_kinds_of_keys_are_refused),
        cmocka_unit_test(a_key_without_its_public_part_is_refused),
        cmocka_unit_test(one_signer_serves_many_threads_and_two_keys_share_a_token),
        cmocka_unit_test(a_token_that_goes_and_comes_back_is_opened_anew),
        cmocka_unit_test(points_are_read_raw_and_wrapped),
        cmocka_unit_test(a_device_whose_signatures_do_not_verify_is_refused),
    };
    return cmocka_run_group_tests(tests, token_setup, token_teardown);
}
