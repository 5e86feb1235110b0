#include "http/negotiate.h"

#include <string.h>
#include <strings.h>

#define Q_MAX 1000

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct bytes trim(struct bytes text)
{
    while (text.len > 0 && is_space((char)text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && is_space((char)text.at[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Takes what stands before the next `mark`, or all, off the front of *text. A mark within quotes is
 * none. */
static struct bytes part_take(struct bytes *text, char mark)
{
    bool quoted = false;
    size_t len = 0;
    while (len < text->len && (quoted || text->at[len] != (uint8_t)mark)) {
        quoted ^= text->at[len] == '"';
        len++;
    }
    struct bytes part = {text->at, len};
    size_t taken = len < text->len ? len + 1 : len;
    *text = (struct bytes){text->at + taken, text->len - taken};
    return trim(part);
}

static bool is_text(struct bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && strncasecmp((const char *)bytes.at, text, bytes.len) == 0;
}

/* "0.25" in thousandths; what is no quality is 1. */
static unsigned quality_read(struct bytes text)
{
    if (text.len == 0 || text.len > 5 || text.at[0] < '0' || text.at[0] > '1') {
        return Q_MAX;
    }
    unsigned value = (text.at[0] - '0') * 1000u;
    unsigned step = 100;
    for (size_t i = 2; i < text.len && text.at[1] == '.'; i++, step /= 10) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return Q_MAX;
        }
        value += (text.at[i] - '0') * step;
    }
    return value < Q_MAX ? value : Q_MAX;
}

static unsigned quality_of(struct bytes parameters)
{
    while (parameters.len > 0) {
        struct bytes parameter = part_take(&parameters, ';');
        struct bytes name = part_take(&parameter, '=');
        if (is_text(name, "q")) {
            return quality_read(trim(parameter));
        }
    }
    return Q_MAX;
}

/* How exactly a range names a type: 3 by itself, 2 by its first half, 1 by everything, 0 not. */
static unsigned fits(struct bytes range, struct bytes type)
{
    struct bytes half = type;
    struct bytes first = part_take(&half, '/');
    if (is_text(range, "*/*")) {
        return 1;
    }
    if (range.len == first.len + 2 && memcmp(range.at + first.len, "/*", 2) == 0) {
        return strncasecmp((const char *)range.at, (const char *)first.at, first.len) == 0 ? 2 : 0;
    }
    bool same = range.len == type.len &&
                strncasecmp((const char *)range.at, (const char *)type.at, type.len) == 0;
    return same ? 3 : 0;
}

/* What the most exact range says of a type. */
static unsigned wish_for(struct bytes accept, struct bytes type)
{
    unsigned exact = 0;
    unsigned quality = 0;
    while (accept.len > 0) {
        struct bytes parameters = part_take(&accept, ',');
        struct bytes range = part_take(&parameters, ';');
        unsigned fit = fits(range, type);
        unsigned wish = quality_of(parameters);
        if (fit > exact || (fit > 0 && fit == exact && wish > quality)) {
            exact = fit;
            quality = wish;
        }
    }
    return quality;
}

int accept_choose(const char *accept, const char *list)
{
    struct bytes wishes = trim(bytes_text(accept ? accept : ""));
    struct bytes types = bytes_text(list);
    unsigned best = 0;
    int chosen = -1;
    if (wishes.len == 0) {
        return 0;
    }
    for (int i = 0; types.len > 0; i++) {
        unsigned wish = wish_for(wishes, part_take(&types, ','));
        if (wish > best) {
            best = wish;
            chosen = i;
        }
    }
    return chosen;
}

bool type_listed(const char *content_type, const char *list)
{
    if (!content_type) {
        return true;
    }
    struct bytes parameters = bytes_text(content_type);
    struct bytes type = part_take(&parameters, ';');
    struct bytes types = bytes_text(list);
    while (types.len > 0) {
        if (fits(type, part_take(&types, ',')) == 3) {
            return true;
        }
    }
    return false;
}

static bool add_accept(void *context, const char *name, const char *value)
{
    struct buf *all = context;
    if (strcasecmp(name, "Accept") == 0) {
        buf_put(all, bytes_text(all->len > 0 ? ", " : ""));
        buf_put(all, bytes_text(value));
    }
    return true;
}

int exchange_choose(const struct exchange *exchange, const char *list)
{
    struct buf all = {0};
    exchange_headers(exchange, add_accept, &all);
    buf_put_byte(&all, 0);
    int chosen = accept_choose((const char *)all.at, list);
    buf_clear(&all);
    return chosen;
}
