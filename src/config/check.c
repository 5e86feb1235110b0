/* What the values say together: where it listens, and what that asks for. */
#include "config/internal.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static enum err listen_parse(struct config_listen *out, const char *field, const char *text,
                             struct why *why)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (!colon || colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > UINT16_MAX) {
        return why_say(why, ERR_FORMAT, field, text, "is not ADDRESS:PORT",
                       "Write it as 127.0.0.1:8420.");
    }
    bool brackets = text[0] == '[' && colon > text && colon[-1] == ']';
    const char *from = brackets ? text + 1 : text;
    size_t len = (size_t)(colon - from) - brackets;
    struct in6_addr address;
    if (len < sizeof out->address) {
        memcpy(out->address, from, len);
        out->address[len] = '\0';
    }
    if (len >= sizeof out->address ||
        inet_pton(brackets ? AF_INET6 : AF_INET, out->address, &address) != 1) {
        return why_say(why, ERR_FORMAT, field, text, "has no numeric address",
                       "Write it as 127.0.0.1:8420 or [::1]:8420.");
    }
    out->port = (uint16_t)port;
    return OK;
}

enum err config_listen_parse(struct config_listen *out, const char *text, struct why *why)
{
    return listen_parse(out, "listen", text, why);
}

bool config_listen_is_loopback(const struct config_listen *listen)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, listen->address, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, listen->address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static enum err check_origin(const char *origin, struct why *why)
{
    static const char scheme[] = "https://";
    if (strncmp(origin, scheme, strlen(scheme)) != 0) {
        return why_say(why, ERR_FORMAT, "origin", origin, "does not begin with https://",
                       "Write it as https://ledger.example.org.");
    }
    const char *host = origin + strlen(scheme);
    size_t len = host[0] == '[' ? strlen(host) : strcspn(host, ":");
    const char *port = host + len;
    if (*port == ':') {
        size_t digits = strspn(port + 1, "0123456789");
        if (digits == 0 || digits > 5 || port[1 + digits] || strtoul(port + 1, NULL, 10) > 65535) {
            return why_say(why, ERR_FORMAT, "origin", origin, "is more than https://NAME:PORT",
                           "Write it without a path, as https://ledger.example.org.");
        }
    }
    if (!dns_name_ok((struct bytes){(const uint8_t *)host, len})) {
        return why_say(why, ERR_REFUSED, "origin", origin,
                       "has no DNS name; passkeys and certificates do not take an IP address",
                       "Give the node a DNS name and write it as https://ledger.example.org.");
    }
    return OK;
}

static enum err check_tls(const struct config *config, struct why *why)
{
    bool certificate = config->tls_certificate[0] != 0;
    if (certificate != (config->tls_key[0] != 0)) {
        return why_say(why, ERR_REFUSED, certificate ? "tls_key" : "tls_certificate", NULL,
                       "is missing beside its other half",
                       "Set both tls_certificate and tls_key, or neither.");
    }
    if (config->tls_client_ca[0] && !certificate) {
        return why_say(why, ERR_REFUSED, "tls_client_ca", config->tls_client_ca,
                       "asks for TLS, which is off", "Set tls_certificate and tls_key.");
    }
    if (certificate && config->plain) {
        return why_say(why, ERR_REFUSED, "plain", NULL, "contradicts tls_certificate",
                       "Leave one of them out.");
    }
    return OK;
}

static enum err check_witnesses(const struct config_list *list, struct why *why)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *blank = strchr(list->at[i], ' ');
        bool url =
            strncmp(list->at[i], "https://", 8) == 0 || strncmp(list->at[i], "http://", 7) == 0;
        if (!url || !blank || strchr(blank + 1, ' ') || !strchr(blank + 1, '+')) {
            return why_say(why, ERR_FORMAT, "witness", list->at[i], "is not URL VKEY",
                           "Write it as https://witness.example NAME+HASH+KEY.");
        }
    }
    return OK;
}

/* An engine that hears nobody could order nothing. */
static enum err check_consortium(const struct config *config, struct why *why)
{
    struct config_listen listen = {0};
    if (config->p2p_listen[0]) {
        TRY(listen_parse(&listen, "p2p_listen", config->p2p_listen, why));
        if (listen.port == 0) {
            return why_say(why, ERR_REFUSED, "p2p_listen", config->p2p_listen,
                           "has no port at which others find it",
                           "Write the port that the other organisations were told.");
        }
    } else if (config->peer.count > 0) {
        return why_say(why, ERR_REFUSED, "p2p_listen", NULL, "is missing beside peer",
                       "Set p2p_listen to the address at which the other nodes reach this one.");
    }
    for (size_t i = 0; i < config->peer.count; i++) {
        struct config_peer peer;
        TRY(config_peer_parse(&peer, config->peer.at[i], why));
        for (size_t j = 0; j < i; j++) {
            struct config_peer other;
            TRY(config_peer_parse(&other, config->peer.at[j], why));
            if (strcmp(peer.name, other.name) == 0 || strcmp(peer.address, other.address) == 0) {
                return why_say(why, ERR_EXISTS, "peer", config->peer.at[i],
                               "has the name or the address of another peer",
                               "List each organisation once.");
            }
        }
    }
    return OK;
}

enum err config_check(const struct config *config, struct why *why)
{
    struct config_listen listen;
    TRY(config_listen_parse(&listen, config->listen, why));
    if (config->origin[0]) {
        TRY(check_origin(config->origin, why));
    }
    TRY(check_tls(config, why));
    TRY(check_witnesses(&config->witness, why));
    TRY(check_consortium(config, why));
    if (config_listen_is_loopback(&listen)) {
        return OK;
    }
    if (!config->tls_certificate[0] && !config->plain) {
        return why_say(why, ERR_REFUSED, "listen", config->listen,
                       "is not the loopback interface, and there is no TLS",
                       "Set tls_certificate and tls_key, or plain = yes behind a proxy with TLS.");
    }
    return config->origin[0] ? OK
                             : why_say(why, ERR_REFUSED, "origin", NULL,
                                       "is missing, and listen is not the loopback interface",
                                       "Set origin = https://NAME, the name that clients use.");
}
