/* The node's own keys. A key in a token may fail while the node runs. A node that could not vouch
 * for what it takes would mislead its depositors, so it takes nothing until the token signs again;
 * what was taken before is in the ledger and gets its receipt then. */
#include "node/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "proof/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NANOS_A_SECOND 1000000000u
#define PROBE_IDLE_S   10u

static const char *key_file(enum purpose purpose)
{
    return purpose == PURPOSE_RECEIPT ? NODE_RECEIPT_KEY : NODE_CHECKPOINT_KEY;
}

static enum err open_key(struct node *node, struct signer **out, const struct node_options *options,
                         enum purpose purpose, struct why *why)
{
    const char *name = purpose == PURPOSE_RECEIPT ? options->receipt_key : options->checkpoint_key;
    name = name ? name : key_file(purpose);
    bool is_below = name[0] != '/' && !keystore_is_uri(name);
    char *path = is_below ? path_join(node->dir, name) : mem_strdup(name);
    enum err err = keystore_open(out, path, options->ask, options->ask_context, why);
    free(path);
    return err;
}

/* Compares a key with the ledger: one that may not sign makes the node read-only. */
static enum err check_key(struct node *node, const struct signer *signer, enum purpose purpose,
                          struct why *why)
{
    struct view *view = node_view(node);
    struct why reason = {0};
    enum err err =
        node_check_key(node, view, signer, purpose, view_header(view)->tree_size, &reason);
    view_release(view);
    if (err == ERR_READ_ONLY) {
        node_set_read_only(node, reason.field, reason.problem, reason.remedy);
        return OK;
    }
    if (err != OK) {
        *why = reason;
    }
    return err;
}

/* Whether the receipt key may speak for the newest block, in which it may have ended. */
static bool may_sign_newest(struct node *node)
{
    struct view *view = node_view(node);
    enum err err = node_check_key(node, view, node->receipt, PURPOSE_RECEIPT,
                                  view_header(view)->first_index, NULL);
    view_release(view);
    return err == OK;
}

/* A rotation leaves the new key as a file beside the old one until its block is in the ledger.
 * Gives it its place if that is so, removes it if not. */
static enum err settle_new(struct node *node, struct signer **signer, enum purpose purpose,
                           struct why *why)
{
    char name[64];
    struct signer *next = NULL;
    snprintf(name, sizeof name, "%s" NODE_NEW_KEY, key_file(purpose));
    char *from = path_join(node->dir, name);
    char *to = path_join(node->dir, key_file(purpose));
    char *keys = path_join(node->dir, "keys");
    enum err err = file_exists(from) ? signer_open(&next, from, NULL, NULL, why) : OK;
    if (err == OK && next) {
        struct view *view = node_view(node);
        bool keep =
            node_check_key(node, view, next, purpose, view_header(view)->tree_size, NULL) == OK;
        view_release(view);
        if ((keep ? rename(from, to) : unlink(from)) != 0 || dir_sync(keys) != OK) {
            err = why_say(why, ERR_IO, "file", from, "could not be given its place",
                          "Check the permissions of the folder.");
        } else if (keep) {
            struct signer *old = *signer;
            *signer = next;
            next = old;
        }
    }
    signer_free(next);
    free(from);
    free(to);
    free(keys);
    return err;
}

/* Of several nodes this is the one whose receipt key lies here. A key that the ledger does not know
 * leaves it without a name, and read-only. */
static void take_name(struct node *node)
{
    struct buf bytes = {0};
    struct key_record record;
    struct view *view = node_view(node);
    enum err err = node_key_record(view, pubkey_kid(signer_pubkey(node->receipt)), &bytes, &record);
    view_release(view);
    if (err == OK && record.purpose == PURPOSE_RECEIPT) {
        memcpy(node->name, record.member.at, record.member.len);
        node->name[record.member.len] = '\0';
    }
    buf_clear(&bytes);
}

enum err node_open_keys(struct node *node, const struct node_options *options, bool *writable,
                        struct why *why)
{
    TRY(open_key(node, &node->receipt, options, PURPOSE_RECEIPT, why));
    TRY(open_key(node, &node->checkpoint, options, PURPOSE_CHECKPOINT, why));
    take_name(node);
    if (may_sign_newest(node)) {
        TRY(node_note_newest(node, why));
    }
    TRY(settle_new(node, &node->receipt, PURPOSE_RECEIPT, why));
    TRY(settle_new(node, &node->checkpoint, PURPOSE_CHECKPOINT, why));
    TRY(check_key(node, node->receipt, PURPOSE_RECEIPT, why));
    TRY(check_key(node, node->checkpoint, PURPOSE_CHECKPOINT, why));
    *writable = node->read_only.field[0] == '\0';
    if (!*writable) {
        signer_free(node->receipt);
        signer_free(node->checkpoint);
        node->receipt = NULL;
        node->checkpoint = NULL;
    }
    return OK;
}

enum err node_sign_failed(struct node *node, const struct signer *signer, enum err err,
                          struct why *why)
{
    struct why reason = {0};
    signer_explain(signer, err, &reason);
    if (signer_is_foreign(signer)) {
        pthread_mutex_lock(&node->key_lock);
        bool is_new = !node->key_failed;
        node->key_failed = true;
        node->key_why = reason;
        pthread_mutex_unlock(&node->key_lock);
        if (is_new) {
            log_event(LOG_ERROR, "node.key_failed", "err=%s key=%s reason=\"%s %s\"", err_name(err),
                      signer == node->receipt ? "receipt" : "checkpoint", reason.field,
                      reason.problem);
        }
    }
    if (why) {
        *why = reason;
    }
    return err;
}

bool node_key_failed(struct node *node, struct why *why)
{
    pthread_mutex_lock(&node->key_lock);
    bool failed = node->key_failed;
    if (failed && why) {
        *why = node->key_why;
    }
    pthread_mutex_unlock(&node->key_lock);
    return failed;
}

static enum err try_key(struct node *node, const struct view *view, const struct signer *signer)
{
    if (!signer_is_foreign(signer)) {
        return OK;
    }
    struct buf signed_head = {0};
    enum err err = signer == node->receipt ? receipt_sign(&signed_head, view_header(view),
                                                          node_name(node), node->receipt)
                                           : node_sign_checkpoint(node, view, &signed_head);
    buf_clear(&signed_head);
    return err == OK ? OK : node_sign_failed(node, signer, err, NULL);
}

static void try_keys(struct node *node, const struct view *view)
{
    bool failed = node_key_failed(node, NULL);
    enum err receipt = try_key(node, view, node->receipt);
    enum err checkpoint = try_key(node, view, node->checkpoint);
    if (failed && receipt == OK && checkpoint == OK) {
        pthread_mutex_lock(&node->key_lock);
        node->key_failed = false;
        pthread_mutex_unlock(&node->key_lock);
        log_event(LOG_WARN, "node.key_signs_again", "height=%llu",
                  (unsigned long long)view_header(view)->height);
    }
}

void node_probe_keys(struct node *node)
{
    if (!signer_is_foreign(node->receipt) && !signer_is_foreign(node->checkpoint)) {
        return;
    }
    uint64_t now = clock_mono_ns();
    struct view *view = node_view(node);
    bool is_new = !hash_equal(&node->probed_head, view_header_hash(view));
    uint64_t wait_s = is_new || node_key_failed(node, NULL) ? 1 : PROBE_IDLE_S;
    if (now - node->probed_ns >= wait_s * NANOS_A_SECOND) {
        node->probed_head = *view_header_hash(view);
        try_keys(node, view);
        node->probed_ns = clock_mono_ns();
    }
    view_release(view);
}
