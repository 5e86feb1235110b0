#include "cli/bench/machine.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDERS 16

/* Reads the start of a file of /proc; "" if it can't be read. */
static void read_text(char *out, size_t cap, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = 1;
    while (fd >= 0 && got > 0 && len + 1 < cap) {
        got = read(fd, out + len, cap - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    out[len] = '\0';
}

struct machine_ticks machine_ticks(void)
{
    char text[512];
    read_text(text, sizeof text, "/proc/stat");
    struct machine_ticks ticks = {0};
    char *at = text + strcspn(text, " ");
    /* user nice system idle iowait irq softirq steal; what follows is counted in user already. */
    for (int i = 0; i < 8; i++) {
        uint64_t value = strtoull(at, &at, 10);
        ticks.all += value;
        ticks.steal = i == 7 ? value : 0;
    }
    return ticks;
}

double steal_share(struct machine_ticks before, struct machine_ticks after)
{
    uint64_t all = after.all - before.all;
    return all == 0 ? 0 : (double)(after.steal - before.steal) / (double)all;
}

unsigned machine_cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

double machine_load(void)
{
    double load[1] = {0};
    return getloadavg(load, 1) == 1 ? load[0] : 0;
}

/* The value of the first line "name : value" of /proc/cpuinfo. */
static bool cpu_line(char *out, size_t cap, const char *name)
{
    char text[8192];
    read_text(text, sizeof text, "/proc/cpuinfo");
    const char *line = strstr(text, name);
    const char *value = line ? strchr(line, ':') : NULL;
    if (!value) {
        return false;
    }
    value += 1 + strspn(value + 1, " ");
    snprintf(out, cap, "%.*s", (int)strcspn(value, "\n"), value);
    return true;
}

void machine_model(char *out, size_t cap)
{
    if (!cpu_line(out, cap, "model name")) {
        snprintf(out, cap, "unknown");
    }
}

bool machine_has_sha(void)
{
    char flags[4096];
    return cpu_line(flags, sizeof flags, "flags") && strstr(flags, " sha_ni") != NULL;
}

uint64_t process_cpu_ns(pid_t pid)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    read_text(text, sizeof text, path);
    /* The name, in brackets, may hold anything; utime and stime are fields 14 and 15. */
    const char *at = strrchr(text, ')');
    for (int field = 2; at && field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    if (!at) {
        return 0;
    }
    char *end;
    uint64_t ticks = strtoull(at, &end, 10);
    ticks += strtoull(end, NULL, 10);
    return ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t process_peak_len(pid_t pid)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    read_text(text, sizeof text, path);
    const char *line = strstr(text, "VmHWM:");
    return line ? strtoull(line + strlen("VmHWM:"), NULL, 10) * 1024 : 0;
}

/* nftw has no argument for its caller's data; the benchmark measures from one thread. */
static uint64_t walked_len;

static int add_len(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)path;
    (void)type;
    (void)walk;
    walked_len += (uint64_t)stat->st_blocks * 512;
    return 0;
}

uint64_t folder_len(const char *dir)
{
    walked_len = 0;
    return nftw(dir, add_len, OPEN_FOLDERS, FTW_PHYS) == 0 ? walked_len : 0;
}

bool drop_page_cache(void)
{
    sync();
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, "3", 1) == 1;
    if (fd >= 0) {
        close(fd);
    }
    return done;
}
