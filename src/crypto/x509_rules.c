/* What can be said about one certificate without the others. */
#include "crypto/der.h"
#include "crypto/x509_internal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <stdio.h>
#include <string.h>

#define SERIAL_MAX     20
#define EXTENSIONS_MAX 64
#define RSA_BITS_MIN   2048
#define RSA_BITS_MAX   8192
#define RSA_E_MIN      65537u
#define RSA_E_BITS_MAX 256

/* A rule: whether the certificate keeps it; else `finding` may say what is there. */
typedef bool rule_fn(const struct on_path *certificate, char *finding);

static void find(char *finding, const char *text)
{
    snprintf(finding, FINDING_MAX, "%s", text);
}

/* The short name of an object, or its numbers. */
static void find_object(char *finding, const ASN1_OBJECT *object)
{
    int nid = OBJ_obj2nid(object);
    if (nid != NID_undef) {
        find(finding, OBJ_nid2sn(nid));
    } else {
        OBJ_obj2txt(finding, FINDING_MAX, object, 1);
    }
}

static bool version_ok(const struct on_path *certificate, char *finding)
{
    long version = X509_get_version(certificate->x509);
    snprintf(finding, FINDING_MAX, "version %ld", version + 1);
    return version == X509_VERSION_3;
}

static bool serial_ok(const struct on_path *certificate, char *finding)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate->x509);
    int len = ASN1_STRING_length(serial);
    const unsigned char *at = ASN1_STRING_get0_data(serial);
    bool positive = ASN1_STRING_type(serial) == V_ASN1_INTEGER && len > 0 && !(len == 1 && !at[0]);
    /* The sign takes a bit of the twenty bytes. */
    bool fits = len < SERIAL_MAX || (len == SERIAL_MAX && at[0] < 0x80);
    snprintf(finding, FINDING_MAX, "%s, %d bytes", positive ? "positive" : "not positive", len);
    return certificate->anchor || (positive && fits);
}

static bool digest_ok(int nid)
{
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static bool algorithm_ok(const struct on_path *certificate, char *finding)
{
    int digest = NID_undef;
    const X509_ALGOR *algorithm;
    const ASN1_OBJECT *object;
    X509_get0_signature(NULL, &algorithm, certificate->x509);
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    find_object(finding, object);
    switch (OBJ_obj2nid(object)) {
    case NID_ED25519:
    case NID_SM2_with_SM3:
        return true;
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
    case NID_rsassaPss:
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_ecdsa_with_SHA512:
        return certificate->anchor ||
               (X509_get_signature_info(certificate->x509, &digest, NULL, NULL, NULL) == 1 &&
                digest_ok(digest));
    default:
        return certificate->anchor;
    }
}

/* The algorithm stands inside what is signed and beside it (RFC 5280, 4.1.1.2). */
static bool algorithms_same(const struct on_path *certificate, char *finding)
{
    const X509_ALGOR *outer;
    X509_get0_signature(NULL, &outer, certificate->x509);
    find(finding, "two algorithms");
    return certificate->anchor ||
           X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(certificate->x509)) == 0;
}

static bool rsa_ok(EVP_PKEY *key, char *finding)
{
    BIGNUM *e = NULL;
    int bits = EVP_PKEY_get_bits(key);
    bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
                BN_num_bits(e) <= RSA_E_BITS_MAX && BN_get_word(e) >= RSA_E_MIN;
    if (!good) {
        find(finding, "RSA with an exponent that is even, below 65,537 or beyond 256 bits");
    } else {
        snprintf(finding, FINDING_MAX, "RSA of %d bits", bits);
    }
    BN_free(e);
    return good && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && bits % 8 == 0;
}

/* A named curve that we take, not one spelt out (RFC 5480, 2.1.1). */
static bool curve_ok(const X509_ALGOR *algorithm, char *finding)
{
    int type;
    const void *curve;
    X509_ALGOR_get0(NULL, &type, &curve, algorithm);
    if (type != V_ASN1_OBJECT) {
        find(finding, "a curve without a name");
        return false;
    }
    int nid = OBJ_obj2nid(curve);
    find_object(finding, curve);
    return nid == NID_X9_62_prime256v1 || nid == NID_secp384r1 || nid == NID_sm2;
}

static bool key_ok(const struct on_path *certificate, char *finding)
{
    X509_ALGOR *algorithm;
    ASN1_OBJECT *object;
    EVP_PKEY *key = X509_get0_pubkey(certificate->x509);
    X509_PUBKEY_get0_param(&object, NULL, NULL, &algorithm,
                           X509_get_X509_PUBKEY(certificate->x509));
    find_object(finding, object);
    if (key == NULL) {
        return false;
    }
    switch (OBJ_obj2nid(object)) {
    case NID_ED25519:
        return true;
    case NID_rsaEncryption:
        return rsa_ok(key, finding);
    case NID_X9_62_id_ecPublicKey:
        return curve_ok(algorithm, finding);
    default:
        return false;
    }
}

/* YYMMDDHHMMSSZ to 2049, YYYYMMDDHHMMSSZ after. */
static bool time_ok(const ASN1_TIME *time)
{
    const unsigned char *at = ASN1_STRING_get0_data(time);
    int len = ASN1_STRING_length(time);
    bool utc = ASN1_STRING_type(time) == V_ASN1_UTCTIME;
    if (ASN1_TIME_check(time) != 1 || len != (utc ? 13 : 15) || at[len - 1] != 'Z') {
        return false;
    }
    for (int i = 0; i < len - 1; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
    }
    return utc || memcmp(at, "2050", 4) >= 0;
}

static bool validity_ok(const struct on_path *certificate, char *finding)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate->x509);
    const ASN1_TIME *to = X509_get0_notAfter(certificate->x509);
    find(finding, "notBefore or notAfter");
    return certificate->anchor || (time_ok(from) && time_ok(to));
}

static bool unique_id_ok(const struct on_path *certificate, char *finding)
{
    const ASN1_BIT_STRING *issuer;
    const ASN1_BIT_STRING *subject;
    X509_get0_uids(certificate->x509, &issuer, &subject);
    find(finding, issuer ? "issuerUniqueID" : "subjectUniqueID");
    return certificate->anchor || (!issuer && !subject);
}

static bool duplicate_ok(const struct on_path *certificate, char *finding)
{
    int count = X509_get_ext_count(certificate->x509);
    if (count > EXTENSIONS_MAX) {
        find(finding, "more than 64 extensions");
        return false;
    }
    for (int i = 0; i < count; i++) {
        ASN1_OBJECT *object = X509_EXTENSION_get_object(X509_get_ext(certificate->x509, i));
        if (X509_get_ext_by_OBJ(certificate->x509, object, i) >= 0) {
            find_object(finding, object);
            return false;
        }
    }
    return true;
}

/* The extensions that path validation or a rule here acts upon. */
static bool is_understood(int nid)
{
    static const int understood[] = {
        NID_basic_constraints,  NID_key_usage,        NID_ext_key_usage,
        NID_subject_alt_name,   NID_name_constraints, NID_certificate_policies,
        NID_policy_constraints, NID_policy_mappings,  NID_inhibit_any_policy,
    };
    for (size_t i = 0; i < sizeof understood / sizeof *understood; i++) {
        if (understood[i] == nid) {
            return true;
        }
    }
    return false;
}

static bool critical_ok(const struct on_path *certificate, char *finding)
{
    for (int i = 0; i < X509_get_ext_count(certificate->x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(certificate->x509, i);
        ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
        if (X509_EXTENSION_get_critical(extension) && !is_understood(OBJ_obj2nid(object))) {
            find_object(finding, object);
            return false;
        }
    }
    return true;
}

/* Each extension is DER inside, and those that we act upon can be read. */
static bool extension_ok(const struct on_path *certificate, char *finding)
{
    for (int i = 0; i < X509_get_ext_count(certificate->x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(certificate->x509, i);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
        struct bytes inside = {ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
        find_object(finding, X509_EXTENSION_get_object(extension));
        if (!certificate->anchor && der_check(inside) != OK) {
            return false;
        }
    }
    find(finding, "one of its extensions");
    return (X509_get_extension_flags(certificate->x509) & EXFLAG_INVALID) == 0;
}

static bool basic_constraints_ok(const struct on_path *certificate, char *finding)
{
    bool authority = (X509_get_extension_flags(certificate->x509) & EXFLAG_CA) != 0;
    find(finding, authority ? "CA:TRUE" : "not CA:TRUE");
    return authority == (certificate->place > 0);
}

/* The leaf signs handshakes; whoever stands above it signs certificates. */
static bool key_usage_ok(const struct on_path *certificate, char *finding)
{
    uint32_t usage = X509_get_key_usage(certificate->x509);
    if (certificate->place > 0) {
        find(finding, "no keyCertSign");
        return usage == UINT32_MAX ? certificate->anchor : (usage & KU_KEY_CERT_SIGN) != 0;
    }
    find(finding, "no digitalSignature, or keyCertSign");
    return usage == UINT32_MAX ||
           ((usage & KU_DIGITAL_SIGNATURE) != 0 && (usage & KU_KEY_CERT_SIGN) == 0);
}

static bool name_constraints_ok(const struct on_path *certificate, char *finding)
{
    find(finding, "nameConstraints of what is no authority");
    return certificate->place > 0 ||
           X509_get_ext_by_NID(certificate->x509, NID_name_constraints, -1) < 0;
}

static const struct {
    enum x509_rule rule;
    rule_fn *kept;
} rules[] = {
    {X509_RULE_VERSION, version_ok},
    {X509_RULE_SERIAL, serial_ok},
    {X509_RULE_ALGORITHM, algorithm_ok},
    {X509_RULE_SIGNATURE, algorithms_same},
    {X509_RULE_KEY, key_ok},
    {X509_RULE_VALIDITY, validity_ok},
    {X509_RULE_UNIQUE_ID, unique_id_ok},
    {X509_RULE_DUPLICATE, duplicate_ok},
    {X509_RULE_CRITICAL, critical_ok},
    {X509_RULE_EXTENSION, extension_ok},
    {X509_RULE_BASIC_CONSTRAINTS, basic_constraints_ok},
    {X509_RULE_KEY_USAGE, key_usage_ok},
    {X509_RULE_NAME_CONSTRAINTS, name_constraints_ok},
};

enum err x509_check_one(const struct on_path *certificate, struct why *why)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char finding[FINDING_MAX] = "";
        if (!rules[i].kept(certificate, finding)) {
            return x509_broken(why, rules[i].rule, certificate->place, finding);
        }
    }
    return OK;
}

enum err x509_check_purpose(const struct on_path *certificate, enum x509_purpose purpose,
                            struct why *why)
{
    uint32_t needed = purpose == X509_SERVER ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
    uint32_t usage = X509_get_extended_key_usage(certificate->x509);
    bool absent = usage == UINT32_MAX;
    bool good = absent ? certificate->place > 0 : (usage & needed) != 0;
    /* A leaf for any purpose is for none (CA/B 7.1.2.7.10). */
    if (!absent && certificate->place == 0 && (usage & XKU_ANYEKU) != 0) {
        good = false;
    }
    if (certificate->anchor && certificate->place > 0) {
        return OK;
    }
    return good ? OK
                : x509_broken(why, X509_RULE_EXTENDED_KEY_USAGE, certificate->place,
                              purpose == X509_SERVER ? "no serverAuth, or any"
                                                     : "no clientAuth, or any");
}
