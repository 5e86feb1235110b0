#include "service/witness/ask.h"

#include "codec/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SIZE_DIGITS_MAX 19 /* below 2^63 with room to compute */

void ask_write(struct buf *out, uint64_t old, const struct path *path, struct bytes note)
{
    char text[32];
    snprintf(text, sizeof text, "old %" PRIu64 "\n", old);
    buf_put(out, bytes_text(text));
    for (size_t i = 0; i < path->count; i++) {
        base64_put(out, hash_bytes(&path->at[i]));
        buf_put_byte(out, '\n');
    }
    buf_put_byte(out, '\n');
    buf_put(out, note);
}

enum err ask_size_parse(uint64_t *out, struct bytes body)
{
    if (body.len > 0 && body.at[body.len - 1] == '\n') {
        body.len--;
    }
    if (body.len == 0 || body.len > SIZE_DIGITS_MAX || (body.at[0] == '0' && body.len > 1)) {
        return ERR_FORMAT;
    }
    *out = 0;
    for (size_t i = 0; i < body.len; i++) {
        if (body.at[i] < '0' || body.at[i] > '9') {
            return ERR_FORMAT;
        }
        *out = *out * 10 + (uint64_t)(body.at[i] - '0');
    }
    return OK;
}

static enum err line_judge(struct bytes text, const struct note_key *witness,
                           struct bytes checkpoint)
{
    struct note_line line;
    uint64_t seconds;
    enum err err = note_line_parse(&line, text);
    if (err == OK) {
        err = note_line_is_by(&line, witness)
                  ? cosignature_verify(&seconds, &line, witness, checkpoint)
                  : ERR_NOT_FOUND;
    }
    buf_clear(&line.decoded);
    return err;
}

enum err ask_line_take(struct buf *out, struct bytes body, const struct note_key *witness,
                       struct bytes checkpoint)
{
    enum err err = ERR_NOT_FOUND;
    while (body.len > 0 && err == ERR_NOT_FOUND) {
        const uint8_t *end = memchr(body.at, '\n', body.len);
        if (end == NULL) {
            return ERR_FORMAT;
        }
        struct bytes line = {body.at, (size_t)(end - body.at) + 1};
        err = line_judge(line, witness, checkpoint);
        if (err == OK) {
            buf_put(out, line);
        }
        body = (struct bytes){end + 1, body.len - line.len};
    }
    return err;
}
