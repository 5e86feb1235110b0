/* Texts of transparency logs: vkeys, signature lines, what witnesses answer, names of tiles. What
 * is taken is written back as it was. The first byte says which of them. */
#include "codec/text.h"
#include "fuzz.h"
#include "http/tlog.h"
#include "service/witness/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VKEY "witness.example+9311e739+BASDasuNOUR/qmJgCDIUsC55WljHnoZzxuWQePzfbr3c"

static void check_vkey(struct bytes text)
{
    struct note_key key;
    struct buf again = {0};
    if (note_key_parse(&key, text) == OK) {
        note_key_write(&again, &key);
        BUG_ON(again.len != text.len);
        for (size_t i = 0; i < text.len; i++) { /* an id may be written in capitals */
            bool upper = text.at[i] >= 'A' && text.at[i] <= 'F';
            BUG_ON(again.at[i] != text.at[i] && !(upper && again.at[i] == text.at[i] + 32));
        }
    }
    buf_clear(&again);
}

static void check_line(struct bytes text)
{
    struct note_line line;
    struct note_key witness;
    uint64_t seconds;
    BUG_ON(note_key_parse(&witness, bytes_text(VKEY)) != OK);
    if (note_line_parse(&line, text) == OK) {
        struct buf again = {0};
        buf_put(&again, bytes_text("\xe2\x80\x94 "));
        buf_put(&again, line.name);
        buf_put_byte(&again, ' ');
        base64_put(&again, buf_bytes(&line.decoded));
        bool newline = text.at[text.len - 1] == '\n';
        BUG_ON(!bytes_equal(buf_bytes(&again), (struct bytes){text.at, text.len - newline}));
        BUG_ON(note_verify(&line, &witness, BYTES_NONE) == OK);
        BUG_ON(cosignature_verify(&seconds, &line, &witness, bytes_text("text")) == OK);
        buf_clear(&again);
    }
    buf_clear(&line.decoded);
}

static void check_answer(struct bytes text)
{
    struct note_key witness;
    struct buf out = {0};
    BUG_ON(note_key_parse(&witness, bytes_text(VKEY)) != OK);
    BUG_ON(ask_line_take(&out, text, &witness, bytes_text("text\n")) == OK || out.len > 0);
    buf_clear(&out);
}

static void check_size(struct bytes text)
{
    uint64_t size;
    char again[32];
    if (ask_size_parse(&size, text) == OK) {
        bool newline = text.at[text.len - 1] == '\n';
        snprintf(again, sizeof again, "%llu", (unsigned long long)size);
        BUG_ON(!bytes_equal(bytes_text(again), (struct bytes){text.at, text.len - newline}));
    }
}

/* Writes the name anew, as tlog-tiles has it. */
static void name_write(char *out, size_t cap, const struct tile_path *path)
{
    uint64_t group = 1;
    size_t len = 0;
    while (path->number / group >= 1000) {
        group *= 1000;
    }
    for (; group > 1; group /= 1000) {
        len += (size_t)snprintf(out + len, cap - len, "x%03u/",
                                (unsigned)(path->number / group % 1000));
    }
    len += (size_t)snprintf(out + len, cap - len, "%03u", (unsigned)(path->number % 1000));
    if (path->width < 256) {
        snprintf(out + len, cap - len, ".p/%u", path->width);
    }
}

static void check_name(struct bytes text)
{
    struct tile_path path;
    char again[64];
    char *copy = mem_alloc(text.len + 1);
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (tile_path_parse(&path, copy) == OK) {
        name_write(again, sizeof again, &path);
        BUG_ON(strcmp(copy, again) != 0);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct bytes) = {check_vkey, check_line, check_answer, check_size,
                                                   check_name};
    if (size > 1) {
        checks[data[0] % (sizeof checks / sizeof *checks)]((struct bytes){data + 1, size - 1});
    }
    return 0;
}
