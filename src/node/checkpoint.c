/* What vouches for a head beside the chain: the node's receipt and checkpoint, each signed once a
 * head, and the cosignatures of witnesses, which arrive later and are kept in `attest`.
 *
 * Proofs are wanted under a head that has cosignatures. So the newest view that witnesses cosigned
 * is held beside the newest of all, until it is too old to keep. */
#include "node/internal.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "proof/note.h"
#include "proof/prooffile.h"
#include "proof/receipt.h"
#include "store/store.h"

#include <string.h>

#define ATTEST_NOTES   1 /* the first byte of a key in `attest`: epoch, height -> lines */
#define NOTES_KEY_LEN  17
#define WITNESSED_S    600u /* how long a view is held that is not the newest any more */
#define NANOS_A_SECOND 1000000000u

/* Places in the label of METRIC_NODE_SIGNED. */
enum { SIGNED_RECEIPT, SIGNED_CHECKPOINT };

/* ---- what is known of a head; all of this under vouched_lock */

/* The place of a view's head, which may be one that was used for another head before. */
static struct vouched *vouched_of(struct node *node, const struct view *view)
{
    const struct hash *hash = view_header_hash(view);
    for (unsigned i = 0; i < VOUCHED_MAX; i++) {
        if (hash_equal(&node->vouched[i].head, hash)) {
            return &node->vouched[i];
        }
    }
    bool keeps_first =
        node->witnessed && hash_equal(&node->vouched[0].head, view_header_hash(node->witnessed));
    struct vouched *vouched = &node->vouched[keeps_first ? 1 : 0];
    vouched->head = *hash;
    vouched->receipt.len = 0;
    vouched->checkpoint.len = 0;
    vouched->notes.len = 0;
    vouched->notes_read = false;
    return vouched;
}

enum err node_check_key(const struct node *node, const struct view *view,
                        const struct signer *signer, enum purpose purpose, uint64_t index,
                        struct why *why)
{
    const char *name = purpose == PURPOSE_RECEIPT ? "receipt key" : "checkpoint key";
    struct key_record record;
    struct buf bytes = {0};
    enum err err = node_key_record(view, pubkey_kid(signer_pubkey(signer)), &bytes, &record);
    if (err == ERR_NOT_FOUND) {
        err = why_say(why, ERR_READ_ONLY, name, NULL, "is not registered in this ledger",
                      "Put the key file that the ledger knows back into its place.");
    } else if (err != OK) {
        why_say(why, err, name, NULL, NULL, "Check the disk.");
    } else if (record.purpose != purpose || !bytes_equal(record.member, node_name(node))) {
        err = why_say(why, ERR_READ_ONLY, name, NULL, "is registered for something else",
                      "Put the key file that belongs there back into its place.");
    } else if (record.has_until && record.until <= index) {
        err = why_say(why, ERR_READ_ONLY, name, NULL, "has ended",
                      "Put the key that was registered in its stead into its place.");
    }
    buf_clear(&bytes);
    return err;
}

/* The note is the checkpoint, an empty line, our signature. */
enum err node_sign_checkpoint(struct node *node, const struct view *view, struct buf *out)
{
    struct buf origin = {0};
    struct note_key key;
    checkpoint_origin(&origin, node->ledger_name, view_header(view));
    enum err err =
        note_key_of(&key, buf_bytes(&origin), NOTE_ED25519, signer_pubkey(node->checkpoint));
    if (err == OK) {
        checkpoint_write(out, node->ledger_name, view_header(view));
        struct buf line = {0};
        err = note_sign(&line, &key, node->checkpoint, buf_bytes(out));
        buf_put_byte(out, '\n');
        buf_put(out, buf_bytes(&line));
        buf_clear(&line);
    }
    buf_clear(&origin);
    return err;
}

/* Makes what is signed of a head, once; `kept` is where it stays. */
static enum err sign_once(struct node *node, const struct view *view, enum purpose purpose,
                          struct buf *kept, struct why *why)
{
    const struct signer *signer = purpose == PURPOSE_RECEIPT ? node->receipt : node->checkpoint;
    if (kept->len > 0) {
        return OK;
    }
    /* A key that ended in the head's own block may still say so. */
    TRY(node_check_key(node, view, signer, purpose, view_header(view)->first_index, why));
    enum err err = purpose == PURPOSE_RECEIPT
                       ? receipt_sign(kept, view_header(view), node_name(node), signer)
                       : node_sign_checkpoint(node, view, kept);
    if (err != OK) {
        kept->len = 0;
        return node_sign_failed(node, signer, err, why);
    }
    metric_add(METRIC_NODE_SIGNED, purpose == PURPOSE_RECEIPT ? SIGNED_RECEIPT : SIGNED_CHECKPOINT,
               1);
    return OK;
}

enum err node_receipt(struct node *node, const struct view *view, struct buf *out, struct why *why)
{
    if (!node->receipt) {
        *why = node->read_only;
        return ERR_READ_ONLY;
    }
    pthread_mutex_lock(&node->vouched_lock);
    struct vouched *vouched = vouched_of(node, view);
    enum err err = sign_once(node, view, PURPOSE_RECEIPT, &vouched->receipt, why);
    if (err == OK) {
        buf_put(out, buf_bytes(&vouched->receipt));
    }
    pthread_mutex_unlock(&node->vouched_lock);
    return err;
}

/* ---- cosignatures */

static struct bytes notes_key(uint8_t key[NOTES_KEY_LEN], const struct header *head)
{
    key[0] = ATTEST_NOTES;
    put_u64(key + 1, head->epoch);
    put_u64(key + 9, head->height);
    return (struct bytes){key, NOTES_KEY_LEN};
}

static enum err load_notes(struct node *node, const struct header *head, struct buf *out)
{
    uint8_t key[NOTES_KEY_LEN];
    enum err err = store_get(node->store, NULL, FAMILY_ATTEST, notes_key(key, head), out);
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err read_notes(struct node *node, const struct view *view, struct vouched *vouched)
{
    if (!vouched->notes_read) {
        TRY(load_notes(node, view_header(view), &vouched->notes));
        vouched->notes_read = true;
    }
    return OK;
}

enum err node_notes(struct node *node, const struct view *view, struct buf *out)
{
    pthread_mutex_lock(&node->vouched_lock);
    struct vouched *vouched = vouched_of(node, view);
    enum err err = read_notes(node, view, vouched);
    if (err == OK) {
        buf_put(out, buf_bytes(&vouched->notes));
    }
    pthread_mutex_unlock(&node->vouched_lock);
    return err;
}

enum err node_block_notes(struct node *node, uint64_t height, struct buf *out)
{
    struct header header;
    size_t before = out->len;
    struct view *view = node_view(node);
    enum err err = view_header_at(view, height, &header);
    view_release(view);
    if (err == OK) {
        err = load_notes(node, &header, out);
    }
    return err == OK && out->len == before ? ERR_NOT_FOUND : err;
}

enum err node_checkpoint(struct node *node, struct view *view, struct buf *out, struct why *why)
{
    if (!node->checkpoint) {
        *why = node->read_only;
        return ERR_READ_ONLY;
    }
    pthread_mutex_lock(&node->vouched_lock);
    struct vouched *vouched = vouched_of(node, view);
    enum err err = sign_once(node, view, PURPOSE_CHECKPOINT, &vouched->checkpoint, why);
    if (err == OK) {
        err = read_notes(node, view, vouched);
        if (err != OK) {
            why_say(why, err, "notes", NULL, NULL, "Check the disk.");
        }
    }
    if (err == OK) {
        buf_put(out, buf_bytes(&vouched->checkpoint));
        buf_put(out, buf_bytes(&vouched->notes));
    }
    pthread_mutex_unlock(&node->vouched_lock);
    return err;
}

enum err node_checkpoint_key(struct node *node, struct buf *vkey, struct why *why)
{
    if (!node->checkpoint) {
        *why = node->read_only;
        return ERR_READ_ONLY;
    }
    struct view *view = node_view(node);
    struct buf origin = {0};
    struct note_key key;
    checkpoint_origin(&origin, node->ledger_name, view_header(view));
    enum err err =
        note_key_of(&key, buf_bytes(&origin), NOTE_ED25519, signer_pubkey(node->checkpoint));
    if (err == OK) {
        note_key_write(vkey, &key);
    } else {
        why_say(why, err, "checkpoint key", NULL, NULL, "It must be an Ed25519 key.");
    }
    buf_clear(&origin);
    view_release(view);
    return err;
}

/* Whether the same key of the same name has signed among `lines`. */
static bool has_line_of(struct bytes lines, const struct note_line *line)
{
    bool found = false;
    while (lines.len > 0 && !found) {
        struct note_line other;
        found = note_line_parse(&other, note_next(&lines)) == OK &&
                bytes_equal(other.name, line->name) &&
                memcmp(other.decoded.at, line->decoded.at, NOTE_KEY_ID_LEN) == 0;
        buf_clear(&other.decoded);
    }
    return found;
}

/* Adds the lines of keys that have none yet. */
static enum err merge_notes(struct buf *notes, struct bytes lines)
{
    size_t count = 0;
    for (size_t i = 0; i < notes->len; i++) {
        count += notes->at[i] == '\n';
    }
    enum err err = OK;
    while (err == OK && lines.len > 0) {
        struct note_line line;
        struct bytes text = note_next(&lines);
        err = note_line_parse(&line, text);
        if (err == OK && line.decoded.len < NOTE_KEY_ID_LEN) {
            err = ERR_FORMAT;
        }
        if (err == OK && !has_line_of(buf_bytes(notes), &line)) {
            err = count++ < PROOF_NOTES_MAX ? OK : ERR_RANGE;
            buf_put(notes, text);
            buf_put_byte(notes, '\n');
        }
        buf_clear(&line.decoded);
    }
    return err;
}

/* Readers get the notes from now on, and the view of their head where it is the newest one that
 * has some. */
static void publish_notes(struct node *node, struct view *view, const struct buf *notes)
{
    pthread_mutex_lock(&node->vouched_lock);
    struct view *old = NULL;
    if (!node->witnessed || view_header(node->witnessed)->height <= view_header(view)->height) {
        old = node->witnessed;
        node->witnessed = view_retain(view);
        node->witnessed_ns = clock_mono_ns();
    }
    struct vouched *vouched = vouched_of(node, view);
    vouched->notes.len = 0;
    buf_put(&vouched->notes, buf_bytes(notes));
    vouched->notes_read = true;
    pthread_mutex_unlock(&node->vouched_lock);
    view_release(old);
}

static enum err write_notes(struct node *node, const struct header *head, const struct buf *notes)
{
    uint8_t key[NOTES_KEY_LEN];
    struct batch *batch = batch_new();
    batch_put(batch, FAMILY_ATTEST, notes_key(key, head), buf_bytes(notes));
    enum err err = store_commit(node->store, batch);
    batch_free(batch);
    return err;
}

enum err node_add_notes(struct node *node, struct view *view, struct bytes lines, struct why *why)
{
    struct buf notes = {0};
    pthread_mutex_lock(&node->notes_lock);
    enum err err = load_notes(node, view_header(view), &notes);
    size_t before = notes.len;
    if (err == OK) {
        err = merge_notes(&notes, lines);
    }
    if (err == OK && notes.len > before) {
        err = write_notes(node, view_header(view), &notes);
        metric_add(METRIC_NODE_NOTES, 0, err == OK);
    }
    if (err == OK && notes.len > 0) {
        publish_notes(node, view, &notes);
    }
    pthread_mutex_unlock(&node->notes_lock);
    buf_clear(&notes);
    return err == OK
               ? OK
               : why_say(why, err, "cosignature", NULL, NULL, "Check the witness, and the disk.");
}

struct view *node_proof_view(struct node *node, uint64_t index)
{
    struct view *newest = node_view(node);
    struct view *chosen = NULL;
    struct view *dropped = NULL;
    pthread_mutex_lock(&node->vouched_lock);
    if (node->witnessed) {
        bool is_newest = view_header(node->witnessed)->height == view_header(newest)->height;
        uint64_t age_s = (clock_mono_ns() - node->witnessed_ns) / NANOS_A_SECOND;
        if (!is_newest && age_s > WITNESSED_S) {
            dropped = node->witnessed;
            node->witnessed = NULL;
        } else if (index < view_header(node->witnessed)->tree_size) {
            chosen = view_retain(node->witnessed);
        }
    }
    pthread_mutex_unlock(&node->vouched_lock);
    view_release(dropped);
    if (chosen) {
        view_release(newest);
    }
    return chosen ? chosen : newest;
}

void node_vouched_clear(struct node *node)
{
    view_release(node->witnessed);
    for (unsigned i = 0; i < VOUCHED_MAX; i++) {
        buf_clear(&node->vouched[i].receipt);
        buf_clear(&node->vouched[i].checkpoint);
        buf_clear(&node->vouched[i].notes);
    }
    signer_free(node->receipt);
    signer_free(node->checkpoint);
    pthread_mutex_destroy(&node->vouched_lock);
    pthread_mutex_destroy(&node->notes_lock);
}
