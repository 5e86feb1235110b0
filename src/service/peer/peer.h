/* Whom we talk to over TLS: servers whose certificates keep the rules of crypto/x509.h, and lead to
 * those that are trusted here. libcurl makes the connection and hands over what the server sent; it
 * must be the one that is built with OpenSSL. */
#ifndef CAIRN_SERVICE_PEER_PEER_H
#define CAIRN_SERVICE_PEER_PEER_H

#include "base/why.h"

/* Whose certificates are trusted. Several threads may use one at once. */
struct peer_trust;

/* Reads a PEM bundle, or, with NULL, the one that this system's libcurl uses. file_read's errors,
 * ERR_FORMAT, ERR_UNSUPPORTED (another libcurl). The caller frees it. */
must_use enum err peer_trust_open(struct peer_trust **out, const char *path, struct why *why);
void peer_trust_free(struct peer_trust *trust);

/* One server, and what the last handshake with it came to. */
struct peer {
    const struct peer_trust *trust;
    char host[254];
    enum err err; /* of the certificate that was refused, or OK */
    struct why why;
};

/* Whether the URL is an https one. */
bool peer_is_tls(const char *url);
/* Whether the URL's host is this machine by name or address. */
bool peer_is_loopback(const char *url);
/* Takes the host out of an https URL. ERR_FORMAT; ERR_REFUSED where it is no DNS name. */
must_use enum err peer_init(struct peer *out, const struct peer_trust *trust, const char *url,
                            struct why *why);
/* Sets a libcurl handle's options: TLS 1.2 or 1.3, certificates judged by us. `curl` is a CURL
 * pointer; it keeps a pointer to `peer` until it is reset. */
void peer_apply(struct peer *peer, void *curl);

#endif
