/* What the kernel tells about this machine and its processes. */
#ifndef CAIRN_CLI_BENCH_MACHINE_H
#define CAIRN_CLI_BENCH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Time of all processors since boot, in ticks of the kernel (/proc/stat). */
struct machine_ticks {
    uint64_t all;
    uint64_t steal; /* taken by the hypervisor for others */
};
struct machine_ticks machine_ticks(void);
/* Share of the time between two readings that was stolen. */
double steal_share(struct machine_ticks before, struct machine_ticks after);

unsigned machine_cores(void);
/* The one-minute load average. */
double machine_load(void);
/* Writes the processor's model, or "unknown". */
void machine_model(char *out, size_t cap);
/* Whether the processor has instructions for SHA-256. */
bool machine_has_sha(void);

/* CPU time of a process so far, user and system, nanoseconds in steps of a kernel tick; 0 if it is
 * gone. */
uint64_t process_cpu_ns(pid_t pid);
/* The most memory that a process ever had resident, bytes. */
uint64_t process_peak_len(pid_t pid);

/* Bytes that a folder and all below it take on the disk. */
uint64_t folder_len(const char *dir);
/* Writes everything dirty and empties the page cache; false if that is not permitted. */
bool drop_page_cache(void);

#endif
