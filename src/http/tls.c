/* GnuTLS, as libmicrohttpd uses it. The library opens a session for each connection; tls_begin
 * makes it ours before the first byte, by the session's pointer for databases, which serves nothing
 * else here. */
#include "http/tls.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "crypto/ecdsa.h"
#include "crypto/x509.h"
#include "keystore/keystore.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LEN_MAX ((size_t)1 << 20)
#define KEY_ID_MAX   64
#define ORIGIN_BEGIN "https://"
/* An identity that was replaced is kept so long: handshakes that began with it have ended. */
#define RETIRED_MS ((uint64_t)2 * 3600 * 1000)

#define PRIORITIES                                                                        \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"          \
    ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD"            \
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"                         \
    ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:-SIGN-RSA-SHA224:-SIGN-ECDSA-SHA224" \
    ":%SERVER_PRECEDENCE"

/* A certificate with its key, and whom clients' certificates must come from. */
struct identity {
    struct identity *older; /* retired before it */
    uint64_t retired_ms;
    struct x509_chain chain;
    gnutls_pcert_st certs[X509_CHAIN_MAX];
    unsigned cert_count; /* of `certs` that are there */
    gnutls_privkey_t key;
    struct signer *signer; /* behind `key`, if it lies elsewhere */
    struct x509_anchors *client_ca;
    uint64_t expiry_ms;
};

struct server_tls {
    _Atomic(struct identity *) current;
    struct identity *retired;
    gnutls_datum_t ticket_key;
};

enum err origin_host(char out254[254], const char *origin)
{
    if (strncmp(origin, ORIGIN_BEGIN, strlen(ORIGIN_BEGIN)) != 0) {
        return ERR_FORMAT;
    }
    const char *host = origin + strlen(ORIGIN_BEGIN);
    bool brackets = host[0] == '[';
    host += brackets;
    size_t len = strcspn(host, brackets ? "]" : ":/?#");
    if (len == 0 || len > 253) {
        return ERR_FORMAT;
    }
    memcpy(out254, host, len);
    out254[len] = '\0';
    return OK;
}

/* ---- a key that lies elsewhere */

/* One signature algorithm each: what our signers make. */
static gnutls_sign_algorithm_t algorithm_of(const struct signer *signer)
{
    return signer_alg(signer) == ALG_ED25519 ? GNUTLS_SIGN_EDDSA_ED25519 : GNUTLS_SIGN_ECDSA_SHA256;
}

static int foreign_info(gnutls_privkey_t key, unsigned flags, void *context)
{
    (void)key;
    const struct signer *signer = context;
    bool ed25519 = signer_alg(signer) == ALG_ED25519;
    gnutls_sign_algorithm_t asked = GNUTLS_FLAGS_TO_SIGN_ALGO(flags);
    if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO) {
        return ed25519 ? (int)GNUTLS_PK_EDDSA_ED25519 : (int)GNUTLS_PK_ECDSA;
    }
    if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS) {
        return 256;
    }
    if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) {
        return asked == algorithm_of(signer) ||
               (!ed25519 && asked == GNUTLS_SIGN_ECDSA_SECP256R1_SHA256);
    }
    return -1;
}

/* Hands out a signature, or logs why there is none. */
static int foreign_result(const struct signer *signer, enum err err, struct bytes signature,
                          gnutls_datum_t *out)
{
    struct why why = {0};
    if (err != OK) {
        (void)signer_explain(signer, err, &why);
        log_event(LOG_ERROR, "tls.key_failed", "problem=\"%s\"", why.problem);
        return GNUTLS_E_PK_SIGN_FAILED;
    }
    out->data = gnutls_malloc(signature.len);
    if (!out->data) {
        return GNUTLS_E_MEMORY_ERROR;
    }
    memcpy(out->data, signature.at, signature.len);
    out->size = (unsigned)signature.len;
    return 0;
}

/* Ed25519, which signs messages. `algorithm` is one of those that foreign_info has. */
static int foreign_sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *context,
                        unsigned flags, const gnutls_datum_t *data, gnutls_datum_t *out)
{
    (void)key;
    (void)flags;
    (void)algorithm;
    const struct signer *signer = context;
    uint8_t signature[64];
    enum err err = signer_sign(signer, signature, (struct bytes){data->data, data->size});
    return foreign_result(signer, err, BYTES_OF(signature), out);
}

/* ES256, which signs a SHA-256. */
static int foreign_sign_digest(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm,
                               void *context, unsigned flags, const gnutls_datum_t *data,
                               gnutls_datum_t *out)
{
    (void)key;
    (void)flags;
    (void)algorithm;
    const struct signer *signer = context;
    struct hash digest;
    uint8_t signature[64];
    uint8_t der[ECDSA_DER_MAX];
    if (data->size != sizeof digest.at) {
        return GNUTLS_E_PK_SIGN_FAILED;
    }
    memcpy(digest.at, data->data, sizeof digest.at);
    enum err err = signer_sign_digest(signer, signature, &digest);
    size_t len = err == OK ? ecdsa_der_write(der, signature) : 0;
    return foreign_result(signer, err, (struct bytes){der, len}, out);
}

static enum err key_open_foreign(struct identity *identity, const struct tls_files *files,
                                 struct why *why)
{
    TRY(keystore_open(&identity->signer, files->key, files->ask, files->context, why));
    if (signer_alg(identity->signer) != ALG_ED25519 && signer_alg(identity->signer) != ALG_ES256) {
        return why_say(why, ERR_UNSUPPORTED, "tls_key", files->key, "is no P-256 or Ed25519 key",
                       "Use one of these kinds for TLS.");
    }
    int code = gnutls_privkey_import_ext4(identity->key, identity->signer, foreign_sign,
                                          foreign_sign_digest, NULL, NULL, foreign_info, 0);
    BUG_ON(code != GNUTLS_E_SUCCESS);
    return OK;
}

/* ---- files */

static enum err named(struct why *why, enum err err, const char *setting)
{
    if (why && err != OK && strcmp(why->field, "file") == 0) {
        snprintf(why->field, sizeof why->field, "%s", setting);
    }
    return err;
}

static enum err check_private(const char *path, struct why *why)
{
    struct stat stat_of;
    if (stat(path, &stat_of) == 0 && (stat_of.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
        return why_say(why, ERR_REFUSED, "tls_key", path,
                       "may be read or written by others than its owner and group",
                       "Run chmod 600 on it; if others could read it, get a new key.");
    }
    return OK;
}

static enum err key_open_file(struct identity *identity, const struct tls_files *files,
                              struct why *why)
{
    struct buf pem = {0};
    enum err err = named(why, file_read(&pem, files->key, FILE_LEN_MAX, why), "tls_key");
    if (err == OK) {
        err = check_private(files->key, why);
    }
    if (err == OK) {
        gnutls_datum_t datum = {pem.at, (unsigned)pem.len};
        int code = gnutls_privkey_import_x509_raw(identity->key, &datum, GNUTLS_X509_FMT_PEM, NULL,
                                                  GNUTLS_PKCS_PLAIN);
        if (code != GNUTLS_E_SUCCESS) {
            err = why_say(why, ERR_KEY, "tls_key", files->key, gnutls_strerror(code),
                          "It must be a private key in PEM without a passphrase; keep its file "
                          "readable by the node's user alone.");
        }
    }
    wipe(pem.at, pem.len);
    buf_clear(&pem);
    return err;
}

static enum err not_its_key(const struct tls_files *files, struct why *why)
{
    return why_say(why, ERR_MISMATCH, "tls_key", files->key,
                   "is not the key of the certificate in tls_certificate",
                   "Name the two files that belong together; the leaf must be the first one in "
                   "its file.");
}

/* Whether the key is that of the leaf. */
static enum err check_pair(struct identity *identity, const struct tls_files *files,
                           struct why *why)
{
    gnutls_pubkey_t of_key;
    gnutls_datum_t spki = {NULL, 0};
    gnutls_pubkey_t leaf = identity->certs[0].pubkey;
    bool same;
    if (identity->signer) {
        struct bytes own = pubkey_spki(signer_pubkey(identity->signer));
        same = gnutls_pubkey_export2(leaf, GNUTLS_X509_FMT_DER, &spki) == GNUTLS_E_SUCCESS &&
               bytes_equal((struct bytes){spki.data, spki.size}, own);
        gnutls_free(spki.data);
        return same ? OK : not_its_key(files, why);
    }
    uint8_t ids[2][KEY_ID_MAX];
    size_t lens[2] = {KEY_ID_MAX, KEY_ID_MAX};
    int code = gnutls_pubkey_init(&of_key);
    BUG_ON(code != GNUTLS_E_SUCCESS);
    same = gnutls_pubkey_import_privkey(of_key, identity->key, 0, 0) == GNUTLS_E_SUCCESS &&
           gnutls_pubkey_get_key_id(of_key, GNUTLS_KEYID_USE_SHA256, ids[0], &lens[0]) == 0 &&
           gnutls_pubkey_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, ids[1], &lens[1]) == 0 &&
           lens[0] == lens[1] && memcmp(ids[0], ids[1], lens[0]) == 0;
    gnutls_pubkey_deinit(of_key);
    return same ? OK : not_its_key(files, why);
}

/* Judges our own certificate as a client will who trusts the end of the chain. */
static enum err check_own(const struct x509_chain *chain, const char *origin, struct why *why)
{
    char host[254];
    struct x509_anchors *anchors = x509_anchors_new();
    struct x509_request request = {
        .chain_der = chain->der,
        .chain_count = chain->count,
        .anchors = anchors,
        .purpose = X509_SERVER,
        .time_ms = clock_wall_ms(),
    };
    enum err err = OK;
    if (origin) {
        request.name = host;
        err = origin_host(host, origin);
        if (err != OK) {
            why_say(why, err, "origin", origin, "is not https://NAME", NULL);
        }
    }
    if (err == OK) {
        err = x509_anchors_add(anchors, chain->der[chain->count - 1], why);
    }
    if (err == OK) {
        err = x509_judge(&request, why);
    }
    x509_anchors_free(anchors);
    return err;
}

static enum err certificate_load(struct identity *identity, const struct tls_files *files,
                                 struct why *why)
{
    struct buf pem = {0};
    enum err err =
        named(why, file_read(&pem, files->certificate, FILE_LEN_MAX, why), "tls_certificate");
    if (err == OK) {
        err = x509_chain_read(&identity->chain, buf_bytes(&pem), why);
    }
    buf_clear(&pem);
    TRY(err);
    TRY(check_own(&identity->chain, files->origin, why));
    for (size_t i = 0; i < identity->chain.count; i++) {
        struct bytes der = identity->chain.der[i];
        gnutls_datum_t datum = {(unsigned char *)(uintptr_t)der.at, (unsigned)der.len};
        int code =
            gnutls_pcert_import_x509_raw(&identity->certs[i], &datum, GNUTLS_X509_FMT_DER, 0);
        if (code != GNUTLS_E_SUCCESS) {
            return why_say(why, ERR_FORMAT, "tls_certificate", files->certificate,
                           gnutls_strerror(code), "Use a certificate that GnuTLS can read too.");
        }
        identity->cert_count++;
    }
    time_t expiry = 0;
    gnutls_x509_crt_t leaf;
    if (gnutls_pcert_export_x509(&identity->certs[0], &leaf) == GNUTLS_E_SUCCESS) {
        expiry = gnutls_x509_crt_get_expiration_time(leaf);
        gnutls_x509_crt_deinit(leaf);
    }
    identity->expiry_ms = (uint64_t)expiry * 1000;
    return OK;
}

static enum err client_ca_load(struct identity *identity, const struct tls_files *files,
                               struct why *why)
{
    struct buf pem = {0};
    if (!files->client_ca) {
        return OK;
    }
    enum err err =
        named(why, file_read(&pem, files->client_ca, FILE_LEN_MAX, why), "tls_client_ca");
    if (err == OK) {
        identity->client_ca = x509_anchors_new();
        err = x509_anchors_add_pem(identity->client_ca, buf_bytes(&pem), why);
    }
    buf_clear(&pem);
    return err;
}

static void identity_free(struct identity *identity)
{
    for (unsigned i = 0; i < identity->cert_count; i++) {
        gnutls_pcert_deinit(&identity->certs[i]);
    }
    gnutls_privkey_deinit(identity->key);
    signer_free(identity->signer);
    x509_chain_clear(&identity->chain);
    x509_anchors_free(identity->client_ca);
    free(identity);
}

static enum err identity_load(struct identity **out, const struct tls_files *files, struct why *why)
{
    struct identity *identity = mem_zalloc(sizeof *identity);
    int code = gnutls_privkey_init(&identity->key);
    BUG_ON(code != GNUTLS_E_SUCCESS);
    enum err err = certificate_load(identity, files, why);
    if (err == OK) {
        err = keystore_is_uri(files->key) ? key_open_foreign(identity, files, why)
                                          : key_open_file(identity, files, why);
    }
    if (err == OK) {
        err = check_pair(identity, files, why);
    }
    if (err == OK) {
        err = client_ca_load(identity, files, why);
    }
    if (err != OK) {
        identity_free(identity);
        return err;
    }
    *out = identity;
    return OK;
}

/* ---- its life */

enum err tls_open(struct server_tls **out, const struct tls_files *files, struct why *why)
{
    struct identity *identity;
    *out = NULL;
    TRY(identity_load(&identity, files, why));
    struct server_tls *tls = mem_zalloc(sizeof *tls);
    atomic_init(&tls->current, identity);
    metric_set(METRIC_HTTP_CERTIFICATE, 0, identity->expiry_ms);
    int code = gnutls_session_ticket_key_generate(&tls->ticket_key);
    BUG_ON(code != GNUTLS_E_SUCCESS);
    *out = tls;
    return OK;
}

/* Frees what was retired long ago. */
static void retired_free(struct server_tls *tls, uint64_t now_ms)
{
    struct identity **at = &tls->retired;
    while (*at) {
        struct identity *identity = *at;
        if (now_ms - identity->retired_ms < RETIRED_MS) {
            at = &identity->older;
            continue;
        }
        *at = identity->older;
        identity_free(identity);
    }
}

enum err tls_reload(struct server_tls *tls, const struct tls_files *files, struct why *why)
{
    struct identity *identity;
    uint64_t now_ms = clock_mono_ns() / 1000000;
    TRY(identity_load(&identity, files, why));
    struct identity *before = atomic_exchange(&tls->current, identity);
    before->retired_ms = now_ms;
    metric_set(METRIC_HTTP_CERTIFICATE, 0, identity->expiry_ms);
    before->older = tls->retired;
    tls->retired = before;
    retired_free(tls, now_ms);
    return OK;
}

void tls_close(struct server_tls *tls)
{
    if (!tls) {
        return;
    }
    retired_free(tls, UINT64_MAX);
    identity_free(atomic_load(&tls->current));
    gnutls_memset(tls->ticket_key.data, 0, tls->ticket_key.size);
    gnutls_free(tls->ticket_key.data);
    free(tls);
}

uint64_t tls_expiry_ms(const struct server_tls *tls)
{
    return atomic_load(&tls->current)->expiry_ms;
}

/* ---- sessions */

static struct identity *identity_of(gnutls_session_t session)
{
    const struct server_tls *tls = gnutls_db_get_ptr(session);
    return tls ? atomic_load(&tls->current) : NULL;
}

/* The certificate of a handshake. What is handed out stays ours. */
/* NOLINTNEXTLINE(readability-function-size): the library calls it so */
static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities,
                    int authority_count, const gnutls_pk_algorithm_t *kinds, int kind_count,
                    gnutls_pcert_st **certs, unsigned *cert_count, gnutls_privkey_t *key)
{
    (void)authorities;
    (void)authority_count;
    (void)kinds;
    (void)kind_count;
    struct identity *identity = identity_of(session);
    if (!identity) {
        return -1;
    }
    *certs = identity->certs;
    *cert_count = identity->cert_count;
    *key = identity->key;
    return 0;
}

/* Judges the certificate that a client shows; a bad one ends the handshake. */
static int judge_client(gnutls_session_t session)
{
    unsigned count = 0;
    const struct identity *identity = identity_of(session);
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &count);
    struct bytes chain[X509_CHAIN_MAX + 1];
    struct why why = {0};
    if (count == 0) {
        return 0;
    }
    if (!identity || !identity->client_ca) {
        return GNUTLS_E_CERTIFICATE_ERROR;
    }
    struct x509_request request = {
        .chain_der = chain,
        .anchors = identity->client_ca,
        .purpose = X509_CLIENT,
        .time_ms = clock_wall_ms(),
    };
    for (; request.chain_count < count && request.chain_count <= X509_CHAIN_MAX;
         request.chain_count++) {
        const gnutls_datum_t *one = &shown[request.chain_count];
        chain[request.chain_count] = (struct bytes){one->data, one->size};
    }
    if (x509_judge(&request, &why) != OK) {
        /* What was found may be a person's name. */
        log_event(LOG_INFO, "tls.client_refused", "rule=%s", why.field);
        return GNUTLS_E_CERTIFICATE_ERROR;
    }
    return 0;
}

static gnutls_session_t session_of(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

unsigned tls_library_options(struct MHD_OptionItem *out)
{
    static char priorities[] = PRIORITIES;
    out[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, priorities};
    out[1] =
        (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)&retrieve};
    out[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_USE_TLS;
}

void tls_begin(struct server_tls *tls, struct MHD_Connection *handle)
{
    gnutls_session_t session = session_of(handle);
    BUG_ON(session == NULL);
    gnutls_db_set_ptr(session, tls);
    if (atomic_load(&tls->current)->client_ca) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
        gnutls_session_set_verify_function(session, judge_client);
        return;
    }
    int code = gnutls_session_ticket_enable_server(session, &tls->ticket_key);
    BUG_ON(code != GNUTLS_E_SUCCESS);
}

struct bytes tls_client_certificate(struct MHD_Connection *handle)
{
    unsigned count = 0;
    gnutls_session_t session = session_of(handle);
    const gnutls_datum_t *shown = session ? gnutls_certificate_get_peers(session, &count) : NULL;
    return shown && count > 0 ? (struct bytes){shown[0].data, shown[0].size} : BYTES_NONE;
}
