#include "check.h"

#include "base/file.h"
#include "crypto/signer.h"
#include "http/server.h"
#include "http/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define A_DAY (24L * 3600)

static char folder[] = "/tmp/cairn-test-tls-XXXXXX";

/* ---- certificates, made anew for each run because they must be valid now */

struct pair {
    EVP_PKEY *key;
    X509 *x509;
};

static void extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    BUG_ON(extension == NULL || X509_add_ext(x509, extension, -1) != 1);
    X509_EXTENSION_free(extension);
}

/* `purpose` is NULL for an authority, which signs itself. */
static struct pair pair_new(const char *name, const struct pair *issuer, const char *purpose,
                            long until_s)
{
    struct pair out = {EVP_EC_gen("P-256"), X509_new()};
    const struct pair *by = issuer ? issuer : &out;
    X509_set_version(out.x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(out.x509), 7);
    X509_gmtime_adj(X509_getm_notBefore(out.x509), -2 * A_DAY);
    X509_gmtime_adj(X509_getm_notAfter(out.x509), until_s);
    X509_set_pubkey(out.x509, out.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(out.x509), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(out.x509, X509_get_subject_name(by->x509));
    extend(out.x509, by->x509, NID_basic_constraints,
           purpose ? "critical,CA:FALSE" : "critical,CA:TRUE");
    extend(out.x509, by->x509, NID_key_usage,
           purpose ? "critical,digitalSignature" : "critical,keyCertSign");
    extend(out.x509, by->x509, NID_subject_key_identifier, "hash");
    extend(out.x509, by->x509, NID_authority_key_identifier, "keyid");
    if (purpose) {
        char san[64];
        snprintf(san, sizeof san, "DNS:%s", name);
        extend(out.x509, by->x509, NID_ext_key_usage, purpose);
        extend(out.x509, by->x509, NID_subject_alt_name, san);
    }
    BUG_ON(X509_sign(out.x509, by->key, EVP_sha256()) == 0);
    return out;
}

static void pair_free(struct pair *pair)
{
    EVP_PKEY_free(pair->key);
    X509_free(pair->x509);
}

static const char *in_folder(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *out = paths[next++ % 8];
    snprintf(out, sizeof paths[0], "%s/%s", folder, name);
    return out;
}

static const char *certificate_write(const char *name, const struct pair *pair)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "w");
    BUG_ON(file == NULL || PEM_write_X509(file, pair->x509) != 1);
    fclose(file);
    return path;
}

static const char *key_write(const char *name, const struct pair *pair)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "w");
    BUG_ON(file == NULL || fchmod(fileno(file), 0600) != 0 ||
           PEM_write_PrivateKey(file, pair->key, NULL, NULL, 0, NULL, NULL) != 1);
    fclose(file);
    return path;
}

static struct pair authority, server_pair, client_pair, stranger, expired;
static struct tls_files files;
static char certificate_path[128], key_path[128];

static int begin(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)state;
    BUG_ON(sigaction(SIGPIPE, &ignore, NULL) != 0 || mkdtemp(folder) == NULL);
    authority = pair_new("authority", NULL, NULL, 9 * A_DAY);
    server_pair = pair_new("localhost", &authority, "serverAuth", 3 * A_DAY);
    client_pair = pair_new("desk.example", &authority, "clientAuth", 3 * A_DAY);
    stranger = pair_new("desk.example", NULL, "clientAuth", 3 * A_DAY);
    expired = pair_new("localhost", &authority, "serverAuth", -A_DAY);
    snprintf(certificate_path, sizeof certificate_path, "%s",
             certificate_write("server.pem", &server_pair));
    snprintf(key_path, sizeof key_path, "%s", key_write("server.key", &server_pair));
    files = (struct tls_files){
        .certificate = certificate_path,
        .key = key_path,
        .origin = "https://localhost:8420",
    };
    return 0;
}

static int end(void **state)
{
    static const char *const names[] = {"server.pem",  "server.key",  "ca.pem",
                                        "expired.pem", "expired.key", "other.key"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unlink(in_folder(names[i]));
    }
    rmdir(folder);
    pair_free(&authority);
    pair_free(&server_pair);
    pair_free(&client_pair);
    pair_free(&stranger);
    pair_free(&expired);
    return 0;
}

/* ---- what is opened */

static enum err try_open(const struct tls_files *wanted, const char *field)
{
    struct server_tls *tls;
    struct why why = {0};
    enum err err = tls_open(&tls, wanted, &why);
    if (strcmp(why.field, field) != 0) {
        fail_msg("field is '%s', want '%s'", why.field, field);
    }
    CHECK((err == OK) == (tls != NULL));
    tls_close(tls);
    return err;
}

static void an_identity_that_fits_is_opened_and_every_other_is_refused(void **state)
{
    (void)state;
    CHECK_OK(try_open(&files, ""));
    struct tls_files wanted = files;
    wanted.origin = NULL;
    CHECK_OK(try_open(&wanted, ""));
    wanted.origin = "https://court.example";
    CHECK_ERR(try_open(&wanted, "certificate.name"), ERR_MISMATCH);
    wanted.origin = "https://192.0.2.1";
    CHECK_ERR(try_open(&wanted, "certificate.reference"), ERR_REFUSED);
    wanted.origin = "court.example";
    CHECK_ERR(try_open(&wanted, "origin"), ERR_FORMAT);
    wanted = files;
    wanted.certificate = in_folder("none.pem");
    CHECK_ERR(try_open(&wanted, "tls_certificate"), ERR_NOT_FOUND);
    wanted.certificate = files.key;
    CHECK_ERR(try_open(&wanted, "certificate.der"), ERR_FORMAT);
    wanted = files;
    wanted.key = in_folder("none.key");
    CHECK_ERR(try_open(&wanted, "tls_key"), ERR_NOT_FOUND);
    wanted.key = key_write("other.key", &client_pair);
    CHECK_ERR(try_open(&wanted, "tls_key"), ERR_MISMATCH);
    wanted.key = "pkcs11:token=none;object=none?module-path=/none";
    CHECK(tls_open(&(struct server_tls *){NULL}, &wanted, NULL) != OK);
    BUG_ON(chmod(files.key, 0604) != 0);
    CHECK_ERR(try_open(&files, "tls_key"), ERR_REFUSED);
    BUG_ON(chmod(files.key, 0620) != 0);
    CHECK_ERR(try_open(&files, "tls_key"), ERR_REFUSED);
    BUG_ON(chmod(files.certificate, 0600) != 0);
    wanted = files;
    wanted.key = files.certificate;
    CHECK_ERR(try_open(&wanted, "tls_key"), ERR_KEY);
    BUG_ON(chmod(files.key, 0640) != 0);
    CHECK_OK(try_open(&files, ""));
    BUG_ON(chmod(files.key, 0600) != 0);
    wanted = files;
    wanted.certificate = certificate_write("expired.pem", &expired);
    wanted.key = key_write("expired.key", &expired);
    CHECK_ERR(try_open(&wanted, "certificate.not_after"), ERR_EXPIRED);
    wanted = files;
    wanted.client_ca = in_folder("none.pem");
    CHECK_ERR(try_open(&wanted, "tls_client_ca"), ERR_NOT_FOUND);
    wanted.client_ca = files.key;
    CHECK_ERR(try_open(&wanted, "certificate.der"), ERR_FORMAT);
}

static void a_reload_that_fails_leaves_what_was(void **state)
{
    (void)state;
    struct server_tls *tls;
    struct tls_files wanted = files;
    struct why why = {0};
    CHECK_OK(tls_open(&tls, &files, NULL));
    uint64_t expiry_ms = tls_expiry_ms(tls);
    CHECK(expiry_ms > 0 && expiry_ms % 1000 == 0);
    wanted.certificate = certificate_write("expired.pem", &expired);
    wanted.key = key_write("expired.key", &expired);
    CHECK_ERR(tls_reload(tls, &wanted, &why), ERR_EXPIRED);
    CHECK_UINT(tls_expiry_ms(tls), expiry_ms);
    CHECK_OK(tls_reload(tls, &files, NULL));
    CHECK_OK(tls_reload(tls, &files, NULL));
    CHECK_UINT(tls_expiry_ms(tls), expiry_ms);
    tls_close(tls);
    tls_close(NULL);
}

static void hosts_are_taken_out_of_origins(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *host;
    } cases[] = {
        {"https://court.example", "court.example"},
        {"https://court.example:8420", "court.example"},
        {"https://[2001:db8::1]:1", "2001:db8::1"},
        {"https://localhost/x", "localhost"},
        {"http://court.example", NULL},
        {"https://", NULL},
        {"https://:1", NULL},
        {"", NULL},
    };
    char host[254];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_ERR(origin_host(host, cases[i].origin), cases[i].host ? OK : ERR_FORMAT);
        CHECK(!cases[i].host || strcmp(host, cases[i].host) == 0);
    }
    char long_origin[400] = "https://";
    memset(long_origin + 8, 'a', 254);
    CHECK_ERR(origin_host(host, long_origin), ERR_FORMAT);
}

/* ---- a server, and who is seen there */

static void say_certificate(void *context, struct exchange *exchange)
{
    (void)context;
    struct response *response = exchange_response(exchange);
    response->status = 200;
    buf_put(&response->body, exchange_client_certificate(exchange));
}

static const struct route routes[] = {
    {.method = "GET", .pattern = "/who", .handler = say_certificate, .access = ROUTE_OPEN},
    {0},
};

/* Asks over TLS as `who` (NULL: as nobody); false if the connection ends before an answer. */
static bool ask(uint16_t port, const struct pair *who, int version, struct buf *body)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    static const char request[] = "GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    char answer[8192];
    int len = 0;
    int got = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (const struct sockaddr *)&to, sizeof to) == 0);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, version);
    if (who) {
        SSL_CTX_use_certificate(context, who->x509);
        SSL_CTX_use_PrivateKey(context, who->key);
    }
    SSL *tls = SSL_new(context);
    SSL_set_fd(tls, fd);
    if (SSL_connect(tls) == 1 && SSL_write(tls, request, sizeof request - 1) > 0) {
        while (got > 0) {
            got = SSL_read(tls, answer + len, (int)sizeof answer - len);
            len += got > 0 ? got : 0;
        }
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    close(fd);
    const char *blank = len > 0 ? memmem(answer, (size_t)len, "\r\n\r\n", 4) : NULL;
    if (blank) {
        size_t head_len = (size_t)(blank + 4 - answer);
        buf_put(body, (struct bytes){(const uint8_t *)answer + head_len, (size_t)len - head_len});
    }
    return blank != NULL;
}

static void a_handler_sees_the_certificate_that_the_client_showed(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct server_tls *tls;
    struct server *server;
    struct tls_files wanted = files;
    wanted.client_ca = certificate_write("ca.pem", &authority);
    CHECK_OK(tls_open(&tls, &wanted, NULL));
    struct server_options options = {.address = "127.0.0.1", .tls = tls, .routes = routes};
    CHECK_OK(server_start(&server, &options, NULL));
    uint8_t *der = NULL;
    int der_len = i2d_X509(client_pair.x509, &der);
    CHECK(der_len > 0);
    for (size_t i = 0; i < 2; i++) {
        struct buf body = {0};
        CHECK(ask(server_port(server), NULL, versions[i], &body));
        CHECK_UINT(body.len, 0);
        CHECK(ask(server_port(server), &client_pair, versions[i], &body));
        CHECK_BYTES(buf_bytes(&body), ((struct bytes){der, (size_t)der_len}));
        CHECK(!ask(server_port(server), &stranger, versions[i], &body));
        CHECK(!ask(server_port(server), &server_pair, versions[i], &body));
        buf_clear(&body);
    }
    CHECK_OK(tls_reload(tls, &files, NULL)); /* nobody is asked any more */
    struct buf body = {0};
    CHECK(ask(server_port(server), &client_pair, TLS1_3_VERSION, &body));
    CHECK_UINT(body.len, 0);
    buf_clear(&body);
    OPENSSL_free(der);
    server_stop(server, 1000);
    tls_close(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_that_fits_is_opened_and_every_other_is_refused),
        cmocka_unit_test(a_reload_that_fails_leaves_what_was),
        cmocka_unit_test(hosts_are_taken_out_of_origins),
        cmocka_unit_test(a_handler_sees_the_certificate_that_the_client_showed),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
