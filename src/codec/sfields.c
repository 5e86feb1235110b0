#include "codec/sfields.h"

#include "codec/text.h"

#include <string.h>

#define INTEGER_DIGITS  15
#define DECIMAL_DIGITS  12
#define FRACTION_DIGITS 3

struct reader {
    struct sf_dictionary *out;
    const uint8_t *at;
    const uint8_t *end;
    enum err err;
    struct sf_node spare; /* what is written to where there is no room; the error stands */
};

static void fail(struct reader *reader, enum err err)
{
    reader->err = reader->err == OK ? err : reader->err;
    reader->at = reader->end;
}

/* The next byte, or NUL at the end, which is in no grammar here. */
static uint8_t peek(const struct reader *reader)
{
    return reader->at < reader->end ? *reader->at : 0;
}

static bool take(struct reader *reader, uint8_t byte)
{
    if (reader->at < reader->end && *reader->at == byte) {
        reader->at++;
        return true;
    }
    return false;
}

static void expect(struct reader *reader, uint8_t byte)
{
    if (!take(reader, byte)) {
        fail(reader, ERR_FORMAT);
    }
}

static void skip(struct reader *reader, const char *blanks)
{
    while (reader->at < reader->end && *reader->at && strchr(blanks, *reader->at)) {
        reader->at++;
    }
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alpha(uint8_t c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_key(uint8_t c)
{
    return is_lower(c) || is_digit(c) || (c && strchr("_-.*", c));
}

static bool is_token(uint8_t c)
{
    return is_alpha(c) || is_digit(c) || (c && strchr("!#$%&'*+-.^_`|~:/", c));
}

static struct sf_node *node_new(struct reader *reader)
{
    if (reader->out->count == SF_NODES_MAX) {
        fail(reader, ERR_RANGE);
        reader->spare = (struct sf_node){0};
        return &reader->spare;
    }
    struct sf_node *node = &reader->out->nodes[reader->out->count++];
    *node = (struct sf_node){0};
    return node;
}

static struct bytes read_key(struct reader *reader)
{
    const uint8_t *start = reader->at;
    if (!is_lower(peek(reader)) && peek(reader) != '*') {
        fail(reader, ERR_FORMAT);
        return BYTES_NONE;
    }
    while (is_key(peek(reader))) {
        reader->at++;
    }
    return (struct bytes){start, (size_t)(reader->at - start)};
}

/* A key that none of the list has yet. */
static struct bytes new_key(struct reader *reader, const struct sf_node *first)
{
    struct bytes key = read_key(reader);
    for (const struct sf_node *node = first; node; node = node->next) {
        if (bytes_equal(node->key, key)) {
            fail(reader, ERR_EXISTS);
        }
    }
    return key;
}

static size_t read_digits(struct reader *reader, int64_t *number)
{
    size_t count = 0;
    for (; is_digit(peek(reader)) && count <= INTEGER_DIGITS; count++) {
        *number = *number * 10 + (*reader->at++ - '0');
    }
    return count;
}

static void read_number(struct reader *reader, struct sf_node *node)
{
    bool minus = take(reader, '-');
    int64_t number = 0;
    size_t digits = read_digits(reader, &number);
    node->type = SF_INTEGER;
    if (digits == 0 || digits > INTEGER_DIGITS) {
        fail(reader, ERR_FORMAT);
    }
    if (take(reader, '.')) {
        int64_t fraction = 0;
        size_t places = read_digits(reader, &fraction);
        node->type = SF_DECIMAL;
        if (digits > DECIMAL_DIGITS || places == 0 || places > FRACTION_DIGITS) {
            fail(reader, ERR_FORMAT);
        }
    } else {
        node->number = minus ? -number : number;
    }
}

static void read_string(struct reader *reader, struct sf_node *node)
{
    node->type = SF_STRING;
    reader->at++;
    const uint8_t *start = reader->at;
    while (reader->at < reader->end && *reader->at != '"') {
        uint8_t c = *reader->at++;
        if (c < 0x20 || c > 0x7e) {
            fail(reader, ERR_FORMAT);
        }
        if (c == '\\' && !take(reader, '"')) {
            expect(reader, '\\');
        }
    }
    node->text = (struct bytes){start, (size_t)(reader->at - start)};
    expect(reader, '"');
}

static void read_bytes(struct reader *reader, struct sf_node *node)
{
    struct buf decoded = {0};
    node->type = SF_BYTES;
    reader->at++;
    const uint8_t *start = reader->at;
    while (reader->at < reader->end && *reader->at != ':') {
        reader->at++;
    }
    node->text = (struct bytes){start, (size_t)(reader->at - start)};
    expect(reader, ':');
    if (base64_append(&decoded, node->text) != OK) {
        fail(reader, ERR_FORMAT);
    }
    buf_clear(&decoded);
}

static void read_token(struct reader *reader, struct sf_node *node)
{
    const uint8_t *start = reader->at;
    node->type = SF_TOKEN;
    while (is_token(peek(reader))) {
        reader->at++;
    }
    node->text = (struct bytes){start, (size_t)(reader->at - start)};
}

static void read_boolean(struct reader *reader, struct sf_node *node)
{
    node->type = SF_BOOLEAN;
    reader->at++;
    node->number = take(reader, '1');
    if (!node->number) {
        expect(reader, '0');
    }
}

static void read_bare(struct reader *reader, struct sf_node *node)
{
    const uint8_t *start = reader->at;
    uint8_t first = peek(reader);
    if (is_digit(first) || first == '-') {
        read_number(reader, node);
        node->text = (struct bytes){start, (size_t)(reader->at - start)};
    } else if (first == '"') {
        read_string(reader, node);
    } else if (first == ':') {
        read_bytes(reader, node);
    } else if (first == '?') {
        read_boolean(reader, node);
    } else if (is_alpha(first) || first == '*') {
        read_token(reader, node);
    } else {
        fail(reader, ERR_FORMAT);
    }
}

static void make_true(struct sf_node *node)
{
    node->type = SF_BOOLEAN;
    node->number = 1;
}

static void read_params(struct reader *reader, struct sf_node *node)
{
    struct sf_node **slot = &node->params;
    while (take(reader, ';')) {
        skip(reader, " ");
        struct bytes key = new_key(reader, node->params);
        struct sf_node *param = node_new(reader);
        param->key = key;
        if (take(reader, '=')) {
            read_bare(reader, param);
        } else {
            make_true(param);
        }
        if (reader->err != OK) {
            return;
        }
        *slot = param;
        slot = &param->next;
    }
}

static void read_list(struct reader *reader, struct sf_node *list)
{
    struct sf_node **slot = &list->items;
    list->type = SF_LIST;
    reader->at++;
    while (reader->err == OK) {
        skip(reader, " ");
        if (take(reader, ')')) {
            return;
        }
        struct sf_node *item = node_new(reader);
        read_bare(reader, item);
        read_params(reader, item);
        if (peek(reader) != ' ' && peek(reader) != ')') {
            fail(reader, ERR_FORMAT);
            return;
        }
        *slot = item;
        slot = &item->next;
    }
}

static void read_member(struct reader *reader, struct sf_node **slot)
{
    struct bytes key = new_key(reader, reader->out->members);
    struct sf_node *member = node_new(reader);
    member->key = key;
    if (!take(reader, '=')) {
        make_true(member);
    } else if (peek(reader) == '(') {
        read_list(reader, member);
    } else {
        read_bare(reader, member);
    }
    read_params(reader, member);
    *slot = reader->err == OK ? member : NULL;
}

enum err sf_dictionary_parse(struct sf_dictionary *out, struct bytes input)
{
    struct reader reader = {.out = out, .at = input.at, .end = input.at + input.len};
    struct sf_node **slot = &out->members;
    out->members = NULL;
    out->count = 0;
    if (input.len > SF_LEN_MAX) {
        return ERR_RANGE;
    }
    skip(&reader, " ");
    while (reader.at < reader.end) {
        read_member(&reader, slot);
        if (reader.err != OK) {
            break;
        }
        slot = &(*slot)->next;
        skip(&reader, " \t");
        if (reader.at == reader.end) {
            break;
        }
        expect(&reader, ',');
        skip(&reader, " \t");
        if (reader.at == reader.end) {
            fail(&reader, ERR_FORMAT);
        }
    }
    if (reader.err != OK) {
        out->members = NULL;
    }
    return reader.err;
}

const struct sf_node *sf_find(const struct sf_node *first, const char *key)
{
    while (first && !bytes_equal(first->key, bytes_text(key))) {
        first = first->next;
    }
    return first;
}

bool sf_is(const struct sf_node *node, const char *text)
{
    return node && node->type == SF_STRING && bytes_equal(node->text, bytes_text(text));
}

enum err sf_bytes_append(struct buf *out, const struct sf_node *node)
{
    return node->type == SF_BYTES ? base64_append(out, node->text) : ERR_TYPE;
}

static void write_quoted(struct buf *out, struct bytes text, uint8_t quote)
{
    buf_put_byte(out, quote);
    buf_put(out, text);
    buf_put_byte(out, quote);
}

/* Digits without those that say nothing: zeros in front, zeros at the end of a fraction. */
static void write_number(struct buf *out, const struct sf_node *node)
{
    struct bytes text = node->text;
    bool minus = text.at[0] == '-';
    text = (struct bytes){text.at + minus, text.len - minus};
    while (text.len > 1 && text.at[0] == '0' && text.at[1] != '.') {
        text = (struct bytes){text.at + 1, text.len - 1};
    }
    while (node->type == SF_DECIMAL && text.at[text.len - 1] == '0' &&
           text.at[text.len - 2] != '.') {
        text.len--;
    }
    if (minus && !(text.len == 1 && text.at[0] == '0')) {
        buf_put_byte(out, '-');
    }
    buf_put(out, text);
}

static void write_bare(struct buf *out, const struct sf_node *node)
{
    switch (node->type) {
    case SF_INTEGER:
    case SF_DECIMAL:
        write_number(out, node);
        return;
    case SF_STRING:
        write_quoted(out, node->text, '"');
        return;
    case SF_BYTES:
        write_quoted(out, node->text, ':');
        return;
    case SF_TOKEN:
        buf_put(out, node->text);
        return;
    case SF_BOOLEAN:
        buf_put(out, bytes_text(node->number ? "?1" : "?0"));
        return;
    case SF_LIST:
        break;
    }
    BUG_ON(true);
}

static void write_params(struct buf *out, const struct sf_node *node)
{
    for (const struct sf_node *param = node->params; param; param = param->next) {
        buf_put_byte(out, ';');
        buf_put(out, param->key);
        if (param->type != SF_BOOLEAN || !param->number) {
            buf_put_byte(out, '=');
            write_bare(out, param);
        }
    }
}

void sf_write(struct buf *out, const struct sf_node *node)
{
    if (node->type != SF_LIST) {
        write_bare(out, node);
        write_params(out, node);
        return;
    }
    buf_put_byte(out, '(');
    for (const struct sf_node *item = node->items; item; item = item->next) {
        write_bare(out, item);
        write_params(out, item);
        if (item->next) {
            buf_put_byte(out, ' ');
        }
    }
    buf_put_byte(out, ')');
    write_params(out, node);
}
