/* Receipts by themselves, as RFC 9942 and RFC 9943 have them, and the keys that signed them. */
#include "node/internal.h"

#include "proof/receipt.h"
#include "proof/trust.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_RECEIPTS 394

/* ---- one entry's receipt */

/* Appends the node's receipt for the view's head with the inclusion path of `index`. */
static enum err receipt_of(struct node *node, const struct view *view, uint64_t index,
                           struct buf *out, struct why *why)
{
    struct buf bytes = {0};
    struct path path;
    struct receipt receipt;
    uint64_t size = view_header(view)->tree_size;
    enum err err = view_log_path(view, index, size, &path);
    if (err != OK) {
        return why_sayf(why, err, "entry", NULL, "Ask for an entry below the head's size.",
                        "index %llu", (unsigned long long)index);
    }
    err = node_receipt(node, view, &bytes, why);
    if (err == OK) {
        BUG_ON(receipt_parse(&receipt, buf_bytes(&bytes)) != OK);
        receipt_with_path(out, &receipt, size, index, &path);
    }
    buf_clear(&bytes);
    return err;
}

enum err node_entry_receipt(struct node *node, uint64_t index, struct buf *out, struct why *why)
{
    struct view *view = node_view(node);
    enum err err = receipt_of(node, view, index, out, why);
    view_release(view);
    return err;
}

enum err node_transparent(struct node *node, uint64_t index, struct buf *out, struct why *why)
{
    struct view *view = node_view(node);
    struct buf entry = {0};
    struct buf receipt = {0};
    struct buf unprotected = {0};
    struct sign1 sign1;
    uint64_t height;
    enum err err = receipt_of(node, view, index, &receipt, why);
    if (err == OK) {
        err = view_entry(view, index, &entry, &height);
    }
    if (err == OK) {
        err = sign1_parse(&sign1, buf_bytes(&entry));
    }
    if (err == OK) {
        cbor_put_map(&unprotected, 1);
        cbor_put_int(&unprotected, LABEL_RECEIPTS);
        cbor_put_array(&unprotected, 1);
        cbor_put_bytes(&unprotected, buf_bytes(&receipt));
        sign1.unprotected = buf_bytes(&unprotected);
        sign1_write(out, &sign1);
    }
    view_release(view);
    buf_clear(&entry);
    buf_clear(&receipt);
    buf_clear(&unprotected);
    return err;
}

/* ---- keys */

static void add_kid(struct buf *kids, const struct hash *kid)
{
    for (size_t at = 0; at < kids->len; at += sizeof *kid) {
        if (bytes_equal((struct bytes){kids->at + at, sizeof *kid}, hash_bytes(kid))) {
            return;
        }
    }
    buf_put(kids, hash_bytes(kid));
}

void node_note_receipt_keys(struct node *node, const struct trust *trust)
{
    node->receipt_kids.len = 0;
    for (size_t i = 0; i < trust->regime_count; i++) {
        const struct trust_regime *regime = &trust->regimes[i];
        for (size_t k = 0; k < regime->key_count; k++) {
            add_kid(&node->receipt_kids, pubkey_kid(regime->keys[k].key));
        }
    }
}

/* What the node's own record holds beside the trust file: keys that began since. */
static enum err add_in_force(const struct node *node, const struct view *view, struct buf *kids)
{
    struct buf bytes = {0};
    struct member_record *record = mem_alloc(sizeof *record);
    enum err err = node_member_record(view, node_name(node), &bytes, record);
    for (size_t i = 0; err == OK && i < record->key_count; i++) {
        add_kid(kids, &record->keys[i]);
    }
    free(record);
    buf_clear(&bytes);
    return err;
}

/* Calls `each` for the key of that kid. ERR_NOT_FOUND if it is no receipt key of this ledger. */
static enum err show_key(const struct view *view, const struct hash *kid, node_key_fn *each,
                         void *context)
{
    struct buf bytes = {0};
    struct key_record record;
    enum err err = node_key_record(view, kid, &bytes, &record);
    if (err == OK && record.purpose != PURPOSE_RECEIPT) {
        err = ERR_NOT_FOUND;
    }
    if (err == OK) {
        each(context, kid, &record);
    }
    buf_clear(&bytes);
    return err;
}

enum err node_receipt_key(struct node *node, const struct hash *kid, node_key_fn *each,
                          void *context)
{
    struct view *view = node_view(node);
    enum err err = show_key(view, kid, each, context);
    view_release(view);
    return err;
}

enum err node_receipt_keys(struct node *node, node_key_fn *each, void *context)
{
    struct buf kids = {0};
    struct view *view = node_view(node);
    buf_put(&kids, buf_bytes(&node->receipt_kids));
    enum err err = add_in_force(node, view, &kids);
    for (size_t at = 0; err == OK && at < kids.len; at += sizeof(struct hash)) {
        struct hash kid;
        memcpy(kid.at, kids.at + at, sizeof kid.at);
        err = show_key(view, &kid, each, context);
        /* Not a receipt key, or one whose registration was lost with a part of the ledger. */
        err = err == ERR_NOT_FOUND ? OK : err;
    }
    view_release(view);
    buf_clear(&kids);
    return err;
}
