#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool dns_name_ok(struct bytes name)
{
    bool digits = true;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
        if (!letter && !is_digit(c) && c != '.') {
            return false;
        }
        bool at_edge = i == 0 || i + 1 == name.len || name.at[i - 1] == '.';
        if ((c == '.' || c == '-') && at_edge) {
            return false;
        }
        digits = c == '.' ? true : digits && !letter;
    }
    return name.len > 0 && name.len <= 253 && !digits;
}

static bool host_ok(struct bytes host)
{
    struct in6_addr address;
    char text[64];
    bool brackets = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
    size_t inner = brackets ? host.len - 2 : host.len;
    if (inner < sizeof text) {
        memcpy(text, host.at + brackets, inner);
        text[inner] = '\0';
        if (inet_pton(brackets ? AF_INET6 : AF_INET, text, &address) == 1) {
            return true;
        }
    }
    return !brackets && dns_name_ok(host);
}

static bool port_ok(struct bytes text)
{
    unsigned long port = 0;
    if (text.len == 0 || text.len > 5 || text.at[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.at[i])) {
            return false;
        }
        port = port * 10 + (text.at[i] - '0');
    }
    return port <= UINT16_MAX;
}

bool host_port_ok(struct bytes text)
{
    size_t colon = text.len;
    while (colon > 0 && text.at[colon - 1] != ':') {
        colon--;
    }
    return colon > 0 && text.len <= ADDRESS_MAX && host_ok((struct bytes){text.at, colon - 1}) &&
           port_ok((struct bytes){text.at + colon, text.len - colon});
}

static bool skip(struct bytes *text, const char *begin)
{
    size_t len = strlen(begin);
    if (text->len < len || memcmp(text->at, begin, len) != 0) {
        return false;
    }
    *text = (struct bytes){text->at + len, text->len - len};
    return true;
}

bool node_url_ok(struct bytes url)
{
    struct bytes rest = url;
    return url.len <= NODE_URL_MAX && (skip(&rest, "https://") || skip(&rest, "http://")) &&
           (host_port_ok(rest) || host_ok(rest));
}

bool organisation_ok(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];
        bool at_edge = i == 0 || i + 1 == name.len;
        if (!(c >= 'a' && c <= 'z') && !is_digit(c) && (c != '-' || at_edge)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= ORGANISATION_MAX;
}
