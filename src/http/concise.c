#include "http/concise.h"

#include "codec/cbor.h"

#include <string.h>

#define LABEL_TITLE  (-1)
#define LABEL_DETAIL (-2)
#define TUNNEL       7807
#define TUNNEL_TYPE  0
#define TUNNEL_STATE 1

static bool is_below(const char *path, const char *top)
{
    size_t len = strlen(top);
    return strncmp(path, top, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

bool concise_path(const char *path)
{
    return is_below(path, "/entries") || is_below(path, "/.well-known/scitt-keys");
}

/* A value that came from outside may have been cut within a character. */
static void put_text(struct buf *out, const char *text)
{
    struct bytes bytes = bytes_text(text);
    cbor_put_text(out, bytes_is_utf8(bytes) ? bytes : bytes_text("(not text)"));
}

static size_t put_member(struct buf *out, const char *name, const char *text)
{
    if (text[0] == '\0') {
        return 0;
    }
    cbor_put_literal(out, name);
    put_text(out, text);
    return 1;
}

static void put_tunnel(struct buf *out, const struct concise *concise)
{
    struct buf members = {0};
    size_t count = put_member(&members, "field", concise->field);
    count += put_member(&members, "value", concise->value);
    count += put_member(&members, "remedy", concise->remedy);
    count += put_member(&members, "problem", concise->problem);
    cbor_put_map(out, 2 + count);
    cbor_put_uint(out, TUNNEL_TYPE);
    put_text(out, concise->type);
    cbor_put_uint(out, TUNNEL_STATE);
    cbor_put_uint(out, concise->status);
    buf_put(out, buf_bytes(&members));
    buf_clear(&members);
}

void concise_write(struct buf *out, const struct concise *concise)
{
    cbor_put_map(out, 3);
    cbor_put_uint(out, TUNNEL);
    put_tunnel(out, concise);
    cbor_put_int(out, LABEL_TITLE);
    put_text(out, concise->title);
    cbor_put_int(out, LABEL_DETAIL);
    put_text(out, concise->detail);
}
