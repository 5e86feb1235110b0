/* What the operating system says about this process. */
#ifndef CAIRN_BASE_PROCESS_H
#define CAIRN_BASE_PROCESS_H

#include <stdint.h>

struct process_figures {
    uint64_t cpu_us;
    uint64_t start_ms; /* wall clock; as that stood when it was first asked for */
    uint64_t resident_len;
    uint64_t open_fds;
    uint64_t max_fds;
};

/* Reads /proc; what is not there is 0. Thread-safe. */
void process_figures(struct process_figures *out);

#endif
