#include "notes.h"

#include "codec/text.h"
#include "proof/note.h"
#include "service/witness/ask.h"

#include <stdio.h>
#include <string.h>

#define SECONDS 1767225700u /* when the witness signs */
#define OLD     11u         /* entries that it has seen */
#define WIDTH   4u          /* of the tile */

/* Prints a text of several lines in one, and clears it. */
static void emit_lines(const char *name, struct buf *text)
{
    printf("%s lines ", name);
    for (size_t i = 0; i < text->len; i++) {
        if (text->at[i] == '\n') {
            fputs("\\n", stdout);
        } else {
            putchar(text->at[i]);
        }
    }
    putchar('\n');
    buf_clear(text);
}

static void emit_vkey(const char *name, const struct note_key *key)
{
    struct buf vkey = {0};
    note_key_write(&vkey, key);
    printf("%s text %.*s\n", name, (int)vkey.len, (const char *)vkey.at);
    buf_clear(&vkey);
}

static void cosign(struct buf *out, const struct signer *witness, const struct note_key *key,
                   struct bytes checkpoint)
{
    char head[64];
    struct buf message = {0};
    uint8_t blob[NOTE_KEY_ID_LEN + 8 + 64];
    snprintf(head, sizeof head, "cosignature/v1\ntime %u\n", SECONDS);
    buf_put(&message, bytes_text(head));
    buf_put(&message, checkpoint);
    memcpy(blob, key->id, NOTE_KEY_ID_LEN);
    put_u64(blob + NOTE_KEY_ID_LEN, SECONDS);
    must(signer_sign(witness, blob + NOTE_KEY_ID_LEN + 8, buf_bytes(&message)), "the witness");
    buf_put(out, bytes_text("\xe2\x80\x94 "));
    buf_put(out, key->name);
    buf_put_byte(out, ' ');
    base64_put(out, BYTES_OF(blob));
    buf_put_byte(out, '\n');
    buf_clear(&message);
}

static void show_witness(const struct view *view, struct bytes checkpoint, struct bytes note)
{
    struct signer *witness = label_signer("cairn example: witness");
    struct note_key key;
    struct path path;
    struct buf text = {0};
    must(note_key_of(&key, bytes_text("witness.example"), NOTE_COSIGNATURE, signer_pubkey(witness)),
         "the witness");
    emit_vkey("witness-vkey", &key);
    must(view_log_consistency(view, OLD, view_header(view)->tree_size, &path), "the path");
    ask_write(&text, OLD, &path, note);
    emit_lines("add-checkpoint", &text);
    cosign(&text, witness, &key, checkpoint);
    emit_lines("cosignature", &text);
    signer_free(witness);
}

void show_notes(struct world *world, const struct signer *checkpoint)
{
    struct view *view = ledger_view(world->ledger);
    struct note_key key;
    struct buf origin = {0};
    struct buf text = {0};
    struct buf note = {0};
    struct buf tile = {0};
    checkpoint_origin(&origin, bytes_text("example"), view_header(view));
    must(note_key_of(&key, buf_bytes(&origin), NOTE_ED25519, signer_pubkey(checkpoint)), "the key");
    emit_vkey("checkpoint-vkey", &key);
    checkpoint_write(&text, bytes_text("example"), view_header(view));
    buf_put(&note, buf_bytes(&text));
    buf_put_byte(&note, '\n');
    must(note_sign(&note, &key, checkpoint, buf_bytes(&text)), "the checkpoint");
    struct buf copy = {0};
    buf_put(&copy, buf_bytes(&note));
    emit_lines("checkpoint", &copy);
    must(view_tile(view, 0, 0, WIDTH, &tile), "the tile");
    emit_buf("tile", "bytes", &tile);
    show_witness(view, buf_bytes(&text), buf_bytes(&note));
    view_release(view);
    buf_clear(&origin);
    buf_clear(&text);
    buf_clear(&note);
}
