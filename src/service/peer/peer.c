#include "service/peer/peer.h"

#include "base/clock.h"
#include "base/file.h"
#include "crypto/x509.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BUNDLE_MAX ((size_t)8 << 20)

struct peer_trust {
    struct x509_anchors *anchors;
};

enum err peer_trust_open(struct peer_trust **out, const char *path, struct why *why)
{
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    struct buf pem = {0};
    *out = NULL;
    if (!version->ssl_version || strncmp(version->ssl_version, "OpenSSL", 7) != 0) {
        return why_say(why, ERR_UNSUPPORTED, "libcurl",
                       version->ssl_version ? version->ssl_version : "without TLS",
                       "does not use OpenSSL, so that certificates can't be judged",
                       "Install libcurl4, Debian's libcurl with OpenSSL.");
    }
    if (!path && !version->cainfo) {
        return why_say(why, ERR_NOT_FOUND, "ca", NULL, "is not given, and this system has none",
                       "Name a PEM file of trusted certificates with --ca or CAIRN_CA.");
    }
    TRY(file_read(&pem, path ? path : version->cainfo, BUNDLE_MAX, why));
    struct peer_trust *trust = mem_zalloc(sizeof *trust);
    trust->anchors = x509_anchors_new();
    enum err err = x509_anchors_add_pem(trust->anchors, buf_bytes(&pem), why);
    buf_clear(&pem);
    if (err != OK) {
        peer_trust_free(trust);
        return err;
    }
    *out = trust;
    return OK;
}

void peer_trust_free(struct peer_trust *trust)
{
    if (trust) {
        x509_anchors_free(trust->anchors);
        free(trust);
    }
}

bool peer_is_tls(const char *url)
{
    return strncmp(url, "https://", 8) == 0;
}

/* The host as libcurl reads it, which is whom it connects to. */
static bool host_of(char out254[254], const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    BUG_ON(parts == NULL);
    bool found = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && strlen(host) < 254;
    if (found) {
        snprintf(out254, 254, "%s", host);
    }
    curl_free(host);
    curl_url_cleanup(parts);
    return found;
}

bool peer_is_loopback(const char *url)
{
    char host[254];
    struct in_addr v4;
    if (!host_of(host, url)) {
        return false;
    }
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

enum err peer_init(struct peer *out, const struct peer_trust *trust, const char *url,
                   struct why *why)
{
    *out = (struct peer){.trust = trust};
    if (!host_of(out->host, url)) {
        return why_say(why, ERR_FORMAT, "server", url, "is not a URL",
                       "Write it as https://ledger.example.org.");
    }
    return x509_reference_check(out->host, why);
}

/* Judges what the server sent in place of OpenSSL's own verification. */
static int judge(X509_STORE_CTX *handshake, void *context)
{
    struct peer *peer = context;
    const STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(handshake);
    unsigned char *ders[X509_CHAIN_MAX + 1] = {NULL};
    struct bytes chain[X509_CHAIN_MAX + 1];
    struct x509_request request = {
        .chain_der = chain,
        .anchors = peer->trust->anchors,
        .name = peer->host,
        .purpose = X509_SERVER,
        .time_ms = clock_wall_ms(),
    };
    for (int i = 0; i < sk_X509_num(sent) && i <= X509_CHAIN_MAX; i++) {
        int len = i2d_X509(sk_X509_value(sent, i), &ders[i]);
        BUG_ON(len < 0);
        chain[request.chain_count++] = (struct bytes){ders[i], (size_t)len};
    }
    peer->err = x509_judge(&request, &peer->why);
    for (size_t i = 0; i < request.chain_count; i++) {
        OPENSSL_free(ders[i]);
    }
    if (peer->err != OK) {
        X509_STORE_CTX_set_error(handshake, X509_V_ERR_APPLICATION_VERIFICATION);
    }
    return peer->err == OK;
}

static CURLcode take_over(CURL *curl, void *tls, void *context)
{
    (void)curl;
    SSL_CTX_set_cert_verify_callback(tls, judge, context);
    return CURLE_OK;
}

void peer_apply(struct peer *peer, void *curl)
{
    peer->err = OK;
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* These make libcurl ask for a judgement at all; its own bundle is not read for it. */
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, take_over);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, peer);
}
