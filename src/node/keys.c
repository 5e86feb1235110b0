/* The node's own keys. A key in a token may fail while the node runs. A node that could not vouch
 * for what it takes would mislead its depositors, so it takes nothing until the token signs again;
 * what was taken before is in the ledger and gets its receipt then. */
#include "node/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "proof/receipt.h"

#include <stdlib.h>

#define NANOS_A_SECOND 1000000000u
#define PROBE_IDLE_S   10u

/* Opens a key and compares it with the ledger. */
static enum err open_key(struct node *node, struct signer **out, const struct node_options *options,
                         enum purpose purpose, struct why *why)
{
    bool is_receipt = purpose == PURPOSE_RECEIPT;
    const char *name = is_receipt ? options->receipt_key : options->checkpoint_key;
    name = name ? name : is_receipt ? NODE_RECEIPT_KEY : NODE_CHECKPOINT_KEY;
    bool is_below = name[0] != '/' && !keystore_is_uri(name);
    char *path = is_below ? path_join(node->dir, name) : mem_strdup(name);
    enum err err = keystore_open(out, path, options->ask, options->ask_context, why);
    free(path);
    TRY(err);
    struct view *view = node_view(node);
    struct why reason = {0};
    err = node_check_key(view, *out, purpose, view_header(view)->tree_size, &reason);
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

enum err node_open_keys(struct node *node, const struct node_options *options, bool *writable,
                        struct why *why)
{
    TRY(open_key(node, &node->receipt, options, PURPOSE_RECEIPT, why));
    TRY(open_key(node, &node->checkpoint, options, PURPOSE_CHECKPOINT, why));
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
