/* The other organisations of a consortium, as the setting `peer` names them. */
#include "config/internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

static enum err say(struct why *why, const char *text, const char *problem, const char *remedy)
{
    return why_say(why, ERR_FORMAT, "peer", text, problem, remedy);
}

/* Copies the next word; false if there is none or it has no room. */
static bool next_word(const char **at, char *out, size_t cap)
{
    const char *from = *at + strspn(*at, " \t");
    size_t len = strcspn(from, " \t");
    *at = from + len;
    if (len == 0 || len >= cap) {
        return false;
    }
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

static bool is_organisation(const char *name)
{
    size_t len = strlen(name);
    return strspn(name, NAME_CHARACTERS) == len && name[0] != '-' && name[len - 1] != '-';
}

/* A name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_host(const char *host, size_t len)
{
    struct in6_addr address;
    char text[64];
    bool brackets = len > 2 && host[0] == '[' && host[len - 1] == ']';
    size_t inner = brackets ? len - 2 : len;
    if (inner < sizeof text) {
        memcpy(text, host + brackets, inner);
        text[inner] = '\0';
        if (inet_pton(brackets ? AF_INET6 : AF_INET, text, &address) == 1) {
            return true;
        }
    }
    return !brackets && config_is_dns_name((struct bytes){(const uint8_t *)host, len});
}

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 5 && text[digits] == '\0' && text[0] != '0' &&
           strtoul(text, NULL, 10) <= UINT16_MAX;
}

static bool is_address(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon && is_host(address, (size_t)(colon - address)) && is_port(colon + 1);
}

static bool is_url(const char *url)
{
    const char *rest = strncmp(url, "https://", 8) == 0  ? url + 8
                       : strncmp(url, "http://", 7) == 0 ? url + 7
                                                         : NULL;
    if (!rest || strchr(rest, '/')) {
        return false;
    }
    return is_address(rest) || is_host(rest, strlen(rest));
}

enum err config_peer_parse(struct config_peer *out, const char *text, struct why *why)
{
    const char *at = text;
    bool whole = next_word(&at, out->name, sizeof out->name) &&
                 next_word(&at, out->address, sizeof out->address) &&
                 next_word(&at, out->url, sizeof out->url);
    if (!whole || at[strspn(at, " \t")] != '\0') {
        return say(why, text, "is not NAME HOST:PORT URL",
                   "Write it as org2 node.org2.example:26656 https://node.org2.example.");
    }
    if (!is_organisation(out->name)) {
        return say(why, text, "has no name of an organisation first",
                   "Its name has 1 to 32 of a-z 0-9 and -, as in the ledger's genesis.");
    }
    if (!is_address(out->address)) {
        return say(why, text, "has no HOST:PORT in the second place",
                   "Write the address of its engine as node.org2.example:26656.");
    }
    return is_url(out->url) ? OK
                            : say(why, text, "has no URL in the third place",
                                  "Write the URL of its node as https://node.org2.example, "
                                  "without a path.");
}
