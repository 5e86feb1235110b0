#include "cli/refresh.h"

#include "base/file.h"
#include "cli/output.h"
#include "codec/text.h"
#include "merkle/tree.h"
#include "proof/note.h"
#include "proof/prooffile.h"
#include "proof/trustupdate.h"

#include <string.h>

#define HTTP_NOT_FOUND 404
#define HTTP_CONFLICT  409
#define NOTES_LEN_MAX  ((size_t)PROOF_NOTES_MAX * (NOTE_LINE_MAX + 1))

/* A proof file that is being added to. */
struct refreshing {
    struct client *client;
    const char *path;
    struct proof *proof;
    struct buf later; /* the answer about a later head */
    struct buf notes; /* lines, from which the proof borrows */
    struct trust_update *update;
    bool anchored;
};

/* ---- the path to a later head */

/* Whether `head` lies under the later header by this path. */
static bool lies_under(const struct header *head, const struct trust_step *step)
{
    struct hash hash;
    struct hash leaf;
    struct hash root;
    header_hash(&hash, head);
    leaf_hash(&leaf, hash_bytes(&hash));
    return path_root(&root, &leaf, head->height, step->header.height, step->history.at,
                     step->history.count) == OK &&
           hash_equal(&root, &step->header.history_root);
}

static enum err later_get(struct refreshing *refreshing, struct why *why)
{
    char path[160];
    const struct header *head = &refreshing->proof->head;
    snprintf(path, sizeof path, "/v1/trust-update?epoch=%llu&height=%llu&size=%llu",
             (unsigned long long)head->epoch, (unsigned long long)head->height,
             (unsigned long long)head->tree_size);
    enum err err = client_get(refreshing->client, path, TRUST_UPDATE_MAX, &refreshing->later, why);
    if (client_status(refreshing->client) == HTTP_CONFLICT) {
        return OK; /* the proof's head is the newest */
    }
    TRY(err);
    return trust_update_parse(&refreshing->update, buf_bytes(&refreshing->later), why);
}

/* Takes the first later header that the ledger vouches for; heads that a trust file learns on its
 * way are the same ones. */
static enum err add_anchor(struct refreshing *refreshing, struct why *why)
{
    struct proof *proof = refreshing->proof;
    TRY(later_get(refreshing, why));
    const struct trust_update *update = refreshing->update;
    if (!update || update->step_count == 0 ||
        (proof->has_anchor && proof->anchor.height >= update->steps[0].header.height)) {
        printf("%s: there is no later head\n", refreshing->path);
        return OK;
    }
    if (!hash_equal(&update->chain, &proof->head.chain)) {
        return why_say(why, ERR_MISMATCH, "proof", refreshing->path, "is of another ledger",
                       "Check --server.");
    }
    if (proof->file.has_anchor_token) {
        printf("%s: left as it is, its anchor has a time-stamp\n", refreshing->path);
        return OK;
    }
    if (!lies_under(&proof->head, &update->steps[0])) {
        return why_say(why, ERR_MISMATCH, "history", refreshing->path,
                       "does not lead to the later head",
                       "Keep the proof: it is evidence against the ledger's operator.");
    }
    proof->file.anchor = update->steps[0].header_bytes;
    proof->file.anchor_path = update->steps[0].history;
    refreshing->anchored = true;
    return OK;
}

/* ---- cosignatures */

/* Whether the ledger has the proof's very head at its height. */
static enum err has_head(struct refreshing *refreshing, bool *out, struct why *why)
{
    char path[64];
    char ours[65];
    struct hash hash;
    json_t *block;
    snprintf(path, sizeof path, "/v1/blocks/%llu",
             (unsigned long long)refreshing->proof->head.height);
    TRY(client_get_json(refreshing->client, path, &block, why));
    const char *theirs = json_string_value(json_object_get(block, "header_hash"));
    header_hash(&hash, &refreshing->proof->head);
    hex_write(ours, hash_bytes(&hash));
    *out = theirs && strcmp(ours, theirs) == 0;
    json_decref(block);
    return OK;
}

/* Takes the lines that the head has by now, where the proof has none. */
static enum err add_notes(struct refreshing *refreshing, struct why *why)
{
    char path[64];
    bool same = false;
    struct proof_file *file = &refreshing->proof->file;
    if (file->note_count > 0) {
        return OK;
    }
    TRY(has_head(refreshing, &same, why));
    if (!same) {
        return OK;
    }
    snprintf(path, sizeof path, "/v1/blocks/%llu/notes",
             (unsigned long long)refreshing->proof->head.height);
    enum err err = client_get(refreshing->client, path, NOTES_LEN_MAX, &refreshing->notes, why);
    if (client_status(refreshing->client) == HTTP_NOT_FOUND) {
        return OK;
    }
    TRY(err);
    struct bytes lines = buf_bytes(&refreshing->notes);
    while (lines.len > 0 && file->note_count < PROOF_NOTES_MAX) {
        file->notes[file->note_count++] = note_next(&lines);
    }
    return OK;
}

/* ---- all of it */

static enum err write_back(struct refreshing *refreshing, bool has_notes, struct why *why)
{
    struct buf bytes = {0};
    const struct proof_file *file = &refreshing->proof->file;
    if (!refreshing->anchored && !has_notes) {
        return OK;
    }
    proof_file_write(&bytes, file);
    enum err err =
        bytes.len > PROOF_MAX
            ? why_say(why, ERR_RANGE, "proof", refreshing->path, "would be larger than 1 MiB",
                      "Make it anew with 'cairn proof'.")
            : file_write(refreshing->path, buf_bytes(&bytes), file->salt.len ? 0600 : 0644, why);
    buf_clear(&bytes);
    TRY(err);
    if (refreshing->anchored) {
        const struct header *later = &refreshing->update->steps[0].header;
        printf("%s: anchored in block %llu of epoch %llu\n", refreshing->path,
               (unsigned long long)later->height, (unsigned long long)later->epoch);
    }
    if (has_notes) {
        printf("%s: has %zu cosignature%s\n", refreshing->path, file->note_count,
               file->note_count == 1 ? "" : "s");
    }
    return OK;
}

static enum err refresh(struct refreshing *refreshing, struct why *why)
{
    struct buf bytes = {0};
    enum err err = file_read(&bytes, refreshing->path, PROOF_MAX, why);
    if (err == OK) {
        err = proof_parse(&refreshing->proof, buf_bytes(&bytes), why);
    }
    buf_clear(&bytes);
    TRY(err);
    TRY(add_anchor(refreshing, why));
    TRY(add_notes(refreshing, why));
    return write_back(refreshing, refreshing->notes.len > 0, why);
}

enum err proof_refresh(struct client *client, const char *path, struct why *why)
{
    struct refreshing refreshing = {.client = client, .path = path};
    enum err err = refresh(&refreshing, why);
    trust_update_free(refreshing.update);
    proof_free(refreshing.proof);
    buf_clear(&refreshing.later);
    buf_clear(&refreshing.notes);
    return err;
}
