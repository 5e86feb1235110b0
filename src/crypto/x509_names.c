/* DNS names of certificates (RFC 9525): subjectAltName alone, a wildcard only as the whole leftmost
 * label, and never right above a name that could be a public root. */
#include "crypto/x509_internal.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN  253
#define LABEL_MAX_LEN 63
#define NAMES_MAX     1000 /* in one certificate */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits and hyphens, none of these at an end (RFC 1123, 2.1). */
static bool label_ok(struct bytes label)
{
    if (label.len == 0 || label.len > LABEL_MAX_LEN || label.at[0] == '-' ||
        label.at[label.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!is_letter(label.at[i]) && !is_digit(label.at[i]) && label.at[i] != '-') {
            return false;
        }
    }
    return true;
}

static struct bytes label_take(struct bytes *rest)
{
    const uint8_t *dot = rest->len > 0 ? memchr(rest->at, '.', rest->len) : NULL;
    size_t len = dot ? (size_t)(dot - rest->at) : rest->len;
    struct bytes label = {rest->at, len};
    size_t taken = dot ? len + 1 : len;
    *rest = (struct bytes){rest->at + taken, rest->len - taken};
    return label;
}

/* Whether these are labels and dots whose last label has a letter, as no address has. */
static bool name_ok(struct bytes name)
{
    bool letter = false;
    if (name.len == 0 || name.len > NAME_MAX_LEN || name.at[name.len - 1] == '.') {
        return false;
    }
    while (name.len > 0) {
        struct bytes label = label_take(&name);
        if (!label_ok(label)) {
            return false;
        }
        letter = false;
        for (size_t i = 0; i < label.len; i++) {
            letter = letter || is_letter(label.at[i]);
        }
    }
    return letter;
}

static bool is_wildcard(struct bytes name)
{
    return name.len > 2 && name.at[0] == '*' && name.at[1] == '.';
}

static struct bytes below_wildcard(struct bytes name)
{
    return (struct bytes){name.at + 2, name.len - 2};
}

/* A name as a certificate may present it. Behind a wildcard stand at least two labels. */
static bool presented_ok(struct bytes name)
{
    if (!is_wildcard(name)) {
        return name_ok(name);
    }
    struct bytes below = below_wildcard(name);
    return name_ok(below) && memchr(below.at, '.', below.len) != NULL;
}

static bool same_name(struct bytes a, struct bytes b)
{
    return a.len == b.len && strncasecmp((const char *)a.at, (const char *)b.at, a.len) == 0;
}

static bool stands_for(struct bytes presented, struct bytes name)
{
    if (!is_wildcard(presented)) {
        return same_name(presented, name);
    }
    (void)label_take(&name);
    return same_name(below_wildcard(presented), name);
}

static void finding_put(char *finding, struct bytes name)
{
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < FINDING_MAX - 1; i++) {
        finding[len++] = name.at[i] > ' ' && name.at[i] < 0x7f ? (char)name.at[i] : '?';
    }
    finding[len] = '\0';
}

/* The DNS names of a subjectAltName, judged one by one. */
struct names {
    struct bytes wanted; /* none: any */
    size_t count;
    bool found;
    char first[FINDING_MAX];
};

static enum err names_check(struct names *names, const GENERAL_NAMES *all, struct why *why)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *general = sk_GENERAL_NAME_value(all, i);
        if (general->type != GEN_DNS) {
            continue;
        }
        struct bytes name = {ASN1_STRING_get0_data(general->d.dNSName),
                             (size_t)ASN1_STRING_length(general->d.dNSName)};
        char finding[FINDING_MAX];
        finding_put(finding, name);
        if (!presented_ok(name) || ++names->count > NAMES_MAX) {
            return x509_broken(why, X509_RULE_DNS_NAMES, 0, finding);
        }
        if (names->count == 1) {
            memcpy(names->first, finding, sizeof finding);
        }
        names->found = names->found || (names->wanted.len > 0 && stands_for(name, names->wanted));
    }
    return OK;
}

enum err x509_check_names(X509 *leaf, const char *name, enum x509_purpose purpose, struct why *why)
{
    struct names names = {.wanted = name ? bytes_text(name) : BYTES_NONE};
    int critical;
    GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
    if (all == NULL && critical != -1) {
        return x509_broken(why, X509_RULE_EXTENSION, 0, "subjectAltName");
    }
    enum err err = names_check(&names, all, why);
    GENERAL_NAMES_free(all);
    TRY(err);
    if (purpose == X509_SERVER && names.count == 0) {
        return x509_broken(why, X509_RULE_NAME, 0, "it has no DNS name in its subjectAltName");
    }
    if (name && !names.found) {
        char finding[FINDING_MAX];
        snprintf(finding, sizeof finding, "%.40s, not %.40s", names.first, name);
        return x509_broken(why, X509_RULE_NAME, 0, finding);
    }
    return OK;
}

enum err x509_reference_check(const char *name, struct why *why)
{
    struct bytes bytes = bytes_text(name);
    if (name_ok(bytes)) {
        return OK;
    }
    char finding[FINDING_MAX];
    finding_put(finding, bytes);
    return why_say(why, ERR_REFUSED, x509_rule_name(X509_RULE_REFERENCE), finding,
                   "is no DNS name (an address is none)",
                   "Give the server a name in the DNS, or in /etc/hosts for a trial, and use that: "
                   "certificates and passkeys are for names.");
}
