/* Certificates out of PEM files: whom to trust, and chains. */
#include "crypto/x509_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define ANCHORS_MAX 4096
#define SM2_ID      "1234567812345678"

/* SM2 signatures of certificates are made with this identifier (GB/T 32918.2, GM/T 0009). */
static void set_sm2_id(X509 *x509)
{
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    BUG_ON(id == NULL ||
           ASN1_OCTET_STRING_set(id, (const unsigned char *)SM2_ID, (int)strlen(SM2_ID)) != 1);
    X509_set0_distinguishing_id(x509, id);
}

X509 *x509_read(struct bytes der)
{
    const uint8_t *at = der.at;
    X509 *out = NULL;
    if (der.len > 0 && der.len <= X509_CERT_MAX) {
        out = d2i_X509(NULL, &at, (long)der.len);
    }
    if (out && at != der.at + der.len) {
        X509_free(out);
        out = NULL;
    }
    if (out && X509_get_signature_nid(out) == NID_SM2_with_SM3) {
        set_sm2_id(out);
    }
    ERR_clear_error();
    return out;
}

struct x509_anchors *x509_anchors_new(void)
{
    struct x509_anchors *anchors = mem_zalloc(sizeof *anchors);
    anchors->store = X509_STORE_new();
    BUG_ON(anchors->store == NULL);
    return anchors;
}

void x509_anchors_free(struct x509_anchors *anchors)
{
    if (anchors) {
        X509_STORE_free(anchors->store);
        free(anchors);
    }
}

size_t x509_anchors_count(const struct x509_anchors *anchors)
{
    return anchors->count;
}

enum err x509_anchors_add(struct x509_anchors *anchors, struct bytes der, struct why *why)
{
    X509 *x509 = anchors->count < ANCHORS_MAX ? x509_read(der) : NULL;
    if (x509 == NULL) {
        return why_sayf(why, ERR_FORMAT, x509_rule_name(X509_RULE_DER),
                        "is no certificate that can be read",
                        "Name a file with the certificates of authorities in PEM.",
                        "certificate %zu", anchors->count + 1);
    }
    BUG_ON(X509_STORE_add_cert(anchors->store, x509) != 1);
    X509_free(x509);
    anchors->count++;
    return OK;
}

/* Takes the next block of a PEM text; false at its end. Other blocks than certificates are none of
 * ours and skipped. */
static bool block_next(BIO *text, unsigned char **data, long *len)
{
    char *name;
    char *header;
    while (PEM_read_bio(text, &name, &header, data, len) == 1) {
        bool certificate = strcmp(name, PEM_STRING_X509) == 0;
        OPENSSL_free(name);
        OPENSSL_free(header);
        if (certificate) {
            return true;
        }
        OPENSSL_free(*data);
    }
    ERR_clear_error();
    return false;
}

static BIO *text_open(struct bytes pem)
{
    BUG_ON(pem.len > INT32_MAX);
    BIO *text = BIO_new_mem_buf(pem.len > 0 ? (const void *)pem.at : "", (int)pem.len);
    BUG_ON(text == NULL);
    return text;
}

static enum err none_there(struct why *why)
{
    return why_say(why, ERR_FORMAT, x509_rule_name(X509_RULE_DER), NULL, "holds no certificate",
                   "Name a PEM file: lines between BEGIN CERTIFICATE and END CERTIFICATE.");
}

enum err x509_anchors_add_pem(struct x509_anchors *anchors, struct bytes pem, struct why *why)
{
    BIO *text = text_open(pem);
    unsigned char *data;
    long len;
    enum err err = OK;
    size_t before = anchors->count;
    while (err == OK && block_next(text, &data, &len)) {
        err = x509_anchors_add(anchors, (struct bytes){data, (size_t)len}, why);
        OPENSSL_free(data);
    }
    BIO_free(text);
    return err == OK && anchors->count == before ? none_there(why) : err;
}

enum err x509_chain_read(struct x509_chain *out, struct bytes pem, struct why *why)
{
    BIO *text = text_open(pem);
    unsigned char *data;
    long len;
    size_t lens[X509_CHAIN_MAX] = {0};
    enum err err = OK;
    *out = (struct x509_chain){0};
    while (err == OK && block_next(text, &data, &len)) {
        if (out->count == X509_CHAIN_MAX) {
            err = x509_broken(why, X509_RULE_CHAIN, 0, "more than 8");
        } else {
            lens[out->count++] = (size_t)len;
            buf_put(&out->bytes, (struct bytes){data, (size_t)len});
        }
        OPENSSL_free(data);
    }
    BIO_free(text);
    const uint8_t *at = out->bytes.at;
    for (size_t i = 0; i < out->count; i++) {
        out->der[i] = (struct bytes){at, lens[i]};
        at += lens[i];
    }
    return err == OK && out->count == 0 ? none_there(why) : err;
}

void x509_chain_clear(struct x509_chain *chain)
{
    buf_clear(&chain->bytes);
    chain->count = 0;
}
