#include "base/process.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILE_MAX 8192u

/* The text of a file of /proc, with a NUL, or an empty one. */
static void read_text(struct buf *out, const char *path)
{
    out->len = 0;
    if (file_read(out, path, FILE_MAX, NULL) != OK) {
        out->len = 0;
    }
    buf_put_byte(out, 0);
}

/* The n-th number after `at`, counted from 0; 0 if there is none. */
static uint64_t nth_number(const char *at, unsigned n)
{
    for (unsigned i = 0; at && i < n; i++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at ? strtoull(at, NULL, 10) : 0;
}

/* How long the process runs: field 22 of /proc/self/stat, in ticks since the machine started, and
 * the machine's age. The second field, the name, may hold spaces and ends with the last bracket. */
static uint64_t age_ms(struct buf *text)
{
    read_text(text, "/proc/self/stat");
    const char *rest = strrchr((const char *)text->at, ')');
    uint64_t ticks = rest ? nth_number(rest + 2, 19) : 0;
    uint64_t start_ms = ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    read_text(text, "/proc/uptime");
    const char *dot = strchr((const char *)text->at, '.');
    uint64_t up_ms = nth_number((const char *)text->at, 0) * 1000;
    up_ms += dot ? strtoull(dot + 1, NULL, 10) * 10 : 0;
    return up_ms > start_ms ? up_ms - start_ms : 0;
}

static uint64_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;
    while (dir && readdir(dir)) {
        count++;
    }
    if (dir) {
        closedir(dir);
    }
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder itself */
}

void process_figures(struct process_figures *out)
{
    static atomic_uint_fast64_t started_ms;
    struct buf text = {0};
    if (atomic_load(&started_ms) == 0) {
        atomic_store(&started_ms, clock_wall_ms() - age_ms(&text));
    }
    read_text(&text, "/proc/self/statm");
    struct rlimit limit = {0};
    *out = (struct process_figures){
        .cpu_us = clock_cpu_ns() / 1000,
        .start_ms = atomic_load(&started_ms),
        .resident_len = nth_number((const char *)text.at, 1) * (uint64_t)sysconf(_SC_PAGESIZE),
        .open_fds = count_fds(),
        .max_fds = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0,
    };
    buf_clear(&text);
}
