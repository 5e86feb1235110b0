#include "http/framing.h"

#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text)
{
    size_t len = strspn(text, "!#$%&'*+-.^_`|~0123456789"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    return len > 0 && text[len] == '\0';
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

/* Digits only; more than fit are the largest number. */
static bool parse_length(uint64_t *out, const char *text)
{
    size_t len = strspn(text, "0123456789");
    if (len == 0 || text[len] != '\0') {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < len; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        *out = *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
    }
    return true;
}

void framing_header(struct framing *framing, const char *name, const char *value)
{
    framing->names_len += strlen(name) + strlen(value) + 4;
    if (!is_token(name) || has_control(value)) {
        framing->bad = true;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        framing->bad |= framing->has_length || !parse_length(&framing->length, value);
        framing->has_length = true;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->bad |= framing->chunked || strcasecmp(value, "chunked") != 0;
        framing->chunked = true;
    }
}

void framing_end(struct framing *framing, bool is_http_1_1)
{
    framing->bad |= framing->chunked && (framing->has_length || !is_http_1_1);
}

bool framing_has_body(const struct framing *framing)
{
    return framing->chunked || framing->length > 0;
}
