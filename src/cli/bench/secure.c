#include "cli/bench/secure.h"

#include "base/file.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define VALID_S (30L * 24 * 3600)

/* ---- the server's certificate */

static void add_extension(X509 *x509, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    BUG_ON(extension == NULL || X509_add_ext(x509, extension, -1) != 1);
    X509_EXTENSION_free(extension);
}

static X509 *certificate_of(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    BUG_ON(x509 == NULL || X509_set_version(x509, X509_VERSION_3) != 1 ||
           ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) != 1 ||
           X509_gmtime_adj(X509_getm_notBefore(x509), -VALID_S) == NULL ||
           X509_gmtime_adj(X509_getm_notAfter(x509), VALID_S) == NULL ||
           X509_set_pubkey(x509, key) != 1);
    X509_NAME *name = X509_get_subject_name(x509);
    BUG_ON(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench", -1,
                                      -1, 0) != 1 ||
           X509_set_issuer_name(x509, name) != 1);
    add_extension(x509, NID_key_usage, "critical,digitalSignature");
    add_extension(x509, NID_ext_key_usage, "serverAuth");
    add_extension(x509, NID_subject_alt_name, "DNS:localhost");
    add_extension(x509, NID_subject_key_identifier, "hash");
    add_extension(x509, NID_authority_key_identifier, "keyid");
    BUG_ON(X509_sign(x509, key, EVP_sha256()) == 0);
    return x509;
}

static enum err memory_write(BIO *memory, const char *path, struct why *why)
{
    char *at;
    long len = BIO_get_mem_data(memory, &at);
    struct bytes bytes = {(const uint8_t *)at, (size_t)len};
    enum err err = file_write(path, bytes, 0600, why);
    BIO_free(memory);
    return err;
}

enum err secure_identity(const char *certificate, const char *key, struct why *why)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    BIO *pem = BIO_new(BIO_s_mem());
    BUG_ON(pair == NULL || pem == NULL ||
           PEM_write_bio_PrivateKey(pem, pair, NULL, NULL, 0, NULL, NULL) != 1);
    enum err err = memory_write(pem, key, why);
    if (err == OK) {
        X509 *x509 = certificate_of(pair);
        pem = BIO_new(BIO_s_mem());
        BUG_ON(pem == NULL || PEM_write_bio_X509(pem, x509) != 1);
        err = memory_write(pem, certificate, why);
        X509_free(x509);
    }
    EVP_PKEY_free(pair);
    return err;
}

/* ---- the generator's side */

struct ssl_ctx_st *secure_new(void)
{
    SSL_CTX *secure = SSL_CTX_new(TLS_client_method());
    BUG_ON(secure == NULL || SSL_CTX_set_min_proto_version(secure, TLS1_3_VERSION) != 1);
    SSL_CTX_set_mode(secure, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(secure, SSL_VERIFY_NONE, NULL);
    return secure;
}

void secure_clear(struct ssl_ctx_st *secure)
{
    SSL_CTX_free(secure);
}

struct ssl_st *secure_open(struct ssl_ctx_st *secure, int fd)
{
    static char host[] = "localhost";
    SSL *connection = SSL_new(secure);
    BUG_ON(connection == NULL || SSL_set_fd(connection, fd) != 1 ||
           SSL_set_tlsext_host_name(connection, host) != 1);
    int flags = fcntl(fd, F_GETFL);
    if (SSL_connect(connection) != 1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        SSL_free(connection);
        return NULL;
    }
    return connection;
}

void secure_close(struct ssl_st *connection)
{
    SSL_free(connection);
}

static ssize_t result(SSL *connection, int done)
{
    int error = done > 0 ? SSL_ERROR_NONE : SSL_get_error(connection, done);
    if (error == SSL_ERROR_NONE) {
        return done;
    }
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

ssize_t secure_send(struct ssl_st *connection, struct bytes bytes)
{
    return result(connection, SSL_write(connection, bytes.at, (int)bytes.len));
}

ssize_t secure_receive(struct ssl_st *connection, uint8_t *at, size_t len)
{
    return result(connection, SSL_read(connection, at, (int)len));
}
