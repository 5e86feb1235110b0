/* Inside crypto/ only: the parts of the rule book. */
#ifndef CAIRN_CRYPTO_X509_INTERNAL_H
#define CAIRN_CRYPTO_X509_INTERNAL_H

#include "crypto/x509.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define FINDING_MAX 100 /* bytes of text on what was found, with NUL */

/* One certificate of the path that is judged. */
struct on_path {
    X509 *x509;
    size_t place; /* 0 is the leaf */
    bool anchor;  /* the trusted end of the path */
};

struct x509_anchors {
    X509_STORE *store;
    size_t count;
};

/* Says in `why` that `rule` is broken by the certificate at `place`, where `finding` (may be "")
 * is, and returns the rule's error. */
enum err x509_broken(struct why *why, enum x509_rule rule, size_t place, const char *finding);

/* Reads one certificate; NULL if it isn't exactly that. */
X509 *x509_read(struct bytes der);

/* What can be said about one certificate without the others. */
must_use enum err x509_check_one(const struct on_path *certificate, struct why *why);
/* That each extended key usage on the path but the anchor's includes the purpose, and that the leaf
 * has one (RFC 5280, 4.2.1.12). */
must_use enum err x509_check_purpose(const struct on_path *certificate, enum x509_purpose purpose,
                                     struct why *why);

/* That the leaf's DNS names are such, and that one of them is `name`, unless it is NULL. A server
 * has at least one. */
must_use enum err x509_check_names(X509 *leaf, const char *name, enum x509_purpose purpose,
                                   struct why *why);

#endif
