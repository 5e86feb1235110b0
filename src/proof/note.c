#include "proof/note.h"

#include "codec/text.h"
#include "crypto/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DASH          "\xe2\x80\x94 " /* an em dash and a blank begin a signature line */
#define SIGNATURE_LEN ((size_t)64)
#define TIME_LEN      ((size_t)8)

/* ---- keys */

static void key_id(struct note_key *key)
{
    struct buf named = {0};
    struct hash hash;
    buf_put(&named, key->name);
    buf_put_byte(&named, '\n');
    buf_put_byte(&named, (uint8_t)key->type);
    buf_put(&named, BYTES_OF(key->key32));
    sha256(&hash, buf_bytes(&named));
    memcpy(key->id, hash.at, sizeof key->id);
    buf_clear(&named);
}

/* A name has no blanks and no plus sign, so that vkeys and lines can be cut apart. */
static bool name_ok(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] <= ' ' || name.at[i] == '+' || name.at[i] == 0x7f) {
            return false;
        }
    }
    return name.len >= 1 && name.len <= NOTE_NAME_MAX && bytes_is_utf8(name);
}

static enum err material_read(struct note_key *out, struct bytes base64)
{
    struct buf material = {0};
    enum err err = base64_append(&material, base64);
    if (err == OK && (material.len != 1 + sizeof out->key32 ||
                      (material.at[0] != NOTE_ED25519 && material.at[0] != NOTE_COSIGNATURE))) {
        err = ERR_KEY;
    }
    if (err == OK) {
        out->type = (enum note_type)material.at[0];
        memcpy(out->key32, material.at + 1, sizeof out->key32);
    }
    buf_clear(&material);
    return err;
}

enum err note_key_parse(struct note_key *out, struct bytes vkey)
{
    uint8_t id[NOTE_KEY_ID_LEN];
    const uint8_t *plus = vkey.len > 0 ? memchr(vkey.at, '+', vkey.len) : NULL;
    if (plus == NULL || vkey.len > VKEY_MAX) {
        return ERR_FORMAT;
    }
    out->name = (struct bytes){vkey.at, (size_t)(plus - vkey.at)};
    struct bytes rest = {plus + 1, vkey.len - out->name.len - 1};
    if (!name_ok(out->name) || rest.len <= 2 * sizeof id || rest.at[2 * sizeof id] != '+' ||
        hex_read(id, sizeof id, (struct bytes){rest.at, 2 * sizeof id}) != OK) {
        return ERR_FORMAT;
    }
    size_t skipped = 2 * sizeof id + 1;
    TRY(material_read(out, (struct bytes){rest.at + skipped, rest.len - skipped}));
    key_id(out);
    return memcmp(id, out->id, sizeof id) == 0 ? OK : ERR_MISMATCH;
}

enum err note_key_of(struct note_key *out, struct bytes name, enum note_type type,
                     const struct pubkey *key)
{
    if (pubkey_kind(key) != KEY_ED25519) {
        return ERR_UNSUPPORTED;
    }
    struct bytes spki = pubkey_spki(key); /* the key is its end (RFC 8410) */
    out->name = name;
    out->type = type;
    memcpy(out->key32, spki.at + spki.len - sizeof out->key32, sizeof out->key32);
    key_id(out);
    return OK;
}

void note_key_write(struct buf *out, const struct note_key *key)
{
    uint8_t material[1 + sizeof key->key32];
    material[0] = (uint8_t)key->type;
    memcpy(material + 1, key->key32, sizeof key->key32);
    buf_put(out, key->name);
    buf_put_byte(out, '+');
    hex_put(out, BYTES_OF(key->id));
    buf_put_byte(out, '+');
    base64_put(out, BYTES_OF(material));
}

/* ---- checkpoints */

void checkpoint_origin(struct buf *out, struct bytes ledger, const struct header *head)
{
    char text[64];
    char chain[2 * sizeof head->chain.at + 1];
    hex_write(chain, hash_bytes(&head->chain));
    snprintf(text, sizeof text, "/%.16s/%" PRIu64, chain, head->epoch);
    buf_put(out, ledger);
    buf_put(out, bytes_text(text));
}

void checkpoint_write(struct buf *out, struct bytes ledger, const struct header *head)
{
    char size[32];
    checkpoint_origin(out, ledger, head);
    snprintf(size, sizeof size, "\n%" PRIu64 "\n", head->tree_size);
    buf_put(out, bytes_text(size));
    base64_put(out, hash_bytes(&head->tree_root));
    buf_put_byte(out, '\n');
}

/* ---- signature lines */

struct bytes note_next(struct bytes *text)
{
    const uint8_t *end = text->len > 0 ? memchr(text->at, '\n', text->len) : NULL;
    struct bytes line = {text->at, end ? (size_t)(end - text->at) : text->len};
    size_t used = end ? line.len + 1 : line.len;
    *text = (struct bytes){text->at + used, text->len - used};
    return line;
}

enum err note_line_parse(struct note_line *out, struct bytes line)
{
    size_t dash = strlen(DASH);
    *out = (struct note_line){0};
    if (line.len > 0 && line.at[line.len - 1] == '\n') {
        line.len--;
    }
    if (line.len <= dash || line.len > NOTE_LINE_MAX || memcmp(line.at, DASH, dash) != 0) {
        return ERR_FORMAT;
    }
    struct bytes rest = {line.at + dash, line.len - dash};
    const uint8_t *blank = memchr(rest.at, ' ', rest.len);
    if (blank == NULL) {
        return ERR_FORMAT;
    }
    out->name = (struct bytes){rest.at, (size_t)(blank - rest.at)};
    struct bytes base64 = {blank + 1, rest.len - out->name.len - 1};
    return out->name.len > 0 ? base64_append(&out->decoded, base64) : ERR_FORMAT;
}

bool note_line_is_by(const struct note_line *line, const struct note_key *key)
{
    return bytes_equal(line->name, key->name) && line->decoded.len >= sizeof key->id &&
           memcmp(line->decoded.at, key->id, sizeof key->id) == 0;
}

enum err note_sign(struct buf *out, const struct note_key *key, const struct signer *signer,
                   struct bytes checkpoint)
{
    uint8_t signature[NOTE_KEY_ID_LEN + SIGNATURE_LEN];
    memcpy(signature, key->id, sizeof key->id);
    TRY(signer_sign(signer, signature + sizeof key->id, checkpoint));
    buf_put(out, bytes_text(DASH));
    buf_put(out, key->name);
    buf_put_byte(out, ' ');
    base64_put(out, BYTES_OF(signature));
    buf_put_byte(out, '\n');
    return OK;
}

enum err note_verify(const struct note_line *line, const struct note_key *key,
                     struct bytes checkpoint)
{
    if (line->decoded.len != NOTE_KEY_ID_LEN + SIGNATURE_LEN) {
        return ERR_FORMAT;
    }
    struct bytes signature = {line->decoded.at + NOTE_KEY_ID_LEN, SIGNATURE_LEN};
    return ed25519_verify(key->key32, checkpoint, signature);
}

enum err cosignature_verify(uint64_t *seconds, const struct note_line *line,
                            const struct note_key *key, struct bytes checkpoint)
{
    if (line->decoded.len != NOTE_KEY_ID_LEN + TIME_LEN + SIGNATURE_LEN) {
        return ERR_FORMAT;
    }
    char head[64];
    struct buf message = {0};
    *seconds = get_u64(line->decoded.at + NOTE_KEY_ID_LEN);
    snprintf(head, sizeof head, "cosignature/v1\ntime %" PRIu64 "\n", *seconds);
    buf_put(&message, bytes_text(head));
    buf_put(&message, checkpoint);
    struct bytes signature = {line->decoded.at + NOTE_KEY_ID_LEN + TIME_LEN, SIGNATURE_LEN};
    enum err err = ed25519_verify(key->key32, buf_bytes(&message), signature);
    buf_clear(&message);
    return err;
}
