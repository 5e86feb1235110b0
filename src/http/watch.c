#include "http/watch.h"

#include "base/metrics.h"
#include "base/process.h"
#include "http/api.h"
#include "http/problem.h"
#include "http/render.h"

/* ---- readiness */

static bool queue_full(const struct node_figures *figures)
{
    return (figures->queued_count_max > 0 &&
            figures->queued_count * 100 >= figures->queued_count_max * READY_QUEUE_PERCENT) ||
           (figures->queued_len_max > 0 &&
            figures->queued_len * 100 >= figures->queued_len_max * READY_QUEUE_PERCENT);
}

static uint64_t index_lag(const struct node_figures *figures)
{
    return figures->height > figures->index_height ? figures->height - figures->index_height : 0;
}

size_t ready_judge(struct why out[READY_REASONS_MAX], const struct node_figures *figures,
                   const struct why *read_only, bool draining)
{
    size_t count = 0;
    enum err err = OK;
    if (draining) {
        err = why_say(&out[count++], ERR_CLOSED, "node", NULL, "is stopping",
                      "Send requests to another node, or wait until it has started again.");
    }
    if (read_only) {
        out[count++] = *read_only;
    }
    if (index_lag(figures) > READY_INDEX_LAG_MAX) {
        err = why_sayf(&out[count++], ERR_BUSY, "index", "is far behind",
                       "Wait; if it stays, look at disk and processor.", "%llu blocks",
                       (unsigned long long)index_lag(figures));
    }
    if (figures->disk_len > 0 && figures->disk_free_len < READY_DISK_MIN) {
        err = why_sayf(&out[count++], ERR_IO, "disk", "is nearly full",
                       "Make room or enlarge it; below this the next compaction may fail.",
                       "%llu MiB free", (unsigned long long)(figures->disk_free_len >> 20));
    }
    if (figures->audit_failed) {
        err = why_say(&out[count++], ERR_IO, "audit log", NULL, "can't be written",
                      "Check disk and permissions of DIR/audit.log; the next act is tried again.");
    }
    if (queue_full(figures)) {
        err = why_sayf(&out[count++], ERR_BUSY, "queue", "is nearly full",
                       "Send more slowly; statements are refused with 503 when it is full.",
                       "%llu statements, %llu bytes", (unsigned long long)figures->queued_count,
                       (unsigned long long)figures->queued_len);
    }
    (void)err; /* only the texts are wanted */
    return count;
}

static size_t judge(struct api *api, struct why out[READY_REASONS_MAX],
                    const struct node_figures *figures)
{
    struct why read_only;
    bool reads = node_read_only(api->node, &read_only);
    return ready_judge(out, figures, reads ? &read_only : NULL, atomic_load(&api->draining));
}

static json_t *render_reason(const struct why *why)
{
    json_t *object = json_object();
    json_object_set_new(object, "field", json_string(why->field));
    json_object_set_new(object, "value", why->value[0] ? json_string(why->value) : json_null());
    json_object_set_new(object, "problem", json_string(why->problem));
    json_object_set_new(object, "remedy", json_string(why->remedy));
    return object;
}

void get_ready(void *context, struct exchange *exchange)
{
    struct api *api = context;
    struct node_figures figures;
    struct why reasons[READY_REASONS_MAX];
    node_figures(api->node, &figures);
    size_t count = judge(api, reasons, &figures);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, render_reason(&reasons[i]));
    }
    json_t *object = json_object();
    json_object_set_new(object, "ready", json_boolean(count == 0));
    json_object_set_new(object, "reasons", list);
    respond_json(exchange, count == 0 ? 200 : 503, object);
}

/* ---- health */

void get_health(void *context, struct exchange *exchange)
{
    struct node *node = api_node(context);
    struct node_figures figures;
    struct why why;
    node_figures(node, &figures);
    bool reads = node_read_only(node, &why);
    json_t *object = json_object();
    json_object_set_new(object, "status", json_string(reads ? "read-only" : "ok"));
    json_object_set_new(object, "read_only", reads ? render_reason(&why) : json_null());
    json_set_uint(object, "tree_size", figures.tree_size);
    json_set_uint(object, "height", figures.height);
    json_set_uint(object, "index_height", figures.index_height);
    json_set_uint(object, "index_delta_pairs", figures.delta_pairs);
    json_set_uint(object, "index_pending_compaction_bytes", figures.pending_compaction_len);
    json_set_uint(object, "background_jobs", figures.background_jobs);
    json_set_uint(object, "queued", figures.queued_count);
    json_set_uint(object, "accepted", figures.accepted);
    json_set_uint(object, "items", figures.items);
    json_set_uint(object, "refused", figures.refused);
    respond_json(exchange, 200, object);
}

/* ---- metrics */

static void set_process(void)
{
    struct process_figures figures;
    process_figures(&figures);
    metric_set(METRIC_PROCESS_CPU, 0, figures.cpu_us);
    metric_set(METRIC_PROCESS_START, 0, figures.start_ms);
    metric_set(METRIC_PROCESS_RESIDENT, 0, figures.resident_len);
    metric_set(METRIC_PROCESS_FDS, 0, figures.open_fds);
    metric_set(METRIC_PROCESS_FDS_MAX, 0, figures.max_fds);
}

static void set_store(const struct store_figures *store)
{
    metric_set(METRIC_STORE_CACHE, 0, store->cache_len);
    metric_set(METRIC_STORE_CACHE_MAX, 0, store->cache_max);
    metric_set(METRIC_STORE_MEMTABLES, 0, store->memtables_len);
    metric_set(METRIC_STORE_WAL, 0, store->wal_len);
    metric_set(METRIC_STORE_LIVE, 0, store->live_len);
    metric_set(METRIC_STORE_FILES, 0, store->files_len);
    metric_set(METRIC_STORE_PENDING, 0, store->pending_len);
    metric_set(METRIC_STORE_JOBS, 0, store->jobs);
}

static void set_node(const struct node_figures *figures)
{
    metric_set(METRIC_ADMIT_WAITING, 0, figures->admit_waiting);
    metric_set(METRIC_ORDER_QUEUED, 0, figures->queued_count);
    metric_set(METRIC_ORDER_QUEUED_LEN, 0, figures->queued_len);
    metric_set(METRIC_ORDER_CLOCK_STEP, 0, (uint64_t)figures->clock_step_ms);
    metric_set(METRIC_NODE_TREE, 0, figures->tree_size);
    metric_set(METRIC_NODE_HEIGHT, 0, figures->height);
    metric_set(METRIC_NODE_INDEX_LAG, 0, index_lag(figures));
    metric_set(METRIC_NODE_INDEX_DELTA, 0, figures->delta_pairs);
    metric_set(METRIC_NODE_ACCEPTED, 0, figures->accepted);
    metric_set(METRIC_NODE_ITEMS, 0, figures->items);
    metric_set(METRIC_NODE_DISK_FREE, 0, figures->disk_free_len);
    metric_set(METRIC_NODE_DISK, 0, figures->disk_len);
}

void get_metrics(void *context, struct exchange *exchange)
{
    struct api *api = context;
    struct node_figures figures;
    struct why reasons[READY_REASONS_MAX];
    node_figures(api->node, &figures);
    set_process();
    set_store(&figures.store);
    set_node(&figures);
    metric_set(METRIC_NODE_READY, 0, judge(api, reasons, &figures) == 0);
    metric_set(METRIC_NODE_READ_ONLY, 0, node_read_only(api->node, &reasons[0]));
    struct buf body = {0};
    metrics_print(&body);
    respond_bytes(exchange, METRICS_CONTENT_TYPE, &body);
}
