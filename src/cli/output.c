#include "cli/output.h"

#include "codec/text.h"
#include "proof/diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status status_of(enum err err)
{
    switch (err) {
    case OK:
        return STATUS_OK;
    case ERR_SIGNATURE:
    case ERR_MISMATCH:
    case ERR_REFUSED:
    case ERR_EXPIRED:
    case ERR_SIGN_IN:
    case ERR_READ_ONLY:
    case ERR_BUSY:
        return STATUS_REFUSED;
    case ERR_TRUNCATED:
    case ERR_TRAILING:
    case ERR_NOT_CANONICAL:
    case ERR_TYPE:
    case ERR_RANGE:
    case ERR_DEPTH:
    case ERR_FORMAT:
    case ERR_VERSION:
    case ERR_UNSUPPORTED:
    case ERR_KEY:
    case ERR_PASSPHRASE:
    case ERR_NOT_FOUND:
    case ERR_EXISTS:
    case ERR_TIMEOUT:
    case ERR_CLOSED:
    case ERR_UNREACHABLE:
    case ERR_IO:
    case ERR_CORRUPT:
    case ERR_COUNT:
        return STATUS_UNUSABLE;
    }
    BUG_ON(true);
}

bool colour_wanted(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(fileno(stream)) && !(no_colour && no_colour[0]);
}

static void put_clean(FILE *stream, const char *text)
{
    char *copy = mem_strdup(text);
    text_tame((uint8_t *)copy, strlen(copy));
    fputs(copy, stream);
    free(copy);
}

void put_coloured(FILE *stream, enum colour colour, const char *text)
{
    static const char *const codes[] = {"\033[32m", "\033[31m", "\033[2m", ""};
    bool wanted = colour != COLOUR_NONE && colour_wanted(stream);
    if (wanted) {
        fputs(codes[colour], stream);
    }
    put_clean(stream, text);
    if (wanted) {
        fputs("\033[0m", stream);
    }
}

int fail(enum err err, const struct why *why)
{
    char text[640];
    why_print(why, err, text, sizeof text);
    fflush(stdout);
    put_coloured(stderr, COLOUR_BAD, "error:");
    fputc(' ', stderr);
    put_clean(stderr, text);
    size_t len = strlen(text);
    fputs(len > 0 && strchr(".?", text[len - 1]) ? "\n" : ".\n", stderr);
    return (int)status_of(err);
}

void put_json(json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2));
    BUG_ON(text == NULL);
    puts(text);
    free(text);
    json_decref(json);
}

json_t *json_hex(struct bytes bytes)
{
    struct buf text = {0};
    hex_put(&text, bytes);
    json_t *json = json_stringn((const char *)text.at, text.len);
    buf_clear(&text);
    return json;
}

json_t *json_text(struct bytes bytes)
{
    json_t *json = json_stringn(bytes.at ? (const char *)bytes.at : "", bytes.len);
    BUG_ON(json == NULL);
    return json;
}

const char *json_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
