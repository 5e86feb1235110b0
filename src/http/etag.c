#include "http/etag.h"

#include "codec/text.h"
#include "crypto/digest.h"

#include <string.h>

void etag_make(char out[ETAG_LEN + 1], const char *content_type, struct bytes body)
{
    const struct bytes parts[] = {bytes_text(content_type), {(const uint8_t *)"", 1}, body};
    struct hash hash;
    sha256_parts(&hash, parts, sizeof parts / sizeof parts[0]);
    out[0] = '"';
    hex_write(out + 1, (struct bytes){hash.at, (ETAG_LEN - 2) / 2});
    out[ETAG_LEN - 1] = '"';
    out[ETAG_LEN] = '\0';
}

bool etag_listed(const char *if_none_match, const char *etag)
{
    const char *at = if_none_match ? if_none_match : "";
    at += strspn(at, " \t");
    if (at[0] == '*') {
        return at[1 + strspn(at + 1, " \t")] == '\0';
    }
    while (*at) {
        at += strspn(at, " \t,");
        at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
        const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (!end) {
            return false;
        }
        size_t len = (size_t)(end - at) + 1;
        if (len == strlen(etag) && memcmp(at, etag, len) == 0) {
            return true;
        }
        at = end + 1;
    }
    return false;
}
