/* Every figure that the program counts, one row each: number, kind, name, label, the label's
 * values, meaning (a sentence, as docs/metrics.md begins with it). Sorted by layer; a layer adds
 * its rows in its own part.
 *
 * Names are cairn_LAYER_WHAT_UNIT, with _total where the figure only grows. One label at most, ""
 * if none, with a fixed set of values, written "a,b,c": the value's number is its place. Never an
 * id, an address or a name. Kinds: see enum metric_kind. */
#ifndef CAIRN_BASE_METRIC_TABLE_H
#define CAIRN_BASE_METRIC_TABLE_H

/* Kinds of reasons for a refusal: metric_reason(). */
#define METRIC_REASONS \
    "malformed,too_large,unsupported,key,signature,rule,exists,expired,busy,broken"

/* What can be wrong with a transaction or a proposal (order/comet/proposal.c). */
#define METRIC_FAULTS                                                                  \
    "accepted,malformed,rule,key,signature,no_time,second_time,tick,not_later,before_" \
    "engine,ahead,behind,height,broken"

/* clang-format off */
#define METRIC_TABLE(X) \
    /* process */ \
    X(METRIC_PROCESS_CPU, TIME_COUNTER, "cairn_process_cpu_seconds_total", "", "", \
      "CPU time that the process has used.") \
    X(METRIC_PROCESS_START, TIME_GAUGE, "cairn_process_start_time_seconds", "", "", \
      "When the process started, as Unix time.") \
    X(METRIC_PROCESS_RESIDENT, GAUGE, "cairn_process_resident_memory_bytes", "", "", \
      "Memory of the process that is in RAM.") \
    X(METRIC_PROCESS_FDS, GAUGE, "cairn_process_open_fds", "", "", \
      "File descriptors that the process has open.") \
    X(METRIC_PROCESS_FDS_MAX, GAUGE, "cairn_process_max_fds", "", "", \
      "File descriptors that the process may have open.") \
    /* store */ \
    X(METRIC_STORE_FSYNC, TIMES, "cairn_store_fsync_duration_seconds", "file", "log,mark", \
      "Time until a block's batch is durable in the write-ahead log, and its head in the mark.") \
    X(METRIC_STORE_ERRORS, COUNTER, "cairn_store_errors_total", "kind", "io,corrupt", \
      "Failures that the database reported.") \
    X(METRIC_STORE_BLOCK_READS, COUNTER, "cairn_store_block_reads_total", "from", "cache,disk", \
      "Blocks of the database that reads needed, by where they were.") \
    X(METRIC_STORE_CACHE, GAUGE, "cairn_store_block_cache_bytes", "", "", \
      "What the block cache holds.") \
    X(METRIC_STORE_CACHE_MAX, GAUGE, "cairn_store_block_cache_capacity_bytes", "", "", \
      "What the block cache may hold.") \
    X(METRIC_STORE_MEMTABLES, GAUGE, "cairn_store_memtables_bytes", "", "", \
      "Memory of what is not yet in sorted files.") \
    X(METRIC_STORE_WAL, GAUGE, "cairn_store_wal_bytes", "", "", \
      "Size of the write-ahead log, which a start after a kill reads.") \
    X(METRIC_STORE_LIVE, GAUGE, "cairn_store_live_data_bytes", "", "", \
      "Estimate of what the database holds, without what is overwritten or deleted.") \
    X(METRIC_STORE_FILES, GAUGE, "cairn_store_files_bytes", "", "", \
      "Size of the database's sorted files.") \
    X(METRIC_STORE_PENDING, GAUGE, "cairn_store_pending_compaction_bytes", "", "", \
      "What compactions still have to rewrite, estimated.") \
    X(METRIC_STORE_JOBS, GAUGE, "cairn_store_background_jobs", "", "", \
      "Flushes and compactions that run or are due.") \
    /* admit */ \
    X(METRIC_ADMIT_SIGNATURES, COUNTER, "cairn_admit_signatures_total", "result", \
      "good,remembered,bad,unknown_key", \
      "Signatures of statements that were checked; remembered: found good before.") \
    X(METRIC_ADMIT_REFUSED, COUNTER, "cairn_admit_refused_statements_total", "reason", \
      METRIC_REASONS, "Statements refused at admission, by kind of reason.") \
    X(METRIC_ADMIT_WAITING, GAUGE, "cairn_admit_waiting_statements", "", "", \
      "Statements that no verifier has taken yet.") \
    /* order */ \
    X(METRIC_ORDER_BLOCKS, COUNTER, "cairn_order_blocks_total", "", "", \
      "Blocks made durable.") \
    X(METRIC_ORDER_SIZE, SIZES, "cairn_order_block_size_statements", "", "", \
      "Statements taken into a block, refused ones included.") \
    X(METRIC_ORDER_TIME, TIMES, "cairn_order_block_duration_seconds", "step", "execute,commit", \
      "Time that a block took: executed in memory, made durable.") \
    X(METRIC_ORDER_QUEUED, GAUGE, "cairn_order_queued_statements", "", "", \
      "Statements that wait for a block.") \
    X(METRIC_ORDER_QUEUED_LEN, GAUGE, "cairn_order_queued_bytes", "", "", \
      "Their bytes, items included.") \
    X(METRIC_ORDER_CLOCK_STEP, TIME_GAUGE, "cairn_order_clock_step_seconds", "", "", \
      "By how much the clock stepped, while that stops writing; otherwise 0.") \
    X(METRIC_ORDER_UNCHANGED, COUNTER, "cairn_order_unchanged_blocks_total", "", "", \
      "Blocks of the engine that accepted nothing and fired no timer.") \
    X(METRIC_ORDER_CHECKED, COUNTER, "cairn_order_checked_transactions_total", "result", \
      METRIC_FAULTS, "Transactions that the engine asked about for its mempool.") \
    X(METRIC_ORDER_PROPOSALS, COUNTER, "cairn_order_proposals_total", "result", METRIC_FAULTS, \
      "Proposed blocks that were judged.") \
    X(METRIC_ORDER_MISBEHAVIOR, COUNTER, "cairn_order_misbehavior_total", "", "", \
      "Offences of validators that blocks brought evidence of.") \
    X(METRIC_ORDER_GATHERED, SIZES, "cairn_order_transaction_size_statements", "", "", \
      "Statements that went into a transaction of this node.") \
    X(METRIC_ORDER_SENT, COUNTER, "cairn_order_sent_transactions_total", "result", \
      "new,again,known,busy,away,refused,tick", \
      "Transactions handed to the engine, by what came of it.") \
    X(METRIC_ORDER_TIMERS, COUNTER, "cairn_order_timers_total", "result", "done,failed", \
      "Timers that fired in blocks made durable; what the rule of a failed one changed is " \
      "forgotten.") \
    /* node */ \
    X(METRIC_NODE_TREE, GAUGE, "cairn_node_tree_size_entries", "", "", \
      "Entries of the log.") \
    X(METRIC_NODE_HEIGHT, GAUGE, "cairn_node_height_blocks", "", "", \
      "Height of the newest block.") \
    X(METRIC_NODE_INDEX_LAG, GAUGE, "cairn_node_index_lag_blocks", "", "", \
      "Blocks that searches do not see yet.") \
    X(METRIC_NODE_INDEX_DELTA, GAUGE, "cairn_node_index_delta_pairs", "", "", \
      "Index pairs in memory that are not yet in a sorted run.") \
    X(METRIC_NODE_ACCEPTED, COUNTER, "cairn_node_accepted_statements_total", "", "", \
      "Statements that the ledger took, made durable.") \
    X(METRIC_NODE_ITEMS, COUNTER, "cairn_node_items_total", "", "", \
      "Items of deposits that the ledger took.") \
    X(METRIC_NODE_REFUSED, COUNTER, "cairn_node_refused_statements_total", "reason", \
      METRIC_REASONS, "Statements refused after they were admitted, by kind of reason.") \
    X(METRIC_NODE_PROOFS, COUNTER, "cairn_node_proofs_total", "kind", "entry,state", \
      "Proof files put together.") \
    X(METRIC_NODE_SIGNED, COUNTER, "cairn_node_signed_heads_total", "key", "receipt,checkpoint", \
      "Heads that were signed, by the key that did it.") \
    X(METRIC_NODE_NOTES, COUNTER, "cairn_node_witness_notes_total", "", "", \
      "Sets of witness lines that were stored.") \
    X(METRIC_NODE_RECEIPTS_TAKEN, COUNTER, "cairn_node_peer_receipts_total", "fate", \
      "kept,waits,known,far,differs", \
      "Receipts of other nodes that came, by what became of them.") \
    X(METRIC_NODE_CONTRADICTIONS, COUNTER, "cairn_node_contradictions_total", "kind", \
      "two_heads,other_head", \
      "Keys of other nodes that signed two heads of one height, or another head than ours.") \
    X(METRIC_NODE_READ_ONLY, GAUGE, "cairn_node_read_only_state", "", "", \
      "1 while the node takes no statements, otherwise 0.") \
    X(METRIC_NODE_READY, GAUGE, "cairn_node_ready_state", "", "", \
      "1 if /readyz answers 200, otherwise 0.") \
    X(METRIC_NODE_DISK_FREE, GAUGE, "cairn_node_disk_free_bytes", "", "", \
      "What is free on the disk of the ledger's folder.") \
    X(METRIC_NODE_DISK, GAUGE, "cairn_node_disk_size_bytes", "", "", \
      "Size of the disk of the ledger's folder.") \
    /* audit */ \
    X(METRIC_AUDIT_ACTS, COUNTER, "cairn_audit_acts_total", "", "", \
      "Acts written to the audit log.") \
    X(METRIC_AUDIT_ERRORS, COUNTER, "cairn_audit_errors_total", "kind", "write,verify", \
      "Acts that could not be written; times that the log did not hold.") \
    X(METRIC_AUDIT_DEPOSITS, COUNTER, "cairn_audit_deposits_total", "result", "made,failed", \
      "Deposits of the audit log's head.") \
    X(METRIC_AUDIT_DEPOSITED, TIME_GAUGE, "cairn_audit_deposit_time_seconds", "", "", \
      "When the audit log's head was deposited last, as Unix time; 0 if never.") \
    /* service */ \
    X(METRIC_SERVICE_WITNESS_FAILURES, COUNTER, "cairn_service_witness_failures_total", "", "", \
      "Requests to witnesses that brought no cosignature.") \
    /* http */ \
    X(METRIC_HTTP_REQUESTS, COUNTER, "cairn_http_requests_total", "code", "2xx,3xx,4xx,5xx", \
      "Requests answered, by class of status.") \
    X(METRIC_HTTP_REFUSALS, COUNTER, "cairn_http_refusals_total", "reason", \
      "path,method,accept,media_type,long_path,header,framing,body,chunked,memory,answer," \
      "slow_header,slow_body,slow_reader,address,rate,connections,streams,late,stopping,"          \
      "malformed", \
      "Requests that the server itself refused or ended, by reason.") \
    X(METRIC_HTTP_CONNECTIONS, GAUGE, "cairn_http_open_connections", "", "", \
      "Connections that are open.") \
    X(METRIC_HTTP_ACCEPTED, COUNTER, "cairn_http_connections_total", "", "", \
      "Connections that were accepted.") \
    X(METRIC_HTTP_STREAMS, GAUGE, "cairn_http_open_streams", "", "", \
      "Answers without an end that are under way.") \
    X(METRIC_HTTP_MEMORY, GAUGE, "cairn_http_memory_bytes", "", "", \
      "Bytes of bodies, queues and answers, out of the configured memory.") \
    X(METRIC_HTTP_MEMORY_MAX, GAUGE, "cairn_http_memory_max_bytes", "", "", \
      "The configured memory.") \
    X(METRIC_HTTP_CERTIFICATE, TIME_GAUGE, "cairn_http_certificate_expiry_seconds", "", "", \
      "When the server's certificate expires, as Unix time; 0 without TLS.") \
    X(METRIC_HTTP_RECEIVED, COUNTER, "cairn_http_received_bytes_total", "", "", \
      "Bytes of bodies that came.") \
    X(METRIC_HTTP_SENT, COUNTER, "cairn_http_sent_bytes_total", "", "", \
      "Bytes of bodies that were handed to the network.") \
    X(METRIC_HTTP_DURATION, TIMES, "cairn_http_request_seconds", "access", \
      "open,read,write,watch", \
      "From a request's headers to the end of its answer, by kind of route; without streams.") \
    X(METRIC_HTTP_WAIT, TIMES, "cairn_http_wait_seconds", "", "", \
      "How long requests waited for the ledger.") \
    X(METRIC_HTTP_TURN, TIMES, "cairn_http_loop_turn_seconds", "", "", \
      "The longest turn of an event loop in each second: how late it can be.")
/* clang-format on */

#endif
