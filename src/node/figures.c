/* How the node stands, for whoever watches it. */
#include "node/internal.h"

#include "store/audit.h"
#include "store/index.h"
#include "store/store.h"

#include <sys/statvfs.h>

/* Only index runs are rewritten again and again; what the other families still owe is small. */
static uint64_t index_pending_len(struct node *node)
{
    uint64_t total = 0;
    for (unsigned kind = 0; kind < INDEX_KIND_COUNT; kind++) {
        total += index_property(node->index, (enum index_kind)kind,
                                "rocksdb.estimate-pending-compaction-bytes");
    }
    return total;
}

static void add_order(struct node *node, struct node_figures *out)
{
    struct order_status status;
    node->order->status(node->order, &status);
    out->queued_count = status.queued_count;
    out->queued_len = status.queued_len;
    out->queued_count_max = status.queued_count_max;
    out->queued_len_max = status.queued_len_max;
    out->clock_step_ms = status.clock_step_ms;
    out->admit_waiting = admit_waiting(node->admit);
}

static void add_disk(struct node *node, struct node_figures *out)
{
    struct statvfs disk;
    if (statvfs(node->dir, &disk) == 0) {
        out->disk_free_len = (uint64_t)disk.f_bavail * disk.f_frsize;
        out->disk_len = (uint64_t)disk.f_blocks * disk.f_frsize;
    }
}

void node_figures(struct node *node, struct node_figures *out)
{
    *out = (struct node_figures){0};
    struct view *view = node_view(node);
    out->tree_size = view_header(view)->tree_size;
    out->height = view_header(view)->height;
    view_release(view);
    enum err err = index_height(node->index, &out->index_height);
    (void)err; /* not found: nothing is indexed yet, which is height 0 */
    out->delta_pairs = index_delta_len(node->index);
    if (node->order) {
        add_order(node, out);
    }
    store_figures(node->store, &out->store);
    out->pending_compaction_len = index_pending_len(node);
    out->background_jobs = out->store.jobs;
    add_disk(node, out);
    out->audit_failed = audit_failed(node->audit);
    out->accepted = atomic_load(&node->accepted);
    out->items = atomic_load(&node->items);
    out->refused = atomic_load(&node->refused);
}
