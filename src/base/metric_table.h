/* Every figure that the program counts, one row each: number, kind, name, label, the label's
 * values, meaning (a sentence, as docs/metrics.md begins with it). Sorted by layer; a layer adds
 * its rows in its own part.
 *
 * Names are cairn_LAYER_WHAT_UNIT, with _total where the figure only grows. One label at most, ""
 * if none, with a fixed set of values, written "a,b,c": the value's number is its place. Never an
 * id, an address or a name. Kinds: see enum metric_kind. */
#ifndef CAIRN_BASE_METRIC_TABLE_H
#define CAIRN_BASE_METRIC_TABLE_H

/* clang-format off */
#define METRIC_TABLE(X) \
    /* process */ \
    X(METRIC_PROCESS_CPU, TIME_COUNTER, "cairn_process_cpu_seconds_total", "", "", \
      "CPU time that the process has used.") \
    X(METRIC_PROCESS_START, TIME_GAUGE, "cairn_process_start_time_seconds", "", "", \
      "When the process started, as Unix time.") \
    X(METRIC_PROCESS_RESIDENT, GAUGE, "cairn_process_resident_memory_bytes", "", "", \
      "Memory of the process that is in RAM.") \
    X(METRIC_PROCESS_FDS, GAUGE, "cairn_process_open_fds_count", "", "", \
      "File descriptors that the process has open.")
/* clang-format on */

#endif
