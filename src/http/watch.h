/* What operation asks: does it live, is it ready, how does it stand. */
#ifndef CAIRN_HTTP_WATCH_H
#define CAIRN_HTTP_WATCH_H

#include "http/server.h"
#include "node/node.h"

route_fn get_health;  /* /healthz: 200 as long as the process answers, with some figures */
route_fn get_ready;   /* /readyz: 200, or 503 with all that stands against it */
route_fn get_metrics; /* /metrics */

/* A node is not ready once ... */
#define READY_INDEX_LAG_MAX 2000u                 /* blocks that searches do not see */
#define READY_DISK_MIN      ((uint64_t)512 << 20) /* bytes free: room for log, memtables, a run */
#define READY_QUEUE_PERCENT 90u                   /* of the queue is taken */

#define READY_REASONS_MAX 8

/* Writes all reasons against taking requests and returns how many; 0: ready. `read_only` is
 * node_read_only's answer or NULL. */
size_t ready_judge(struct why out[READY_REASONS_MAX], const struct node_figures *figures,
                   const struct why *read_only, bool draining);

#endif
