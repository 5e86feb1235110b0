/* The judgement: each certificate is read strictly, OpenSSL builds and validates the path, and our
 * own rules are asked of every certificate on it. Ours speak first, because they name what is wrong
 * more closely. */
#include "crypto/x509.h"

#include "crypto/der.h"
#include "crypto/x509_internal.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- the rules' texts */

#define ASK_AUTHORITY "Ask its authority for one that keeps this rule (docs/certificates.md)."

#define X509_RULE_ROW(rule, name, err, source, problem) {name, err, source, problem},
static const struct {
    const char *name;
    enum err err;
    const char *source;
    const char *problem;
} rules[] = {X509_RULE_TABLE(X509_RULE_ROW)};

const char *x509_rule_name(enum x509_rule rule)
{
    return rules[rule].name;
}

const char *x509_rule_source(enum x509_rule rule)
{
    return rules[rule].source;
}

static const char add_authority[] =
    "If it should be trusted, add its authority's certificate to the PEM file of those that are; a "
    "server must send what stands between.";

static const char *remedy_of(enum x509_rule rule)
{
    static const char *const remedies[X509_RULE_COUNT] = {
        [X509_RULE_CHAIN] = "Send the leaf and what stands between it and its root, no more.",
        [X509_RULE_ISSUER] = add_authority,
        [X509_RULE_NOT_BEFORE] = "Check the clocks of both sides.",
        [X509_RULE_NOT_AFTER] = "Renew it; if it is new, check the clock here.",
        [X509_RULE_NAME] = "Use a name that it is for, or get one for this name.",
    };
    return remedies[rule] ? remedies[rule] : ASK_AUTHORITY;
}

enum err x509_broken(struct why *why, enum x509_rule rule, size_t place, const char *finding)
{
    char who[32];
    snprintf(who, sizeof who, place == 0 ? "leaf" : "issuer %zu", place);
    return why_sayf(why, rules[rule].err, rules[rule].name, rules[rule].problem, remedy_of(rule),
                    "%s%s%s", who, finding[0] ? ": " : "", finding);
}

/* ---- path validation */

/* What path validation complains of, as our rules. */
static enum x509_rule rule_of(int error)
{
    static const struct {
        int error;
        enum x509_rule rule;
    } table[] = {
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_RULE_ISSUER},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_RULE_ISSUER},
        {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_RULE_ISSUER},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_RULE_ISSUER},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_RULE_ISSUER},
        {X509_V_ERR_CERT_UNTRUSTED, X509_RULE_ISSUER},
        {X509_V_ERR_SUBJECT_ISSUER_MISMATCH, X509_RULE_ISSUER},
        {X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_RULE_SIGNATURE},
        {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, X509_RULE_SIGNATURE},
        {X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, X509_RULE_SIGNATURE},
        {X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, X509_RULE_SIGNATURE},
        {X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, X509_RULE_ALGORITHM},
        {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, X509_RULE_KEY},
        {X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, X509_RULE_KEY},
        {X509_V_ERR_CERT_NOT_YET_VALID, X509_RULE_NOT_BEFORE},
        {X509_V_ERR_CERT_HAS_EXPIRED, X509_RULE_NOT_AFTER},
        {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, X509_RULE_VALIDITY},
        {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, X509_RULE_VALIDITY},
        {X509_V_ERR_CERT_CHAIN_TOO_LONG, X509_RULE_CHAIN},
        {X509_V_ERR_PATH_LOOP, X509_RULE_CHAIN},
        {X509_V_ERR_INVALID_CA, X509_RULE_BASIC_CONSTRAINTS},
        {X509_V_ERR_CA_BCONS_NOT_CRITICAL, X509_RULE_BASIC_CONSTRAINTS},
        {X509_V_ERR_PATH_LENGTH_EXCEEDED, X509_RULE_PATH_LENGTH},
        {X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA, X509_RULE_PATH_LENGTH},
        {X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN, X509_RULE_PATH_LENGTH},
        {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_RULE_KEY_USAGE},
        {X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA, X509_RULE_KEY_USAGE},
        {X509_V_ERR_CA_CERT_MISSING_KEY_USAGE, X509_RULE_KEY_USAGE},
        {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, X509_RULE_CRITICAL},
        {X509_V_ERR_INVALID_EXTENSION, X509_RULE_EXTENSION},
        {X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL, X509_RULE_EXTENSION},
        {X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL, X509_RULE_EXTENSION},
        {X509_V_ERR_EMPTY_SUBJECT_ALT_NAME, X509_RULE_EXTENSION},
        {X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL, X509_RULE_EXTENSION},
        {X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER, X509_RULE_IDENTIFIER},
        {X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER, X509_RULE_IDENTIFIER},
        {X509_V_ERR_AKID_SKID_MISMATCH, X509_RULE_IDENTIFIER},
        {X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, X509_RULE_IDENTIFIER},
        {X509_V_ERR_PERMITTED_VIOLATION, X509_RULE_NAME_CONSTRAINTS},
        {X509_V_ERR_EXCLUDED_VIOLATION, X509_RULE_NAME_CONSTRAINTS},
        {X509_V_ERR_SUBTREE_MINMAX, X509_RULE_NAME_CONSTRAINTS},
        {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, X509_RULE_NAME_CONSTRAINTS},
        {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, X509_RULE_NAME_CONSTRAINTS},
        {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, X509_RULE_NAME_CONSTRAINTS},
        {X509_V_ERR_NO_EXPLICIT_POLICY, X509_RULE_POLICY},
        {X509_V_ERR_INVALID_POLICY_EXTENSION, X509_RULE_POLICY},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].error == error) {
            return table[i].rule;
        }
    }
    return X509_RULE_PATH;
}

/* A chain on its way through the judgement. */
struct judgement {
    const struct x509_request *request;
    X509 *leaf;
    STACK_OF(X509) * others;
    X509_STORE_CTX *path;
};

static enum err chain_read(struct judgement *judgement, struct why *why)
{
    const struct x509_request *request = judgement->request;
    if (request->chain_count == 0 || request->chain_count > X509_CHAIN_MAX) {
        char finding[FINDING_MAX];
        snprintf(finding, sizeof finding, "%zu certificates", request->chain_count);
        return x509_broken(why, X509_RULE_CHAIN, 0, finding);
    }
    judgement->others = sk_X509_new_null();
    BUG_ON(judgement->others == NULL);
    for (size_t i = 0; i < request->chain_count; i++) {
        struct bytes der = request->chain_der[i];
        bool strict = der.len <= X509_CERT_MAX && der_check(der) == OK;
        X509 *x509 = strict ? x509_read(der) : NULL;
        if (x509 == NULL) {
            return x509_broken(why, X509_RULE_DER, i, "");
        }
        if (i == 0) {
            judgement->leaf = x509;
        } else {
            BUG_ON(sk_X509_push(judgement->others, x509) == 0);
        }
    }
    return OK;
}

/* Builds the path and validates it; returns OpenSSL's verdict. */
static int path_validate(struct judgement *judgement)
{
    const struct x509_request *request = judgement->request;
    X509_STORE_CTX *path = X509_STORE_CTX_new();
    judgement->path = path;
    BUG_ON(path == NULL || X509_STORE_CTX_init(path, request->anchors->store, judgement->leaf,
                                               judgement->others) != 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(path);
    BUG_ON(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK |
                                                  X509_V_FLAG_PARTIAL_CHAIN |
                                                  X509_V_FLAG_TRUSTED_FIRST) != 1);
    /* Any policy will do for us; an authority may demand that there is one. */
    BUG_ON(X509_VERIFY_PARAM_add0_policy(param, OBJ_nid2obj(NID_any_policy)) != 1);
    X509_VERIFY_PARAM_set_depth(param, X509_CHAIN_MAX - 2); /* leaf and anchor don't count */
    X509_VERIFY_PARAM_set_time(param, (time_t)(request->time_ms / 1000));
    bool good = X509_verify_cert(path) == 1;
    int error = X509_STORE_CTX_get_error(path);
    return good ? X509_V_OK : error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

/* Asks `check` of each certificate that the path holds, `whole` saying whether its last is the
 * anchor. */
static enum err path_check(struct judgement *judgement, bool whole, bool purpose, struct why *why)
{
    STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(judgement->path);
    size_t count = (size_t)sk_X509_num(path);
    for (size_t i = 0; i < count; i++) {
        struct on_path certificate = {.x509 = sk_X509_value(path, (int)i),
                                      .place = i,
                                      .anchor = whole && i > 0 && i + 1 == count};
        TRY(purpose ? x509_check_purpose(&certificate, judgement->request->purpose, why)
                    : x509_check_one(&certificate, why));
    }
    return OK;
}

static bool without_issuer(int error)
{
    return error != X509_V_OK && rule_of(error) == X509_RULE_ISSUER;
}

static enum err judge(struct judgement *judgement, struct why *why)
{
    const struct x509_request *request = judgement->request;
    TRY(chain_read(judgement, why));
    int error = path_validate(judgement);
    TRY(path_check(judgement, !without_issuer(error), false, why));
    if (error != X509_V_OK) {
        size_t place = (size_t)X509_STORE_CTX_get_error_depth(judgement->path);
        enum x509_rule rule = rule_of(error);
        return x509_broken(why, rule, place,
                           rule == X509_RULE_PATH ? X509_verify_cert_error_string(error) : "");
    }
    TRY(x509_check_names(judgement->leaf, request->name, request->purpose, why));
    return path_check(judgement, true, true, why);
}

enum err x509_judge(const struct x509_request *request, struct why *why)
{
    struct judgement judgement = {.request = request};
    enum err err = request->name ? x509_reference_check(request->name, why) : OK;
    if (err == OK) {
        err = judge(&judgement, why);
    }
    X509_STORE_CTX_free(judgement.path);
    sk_X509_pop_free(judgement.others, X509_free);
    X509_free(judgement.leaf);
    ERR_clear_error();
    return err;
}
