#include "crypto/timestamp.h"

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <time.h>

#define TOKEN_MAX 65536 /* bytes; tokens with their certificates are 2 to 8 KiB */

/* A token taken apart. */
struct parts {
    PKCS7 *signed_data;
    TS_TST_INFO *info;
    uint64_t time_ms;
};

static void parts_clear(struct parts *parts)
{
    PKCS7_free(parts->signed_data);
    TS_TST_INFO_free(parts->info);
}

/* Reads exactly `len` digits as a number. */
static bool digits_read(int *out, const unsigned char *at, int len)
{
    *out = 0;
    for (int i = 0; i < len; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
        *out = *out * 10 + (at[i] - '0');
    }
    return true;
}

/* The milliseconds of ".ddd...Z" or "Z"; further digits are cut off. */
static bool fraction_read(int *out_ms, const unsigned char *at, int len)
{
    *out_ms = 0;
    if (len == 1) {
        return at[0] == 'Z';
    }
    if (len < 3 || at[0] != '.' || at[len - 1] != 'Z') {
        return false;
    }
    int weight = 100;
    for (int i = 1; i < len - 1; i++, weight /= 10) {
        int digit;
        if (!digits_read(&digit, at + i, 1)) {
            return false;
        }
        *out_ms += digit * weight;
    }
    return true;
}

/* genTime: YYYYMMDDhhmmss[.s...]Z, seconds always there (RFC 3161, 2.4.2). */
static bool gen_time_read(uint64_t *out_ms, const ASN1_GENERALIZEDTIME *gen_time)
{
    const unsigned char *at = ASN1_STRING_get0_data(gen_time);
    int len = ASN1_STRING_length(gen_time);
    struct tm tm = {0};
    int ms;
    if (len < 15 || ASN1_GENERALIZEDTIME_check(gen_time) != 1) {
        return false;
    }
    bool read = digits_read(&tm.tm_year, at, 4) && digits_read(&tm.tm_mon, at + 4, 2) &&
                digits_read(&tm.tm_mday, at + 6, 2) && digits_read(&tm.tm_hour, at + 8, 2) &&
                digits_read(&tm.tm_min, at + 10, 2) && digits_read(&tm.tm_sec, at + 12, 2) &&
                fraction_read(&ms, at + 14, len - 14);
    if (!read || tm.tm_year < 1970) {
        return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *out_ms = (uint64_t)timegm(&tm) * 1000 + (uint64_t)ms;
    return true;
}

/* Reads a SignedData in DER: what it would be written as again must be the same bytes. */
static PKCS7 *signed_data_read(struct bytes token)
{
    const uint8_t *at = token.at;
    uint8_t *again = NULL;
    if (token.len == 0 || token.len > TOKEN_MAX) {
        return NULL;
    }
    PKCS7 *out = d2i_PKCS7(NULL, &at, (long)token.len);
    int len = out ? i2d_PKCS7(out, &again) : -1;
    bool strict = len > 0 && bytes_equal((struct bytes){again, (size_t)len}, token);
    OPENSSL_free(again);
    if (!strict || !PKCS7_type_is_signed(out) ||
        sk_PKCS7_SIGNER_INFO_num(PKCS7_get_signer_info(out)) != 1) {
        PKCS7_free(out);
        return NULL;
    }
    return out;
}

static bool parts_read(struct parts *out, struct bytes token)
{
    *out = (struct parts){.signed_data = signed_data_read(token)};
    if (out->signed_data == NULL) {
        return false;
    }
    out->info = PKCS7_to_TS_TST_INFO(out->signed_data);
    return out->info && TS_TST_INFO_get_version(out->info) == 1 &&
           gen_time_read(&out->time_ms, TS_TST_INFO_get_time(out->info));
}

/* Whether the imprint is the message's. A digest that we don't take is no imprint of anything. */
static bool imprint_fits(const struct parts *parts, struct bytes message)
{
    static const int taken[] = {NID_sha256, NID_sha384, NID_sha512, NID_sm3};
    TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(parts->info);
    const ASN1_OCTET_STRING *octets = TS_MSG_IMPRINT_get_msg(imprint);
    const ASN1_OBJECT *object;
    X509_ALGOR_get0(&object, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (OBJ_obj2nid(object) == taken[i]) {
            uint8_t digest[EVP_MAX_MD_SIZE];
            size_t len;
            BUG_ON(EVP_Q_digest(NULL, OBJ_nid2sn(taken[i]), NULL, message.at, message.len, digest,
                                &len) != 1);
            struct bytes stated = {ASN1_STRING_get0_data(octets),
                                   (size_t)ASN1_STRING_length(octets)};
            return bytes_equal(stated, (struct bytes){digest, len});
        }
    }
    return false;
}

/* The given roots. One that can't be read stands behind nothing, which is the safe side. */
static X509_STORE *roots_make(const struct bytes *authorities, size_t count)
{
    X509_STORE *store = X509_STORE_new();
    BUG_ON(store == NULL);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = authorities[i].at;
        X509 *root = NULL;
        if (authorities[i].len <= TOKEN_MAX) {
            root = d2i_X509(NULL, &at, (long)authorities[i].len);
        }
        if (root && at == authorities[i].at + authorities[i].len) {
            BUG_ON(X509_STORE_add_cert(store, root) != 1);
        }
        X509_free(root);
    }
    return store;
}

/* Whether a listed root really certified the signer, whatever for and until when. Purpose, times
 * and the token's signature are judged only then, so that whoever forges a certificate under a
 * root's name can't make a token count as that root's falsehood. */
static bool is_listed(const struct parts *parts, X509_STORE *roots)
{
    bool listed = false;
    STACK_OF(X509) *signers = PKCS7_get0_signers(parts->signed_data, NULL, 0);
    if (signers && sk_X509_num(signers) == 1) {
        X509_STORE_CTX *chain = X509_STORE_CTX_new();
        BUG_ON(chain == NULL || X509_STORE_CTX_init(chain, roots, sk_X509_value(signers, 0),
                                                    parts->signed_data->d.sign->cert) != 1);
        X509_STORE_CTX_set_flags(chain, X509_V_FLAG_NO_CHECK_TIME);
        listed = X509_verify_cert(chain) == 1;
        X509_STORE_CTX_free(chain);
    }
    sk_X509_free(signers);
    return listed;
}

/* The signature, the signer's critical timeStamping purpose, its chain at genTime, and
 * that the token names this certificate (ESSCertID; RFC 3161, 2.4.2; RFC 5816). */
static bool signature_good(const struct parts *parts, X509_STORE *roots)
{
    TS_VERIFY_CTX *context = TS_VERIFY_CTX_new();
    BUG_ON(context == NULL || X509_STORE_up_ref(roots) != 1);
    TS_VERIFY_CTX_set_flags(context, TS_VFY_VERSION | TS_VFY_SIGNATURE);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(roots), (time_t)(parts->time_ms / 1000));
    TS_VERIFY_CTX_set_store(context, roots);
    bool good = TS_RESP_verify_token(context, parts->signed_data) == 1;
    TS_VERIFY_CTX_free(context);
    return good;
}

static struct token judge(const struct parts *parts, X509_STORE *roots, struct bytes message)
{
    if (!is_listed(parts, roots)) {
        return (struct token){TOKEN_UNKNOWN, 0};
    }
    if (!signature_good(parts, roots) || !imprint_fits(parts, message)) {
        return (struct token){TOKEN_WRONG, 0};
    }
    return (struct token){TOKEN_GOOD, parts->time_ms};
}

struct token token_check(struct bytes token, struct bytes message, const struct bytes *authorities,
                         size_t authority_count)
{
    struct parts parts;
    struct token out = {TOKEN_MALFORMED, 0};
    if (parts_read(&parts, token)) {
        X509_STORE *roots = roots_make(authorities, authority_count);
        out = judge(&parts, roots, message);
        X509_STORE_free(roots);
    }
    parts_clear(&parts);
    ERR_clear_error();
    return out;
}
