/* The heads that DIR/NAME.trust lists are heads that somebody has seen: a ledger that stands below
 * one of them, or differs from one, has lost history and may not write (architecture.md). */
#include "node/internal.h"

#include "base/file.h"
#include "base/log.h"
#include "proof/trust.h"

#include <stdio.h>
#include <stdlib.h>

char *node_trust_path(const struct node *node, const char *suffix)
{
    char file[LEDGER_NAME_MAX + 32];
    snprintf(file, sizeof file, "%.*s.trust%s", (int)node->ledger_name.len,
             (const char *)node->ledger_name.at, suffix);
    return path_join(node->dir, file);
}

enum err node_load_trust(struct node *node, struct trust **out, struct why *why)
{
    char *path = node_trust_path(node, "");
    enum err err = file_read(&node->trust_file, path, TRUST_MAX, why);
    free(path);
    TRY(err);
    return trust_parse(out, buf_bytes(&node->trust_file), why);
}

/* Whether the ledger holds this very head. */
static bool holds(const struct view *view, const struct head *head)
{
    struct header header;
    struct hash hash;
    if (view_header_at(view, head->place.height, &header) != OK) {
        return false;
    }
    header_hash(&hash, &header);
    return hash_equal(&hash, &head->hash);
}

enum err node_check_known_heads(struct node *node, bool *writable, struct why *why)
{
    struct trust *trust;
    TRY(node_load_trust(node, &trust, why));
    node_note_receipt_keys(node, trust);
    struct view *view = node_view(node);
    for (size_t i = 0; i < trust->head_count; i++) {
        const struct head *head = &trust->heads[i];
        if (!head->lost && !holds(view, head)) {
            *writable = false;
            node_set_read_only(node, "ledger", "lacks a head that its trust file lists",
                               "Restore the newest copy, or run 'cairn resume DIR --lost-after "
                               "HEIGHT'.");
        }
    }
    view_release(view);
    trust_free(trust);
    return OK;
}
