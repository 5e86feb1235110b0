/* The rule book for a peer's certificate (RFC 5280, RFC 9525; stricter where the CA/Browser Forum's
 * baseline is), whichever library terminates TLS: pure functions of bytes, names and a time.
 *
 * Each rule has a name that stands in why.field when it is broken. Not judged: revocation (use
 * certificates that live for days), certificate transparency, how long a certificate may live. */
#ifndef CAIRN_CRYPTO_X509_H
#define CAIRN_CRYPTO_X509_H

#include "base/bytes.h"
#include "base/why.h"

#define X509_CHAIN_MAX 8     /* certificates from the leaf to the anchor */
#define X509_CERT_MAX  16384 /* bytes of one */

/* Rule, error, where it stands, what a certificate that breaks it is. docs/certificates.md explains
 * each; a test compares the two. Rules up to "name" are about the certificate's path as well as its
 * leaf. An anchor is trusted whatever its serial number, signature and identifiers. */
#define X509_RULE_TABLE(X)                                                                       \
    X(CHAIN, "certificate.chain", ERR_REFUSED, "RFC 5280 6.1",                                   \
      "is not a chain of 1 to 8 certificates")                                                   \
    X(DER, "certificate.der", ERR_FORMAT, "RFC 5280 4.1, X.690",                                 \
      "is not one certificate in DER of at most 16,384 bytes")                                   \
    X(VERSION, "certificate.version", ERR_REFUSED, "RFC 5280 4.1.2.1", "is not of version 3")    \
    X(SERIAL, "certificate.serial", ERR_REFUSED, "RFC 5280 4.1.2.2",                             \
      "has a serial number that is not positive or longer than 20 bytes")                        \
    X(ALGORITHM, "certificate.algorithm", ERR_KEY, "CA/B 7.1.3.2",                               \
      "is signed with an algorithm or digest that is too weak or unknown")                       \
    X(KEY, "certificate.key", ERR_KEY, "CA/B 6.1.5, 6.1.6",                                      \
      "has a key that is too weak or of an unknown kind")                                        \
    X(VALIDITY, "certificate.validity", ERR_REFUSED, "RFC 5280 4.1.2.5",                         \
      "states its times in another form than UTCTime to 2049 and GeneralizedTime after")         \
    X(UNIQUE_ID, "certificate.unique_id", ERR_REFUSED, "RFC 5280 4.1.2.8",                       \
      "has a unique identifier, which no certificate may have")                                  \
    X(DUPLICATE, "certificate.duplicate", ERR_REFUSED, "RFC 5280 4.2", "has an extension twice") \
    X(CRITICAL, "certificate.critical", ERR_REFUSED, "RFC 5280 4.2",                             \
      "has a critical extension that is not understood")                                         \
    X(EXTENSION, "certificate.extension", ERR_REFUSED, "RFC 5280 4.2.1",                         \
      "has an extension that is malformed, or critical where it must not be")                    \
    X(BASIC_CONSTRAINTS, "certificate.basic_constraints", ERR_REFUSED, "RFC 5280 4.2.1.9",       \
      "is an authority where it must be none, or none where it must be one")                     \
    X(PATH_LENGTH, "certificate.path_length", ERR_REFUSED, "RFC 5280 4.2.1.9",                   \
      "has more authorities below it than it allows")                                            \
    X(KEY_USAGE, "certificate.key_usage", ERR_REFUSED, "RFC 5280 4.2.1.3",                       \
      "has a key that may not be used for this")                                                 \
    X(IDENTIFIER, "certificate.identifier", ERR_REFUSED, "RFC 5280 4.2.1.1, 4.2.1.2",            \
      "lacks an authority or subject key identifier, or they do not fit")                        \
    X(ISSUER, "certificate.issuer", ERR_REFUSED, "RFC 5280 6.1.3",                               \
      "was issued by nobody who is trusted here")                                                \
    X(SIGNATURE, "certificate.signature", ERR_SIGNATURE, "RFC 5280 6.1.3",                       \
      "has a signature that does not verify under its issuer's key")                             \
    X(NOT_BEFORE, "certificate.not_before", ERR_EXPIRED, "RFC 5280 4.1.2.5", "is not valid yet") \
    X(NOT_AFTER, "certificate.not_after", ERR_EXPIRED, "RFC 5280 4.1.2.5", "has expired")        \
    X(NAME_CONSTRAINTS, "certificate.name_constraints", ERR_REFUSED, "RFC 5280 4.2.1.10",        \
      "has a name that an authority above it may not certify")                                   \
    X(POLICY, "certificate.policy", ERR_REFUSED, "RFC 5280 4.2.1.4, 4.2.1.11",                   \
      "lacks a policy that an authority above it demands")                                       \
    X(PATH, "certificate.path", ERR_REFUSED, "RFC 5280 6.1", "is refused by path validation")    \
    X(REFERENCE, "certificate.reference", ERR_REFUSED, "RFC 9525 3.1, 6.1", "is no DNS name")    \
    X(DNS_NAMES, "certificate.dns_names", ERR_REFUSED, "RFC 9525 4.1, 6.3; CA/B 7.1.2.7.12",     \
      "names something that is no DNS name, or a wildcard that is too wide")                     \
    X(NAME, "certificate.name", ERR_MISMATCH, "RFC 9525 6.3",                                    \
      "is not for the name that was asked for")                                                  \
    X(EXTENDED_KEY_USAGE, "certificate.extended_key_usage", ERR_REFUSED,                         \
      "RFC 5280 4.2.1.12, CA/B 7.1.2.7.10", "is not made for this purpose")

#define X509_RULE(rule, name, err, source, problem) X509_RULE_##rule,
enum x509_rule { X509_RULE_TABLE(X509_RULE) X509_RULE_COUNT };

/* Returns the rule's name, for example "certificate.key". */
const char *x509_rule_name(enum x509_rule rule);
/* Returns where the rule stands. */
const char *x509_rule_source(enum x509_rule rule);

/* ---- whom to trust */

struct x509_anchors;

struct x509_anchors *x509_anchors_new(void);
void x509_anchors_free(struct x509_anchors *anchors);
/* Adds one certificate in DER. ERR_FORMAT. */
must_use enum err x509_anchors_add(struct x509_anchors *anchors, struct bytes der, struct why *why);
/* Adds each certificate of a PEM bundle. ERR_FORMAT: one that can't be read, or none at all; the
 * field is certificate.der and the value its number. */
must_use enum err x509_anchors_add_pem(struct x509_anchors *anchors, struct bytes pem,
                                       struct why *why);
size_t x509_anchors_count(const struct x509_anchors *anchors);

/* A chain as its owner keeps it: certificates in PEM, leaf first. */
struct x509_chain {
    size_t count;
    struct bytes der[X509_CHAIN_MAX]; /* borrow from the chain */
    struct buf bytes;
};
/* Reads them. ERR_FORMAT, ERR_REFUSED (none, or more than 8). The caller clears it in any case. */
must_use enum err x509_chain_read(struct x509_chain *out, struct bytes pem, struct why *why);
void x509_chain_clear(struct x509_chain *chain);

/* ---- the judgement */

enum x509_purpose { X509_SERVER, X509_CLIENT };

struct x509_request {
    const struct bytes *chain_der; /* leaf first, as the peer sent them; the rest in any order */
    size_t chain_count;
    const struct x509_anchors *anchors;
    const char *name; /* the DNS name that was asked for; NULL: any (of a client) */
    enum x509_purpose purpose;
    uint64_t time_ms;
};

/* OK, or the error of the rule that is broken; `why` (may be NULL) has its name in `field`, and in
 * `value` which certificate breaks it and what is found there. Certificates that are not on the
 * path from the leaf to an anchor are read but not judged. Any thread. */
must_use enum err x509_judge(const struct x509_request *request, struct why *why);

/* Whether `name` is a DNS name that a certificate can stand for (RFC 9525, 3.1): labels of letters,
 * digits and hyphens, at most 253 bytes, no dot at its end, not an IP address. ERR_REFUSED. */
must_use enum err x509_reference_check(const char *name, struct why *why);

#endif
