/* The server's side of TLS: its certificate and key, and whose certificates of clients it takes.
 * Only tls.c knows which library terminates TLS; certificates, our own one and those of clients,
 * are judged by crypto/x509.h.
 *
 * TLS 1.2 and 1.3, with forward secrecy and authenticated encryption only; no compression, no
 * renegotiation, no early data. Handshakes of the same client are shortened by session tickets,
 * whose keys live in memory and change by themselves, but not where clients show certificates: a
 * ticket would outlive the judgement. */
#ifndef CAIRN_HTTP_TLS_H
#define CAIRN_HTTP_TLS_H

#include "base/bytes.h"
#include "base/why.h"
#include "crypto/signer.h"

struct server_tls;

struct tls_files {
    const char *certificate; /* PEM: the leaf first, then what stands between it and its root */
    const char *key;         /* PEM, or a pkcs11: URI of a P-256 or Ed25519 key */
    const char *client_ca;   /* PEM, or NULL: clients are not asked for a certificate */
    const char *origin;      /* "https://NAME[:PORT]", which the certificate must be for, or NULL */
    passphrase_fn *ask;      /* for a PIN; may be NULL */
    void *context;           /* of ask */
};

/* Reads the files and judges the certificate as a client will. file_read's errors, those of
 * x509_judge, keystore_open's; ERR_MISMATCH (the key is another certificate's), ERR_REFUSED (the
 * key's file may be read by others), ERR_KEY (not a key, or encrypted); `why` names the setting or
 * the rule. */
must_use enum err tls_open(struct server_tls **out, const struct tls_files *files, struct why *why);
/* Reads files anew, which may be others; what is wrong with them leaves everything as it was.
 * Handshakes from now on see the new certificate, connections stay. Errors as tls_open. One thread
 * at a time, beside serving. */
must_use enum err tls_reload(struct server_tls *tls, const struct tls_files *files,
                             struct why *why);
/* After the server stopped. */
void tls_close(struct server_tls *tls);
/* When the certificate in use expires, in milliseconds since 1970. */
uint64_t tls_expiry_ms(const struct server_tls *tls);

/* Writes the host of "https://HOST[:PORT]", without brackets. ERR_FORMAT if it is none. */
must_use enum err origin_host(char out254[254], const char *origin);

/* ---- for server.c */

struct MHD_Connection;
struct MHD_OptionItem;

#define TLS_OPTIONS 3

/* The library's options, TLS_OPTIONS of them with the one that ends them; returns its flags. */
unsigned tls_library_options(struct MHD_OptionItem *out);
/* To be called as a connection begins, before its first byte. */
void tls_begin(struct server_tls *tls, struct MHD_Connection *handle);
/* The certificate that the client showed and that was judged good, in DER; none if it showed none.
 * Borrows from the connection. */
struct bytes tls_client_certificate(struct MHD_Connection *handle);

#endif
