#include "http/tlog.h"

#include "http/api.h"
#include "http/problem.h"

#include <string.h>

#define GROUPS_MAX 6 /* below 10^18, so that no number overflows */
#define TEXT_TYPE  "text/plain; charset=utf-8"
#define TILE_TYPE  "application/octet-stream"

static bool is_group(const char *text)
{
    for (unsigned i = 0; i < 3; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

static unsigned group_value(const char *text)
{
    return 100u * (unsigned)(text[0] - '0') + 10u * (unsigned)(text[1] - '0') +
           (unsigned)(text[2] - '0');
}

static enum err number_parse(uint64_t *out, const char **text)
{
    const char *at = *text;
    unsigned groups = 1;
    for (*out = 0; *at == 'x'; at += sizeof "x000/" - 1, groups++) {
        if (groups == GROUPS_MAX || !is_group(at + 1) || at[4] != '/') {
            return ERR_FORMAT;
        }
        *out = *out * 1000 + group_value(at + 1);
        if (*out == 0) {
            return ERR_FORMAT;
        }
    }
    if (!is_group(at)) {
        return ERR_FORMAT;
    }
    *out = *out * 1000 + group_value(at);
    *text = at + 3;
    return OK;
}

/* A decimal number without needless zeros. */
static enum err plain_uint(uint64_t *out, const char *text)
{
    return text[0] == '0' && text[1] != '\0' ? ERR_FORMAT : text_uint(out, text);
}

enum err tile_path_parse(struct tile_path *out, const char *text)
{
    uint64_t width;
    TRY(number_parse(&out->number, &text));
    out->width = 256;
    if (*text == '\0') {
        return OK;
    }
    if (strncmp(text, ".p/", 3) != 0 || plain_uint(&width, text + 3) != OK || width < 1 ||
        width > 255) {
        return ERR_FORMAT;
    }
    out->width = (unsigned)width;
    return OK;
}

static void respond_tile(struct exchange *exchange, enum err err, const char *name,
                         struct buf *bytes)
{
    if (err == OK) {
        respond_bytes(exchange, TILE_TYPE, bytes);
        exchange_response(exchange)->caching = CACHE_FOREVER;
    } else if (err == ERR_RANGE) {
        respond_refusal(exchange, ERR_NOT_FOUND, "tile", name,
                        "Ask for what the size in /tlog/checkpoint has.");
    } else {
        respond_refusal(exchange, err, "tile", name,
                        "Write it as 067, x001/x234/067 or 067.p/12 (C2SP tlog-tiles).");
    }
    buf_clear(bytes);
}

void get_tile(void *context, struct exchange *exchange)
{
    const char *name = exchange_part(exchange, 1);
    struct tile_path path;
    uint64_t level;
    struct buf bytes = {0};
    enum err err = plain_uint(&level, exchange_part(exchange, 0));
    err = err == OK ? tile_path_parse(&path, name) : err;
    if (err == OK) {
        struct view *view = node_view(api_node(context));
        err = level > UINT8_MAX ? ERR_RANGE
                                : view_tile(view, (unsigned)level, path.number, path.width, &bytes);
        view_release(view);
    }
    respond_tile(exchange, err, name, &bytes);
}

void get_entry_bundle(void *context, struct exchange *exchange)
{
    const char *name = exchange_part(exchange, 0);
    struct tile_path path;
    struct buf bytes = {0};
    enum err err = tile_path_parse(&path, name);
    if (err == OK) {
        struct view *view = node_view(api_node(context));
        err = view_entry_bundle(view, path.number, path.width, &bytes);
        view_release(view);
    }
    respond_tile(exchange, err, name, &bytes);
}

void get_checkpoint(void *context, struct exchange *exchange)
{
    struct buf note = {0};
    struct why why = {0};
    struct node *node = api_node(context);
    struct view *view = node_view(node);
    enum err err = node_checkpoint(node, view, &note, &why);
    view_release(view);
    if (err == OK) {
        respond_bytes(exchange, TEXT_TYPE, &note);
        exchange_response(exchange)->caching = CACHE_REVALIDATE;
    } else {
        respond_problem(exchange, err, &why);
    }
    buf_clear(&note);
}

void get_block_notes(void *context, struct exchange *exchange)
{
    const char *text = exchange_part(exchange, 0);
    struct buf lines = {0};
    uint64_t height;
    enum err err = text_uint(&height, text);
    if (err == OK) {
        err = node_block_notes(api_node(context), height, &lines);
    }
    if (err == OK) {
        respond_bytes(exchange, TEXT_TYPE, &lines);
        exchange_response(exchange)->caching = CACHE_REVALIDATE;
    } else {
        respond_refusal(exchange, err == ERR_RANGE ? ERR_NOT_FOUND : err, "height", text,
                        "No witness cosigned that block's head; not every head gets cosigned.");
    }
    buf_clear(&lines);
}
